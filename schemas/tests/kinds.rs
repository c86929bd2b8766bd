//! Laws of the table of kinds, and the table in `docs/kinds.md` written from it; `UPDATE_EXPECT=1 cargo test -p schemas`
//! rewrites that.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::expect_file;
use schemas::kinds::{Class, KINDS, KindRow};
use schemas::tables::REQUESTS;
use schemas::{Kind, techniques::Technique};

const START: &str = "<!-- kinds: written by schemas/tests/kinds.rs -->\n";
const END: &str = "<!-- end of kinds -->";

/// Characters of a sentence, at most: it has to fit a line.
const SENTENCE_CHARS_MAX: usize = 100;

#[test]
fn every_kind_has_one_row_and_one_name() {
    let kinds: Vec<Kind> = KINDS.iter().map(|row| row.kind).collect();
    assert_eq!(kinds, Kind::ALL);
    let is_plain =
        |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    assert!(kinds.iter().all(|kind| is_plain(kind.as_str())));
    for texts in
        [KINDS.map(|row| row.kind.as_str()), KINDS.map(|row| row.title), KINDS.map(|row| row.says)]
    {
        let mut once = texts.to_vec();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), texts.len(), "said twice: {texts:?}");
    }
    assert!(Kind::ALL.iter().all(|kind| kind.row().kind == *kind));
}

#[test]
fn every_column_is_one_of_requests_and_named_once() {
    for row in &KINDS {
        let columns: Vec<_> = row.columns().collect();
        for (at, column) in columns.iter().enumerate() {
            assert!(REQUESTS.columns.iter().any(|known| known.name == *column), "{column}");
            assert!(!columns[..at].contains(column), "{column} twice in {}", row.kind);
        }
    }
}

#[test]
fn floors_are_severities_with_a_reason() {
    for row in &KINDS {
        assert!((0..=100).contains(&row.floor.severity), "{}", row.kind);
        assert!(!row.floor.reason.is_empty());
        let is_told_by_one = matches!(row.class, Class::Credentials | Class::Discovery);
        assert!(!is_told_by_one || row.floor.severity >= 35, "{}: security is medium", row.kind);
        assert!(!row.kind.is_benign() || row.floor.severity == 0, "{} has no floor", row.kind);
    }
}

#[test]
fn sentences_are_short_and_end() {
    for row in &KINDS {
        assert!(row.says.ends_with('.') && row.says.matches('.').count() == 1, "{}", row.says);
        assert!(row.says.chars().count() <= SENTENCE_CHARS_MAX, "{}", row.says);
        assert!(
            row.says.starts_with(char::is_uppercase) && row.title.starts_with(char::is_uppercase)
        );
        assert_eq!(row.says.ends_with("no attack."), row.kind.is_benign(), "{}", row.says);
    }
}

#[test]
fn attacks_have_a_technique_or_a_threat_and_the_benign_neither() {
    for row in &KINDS {
        let is_named = row.technique.is_some() || !row.oat.is_empty();
        assert_eq!(is_named, !row.kind.is_benign(), "{}", row.kind);
        let is_id =
            |id: &str, digits: &str| id.len() == 3 && digits.chars().all(|c| c.is_ascii_digit());
        for oat in row.oat {
            assert!(oat.strip_prefix("OAT-").is_some_and(|digits| is_id(digits, digits)), "{oat}");
        }
        if let Some(Technique { id, .. }) = row.technique {
            let digits = id.strip_prefix('T').unwrap().split('.');
            let lengths: Vec<usize> = digits
                .inspect(|digits| assert!(digits.chars().all(|c| c.is_ascii_digit()), "{id}"))
                .map(str::len)
                .collect();
            assert!(lengths == [4] || lengths == [4, 3], "{id}");
        }
    }
}

/// A line of the page's table.
fn line(row: &KindRow) -> String {
    let listed = |columns: &[&str]| {
        columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ")
    };
    let technique = row.technique.map(|technique| technique.id);
    let known_as: Vec<&str> = technique.into_iter().chain(row.oat.iter().copied()).collect();
    format!(
        "| `{}` | {} | {} | {} | {} |",
        row.kind,
        row.says,
        if row.needs.is_empty() { "–".to_owned() } else { listed(row.needs) },
        listed(row.helps),
        known_as.join(", "),
    )
}

#[test]
fn the_page_lists_what_is_reported() {
    let mut table = String::from(
        "| kind | what it is | cannot be told without | is told better with | ATT&CK, OWASP |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for row in &KINDS {
        writeln!(table, "{}", line(row)).unwrap();
    }
    // Told when the test runs: checkouts may share the folder that is built into.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo starts the tests");
    let page = std::fs::read_to_string(Path::new(&package).join("../docs/kinds.md")).unwrap();
    let (before, rest) = page.split_once(START).expect("the page has a place for the kinds");
    let (_, after) = rest.split_once(END).expect("the kinds end");
    expect_file!["../../docs/kinds.md"]
        .assert_eq(&format!("{before}{START}\n{table}\n{END}{after}"));
}
