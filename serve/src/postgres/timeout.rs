//! `statement_timeout`: how long a statement of a conversation may take.

use std::time::Duration;

/// The setting's name.
pub(super) const NAME: &str = "statement_timeout";

/// Units of a span of time, as PostgreSQL writes them, in milliseconds.
const UNITS: [(&str, u64); 6] =
    [("us", 0), ("ms", 1), ("s", 1_000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// The limit that a value says, in milliseconds where it has no unit: `5000`, `'5s'`. None for `0` and `DEFAULT`.
///
/// # Errors
/// Nothing, when it is no span of time.
pub(super) fn read(value: &str) -> Result<Option<Duration>, ()> {
    let value = value.trim_matches(['\'', '"', ' ']);
    if value.eq_ignore_ascii_case("default") {
        return Ok(None);
    }
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let number: u64 = number.parse().map_err(drop)?;
    let unit = unit.trim();
    let millis = match UNITS.iter().find(|(name, _)| *name == unit) {
        None if unit.is_empty() => number,
        // Rounded up: a limit that is too short to be one is none.
        Some(("us", _)) => number.div_ceil(1_000),
        Some((_, millis)) => number.saturating_mul(*millis),
        None => return Err(()),
    };
    Ok((millis > 0).then(|| Duration::from_millis(millis)))
}

/// The limit in the parameters of a greeting: by its name, or among `options` as `-c statement_timeout=5000`.
pub(super) fn of_greeting(said: &[(String, String)]) -> Option<Duration> {
    let named = said.iter().find(|(name, _)| name.eq_ignore_ascii_case(NAME));
    let options = said.iter().filter(|(name, _)| name == "options");
    let in_options = options.flat_map(|(_, text)| text.split_whitespace()).find_map(|word| {
        let (name, value) =
            word.trim_start_matches("-c").trim_start_matches("--").split_once('=')?;
        name.replace('-', "_").eq_ignore_ascii_case(NAME).then_some(value)
    });
    let value = named.map(|(_, value)| value.as_str()).or(in_options)?;
    read(value).ok()?
}

/// As `SHOW` tells it.
pub(super) fn shown(limit: Option<Duration>) -> String {
    let millis = limit.map_or(0, |limit| limit.as_millis());
    match millis {
        0 => "0".to_owned(),
        millis if millis % 1_000 == 0 => format!("{}s", millis / 1_000),
        millis => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_in_all_units() {
        let millis = |text: &str| read(text).map(|limit| limit.map(|limit| limit.as_millis()));
        for (text, expected) in [
            ("5000", Some(5_000)),
            ("'5s'", Some(5_000)),
            ("'2 min'", Some(120_000)),
            ("100us", Some(1)),
            ("0", None),
            ("DEFAULT", None),
        ] {
            assert_eq!(millis(text), Ok(expected), "{text}");
        }
        assert_eq!((millis("soon"), millis("5 weeks")), (Err(()), Err(())));
        assert_eq!(shown(read("1500").unwrap()), "1500ms");
    }

    #[test]
    fn a_greeting_may_say_it() {
        let said = |name: &str, value: &str| {
            of_greeting(&[("user".to_owned(), "a".to_owned()), (name.to_owned(), value.to_owned())])
        };
        let five = Some(Duration::from_secs(5));
        assert_eq!(said("statement_timeout", "5000"), five);
        assert_eq!(said("options", "-c search_path=public -c statement_timeout=5s"), five);
        assert_eq!(said("options", "--statement-timeout=5s"), five);
        assert_eq!(said("options", "-c statement_timeout=soon"), None);
    }
}
