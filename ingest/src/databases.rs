//! Autonomous system and country of an address, from MMDB files.
//!
//! Read are the fields that `GeoLite2`, `GeoIP2`, DB-IP and `IPinfo` use: `autonomous_system_number` or `asn`;
//! `country.iso_code`, `country_code` or `country`.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use decode::identity::{Origin, Origins};
use maxminddb::{MaxMindDbError, Reader};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// How often files are looked at for a change.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file cannot be read.
    #[error("cannot read the database {}: {source}", file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("{} is no MMDB database: {source}", file.display())]
    Format {
        /// Which.
        file: PathBuf,
        /// Why.
        source: MaxMindDbError,
    },
}

/// All databases, asked one after the other.
#[derive(Debug)]
pub struct Databases {
    databases: Vec<Database>,
    looked: Instant,
}

#[derive(Debug)]
struct Database {
    file: PathBuf,
    stamp: Option<Stamp>,
    reader: Reader<Vec<u8>>,
}

/// Tells one state of a file from another.
type Stamp = (SystemTime, u64);

impl Databases {
    /// Opens MMDB files; the first that knows an address wins.
    ///
    /// # Errors
    /// [`DatabaseError`] when one cannot be read or is no MMDB file.
    pub fn open(files: &[PathBuf]) -> Result<Self, DatabaseError> {
        let databases = files.iter().map(|file| Database::open(file)).collect::<Result<_, _>>()?;
        Ok(Self { databases, looked: Instant::now() })
    }

    /// Reads files anew that have changed, if it is time to look; whether there were any. One that cannot be read is
    /// said, and what was read before stays in use.
    fn refresh_at(&mut self, now: Instant) -> bool {
        if self.databases.is_empty() || now.duration_since(self.looked) < LOOK_EVERY {
            return false;
        }
        self.looked = now;
        let changed = self.databases.iter_mut().map(Database::refresh);
        changed.filter(|changed| *changed).count() > 0
    }
}

impl Origins for Databases {
    fn origin(&self, address: IpAddr) -> Origin {
        let mut origin = Origin::default();
        for database in &self.databases {
            let found = database.origin(address);
            origin.asn = origin.asn.or(found.asn);
            origin.country = origin.country.or(found.country);
        }
        origin
    }

    fn refresh(&mut self) -> bool {
        self.refresh_at(Instant::now())
    }
}

impl Database {
    fn open(file: &Path) -> Result<Self, DatabaseError> {
        let fail = |source| DatabaseError::Read { file: file.to_owned(), source };
        // Taken first: a change while the file is read is seen next time.
        let stamp = stamp(file);
        let bytes = fs::read(file).map_err(fail)?;
        let reader = Reader::from_source(bytes)
            .map_err(|source| DatabaseError::Format { file: file.to_owned(), source })?;
        Ok(Self { file: file.to_owned(), stamp, reader })
    }

    fn refresh(&mut self) -> bool {
        let stamp = stamp(&self.file);
        if stamp.is_none() || stamp == self.stamp {
            return false;
        }
        match Self::open(&self.file) {
            Ok(fresh) => {
                tracing::info!(file = %self.file.display(), "the database has changed and is read anew");
                *self = fresh;
                true
            }
            Err(error) => {
                // Said once for each state of the file.
                self.stamp = stamp;
                tracing::warn!("{error}; the one read before stays in use");
                false
            }
        }
    }

    fn origin(&self, address: IpAddr) -> Origin {
        let found = self.reader.lookup(address).and_then(|found| found.decode::<Entry>());
        found.ok().flatten().map(Entry::origin).unwrap_or_default()
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The fields of an entry that are of use, whoever made the database. Their types are not taken for granted: one
/// that is of another would cost the others too.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    autonomous_system_number: Option<Number>,
    asn: Option<Number>,
    country: Option<Country>,
    country_code: Option<Country>,
}

/// `15169`, in whatever width, or `"AS15169"`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(u32),
    Text(String),
    Other(IgnoredAny),
}

/// `{"iso_code": "DE", …}` or `"DE"`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Country {
    Text(String),
    Place { iso_code: Option<String> },
    Other(IgnoredAny),
}

impl Number {
    fn value(self) -> Option<u32> {
        let value = match self {
            Self::Plain(number) => Some(number),
            Self::Text(text) => text.trim_start_matches("AS").parse().ok(),
            Self::Other(IgnoredAny) => None,
        };
        value.filter(|number| *number > 0)
    }
}

impl Country {
    fn code(self) -> Option<[u8; 2]> {
        let text = match self {
            Self::Text(text) => Some(text),
            Self::Place { iso_code } => iso_code,
            Self::Other(IgnoredAny) => None,
        };
        let code: [u8; 2] = text?.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(code)
    }
}

impl Entry {
    fn origin(self) -> Origin {
        let asn = |number: Option<Number>| number.and_then(Number::value);
        let country = |country: Option<Country>| country.and_then(Country::code);
        Origin {
            asn: asn(self.autonomous_system_number).or_else(|| asn(self.asn)),
            country: country(self.country).or_else(|| country(self.country_code)),
        }
    }
}

#[cfg(test)]
mod tests {
    use maxminddb_writer::Database as Writer;
    use maxminddb_writer::metadata::IpVersion;
    use maxminddb_writer::paths::IpAddrWithMask;
    use serde::Serialize;
    use serde_json::{Value, json};

    use super::*;

    /// A database as they are published: of IPv6 networks, with IPv4 below `::/96`.
    fn database<T: Serialize>(entries: impl IntoIterator<Item = (&'static str, T)>) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.metadata.ip_version = IpVersion::V6;
        writer.metadata.binary_format_major_version = 2;
        for (network, entry) in entries {
            let entry = writer.insert_value(entry).unwrap();
            writer.insert_node(network.parse::<IpAddrWithMask>().unwrap(), entry);
        }
        writer.write_to(Vec::new()).unwrap()
    }

    /// Files in a folder that is removed with them.
    struct Files(tempfile::TempDir);

    impl Files {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// Writes a file as it was at this second, so that no two states of one look alike.
        fn write(&self, name: &str, second: u64, bytes: &[u8]) -> PathBuf {
            let path = self.path(name);
            fs::write(&path, bytes).unwrap();
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
            path
        }
    }

    fn origin(databases: &Databases, address: &str) -> (Option<u32>, Option<String>) {
        let origin = databases.origin(address.parse().unwrap());
        (origin.asn, origin.country().map(str::to_owned))
    }

    /// What an entry comes to.
    fn read(entry: Value) -> (Option<u32>, Option<String>) {
        let files = Files::new();
        let file = files.write("x.mmdb", 1, &database([("2001:db8::/32", entry)]));
        origin(&Databases::open(&[file]).unwrap(), "2001:db8::1")
    }

    #[test]
    fn makers_spell_it_in_ways_of_their_own() {
        let (asn, country) = (Some(64_500), Some("DE".to_owned()));
        for (entry, expected) in [
            // GeoLite2 ASN, DB-IP ASN Lite.
            (
                json!({"autonomous_system_number": 64_500, "autonomous_system_organization": "Example"}),
                (asn, None),
            ),
            // GeoLite2 and GeoIP2 Country and City, DB-IP Country Lite.
            (
                json!({
                    "continent": {"code": "EU", "names": {"en": "Europe"}},
                    "country": {"geoname_id": 2_921_044, "iso_code": "DE", "names": {"en": "Germany"}},
                    "registered_country": {"iso_code": "FR"},
                }),
                (None, country.clone()),
            ),
            // IPinfo Lite; its older Country + ASN.
            (
                json!({"asn": "AS64500", "as_name": "Example", "country": "Germany", "country_code": "DE"}),
                (asn, country.clone()),
            ),
            (
                json!({"asn": "AS64500", "country": "DE", "country_name": "Germany"}),
                (asn, country.clone()),
            ),
            (json!({"asn": 64_500, "country_code": "DE"}), (asn, country)),
            // Nothing that is meant by it.
            (json!({"country": {"names": {"en": "Nowhere"}}, "asn": ""}), (None, None)),
            (json!({"autonomous_system_number": 0, "country": "de"}), (None, None)),
            (
                json!({"asn": [1], "country": 7, "country_code": "DE"}),
                (None, Some("DE".to_owned())),
            ),
            (json!("text"), (None, None)),
        ] {
            assert_eq!(read(entry.clone()), expected, "{entry}");
        }
    }

    #[derive(Serialize)]
    struct Asn {
        autonomous_system_number: u32,
    }

    /// A `GeoLite2` ASN database in which one network has this number.
    fn asn(autonomous_system_number: u32) -> Vec<u8> {
        database([("::198.51.100.0/120", Asn { autonomous_system_number })])
    }

    #[test]
    fn the_first_database_that_knows_wins() {
        let files = Files::new();
        let country = |code: &str| json!({"country": {"iso_code": code}});
        let german = database([("::198.51.100.0/120", country("DE"))]);
        let others =
            database([("::198.51.0.0/112", country("FR")), ("2001:db8::/32", country("AT"))]);
        let databases = Databases::open(&[
            files.write("asn.mmdb", 1, &asn(64_500)),
            files.write("german.mmdb", 1, &german),
            files.write("others.mmdb", 1, &others),
        ])
        .unwrap();
        for (address, asn, country) in [
            ("198.51.100.7", Some(64_500), Some("DE")),
            ("198.51.7.7", None, Some("FR")),
            ("2001:db8::7", None, Some("AT")),
            ("203.0.113.7", None, None),
        ] {
            let expected = (asn, country.map(str::to_owned));
            assert_eq!(origin(&databases, address), expected, "{address}");
        }
    }

    #[test]
    fn a_replaced_file_is_read_anew_and_a_broken_one_is_not() {
        let files = Files::new();
        let write = |second, bytes: &[u8]| files.write("asn.mmdb", second, bytes);
        let mut databases = Databases::open(&[write(1, &asn(1))]).unwrap();
        let start = databases.looked;
        let found = |databases: &Databases| origin(databases, "198.51.100.7").0;

        write(2, &asn(2));
        assert!(!databases.refresh_at(start + LOOK_EVERY / 2), "not every moment");
        assert_eq!(found(&databases), Some(1));
        assert!(databases.refresh_at(start + LOOK_EVERY));
        assert_eq!(found(&databases), Some(2));
        assert!(!databases.refresh_at(start + LOOK_EVERY * 2), "nothing has changed");

        // Half written, then gone: what was read stays in use.
        write(3, asn(3).get(..40).unwrap());
        assert!(!databases.refresh_at(start + LOOK_EVERY * 3));
        assert_eq!(found(&databases), Some(2));
        fs::remove_file(files.path("asn.mmdb")).unwrap();
        assert!(!databases.refresh_at(start + LOOK_EVERY * 4));
        assert_eq!(found(&databases), Some(2));
        write(4, &asn(4));
        assert!(databases.refresh_at(start + LOOK_EVERY * 5));
        assert_eq!(found(&databases), Some(4));
    }

    #[test]
    fn what_is_no_database_is_named() {
        let files = Files::new();
        let error = |file| Databases::open(&[file]).unwrap_err().to_string();
        let said = error(files.path("nowhere.mmdb"));
        assert!(said.contains("cannot read") && said.contains("nowhere.mmdb"), "{said}");
        let said = error(files.write("notes.mmdb", 1, b"no database"));
        assert!(said.contains("notes.mmdb is no MMDB database"), "{said}");
    }
}
