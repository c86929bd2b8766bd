//! Parts of statements.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, SecondsFormat, Utc};

/// A text as a literal, whatever it holds.
pub(crate) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A time as a literal.
pub(crate) fn time(value: DateTime<Utc>) -> String {
    text(&rfc3339(value))
}

/// `2026-03-01T10:00:00Z`, with as many decimals as there are.
pub(crate) fn rfc3339(value: DateTime<Utc>) -> String {
    value.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Years in which requests may have been. The engine counts nanoseconds here and there, which end in 2262.
const YEARS: RangeInclusive<i32> = 1_970..=2_200;

/// A time as people write it: RFC 3339, or a day for its beginning.
pub(crate) fn parse_time(given: &str) -> Result<DateTime<Utc>, String> {
    let given = given.trim();
    let is_far = |time: &DateTime<Utc>| !YEARS.contains(&time.year());
    let no_time = || {
        format!(
            "`{}` is no time such as 2026-03-01T10:00:00Z, and no day",
            schemas::text::escape(given)
        )
    };
    read_time(given).filter(|time| !is_far(time)).ok_or_else(no_time)
}

/// The same, of any year; `None` for what is no time.
pub(crate) fn read_time(given: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(given) {
        return Some(time.to_utc());
    }
    // `datetime-local` of a browser, and what people type.
    let whole = format!("{}Z", given.replace(' ', "T"));
    let with_seconds = format!("{}:00Z", given.replace(' ', "T"));
    for text in [whole, with_seconds] {
        if let Ok(time) = DateTime::parse_from_rfc3339(&text) {
            return Some(time.to_utc());
        }
    }
    let day: NaiveDate = given.parse().ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc())
}

/// Conditions that hold together.
#[derive(Debug, Default, Clone)]
pub(crate) struct Conditions(Vec<String>);

impl Conditions {
    /// Adds one.
    pub(crate) fn and(&mut self, condition: impl Into<String>) -> &mut Self {
        self.0.push(condition.into());
        self
    }

    /// Adds that `column` is `value`, where there is one.
    pub(crate) fn equal(&mut self, column: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.and(format!("{column} = {}", text(value)));
        }
        self
    }

    /// `" WHERE …"`, or nothing.
    pub(crate) fn clause(&self) -> String {
        let mut clause = String::new();
        for (at, condition) in self.0.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(clause, "{} {condition}", if at == 0 { " WHERE" } else { " AND" });
        }
        clause
    }

    /// `" AND …"` behind another condition, or nothing.
    pub(crate) fn more(&self) -> String {
        self.0.iter().fold(String::new(), |all, condition| all + " AND " + condition)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_value_gets_out_of_its_literal(value in ".*") {
            let statement = format!("SELECT {} AS v, 1 AS w", text(&value));
            let parsed = query::statements::parse(&statement).unwrap();
            prop_assert_eq!(parsed.len(), 1);
            let read = parsed[0].to_string();
            prop_assert!(read.starts_with("SELECT '") && read.ends_with("' AS v, 1 AS w"), "{}", read);
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let read = |given| parse_time(given).map(rfc3339);
        assert_eq!(read("2026-03-01T10:00:00.5+01:00").unwrap(), "2026-03-01T09:00:00.500Z");
        assert_eq!(read("2026-03-01T10:00").unwrap(), "2026-03-01T10:00:00Z");
        assert_eq!(read("2026-03-01 10:00:07").unwrap(), "2026-03-01T10:00:07Z");
        assert_eq!(read("2026-03-01").unwrap(), "2026-03-01T00:00:00Z");
        for far in ["-262143-01-01", "+262142-12-31", "9999-12-31T23:59:59Z", "0000-01-01"] {
            assert!(read(far).is_err(), "{far}");
        }
        assert!(read("yesterday").unwrap_err().contains("is no time such as"));
    }

    #[test]
    fn conditions_hold_together() {
        let mut all = Conditions::default();
        assert_eq!(all.clause(), "");
        all.equal("host", Some("o'x")).equal("kind", None).and("a > 1");
        assert_eq!(all.clause(), " WHERE host = 'o''x' AND a > 1");
    }
}
