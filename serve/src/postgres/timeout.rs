//! `statement_timeout`: how long a statement of a conversation may take.

use std::time::Duration;

/// The setting's name.
pub(super) const NAME: &str = "statement_timeout";

/// The limit of a conversation; zero is that of the server alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeout {
    pub(super) now: Duration,
    /// What was said in the greeting, to which it is reset.
    first: Duration,
}

impl Timeout {
    /// As the parameters of a greeting say it: by its name, or among `options` as `-c statement_timeout=5000`.
    pub(super) fn of_greeting(said: &[(String, String)]) -> Self {
        let named = said.iter().find(|(name, _)| name.eq_ignore_ascii_case(NAME));
        let options = said.iter().filter(|(name, _)| name == "options");
        let in_options = options.flat_map(|(_, text)| text.split_whitespace()).find_map(|word| {
            let word = word.trim_start_matches("-c").trim_start_matches("--");
            let (name, value) = word.split_once('=')?;
            name.replace('-', "_").eq_ignore_ascii_case(NAME).then_some(value)
        });
        let value = named.map(|(_, value)| value.as_str()).or(in_options);
        let first = value.and_then(read).unwrap_or_default();
        Self { now: first, first }
    }

    /// Back to what was said in the greeting.
    pub(super) const fn reset(&mut self) {
        self.now = self.first;
    }

    /// What it allows, if it is one.
    pub(super) fn limit(self) -> Option<Duration> {
        Some(self.now).filter(|limit| !limit.is_zero())
    }

    /// As `SHOW` tells it.
    pub(super) fn shown(self) -> String {
        self.limit().map_or_else(|| "0".to_owned(), |limit| format!("{}ms", limit.as_millis()))
    }
}

/// The limit that a value says, in milliseconds where it has no unit: `5000`, `'5s'`. `None` when it is no span of time.
pub(super) fn read(value: &str) -> Option<Duration> {
    let value = value.trim_matches(['\'', '"', ' ']);
    let millis = value.parse().ok().map(Duration::from_millis);
    millis.or_else(|| humantime::parse_duration(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_in_all_units() {
        let millis = |text: &str| read(text).map(|limit| limit.as_millis());
        for (text, expected) in [
            ("5000", 5_000),
            ("'5s'", 5_000),
            ("'2 min'", 120_000),
            ("1500us", 1),
            ("1h", 3_600_000),
            ("0", 0),
        ] {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
        assert_eq!((millis("soon"), millis("-5")), (None, None));
    }

    #[test]
    fn a_greeting_may_say_it() {
        let said = |name: &str, value: &str| {
            let said = [("user", "a"), (name, value)];
            Timeout::of_greeting(&said.map(|(name, value)| (name.to_owned(), value.to_owned())))
        };
        for (name, value) in [
            ("statement_timeout", "5000"),
            ("options", "-c search_path=public -c statement_timeout=5s"),
            ("options", "--statement-timeout=5s"),
        ] {
            assert_eq!(said(name, value).shown(), "5000ms", "{name} {value}");
        }
        let mut timeout = said("options", "-c statement_timeout=soon");
        assert_eq!(timeout.shown(), "0");
        timeout.now = Duration::from_secs(7);
        timeout.reset();
        assert_eq!(timeout.shown(), "0");
    }
}
