//! A source: an address, a network, an autonomous system, or a fingerprint of TLS.

use std::net::IpAddr;

use schemas::tables::{REQUESTS, SOURCE_WINDOWS};

use super::sql;
use super::windows::{Span, binned};

/// The sources that asked most, as `source`, `requests`, `errors`, `paths`.
pub(crate) fn busiest(span: Span, sources: usize) -> String {
    format!(
        "SELECT source, sum(requests) AS requests, sum(errors_4xx + errors_5xx) AS errors, max(distinct_paths) AS paths \
         FROM {} WHERE {} GROUP BY source ORDER BY 2 DESC, 1 LIMIT {sources}",
        SOURCE_WINDOWS.name,
        span.condition("window_start")
    )
}

/// What somebody wants to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// One address.
    Address(IpAddr),
    /// A network: its first address, and the bits that all of its addresses have in common.
    Network(IpAddr, u32),
    /// An autonomous system.
    System(u32),
    /// A JA4.
    Ja4(String),
}

/// Requests of a timeline, at most.
pub(crate) const TIMELINE: usize = 50;

impl Source {
    /// `203.0.113.7`, `203.0.113.0/24`, `AS64500`, or else a JA4.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        if let Some((address, bits)) = text.split_once('/') {
            let (address, bits) =
                address.parse().ok().zip(bits.parse().ok()).ok_or_else(|| Self::unknown(text))?;
            let bits_max = if matches!(address, IpAddr::V4(_)) { 32 } else { 128 };
            return if bits <= bits_max {
                Ok(Self::Network(masked(address, bits), bits))
            } else {
                Err(Self::unknown(text))
            };
        }
        let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as"));
        let is_number = |of: &&str| !of.is_empty() && of.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(digits) = digits.filter(is_number) {
            return digits.parse().map(Self::System).map_err(|_| Self::unknown(text));
        }
        let is_ja4 = text.len() >= 10
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_ja4 { Ok(Self::Ja4(text.to_owned())) } else { Err(Self::unknown(text)) }
    }

    fn unknown(text: &str) -> String {
        format!(
            "`{}` is no address, network such as 203.0.113.0/24, system such as AS64500, or JA4",
            schemas::text::escape(text)
        )
    }

    /// The condition that selects its requests.
    fn condition(&self) -> String {
        match self {
            Self::Address(address) => {
                format!("client_ip = {}", sql::text(&address.to_canonical().to_string()))
            }
            Self::Network(first, bits) => {
                format!("ip_in(client_ip, {})", sql::text(&format!("{first}/{bits}")))
            }
            Self::System(system) => format!("client_asn = {system}"),
            Self::Ja4(ja4) => format!("ja4 = {}", sql::text(ja4)),
        }
    }

    fn selected(&self, span: Span) -> String {
        format!("FROM {} WHERE {} AND {}", REQUESTS.name, span.condition("ts"), self.condition())
    }

    /// First and last request, and how it behaves, as one row.
    pub(crate) fn facts(&self, span: Span) -> String {
        format!(
            "SELECT count(*) AS requests, min(ts) AS first, max(ts) AS last, count(DISTINCT host) AS hosts, \
             count(DISTINCT path) AS paths, count(DISTINCT client_ip) AS addresses, \
             count(DISTINCT user_agent) AS agents, \
             count(*) FILTER (WHERE status >= 400 AND status < 500) AS refused, \
             count(*) FILTER (WHERE status >= 500) AS failed, \
             count(*) FILTER (WHERE path LIKE '%.css' OR path LIKE '%.js' OR path LIKE '%.png' OR path LIKE '%.jpg' \
             OR path LIKE '%.svg' OR path LIKE '%.webp' OR path LIKE '%.woff2' OR path LIKE '%.ico') AS assets, \
             sum(response_bytes) AS bytes {}",
            self.selected(span)
        )
    }

    /// Requests over time, as `at`, `requests`.
    pub(crate) fn rate(&self, span: Span) -> String {
        format!(
            "SELECT {} AS at, count(*) AS requests {} GROUP BY 1 ORDER BY 1",
            binned("ts", span.step()),
            self.selected(span)
        )
    }

    /// What it asks for most, as `host`, `path`, `requests`.
    pub(crate) fn paths(&self, span: Span) -> String {
        format!(
            "SELECT host, left(path, 513) AS path, count(*) AS requests, \
             count(*) FILTER (WHERE status >= 400) AS errors {} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 15",
            self.selected(span)
        )
    }

    /// Its last requests.
    pub(crate) fn timeline(&self, span: Span) -> String {
        format!(
            "SELECT ts, client_ip, method, host, left(path, 513) AS path, left(query, 513) AS query, status, \
             left(user_agent, 513) AS user_agent {} ORDER BY ts DESC LIMIT {TIMELINE}",
            self.selected(span)
        )
    }

    /// Incidents that name it, or a network that it is in, among their heaviest sources. `None` for what they do not name.
    pub(crate) fn incidents(&self) -> Option<String> {
        let names = match self {
            Self::Address(address) => {
                let address = address.to_canonical();
                let mut names = prefixes(address, 128);
                names.push(address.to_string());
                names
            }
            Self::Network(first, bits) => prefixes(*first, *bits),
            Self::System(_) | Self::Ja4(_) => return None,
        };
        let names: Vec<String> = names.iter().map(|name| sql::text(name)).collect();
        Some(format!(
            "SELECT incident_id, kind, verdict, severity, state, target_host, first_ts, last_ts, requests FROM attacks \
             WHERE array_has_any(sources, make_array({})) ORDER BY first_ts DESC LIMIT 20",
            names.join(", ")
        ))
    }
}

/// The networks that an address is in and that have no more than `bits_max` bits, as they are written.
fn prefixes(address: IpAddr, bits_max: u32) -> Vec<String> {
    let bits = match address {
        IpAddr::V4(_) => 8..=bits_max.min(32),
        IpAddr::V6(_) => 16..=bits_max.min(128),
    };
    bits.map(|bits| format!("{}/{bits}", masked(address, bits))).collect()
}

/// The first address of the network of `bits` bits that `address` is in.
fn masked(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or_default();
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or_default();
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_known_by_how_it_is_written() {
        let read = |text| Source::parse(text).unwrap();
        assert_eq!(read(" 203.0.113.7 "), Source::Address("203.0.113.7".parse().unwrap()));
        assert_eq!(read("2001:db8::/32"), Source::Network("2001:db8::".parse().unwrap(), 32));
        assert_eq!(read("203.0.113.7/24"), Source::Network("203.0.113.0".parse().unwrap(), 24));
        assert_eq!(read("0.0.0.0/0"), Source::Network("0.0.0.0".parse().unwrap(), 0));
        assert_eq!((read("AS64500"), read("as1")), (Source::System(64_500), Source::System(1)));
        assert_eq!(read("t13d1516h2_8daaf6152771"), Source::Ja4("t13d1516h2_8daaf6152771".into()));
        for wrong in
            ["", "x", "203.0.113.0/33", "203.0.113/24", "'; DROP TABLE x", "AS", "as99999999999"]
        {
            assert!(Source::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_in_its_networks() {
        let of = |text: &str| prefixes(text.parse().unwrap(), 128);
        let v4 = of("203.0.113.7");
        for name in ["203.0.113.7/32", "203.0.113.0/24", "203.0.0.0/8"] {
            assert!(v4.iter().any(|known| known == name), "{name}");
        }
        let wider = prefixes("203.0.113.0".parse().unwrap(), 24);
        assert_eq!((wider.len(), wider.last().map(String::as_str)), (17, Some("203.0.113.0/24")));
        let named = Source::parse("203.0.113.7").unwrap().incidents().unwrap();
        assert!(named.contains("'203.0.113.7')"), "{named}");
        assert!(of("2001:db8::1").iter().any(|known| known == "2001:db8::/64"));
    }
}
