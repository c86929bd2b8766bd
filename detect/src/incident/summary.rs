//! The sentence that tells a person of an incident: how fast, against what, how much, by how many, on what.

use schemas::incident::{one_line, subject};
use schemas::text::thousands;
use schemas::{Kind, Verdict};

/// What the sentence is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Summary<'a> {
    /// What it is made of.
    pub(crate) kind: Kind,
    /// What it is held to be.
    pub(crate) verdict: Verdict,
    /// Attacked host.
    pub(crate) host: Option<&'a str>,
    /// Path that most of it asks for, when one does.
    pub(crate) path: Option<&'a str>,
    /// Requests per second.
    pub(crate) rate: f64,
    /// Whether the rate is the greatest so far, rather than the mean.
    pub(crate) is_peak: bool,
    /// Ordinary requests per second of the host.
    pub(crate) level: f64,
    /// Requests so far.
    pub(crate) requests: u64,
    /// Distinct sources so far.
    pub(crate) sources: usize,
    /// Where they are, as it follows their number; may be empty.
    pub(crate) scope: &'a str,
}

impl Summary<'_> {
    /// `http_flood on shop.example: up to 41.2 requests/s, 9.3 times the host's ordinary 4.4; 202 requests from 1
    /// source, most for /`.
    pub(crate) fn text(&self) -> String {
        let most_for = self.path.map(|path| format!(", most for {}", one_line(path)));
        format!(
            "{}: {}{} requests/s, {}; {} requests from {} {}{}{}",
            subject(self.kind, self.verdict, self.host),
            if self.is_peak { "up to " } else { "" },
            told(self.rate),
            against(self.rate, self.level),
            thousands(self.requests),
            thousands(self.sources as u64),
            if self.sources == 1 { "source" } else { "sources" },
            self.scope,
            most_for.unwrap_or_default(),
        )
    }
}

/// A rate beside the ordinary one of its host: `9.3 times the host's ordinary 4.4`, `34 % of the host's ordinary 122`.
fn against(rate: f64, level: f64) -> String {
    let ratio = rate / level;
    match ratio {
        _ if level < 0.05 => "where next to none is ordinary for the host".to_owned(),
        10.0.. => {
            format!("{} times the host's ordinary {}", thousands(positive(ratio)), told(level))
        }
        1.95.. => format!("{ratio:.1} times the host's ordinary {}", told(level)),
        _ => format!("{:.0} % of the host's ordinary {}", ratio * 100.0, told(level)),
    }
}

/// A rate with what counts of it: `1,234`, `56.7`.
fn told(rate: f64) -> String {
    if rate < 99.95 { format!("{rate:.1}") } else { thousands(positive(rate)) }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn positive(x: f64) -> u64 {
    libm::round(x) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_told_as_far_as_they_count() {
        let rates = [0.0, 4.42, 99.94, 99.96, 12_345.6].map(told);
        assert_eq!(rates, ["0.0", "4.4", "99.9", "100", "12,346"]);
        assert_eq!(against(41.2, 4.42), "9.3 times the host's ordinary 4.4");
        assert_eq!(against(12_345.0, 1.0), "12,345 times the host's ordinary 1.0");
        assert_eq!(against(41.0, 122.0), "34 % of the host's ordinary 122");
        assert_eq!(against(7.0, 0.0), "where next to none is ordinary for the host");
    }

    #[test]
    fn a_summary_is_one_line_of_bounded_length() {
        let hostile = "/\r\n\u{1b}[2J".repeat(200);
        let summary = Summary {
            kind: Kind::BruteForce,
            verdict: Verdict::Suspicious,
            host: Some(&hostile),
            path: Some(&hostile),
            rate: 2.0,
            is_peak: true,
            level: 1.0,
            requests: 1_234,
            sources: 1,
            scope: "",
        };
        let text = summary.text();
        assert!(!text.contains(char::is_control) && text.chars().count() < 400, "{text}");
        let plain = Summary { host: Some("shop.example"), path: None, ..summary };
        let wanted = "possible brute_force on shop.example: up to 2.0 requests/s, \
                      2.0 times the host's ordinary 1.0; 1,234 requests from 1 source";
        assert_eq!(plain.text(), wanted);
    }
}
