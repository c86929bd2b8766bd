//! Which files hold nothing that is to be kept any longer.

use chrono::{DateTime, NaiveDate, Utc};

use super::files::LiveFile;

/// Files all of whose rows are of dates before that of `until`: a date goes as a whole, or stays.
pub(super) fn expired(files: &[LiveFile], until: DateTime<Utc>) -> impl Iterator<Item = &LiveFile> {
    let first_kept = until.date_naive();
    let before = move |file: &&LiveFile| {
        !file.is_foreign && last_date(file).is_some_and(|date| date < first_kept)
    };
    files.iter().filter(before)
}

/// Date of the last row, where it is known.
fn last_date(file: &LiveFile) -> Option<NaiveDate> {
    match &file.date {
        Some(date) => date.parse().ok(),
        None => DateTime::from_timestamp_micros(file.times?.1).map(|time| time.date_naive()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(date: Option<&str>, last_us: Option<i64>) -> LiveFile {
        LiveFile {
            path: "x".into(),
            size: 1,
            written_ms: 0,
            date: date.map(Into::into),
            rows: Some(1),
            times: last_us.map(|last| (0, last)),
            is_foreign: false,
            remove: serde_json::from_str(r#"{"path":"x","dataChange":false}"#).unwrap(),
        }
    }

    #[test]
    fn whole_dates_go() {
        let until: DateTime<Utc> = "2026-01-02T12:00:00Z".parse().unwrap();
        let gone = |file: LiveFile| expired(std::slice::from_ref(&file), until).count() == 1;
        assert!(gone(file(Some("2026-01-01"), None)));
        assert!(!gone(file(Some("2026-01-02"), None)), "its afternoon is to be kept");
        let midnight_us = 1_767_312_000_000_000;
        assert!(gone(file(None, Some(midnight_us - 1))));
        assert!(!gone(file(None, Some(midnight_us))));
        assert!(!gone(file(None, None)), "what is not known is kept");
        assert!(!gone(file(Some("__HIVE_DEFAULT_PARTITION__"), None)));
    }
}
