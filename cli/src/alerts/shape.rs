//! The shape of a fingerprint: what it asks, without which addresses or names exactly.
//!
//! An incident of many sources names a few more of them at each revision. That is no news; that it asks something else,
//! or names twice as many, is.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A number that two fingerprints share when they ask the same: the same columns and operators, the same single values,
/// and lists as long to within a factor of two.
pub(super) fn of(fingerprint: &str) -> u64 {
    let mut shape = Shape { hasher: DefaultHasher::new(), run: None };
    let mut rest = fingerprint;
    loop {
        let start = rest.find(literal_begins()).unwrap_or(rest.len());
        let (between, from) = rest.split_at(start);
        let length = literal_length(from);
        if length == 0 {
            shape.end(between);
            return shape.hasher.finish();
        }
        let (literal, after) = from.split_at(length);
        shape.literal(between, literal);
        rest = after;
    }
}

/// Whether a character begins a literal: a quote, or a digit that is no part of a name such as `ja4`.
fn literal_begins() -> impl FnMut(char) -> bool {
    let mut in_name = false;
    move |c| {
        let begins = c == '\'' || (c.is_ascii_digit() && !in_name);
        in_name = c.is_alphanumeric() || c == '_';
        begins
    }
}

/// Bytes of the literal that `text` begins with; 0 when it is empty.
fn literal_length(text: &str) -> usize {
    if !text.starts_with('\'') {
        return text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    }
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'\'', Some(b'\'')) => at += 2,
            (b'\'', _) => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

struct Shape<'a> {
    hasher: DefaultHasher,
    run: Option<Run<'a>>,
}

/// Literals after each other that are asked for in the same way.
struct Run<'a> {
    asked: &'a str,
    first: &'a str,
    count: usize,
}

impl<'a> Shape<'a> {
    fn literal(&mut self, between: &'a str, literal: &'a str) {
        let asked = between.trim_start_matches([')', ' ']);
        let asked = asked.strip_prefix("OR ").unwrap_or(asked).trim_start_matches('(');
        match &mut self.run {
            Some(run) if between == ", " || asked == run.asked => run.count += 1,
            _ => {
                self.end_run();
                self.run = Some(Run { asked, first: literal, count: 1 });
            }
        }
    }

    fn end_run(&mut self) {
        let Some(run) = self.run.take() else { return };
        run.asked.hash(&mut self.hasher);
        match run.count {
            1 => run.first.hash(&mut self.hasher),
            count => count.ilog2().hash(&mut self.hasher),
        }
    }

    fn end(&mut self, tail: &str) {
        self.end_run();
        tail.trim_start_matches(')').hash(&mut self.hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_list_that_grows_a_little_is_the_same() {
        assert_eq!(of("client_ip IN ('a', 'b')"), of("client_ip IN ('a', 'c', 'b')"));
        assert_eq!(of("client_asn IN (1, 22)"), of("client_asn IN (1, 22, 333)"));
        let starts = |names: &[&str]| {
            let parts: Vec<String> =
                names.iter().map(|name| format!("starts_with(client_ip, '{name}')")).collect();
            format!("(client_ip IN ('a', 'b') OR {}) AND path = '/'", parts.join(" OR "))
        };
        assert_eq!(of(&starts(&["a:", "b:"])), of(&starts(&["0:", "a:", "b:"])));
        assert_ne!(of(&starts(&["a:", "b:"])), of(&starts(&["a:", "b:", "c:", "d:"])));
    }

    #[test]
    fn what_is_asked_matters() {
        let different = [
            "",
            "path = '/a'",
            "path = '/b'",
            "query = '/a'",
            "path = '/a' AND status = 404",
            "path = '/a' AND status = 403",
            "path = '/a' OR status = 404",
            "ja4 = 'x'",
            "ja4 IN ('x', 'y')",
            "ja4 IN ('x', 'y', 'z', 'z')",
            "path = 'it''s' AND method = 'GET'",
            "path = 'it' AND method = 'GET'",
            "coalesce(referer, '') = ''",
        ];
        for (at, one) in different.iter().enumerate() {
            assert!(different[at + 1..].iter().all(|other| of(one) != of(other)), "{one}");
        }
    }

    #[test]
    fn any_text_has_a_shape() {
        for text in ["'", "''", "'''", "12", "é'é", "a1 'b", "\u{660}'", "('a', "] {
            assert_eq!(of(text), of(text));
        }
    }
}
