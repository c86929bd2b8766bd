//! Brokers that want to know who asks: TLS, certificates of clients, passwords, tokens.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use tests::sample::{Log, combined_log};
use tests::secure::{PASSWORD, SecureKafka, USER};
use tests::skip::or_skip;
use tests::{Floodmark, Tables};

/// Properties of librdkafka as arguments.
fn properties(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs.iter().flat_map(|(name, value)| ["-X".to_owned(), format!("{name}={value}")]).collect()
}

/// Ships to a topic and reads it, both at `brokers`; or what the one that was refused said.
fn round(brokers: &str, topic: &str, tables: &Path, properties: &[String]) -> Result<i64, String> {
    let at = ["--brokers", brokers, "--topic", topic];
    let log = Log::new(&combined_log(20));
    let ship = Floodmark::new(["ship"]).args(at).args(properties).arg(log.path()).output();
    if !ship.status.success() {
        return Err(ship.stderr);
    }
    let tables = Tables::at(tables);
    let run = ["run", "--exit-at-end", "--alerts", "none", "--data", tables.arg()];
    let run = Floodmark::new(run).args(at).args(properties).output();
    if run.status.success() { Ok(tables.records()) } else { Err(run.stderr) }
}

/// A token that nobody signed, for a user, good for five minutes: what the test's broker takes.
fn token(user: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = format!(r#"{{"sub":"{user}","iat":{now},"exp":{}}}"#, now + 300);
    format!("{}.{}.", base64url(br#"{"alg":"none"}"#), base64url(claims.as_bytes()))
}

/// RFC 4648, §5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = |chunk: &[u8]| {
        chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()))
    };
    let chars = |chunk: &[u8]| {
        let bits = bits(chunk);
        (0..=chunk.len())
            .map(move |n| char::from(ALPHABET[(bits >> (18 - 6 * n) & 63) as usize]))
            .collect::<String>()
    };
    bytes.chunks(3).map(chars).collect()
}

#[test]
fn each_way_to_say_who_asks_is_taken_and_a_wrong_one_is_told() {
    let Some(kafka) = or_skip(SecureKafka::start()) else { return };
    let file = |name: &str| kafka.file(name).to_str().unwrap().to_owned();
    let (ca, stranger) = (file("ca.pem"), file("stranger.pem"));
    let (certificate, key) = (file("client.crt"), file("client.key"));
    let token_file = file("token");
    fs::write(&token_file, token(USER) + "\n").unwrap();
    let token_config = format!("token-file={token_file}");
    let tls = [("security.protocol", "ssl"), ("ssl.ca.location", &ca)];
    let mutual =
        [tls.as_slice(), &[("ssl.certificate.location", &certificate), ("ssl.key.location", &key)]]
            .concat();
    let sasl = [("security.protocol", "sasl_ssl"), ("ssl.ca.location", &ca)];
    let scram = |password| {
        let user = [
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.username", USER),
            ("sasl.password", password),
        ];
        [sasl.as_slice(), &user].concat()
    };
    let oauth = [
        sasl.as_slice(),
        &[("sasl.mechanism", "OAUTHBEARER"), ("sasl.oauthbearer.config", &token_config)],
    ]
    .concat();
    let folder = tempfile::tempdir().unwrap();
    let ways = [
        ("tls", kafka.tls(), tls.to_vec()),
        ("mutual", kafka.mutual(), mutual),
        ("scram", kafka.scram(), scram(PASSWORD)),
        ("oauth", kafka.oauth(), oauth.clone()),
    ];
    for (name, brokers, way) in ways {
        let topic = kafka.plain.topic(name, 1);
        let read = round(&brokers, &topic, &folder.path().join(name), &properties(&way));
        assert_eq!(read, Ok(20), "{name}");
    }

    let topic = kafka.plain.topic("refused", 1);
    fs::write(&token_file, "no token").unwrap();
    let wrong = [
        (
            "an unknown authority",
            kafka.tls(),
            vec![tls[0], ("ssl.ca.location", &*stranger)],
            "certificate",
        ),
        ("no certificate", kafka.mutual(), tls.to_vec(), "refuse the connection"),
        ("a wrong password", kafka.scram(), scram("guess"), "authentication"),
        ("no token", kafka.oauth(), oauth, "token"),
    ];
    for (name, brokers, way, expected) in wrong {
        let run = ["run", "--brokers", &brokers, "--topic", &topic, "--data"];
        let refused = Floodmark::new(run).arg(folder.path().join("none")).args(properties(&way));
        let refused = refused.output();
        println!("{name}: {}", refused.stderr);
        refused.expect_status(1).expect_stderr(&["refuse the connection", expected]);
    }
}
