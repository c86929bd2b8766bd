//! MMDB databases of a test's own.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use maxminddb_writer::Database;
use maxminddb_writer::metadata::IpVersion;
use maxminddb_writer::paths::IpAddrWithMask;
use serde_json::Value;

/// Writes a database that says `entries` of their networks, laid out as published ones are: IPv4 below `::/96`.
pub fn write(file: &Path, entries: &[(&str, Value)]) {
    let mut database = Database::default();
    database.metadata.ip_version = IpVersion::V6;
    database.metadata.binary_format_major_version = 2;
    for (network, entry) in entries {
        let network: IpAddrWithMask = network.parse().unwrap();
        let network = match network.addr {
            IpAddr::V4(address) => {
                let address = address.to_ipv6_compatible();
                IpAddrWithMask::new(address.into(), 96 + network.mask)
            }
            IpAddr::V6(_) => network,
        };
        let entry = database.insert_value(entry).unwrap();
        database.insert_node(network, entry);
    }
    fs::write(file, database.write_to(Vec::new()).unwrap()).unwrap();
}
