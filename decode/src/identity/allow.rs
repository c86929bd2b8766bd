//! Who is left out of detection: decided record by record, by the true address, before anything is counted or hidden.

use std::net::IpAddr;

use schemas::Networks;

/// Sources that are never judged: one's own monitors, partners, verified crawlers. Their requests stay in the tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList {
    /// Networks.
    pub networks: Networks,
    /// Autonomous systems.
    pub asns: Vec<u32>,
    /// User agents, from their own networks only: anybody can claim to be a crawler.
    pub agents: Vec<AllowedAgent>,
}

/// A user agent that is believed when it comes from where it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedAgent {
    /// Part of the `User-Agent` header, case as is.
    pub contains: String,
    /// Where its operator says it comes from.
    pub networks: Networks,
}

impl AllowList {
    /// Whether nobody is left out.
    pub const fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.asns.is_empty() && self.agents.is_empty()
    }

    /// Whether a record is left out.
    pub fn covers(&self, address: Option<IpAddr>, asn: Option<i64>, user_agent: &str) -> bool {
        let of_asn = |asn| self.asns.iter().any(|listed| i64::from(*listed) == asn);
        let of_network = |address| {
            let is_verified = |agent: &AllowedAgent| {
                agent.networks.contains(address) && user_agent.contains(&agent.contains)
            };
            self.networks.contains(address) || self.agents.iter().any(is_verified)
        };
        asn.is_some_and(of_asn) || address.is_some_and(of_network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_and_a_network_alone_are_no_proof() {
        let networks = |text: &str| Networks::parse([text]).unwrap();
        let list = AllowList {
            networks: networks("198.51.100.0/28"),
            asns: vec![64_500],
            agents: vec![AllowedAgent {
                contains: "Examplebot".into(),
                networks: networks("203.0.113.0/24"),
            }],
        };
        let covers = |ip: &str, asn, agent| list.covers(ip.parse().ok(), asn, agent);
        assert!(covers("198.51.100.5", None, "load-test/1"));
        assert!(!covers("198.51.100.16", None, "load-test/1"));
        assert!(covers("203.0.113.9", None, "Examplebot/2.0"));
        assert!(!covers("192.0.2.9", None, "Examplebot/2.0"));
        assert!(!covers("203.0.113.9", None, "curl/8.5"));
        assert!(covers("192.0.2.9", Some(64_500), "curl/8.5"));
        assert!(covers("unix:", Some(64_500), "") && !covers("unix:", Some(1), ""));
    }
}
