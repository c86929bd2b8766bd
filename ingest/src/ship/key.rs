//! The key of a message: the client's network, so that all requests of a source come in one partition.
//!
//! Who the client is the decoders say, the same that read the topic later: what they cannot read has no key.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use decode::{Batcher, ConfigError, DecoderConfig, Numbering, RawMessage};
use schemas::PositionedBatch;

/// Bits of an IPv4 address that make a key.
const V4_BITS: u32 = 24;

/// Bits of an IPv6 address that make a key.
const V6_BITS: u32 = 64;

/// The network of a client: an IPv4 /24 or an IPv6 /64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientNetwork(IpAddr);

impl ClientNetwork {
    /// The network of `address`. IPv4 written as IPv6 counts as IPv4.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => {
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << (32 - V4_BITS))))
            }
            IpAddr::V6(v6) => {
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << (128 - V6_BITS))))
            }
        })
    }
}

impl fmt::Display for ClientNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = if self.0.is_ipv4() { V4_BITS } else { V6_BITS };
        write!(f, "{}/{bits}", self.0)
    }
}

/// Finds the keys of lines.
#[derive(Debug)]
pub(super) struct Keys {
    batcher: Batcher,
}

impl Keys {
    /// Keys of lines that are read as `config` says.
    pub(super) fn new(config: &DecoderConfig) -> Result<Self, ConfigError> {
        Ok(Self { batcher: Batcher::new(config)? })
    }

    /// The client's network of each line of a block of whole lines, the next one of its file. A line that is no record
    /// of its own, because it begins one that later lines go on with or heads them, has the key of the next record. `None`
    /// is no fault: such a message gets no key.
    pub(super) fn of_block(&mut self, file: &str, block: &[u8]) -> Vec<Option<ClientNetwork>> {
        let partition: Arc<str> = file.into();
        self.batcher.push(&RawMessage {
            partition: &partition,
            topic: file,
            kafka_partition: None,
            offset: 0,
            numbering: Numbering::Lines,
            arrival_us: 0,
            payload: block,
        });
        let mut batches = Vec::new();
        self.batcher.flush(&mut batches);
        let lines = memchr::memchr_iter(b'\n', block).count() + 1;
        let mut found = vec![Found::Nothing; lines];
        for batch in &batches {
            note(batch, &mut found);
        }
        let mut next = None;
        let mut keys: Vec<_> = found
            .into_iter()
            .rev()
            .map(|key| {
                if let Found::Record(key) = key {
                    next = key;
                }
                next
            })
            .collect();
        keys.reverse();
        keys
    }
}

/// What became of a line.
#[derive(Debug, Clone, Copy)]
enum Found {
    /// No record of its own.
    Nothing,
    /// A record, with its key.
    Record(Option<ClientNetwork>),
}

/// Notes the keys of the records of a batch at the places of their lines.
fn note(batch: &PositionedBatch, found: &mut [Found]) {
    let clients = batch.requests.client_ip();
    let mut set = |line: i64, key| {
        let line = usize::try_from(line).ok();
        if let Some(place) = line.and_then(|line| found.get_mut(line)) {
            *place = Found::Record(key);
        }
    };
    for (row, line) in batch.requests.topic_offset().values().iter().enumerate() {
        let client = clients.is_valid(row).then(|| clients.value(row));
        let address = client.and_then(|client| client.parse().ok());
        set(*line, address.map(ClientNetwork::of));
    }
    let rejected = batch.rejects.column_by_name("topic_offset");
    if let Some(lines) = rejected.and_then(|lines| lines.as_primitive_opt::<Int64Type>()) {
        lines.values().iter().for_each(|line| set(*line, None));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(block: &str, networks: &[&str]) {
        let mut keys = Keys::new(&DecoderConfig::default()).unwrap();
        let found = keys.of_block("access.log", block.as_bytes());
        let shown = found.iter().map(|key| key.map_or("none".to_owned(), |key| key.to_string()));
        assert_eq!(shown.collect::<Vec<_>>(), networks);
    }

    #[test]
    fn every_format_names_the_client_where_it_puts_him() {
        check(
            "203.0.113.7 - - [01/May/2024:12:00:00 +0000] \"GET / HTTP/1.1\" 200 5\n\
             shop.example 2001:db8:1:2:3::4 - - [01/May/2024:12:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"a\"\n",
            &["203.0.113.0/24", "2001:db8:1:2::/64", "none"],
        );
        check(
            r#"{"a":"ClientIP","ClientRequestURI":"/","EdgeEndTimestamp":1714564800,"ClientIP" : "203.0.113.7"}"#,
            &["203.0.113.0/24"],
        );
        // No header and no user agent chooses where a line goes.
        check(
            "203.0.113.7 - anna [01/May/2024:12:00:00 +0000] \"GET /198.51.100.1 HTTP/1.1\" 200 5 \"-\" \"198.51.100.1\"",
            &["203.0.113.0/24"],
        );
    }

    #[test]
    fn what_is_no_record_goes_with_the_next_one_and_what_cannot_be_read_anywhere() {
        check(
            "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n\
             2024-05-01 12:00:00 192.0.2.1 GET /a 200\n\
             nothing of use\n\
             2024-05-01 12:00:01 198.51.100.2 GET /b 200",
            &["192.0.2.0/24", "192.0.2.0/24", "none", "198.51.100.0/24"],
        );
        check("", &["none"]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_have_a_key_or_none(
            block in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        ) {
            let lines = block.split(|byte| *byte == b'\n').count();
            let mut keys = Keys::new(&DecoderConfig::default()).unwrap();
            proptest::prop_assert_eq!(keys.of_block("x", &block).len(), lines);
        }

        #[test]
        fn neighbours_share_a_key(bits: u32, low in 0_u32..256) {
            let network = |bits| ClientNetwork::of(IpAddr::V4(Ipv4Addr::from_bits(bits)));
            proptest::prop_assert_eq!(network(bits), network(bits & !255 | low));
        }
    }
}
