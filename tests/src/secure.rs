//! A broker with TLS: plain, with certificates of clients, with passwords, with tokens.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::kafka::{Kafka, free_ports, new_folder};
use crate::skip::Missing;

/// A user of the broker.
pub const USER: &str = "floodmark";

/// The password of [`USER`].
pub const PASSWORD: &str = "open-sesame";

/// Makes an authority, the broker's certificate and a client's, and an authority that nobody knows.
const CERTIFICATES: &str = r#"
set -eu
cd "$1"
key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'
openssl req -x509 $key -keyout ca.key -out ca.pem -subj /CN=authority
openssl req -x509 $key -keyout stranger.key -out stranger.pem -subj /CN=stranger
sign() { # NAME EXTENSIONS
  openssl req $key -keyout $1.key -out $1.csr -subj /CN=$1
  printf '%s\n' "$2" > $1.ext
  openssl x509 -req -days 2 -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $1.ext -out $1.crt
}
sign broker 'subjectAltName = IP:127.0.0.1'
sign client 'extendedKeyUsage = clientAuth'
cat broker.key broker.crt > broker.pem
"#;

/// A broker that answers at five ports: the plain one is for its administration.
#[derive(Debug)]
pub struct SecureKafka {
    /// The same broker, without any of it.
    pub plain: Kafka,
    folder: PathBuf,
    ports: [u16; 4],
}

impl SecureKafka {
    /// A broker of its own.
    ///
    /// # Errors
    /// [`Missing`] as for [`Kafka::shared`], and without openssl.
    ///
    /// # Panics
    /// When everything is there and the broker does not start all the same.
    pub fn start() -> Result<Self, Missing> {
        let jars = Kafka::jars()?;
        let folder = new_folder();
        let made = Command::new("sh").args(["-c", CERTIFICATES, "sh"]).arg(&folder).output();
        let made = made.expect("sh starts");
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stderr).into_owned();
            return Err(Missing(format!("certificates cannot be made: {said}")));
        }
        let ports = free_ports();
        let plain = Kafka::launch(&jars, &folder, &ports);
        let plain = plain.unwrap_or_else(|error| panic!("the broker does not start: {error}"));
        let user = plain.ask(&format!("user {USER} {PASSWORD}"));
        user.unwrap_or_else(|error| panic!("{error}"));
        Ok(Self { plain, folder, ports })
    }

    /// A file beside the broker: `ca.pem`, `client.crt`, `client.key`, `stranger.pem`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Its folder, for files of a test.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The listener with TLS alone.
    pub fn tls(&self) -> String {
        self.at(0)
    }

    /// The listener that wants a certificate of the client.
    pub fn mutual(&self) -> String {
        self.at(1)
    }

    /// The listener that wants a password, by SCRAM-SHA-512.
    pub fn scram(&self) -> String {
        self.at(2)
    }

    /// The listener that wants a token of OAuth.
    pub fn oauth(&self) -> String {
        self.at(3)
    }

    fn at(&self, index: usize) -> String {
        format!("127.0.0.1:{}", self.ports[index])
    }
}
