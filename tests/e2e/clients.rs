//! Who asked: proxies that are believed, databases that are asked, addresses that are hidden, sources never judged.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use serde_json::{Value, json};
use tests::table::KEYS;
use tests::{Floodmark, Output, Tables, mmdb};

/// A line of nginx with `escape=json`, `at_ms` after noon; `more` are keys it has besides.
fn line(at_ms: u64, peer: &str, path: &str, agent: &str, more: &Value) -> String {
    let mut line = json!({
        "msec": format!("{}.{:03}", 1_741_089_600 + at_ms / 1_000, at_ms % 1_000),
        "remote_addr": peer, "http_host": "shop.example", "request": format!("GET {path} HTTP/1.1"),
        "status": "200", "body_bytes_sent": 5_000, "http_user_agent": agent,
    });
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    line.to_string() + "\n"
}

/// `floodmark scan` of `log` with more arguments, into new tables in `folder`.
fn scan(folder: &Path, log: &str, args: &[&str]) -> (Output, Tables) {
    let runs = fs::read_dir(folder).unwrap().count();
    let tables = Tables::at(folder.join(format!("lake-{runs}")));
    let scan = ["scan", "--alerts", "json", "--data", tables.arg()];
    (Floodmark::new(scan).args(args).arg("-").stdin(log).success(), tables)
}

/// One column of `requests`, in the order of the log.
fn column(tables: &Tables, column: &str) -> Vec<Value> {
    let rows = tables.rows(&format!("SELECT {column} AS it FROM requests ORDER BY topic_offset"));
    rows.iter().map(|row| row["it"].clone()).collect()
}

/// Peer, `X-Forwarded-For`, and the client where `10.0.0.0/8` and `2001:db8:ffff::/48` are trusted.
const FORWARDED: [(&str, &str, &str); 7] = [
    ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
    // What stands on the left was sent by the client.
    ("10.0.0.1", "6.6.6.6, 198.51.100.2, 10.0.0.2", "198.51.100.2"),
    ("2001:db8:ffff::1", "6.6.6.6, 2001:db8::7", "2001:db8::7"),
    ("10.0.0.1", "-", "10.0.0.1"),
    ("198.51.100.5", "-", "198.51.100.5"),
    // Peers that are no proxies of ours.
    ("198.51.100.6", "6.6.6.6", "198.51.100.6"),
    ("198.51.100.7", "6.6.6.6, 10.0.0.2", "198.51.100.7"),
];

/// The same lines as nginx writes them: `escape=json`, and its stock format `main`.
fn forwarded_logs() -> [(&'static str, String); 2] {
    let mut logs = [String::new(), String::new()];
    for (n, (peer, forwarded, _)) in FORWARDED.into_iter().enumerate() {
        // Absent headers are empty in JSON.
        let header = forwarded.trim_start_matches('-');
        let header = json!({"http_x_forwarded_for": header});
        logs[0] += &line(u64::try_from(n).unwrap() * 1_000, peer, "/", "curl/8.5", &header);
        writeln!(
            logs[1],
            "{peer} - - [04/Mar/2025:12:00:{n:02} +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"curl/8.5\" \"{forwarded}\""
        )
        .unwrap();
    }
    let [json, main] = logs;
    [("nginx_json", json), ("combined", main)]
}

#[test]
fn the_client_is_whom_the_trusted_proxies_name() {
    let folder = tempfile::tempdir().unwrap();
    // As Amazon publishes its networks, and as Cloudflare does.
    let published = [
        (
            "ranges.json",
            r#"{"syncToken": "1741089600", "createDate": "2025-03-04-12-00-00",
                "prefixes": [{"ip_prefix": "10.0.0.0/8", "region": "eu-central-1", "service": "CDN"}],
                "ipv6_prefixes": [{"ipv6_prefix": "2001:db8:ffff::/48", "service": "CDN"}]}"#,
        ),
        ("ips.txt", "# edges\n10.0.0.0/8\n2001:db8:ffff::/48\n"),
    ];
    let files = published.map(|(name, text)| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    });
    let trusted: [&[&str]; 4] = [
        &["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "2001:db8:ffff::/48"],
        &["--trusted-proxy", "10.0.0.0/8,2001:db8:ffff::1"],
        &["--trusted-proxies-file", &files[0]],
        &["--trusted-proxies-file", &files[1]],
    ];
    let expected = FORWARDED.map(|(_, _, client)| client);
    for (format, log) in forwarded_logs() {
        for trusted in trusted {
            let args = [&["--format", format], trusted].concat();
            let (output, tables) = scan(folder.path(), &log, &args);
            assert_eq!(column(&tables, "client_ip"), expected, "{args:?}");
            output.expect_stderr(&["; 2 with forwarding headers from peers that are not trusted;"]);
        }
        // Nobody is trusted: the peers are the clients, and what could be done is said.
        let (output, tables) = scan(folder.path(), &log, &["--format", format]);
        assert_eq!(column(&tables, "client_ip"), FORWARDED.map(|(peer, ..)| peer), "{format}");
        output.expect_stderr(&["5 requests carry X-Forwarded-For", "--trusted-proxy"]);
    }
}

#[test]
fn a_header_that_a_proxy_passes_on_unseen_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let log = [
        json!({"http_x_real_ip": "6.6.6.6", "http_x_forwarded_for": "198.51.100.1"}),
        json!({"http_cf_connecting_ip": "198.51.100.2"}),
    ]
    .map(|headers| line(0, "10.0.0.1", "/", "curl/8.5", &headers))
    .concat();
    let trusted = ["--format", "nginx_json", "--trusted-proxy", "10.0.0.1"];
    let (_, tables) = scan(folder.path(), &log, &trusted);
    assert_eq!(column(&tables, "client_ip"), ["198.51.100.1", "198.51.100.2"]);
}

/// Databases in the shapes of `GeoLite2` (ASN) and `IPinfo` (country).
fn databases(folder: &Path) -> [String; 2] {
    let [asn, country] = ["asn.mmdb", "country.mmdb"].map(|name| folder.join(name));
    let system = json!({"autonomous_system_number": 64_500, "autonomous_system_organization": "x"});
    mmdb::write(&asn, &[("198.51.100.0/24", system.clone()), ("2001:db8::/32", system)]);
    mmdb::write(
        &country,
        &[("198.51.0.0/16", json!({"country": "Germany", "country_code": "DE"}))],
    );
    [asn, country].map(|file| file.to_str().unwrap().to_owned())
}

#[test]
fn databases_say_what_the_log_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let databases = databases(folder.path());
    let log = [
        ("198.51.100.7", json!({})),
        ("198.51.7.7", json!({})),
        ("2001:db8::7", json!({})),
        ("203.0.113.7", json!({})),
        // The log's own values win, each for itself.
        ("198.51.100.8", json!({"geoip2_data_asn": "64999", "geoip_country_code": "fr"})),
        ("198.51.100.9", json!({"geoip2_data_asn": "64999"})),
        // Looked up is the client, not the proxy.
        ("10.0.0.1", json!({"http_x_forwarded_for": "198.51.100.10"})),
    ]
    .map(|(peer, more)| line(0, peer, "/", "curl/8.5", &more))
    .concat();
    let (asn, country) = (
        json!([64_500, null, 64_500, null, 64_999, 64_999, 64_500]),
        json!(["DE", "DE", null, null, "FR", "DE", "DE"]),
    );
    let args = ["--format", "nginx_json", "--trusted-proxy", "10.0.0.0/8"];
    let both = ["--mmdb", &databases[0], "--mmdb", &databases[1]];
    let list = databases.join(",");
    // What is hidden afterwards is looked up before.
    let hidden = ["--anonymise", "high", "--mmdb", &list];
    for more in [both.as_slice(), &["--mmdb", &list], &hidden] {
        let (_, tables) = scan(folder.path(), &log, &[&args, more].concat());
        assert_eq!(json!(column(&tables, "client_asn")), asn, "{more:?}");
        assert_eq!(json!(column(&tables, "client_country")), country, "{more:?}");
    }
}

/// Numbers without a pattern, the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

const FLOODER: &str = "203.0.113.77";
const FLOOD_AGENT: &str = "Examplebot/2.0";
const FLOOD_REQUESTS: i64 = 6_000;

/// A quarter of an hour of visitors from all over the internet, some of them with IPv6; in the thirteenth minute one
/// address asks for one page a hundred times a second. Two lines are no records and name it too.
fn flooded() -> String {
    let mut draw = Draw(7);
    let mut lines = Vec::new();
    for second in 0..900 {
        for _ in 0..=draw.below(5) {
            let who = draw.below(3_000);
            let client = match who % 10 {
                0 => format!("2a00:{:x}:7:{:x}::{:x}", 1 + who % 200, who, 1 + who % 7),
                _ => format!("{}.{}.7.{}", 11 + who % 100, 1 + who / 100, 1 + who % 250),
            };
            let agent = format!("Mozilla/5.0 (X11) Firefox/{}.0", 120 + who % 9);
            let at = second * 1_000 + draw.below(1_000);
            let page = format!("/p/{}", draw.below(40));
            lines.push((at, line(at, &client, &page, &agent, &json!({}))));
            for asset in 0..6 + draw.below(5) {
                let (at, asset) = (at + 50 + draw.below(900), format!("/static/{asset}.css"));
                lines.push((at, line(at, &client, &asset, &agent, &json!({}))));
            }
        }
    }
    for n in 0..u64::try_from(FLOOD_REQUESTS).unwrap() {
        let at = 720_000 + n * 10;
        lines.push((at, line(at, FLOODER, "/p/3", FLOOD_AGENT, &json!({}))));
    }
    lines.sort();
    lines.push((
        0,
        format!(
            "2025/03/04 12:15:01 [error] 7#7: *1 open() failed, client: {FLOODER}, server: a\n"
        ),
    ));
    lines.push((0, format!("client:{FLOODER}:443 [2a00:1:7:a::3]:80 no record\n")));
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The sequences of `text` that could be addresses.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_of_address = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    text.split(move |c| !is_of_address(c)).map(|word| word.trim_matches(['.', ':']))
}

/// Every text of every table, and of the alerts.
fn said(tables: &Tables, alerts: &str) -> String {
    let mut text: String = KEYS.iter().map(|(table, _)| tables.dump(table)).collect();
    text += &tables.ndjson("SELECT arrow_cast(raw, 'Utf8') AS raw FROM rejects");
    text + alerts
}

/// Passes when no file below `folder` holds `text` as it is.
fn assert_in_no_file(folder: &Path, text: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_in_no_file(&path, text);
        } else {
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!found, "{text} in {}", path.display());
        }
    }
}

#[test]
fn no_address_is_kept_and_the_flood_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, "0123456789abcdef".repeat(3) + "fedcba9876543210\n").unwrap();
    let log = flooded();
    let addresses: BTreeSet<&str> =
        words(&log).filter(|word| word.parse::<IpAddr>().is_ok()).collect();
    assert!(addresses.len() > 1_000 && addresses.contains(FLOODER));
    let keyed = ["--anonymise-key-file", key.to_str().unwrap()];
    for (level, more, source) in [
        ("none", [].as_slice(), Some(FLOODER)),
        ("low", &[], Some("203.0.113.0")),
        ("medium", &[], Some("203.0.0.0")),
        ("high", &[], Some("203.0.0.0")),
        ("pseudonym", &keyed, None),
    ] {
        let args = [["--format", "nginx_json", "--anonymise", level].as_slice(), more].concat();
        let (output, tables) = scan(folder.path(), &log, &args);
        assert_eq!(tables.count("rejects"), 2);
        let said = said(&tables, &output.stdout);
        let kept = words(&said).find(|word| addresses.contains(word));
        assert_eq!(kept.is_some(), level == "none", "{level} keeps {kept:?}");
        if level != "none" {
            assert_in_no_file(tables.path(), FLOODER);
        }

        let attacks = tables.rows("SELECT kind, sources, fingerprint FROM attacks");
        assert_eq!(attacks.len(), 1, "{level}: {attacks:#?}");
        assert_eq!(attacks[0]["kind"], "http_flood", "{level}");
        if let Some(source) = source {
            assert_eq!(attacks[0]["sources"], json!([source]), "{level}");
        }
        // The fingerprint finds the requests as they are stored.
        let selected = format!(
            "SELECT count(*) AS n FROM requests WHERE ({}) AND user_agent = '{FLOOD_AGENT}'",
            attacks[0]["fingerprint"].as_str().unwrap()
        );
        assert!(tables.number(&selected) > FLOOD_REQUESTS * 9 / 10, "{level}: {selected}");
    }
}

#[test]
fn whom_the_allow_list_names_is_stored_and_never_judged() {
    let folder = tempfile::tempdir().unwrap();
    let log = flooded();
    let config = folder.path().join("floodmark.toml");
    let scan = |text: &str, more: &[&str]| {
        fs::write(&config, text).unwrap();
        let args = ["--format", "nginx_json", "--config", config.to_str().unwrap()];
        scan(folder.path(), &log, &[&args, more].concat())
    };
    let agent = |network: &str| {
        format!("[[allow.agents]]\nuser-agent = 'Examplebot'\nnetworks = ['{network}']\n")
    };
    let (network, own, others) =
        ("[allow]\nnetworks = ['203.0.113.77']\n", agent("203.0.113.0/24"), agent("192.0.2.0/24"));
    for (text, more, allowed) in [
        (network, [].as_slice(), true),
        // Decided before the address is hidden.
        (network, &["--anonymise", "medium"], true),
        (&own, &[], true),
        // The name from elsewhere is a claim that anybody can make.
        (&others, &[], false),
    ] {
        let (output, tables) = scan(text, more);
        let stored =
            format!("SELECT count(*) AS n FROM requests WHERE user_agent = '{FLOOD_AGENT}'");
        assert_eq!(tables.number(&stored), FLOOD_REQUESTS, "{text}");
        assert_eq!(tables.count("attacks"), i64::from(!allowed), "{text} {more:?}");
        assert_eq!(output.stderr.contains("; 6,000 from the allow-list;"), allowed, "{text}");
        if allowed {
            assert_eq!(tables.count("incidents"), 0, "{text} {more:?}");
        }
    }
}

#[test]
fn what_cannot_be_meant_is_status_2_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("notes.txt", "these are\nno networks, no key and no database\n");
    write("none.json", r#"{"prefixes": []}"#);
    write("agent.toml", "[[allow.agents]]\nuser-agent = 'Examplebot'\n");
    write("allow.toml", "[allow]\nnetworks = ['192.0.2.0/33']\n");
    let wrong: [(&[&str], &[&str]); 11] = [
        (&["--trusted-proxy", "10.0.0.0/33"], &["`10.0.0.0/33` is no network"]),
        (&["--trusted-proxy", "proxy.example"], &["`proxy.example` is no network"]),
        (&["--trusted-proxies-file", "nowhere.txt"], &["nowhere.txt", "no such file"]),
        (&["--trusted-proxies-file", "notes.txt"], &["notes.txt", "`these are` is no network"]),
        (&["--trusted-proxies-file", "none.json"], &["none.json", "no network in it"]),
        (&["--anonymise", "pseudonym"], &["--anonymise-key-file", "openssl rand -hex 32"]),
        (
            &["--anonymise", "pseudonym", "--anonymise-key-file", "notes.txt"],
            &["notes.txt", "64 hexadecimal digits"],
        ),
        (&["--mmdb", "nowhere.mmdb"], &["nowhere.mmdb", "no such file"]),
        (&["--mmdb", "notes.txt"], &["notes.txt is no MMDB database"]),
        (&["--config", "agent.toml"], &["`Examplebot` needs a user agent and the networks"]),
        (&["--config", "allow.toml"], &["[allow]", "`192.0.2.0/33` is no network"]),
    ];
    for (args, named) in wrong {
        let scan = Floodmark::new(["scan", "--data", "lake"]).args(args).arg("-");
        let output = scan.current_dir(folder.path()).output().expect_status(2).expect_stderr(named);
        assert_eq!(output.stdout, "", "{}", output.describe());
        assert!(!folder.path().join("lake").exists(), "nothing is made: {args:?}");
    }
}
