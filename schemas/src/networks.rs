//! Sets of networks: who is trusted to name clients, who is left out of detection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// A set of addresses given as networks, for membership alone: overlapping networks are merged.
///
/// IPv4 addresses and IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2) are the same.
///
/// # Example
/// ```
/// use schemas::Networks;
///
/// let office = Networks::parse(["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"]).unwrap();
/// assert!(office.contains("192.0.2.9".parse().unwrap()));
/// assert!(office.contains("::ffff:198.51.100.7".parse().unwrap()));
/// assert!(!office.contains("198.51.100.8".parse().unwrap()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks {
    /// First and last address of each range, in order, apart from each other.
    ranges: Vec<(u128, u128)>,
}

/// A text that should have been a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Neither an address nor a network.
    #[error("`{0}` is no network; write 192.0.2.0/24, 2001:db8::/32 or a single address")]
    NoNetwork(String),
    /// A list that names none.
    #[error("no network in it; write one a line, or a JSON document that holds them")]
    Empty,
}

impl Networks {
    /// The set of these networks; a single address is a network of its own.
    ///
    /// # Errors
    /// [`NetworkError::NoNetwork`] names the first text that is none.
    pub fn parse<T: AsRef<str>>(
        networks: impl IntoIterator<Item = T>,
    ) -> Result<Self, NetworkError> {
        networks.into_iter().map(|text| network(text.as_ref())).collect()
    }

    /// The networks of a list as operators publish them: one a line, `#` begins a comment; or a JSON document, of
    /// which every string that is a network counts.
    ///
    /// # Errors
    /// [`NetworkError`] when a line is no network, or there is none at all.
    pub fn parse_list(text: &str) -> Result<Self, NetworkError> {
        let document = serde_json::from_str::<serde_json::Value>(text).ok();
        let set = if let Some(document) = document.filter(|it| it.is_object() || it.is_array()) {
            let mut found = Vec::new();
            strings(&document, &mut |text| found.extend(network(text).ok()));
            found.into_iter().collect()
        } else {
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or(line).trim());
            Self::parse(lines.filter(|line| !line.is_empty()))?
        };
        if set.is_empty() { Err(NetworkError::Empty) } else { Ok(set) }
    }

    /// Both sets in one.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self::merge(self.ranges.into_iter().chain(other.ranges).collect())
    }

    /// Whether the set holds no address.
    pub const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether the address is in one of the networks.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = number(address);
        let at = self.ranges.partition_point(|(first, _)| *first <= address);
        at.checked_sub(1)
            .and_then(|at| self.ranges.get(at))
            .is_some_and(|(_, last)| address <= *last)
    }

    fn merge(mut ranges: Vec<(u128, u128)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last);
                }
                _ => merged.push((first, last)),
            }
        }
        Self { ranges: merged }
    }
}

impl FromIterator<IpNet> for Networks {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        let ends = |net: IpNet| (number(net.network()), number(net.broadcast()));
        Self::merge(networks.into_iter().map(ends).collect())
    }
}

fn network(text: &str) -> Result<IpNet, NetworkError> {
    let text = text.trim();
    let single = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| single()).map_err(|_| NetworkError::NoNetwork(text.to_owned()))
}

const fn number(address: IpAddr) -> u128 {
    let address: Ipv6Addr = match address {
        IpAddr::V4(address) => mapped(address),
        IpAddr::V6(address) => address,
    };
    address.to_bits()
}

const fn mapped(address: Ipv4Addr) -> Ipv6Addr {
    address.to_ipv6_mapped()
}

fn strings(value: &serde_json::Value, visit: &mut impl FnMut(&str)) {
    match value {
        serde_json::Value::String(text) => visit(text),
        serde_json::Value::Array(values) => values.iter().for_each(|value| strings(value, visit)),
        serde_json::Value::Object(map) => map.values().for_each(|value| strings(value, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(networks: &Networks, address: &str) -> bool {
        networks.contains(address.parse().unwrap())
    }

    #[test]
    fn networks_may_overlap_and_touch() {
        let set = Networks::parse(["10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16"]).unwrap();
        assert_eq!(set, Networks::parse(["10.0.0.0/8"]).unwrap());
        assert!(is_in(&set, "10.255.255.255") && !is_in(&set, "11.0.0.0"));
        assert!(!is_in(&Networks::default(), "::"));
        assert!(is_in(&Networks::parse(["::/0"]).unwrap(), "192.0.2.1"));
    }

    #[test]
    fn a_published_list_is_lines_or_json() {
        let lines = "# edges\n192.0.2.0/24\n\n 2001:db8::/32 # v6\n";
        let json = r#"{"date": "x", "prefixes": [{"ip_prefix": "192.0.2.0/24"}, {"ipv6_prefix": "2001:db8::/32"}]}"#;
        assert_eq!(Networks::parse_list(lines), Networks::parse_list(json));
        assert!(is_in(&Networks::parse_list(lines).unwrap(), "2001:db8::1"));
        assert_eq!(Networks::parse_list("# none\n"), Err(NetworkError::Empty));
        assert_eq!(Networks::parse_list("{}"), Err(NetworkError::Empty));
        let error = Networks::parse_list("192.0.2.0/24\nmoon\n").unwrap_err().to_string();
        assert!(error.contains("`moon` is no network"), "{error}");
    }

    #[test]
    fn a_mapped_network_is_its_ipv4_network() {
        let set = Networks::parse(["::ffff:192.0.2.0/120"]).unwrap();
        assert!(is_in(&set, "192.0.2.200") && !is_in(&set, "192.0.3.0"));
    }
}
