//! The law of fingerprints: the text of a rule selects the very rows whose records the rule matches.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use detect::testing::Rows;
use proptest::prelude::*;
use query::{Format, OutputOptions, Session};
use schemas::RequestBatch;
use schemas::tables::REQUESTS;
use serde_json::{Value, json};

use crate::fixture;

/// Rules drawn from one table of rows.
const RULES: usize = 200;

/// Numbers without a pattern.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % n.max(1)
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// A text that somebody chose to break whatever writes it down.
    fn text(&mut self) -> Value {
        const ODD: [&str; 22] = [
            "",
            "-",
            " ",
            "'",
            "''",
            "\\",
            "\\'",
            "a\\",
            "%",
            "a%",
            "_",
            "$1",
            "${x}",
            "{{",
            "\"",
            "--",
            "/*",
            "0",
            "\u{0}",
            "\u{202e}",
            "é",
            "Mozilla/5.0 (X11)",
        ];
        const PARTS: [&str; 16] = [
            "a",
            "A",
            "'",
            "\\",
            "%",
            "\n",
            "\r\n",
            "\u{1b}[2J",
            "\u{7f}",
            "\u{9b}",
            "é",
            "\u{1f600}",
            "=",
            "&",
            "\u{0}",
            " OR 1=1 -- ",
        ];
        match self.below(10) {
            0 | 1 => Value::Null,
            2..=5 => json!(self.one(&ODD)),
            6 | 7 => json!((0..=self.below(3)).map(|_| self.one(&PARTS)).collect::<String>()),
            8 => json!(self.one(&["/x", "r=1", "r=2", "q=1&r=2", "t13d", "bot/1"])),
            _ => json!(self.long()),
        }
    }

    /// A text of about the length at which texts are cut, or of 5 kB, with a common beginning or with one of its own.
    fn long(&mut self) -> String {
        let unit = self.one(&["x", "é", "€", "\u{1f600}", "'", "=x"]);
        let mut text = self.one(&["", "a", "ab", "abc"]).to_owned();
        let length = if self.below(3) == 0 { 5_000 } else { 1_015 + self.below(15) };
        while text.len() < length {
            text.push_str(unit);
        }
        let _ = write!(text, "{}", self.one(&["", "1", "2", "é"]));
        text
    }

    /// An address as the tables hold them, in canonical spelling, or a name that is none.
    fn client(&mut self) -> Value {
        let low = self.below(4);
        let address = match self.below(12) {
            0 => return Value::Null,
            1 => return json!(self.one(&["", "host-7", "O'Brien", "unknown", "\u{1b}c"])),
            2..=4 => format!("192.0.{low}.{}", self.below(3)),
            5 => format!("19.2.0.{low}"),
            6 => format!("2001:db8:{low:x}::{}", self.below(3)),
            7 => format!("2001:db8::{low:x}:0:0:0:1"),
            8 => format!("2001:db8:a:{low:x}b:{}:2:3:4", self.below(2)),
            9 => format!("2001:db8:a:{low:x}::1"),
            10 => format!("::ffff:192.0.{low}.1"),
            _ => self
                .one(&["::1", "::", "::5:0:0:0:1", "0:ffff:c000:200::1", "ff02::1", "2001::1"])
                .to_owned(),
        };
        let address: std::net::IpAddr = address.parse().expect("an address");
        json!(address.to_canonical().to_string())
    }

    fn row(&mut self, at: usize) -> Value {
        let mut row = fixture::with(
            fixture::request(u32::try_from(at).expect("few rows"), 0),
            json!({
                "client_ip": self.client(),
                "client_asn": self.one(&[None, Some(0), Some(64_500), Some(-1), Some(4_294_967_295), Some(5_000_000_000_i64)]),
                "client_country": self.one(&[None, Some("DE"), Some("T1"), Some("de"), Some("D'"), Some(""), Some("DEU"), Some("\u{1b}c")]),
                "method": self.one(&[json!("GET"), json!("get"), json!("POST"), Value::Null, json!(""), json!("P'T\\")]),
                "status": self.one(&[None, Some(0), Some(200), Some(499), Some(-5), Some(65_535), Some(70_000)]),
            }),
        );
        for column in ["user_agent", "ja4", "path", "query", "referer"] {
            row[column] = self.text();
        }
        row
    }
}

async fn selected(session: &Session, predicate: &str) -> Vec<usize> {
    let text = format!("SELECT topic_offset FROM requests WHERE {predicate} ORDER BY 1");
    let mut out = Vec::new();
    let answer = session.run(&text, &OutputOptions::new(Format::Csv), &mut out).await;
    answer.unwrap_or_else(|error| panic!("{predicate}\n{error}"));
    out.flush().expect("memory");
    let text = String::from_utf8(out).expect("text");
    text.lines().skip(1).map(|line| line.parse().expect("a number")).collect()
}

/// What the detector makes of rows.
fn rows(values: &[Value]) -> Rows {
    let batch = fixture::batch(&REQUESTS, values);
    let index: Vec<usize> = (0..batch.num_columns())
        .filter(|at| !REQUESTS.partition_by.contains(&batch.schema().field(*at).name().as_str()))
        .collect();
    let batch = batch.project(&index).expect("columns that are there");
    Rows::of(&RequestBatch::try_new(batch).expect("rows of the table"), 7)
}

/// Tries rules drawn from random rows; returns how many had a text and selected some rows, not all.
async fn check(folder: &Path, seed: u64) -> usize {
    let mut draw = Draw(seed);
    let values: Vec<Value> = (0..300).map(|at| draw.row(at)).collect();
    fixture::append(folder, &REQUESTS, &values).await;
    let session = fixture::open(folder).await;
    let rows = rows(&values);
    let mut telling = 0;
    for _ in 0..RULES {
        let selection = rows.draw(&mut |n| draw.below(n));
        let Some(predicate) = selection.sql else { continue };
        assert!(!predicate.contains(char::is_control), "{predicate:?}");
        assert!(!predicate.contains('\\'), "{predicate}");
        let found = selected(&session, &predicate).await;
        assert_eq!(found, selection.rows, "{predicate}");
        telling += usize::from(!found.is_empty() && found.len() < values.len());
    }
    telling
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_text_of_a_rule_selects_what_the_rule_matches(seed: u64) {
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let telling = runtime.block_on(check(folder.path(), seed));
        prop_assert!(10 * telling >= RULES, "{telling} of {RULES} rules said anything");
    }
}
