//! `floodmark serve` with clients that are not ours, and with those who mean harm.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use tests::sample::lake;
use tests::skip::{Missing, or_skip};
use tests::{Floodmark, Python, Served};

/// Makes an authority, and a certificate of this machine.
const CERTIFICATES: &str = r"
set -eu
cd $1
key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'
openssl req -x509 $key -keyout ca.key -out ca.pem -subj /CN=authority
openssl req $key -keyout key.pem -out server.csr -subj /CN=server
echo 'subjectAltName = IP:127.0.0.1' > server.ext
openssl x509 -req -days 2 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile server.ext -out cert.pem
openssl req -x509 $key -keyout other.pem -out other-cert.pem -subj /CN=other
";

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A token, a certificate with its key, and the authority that vouches for it, as files.
pub(crate) struct Secrets {
    token: String,
    certificate: String,
    key: String,
    pub(crate) authority: String,
}

impl Secrets {
    pub(crate) fn make(folder: &Path) -> Result<Self, Missing> {
        let made = Command::new("sh").args(["-c", CERTIFICATES, "sh"]).arg(folder).output();
        let made = made.expect("sh starts");
        if !made.status.success() {
            return Err(Missing(String::from_utf8_lossy(&made.stderr).into_owned()));
        }
        let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
        std::fs::write(file("token"), TOKEN).expect("a folder to write to");
        let [token, certificate, key, authority] =
            ["token", "cert.pem", "key.pem", "ca.pem"].map(file);
        Ok(Self { token, certificate, key, authority })
    }

    pub(crate) fn args(&self) -> [&str; 6] {
        let Self { token, certificate, key, .. } = self;
        ["--token-file", token, "--tls-cert", certificate, "--tls-key", key]
    }
}

#[test]
fn clients_that_are_not_ours_get_what_the_command_line_gets() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let tables = lake(folder.path());
    let served = Served::start(&tables, &[]);
    let seen = python.ask("serve.py", &["friendly", &served.http]);
    for format in ["json", "ndjson", "csv", "arrow", "parquet"] {
        assert_eq!(seen[format], 20_000, "{format}: {seen}");
    }
    assert_eq!(seen["zone"], "timestamp[us, tz=UTC]");
    let sum = "SELECT sum(status) AS n FROM (SELECT status FROM requests ORDER BY ts, topic_offset LIMIT 20000)";
    assert_eq!(seen["statuses"], tables.rows(sum)[0]["n"]);
    assert_eq!(seen["incidents"], tables.count("attacks"));
    assert_eq!(seen["selected"], true);
    served.stop();
}

#[test]
fn those_who_mean_harm_keep_nobody_from_an_answer() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&lake(folder.path()), &[]);
    let seen = python.ask("serve.py", &["hostile", &served.http]);
    let expected = json!({
        "beside a slow reader": true, "large": true, "rubbish": true, "other name": 421,
        "other page": 403, "after all": true,
    });
    assert_eq!(seen, expected);
    served.stop();
}

#[test]
fn others_are_answered_with_a_token_over_tls_alone() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let Some(secrets) = or_skip(Secrets::make(folder.path())) else { return };
    let tables = lake(folder.path());
    let served = Served::start(&tables, &secrets.args());
    let seen = python.ask("serve.py", &["secure", &served.http, TOKEN, &secrets.authority]);
    let expected = json!({
        "no token": 401, "wrong token": 401, "token": 200, "password": 200, "health": 200, "plain": false, "after all": 200,
    });
    assert_eq!(seen, expected);
    served.stop();

    let serve = ["serve", "--data", tables.arg(), "--listen"];
    let open = Floodmark::new(serve).arg("0.0.0.0:0").output().expect_status(2);
    open.expect_stderr(&[
        "token and encryption are missing",
        "--token-file, --tls-cert and --tls-key",
    ]);
    let Secrets { token, certificate, .. } = &secrets;
    let half = Floodmark::new(serve).args(["0.0.0.0:0", "--token-file", token]).output();
    half.expect_status(2).expect_stderr(&["encryption is missing"]);
    let other = folder.path().join("other.pem").to_string_lossy().into_owned();
    let pairs = ["--token-file", token, "--tls-cert", certificate, "--tls-key", &other];
    let wrong = Floodmark::new(serve).arg("127.0.0.1:0").args(pairs).output();
    wrong.expect_status(1).expect_stderr(&["cannot encrypt with", "cert.pem"]);
}

#[test]
fn a_server_without_tables_or_place_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("none").to_string_lossy().into_owned();
    let none = Floodmark::new(["serve", "--data", &empty, "--listen", "127.0.0.1:0"]).output();
    none.expect_status(1).expect_stderr(&["no tables under", "floodmark scan --data"]);
    let wrong = Floodmark::new(["serve", "--listen", "nowhere"]).output();
    wrong.expect_status(2).expect_stderr(&["neither a port"]);
}
