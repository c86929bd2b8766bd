//! Says once for each topic which detections its log can feed.

use std::collections::{BTreeMap, BTreeSet};

use schemas::PositionedBatch;
use schemas::signals::{self, Readiness, SIGNALS};

/// Requests after which a column that held nothing is taken to hold nothing ever.
const REQUESTS_MIN: usize = 2_000;

/// What the topics have shown so far.
#[derive(Debug, Default)]
pub struct Signals {
    topics: BTreeMap<String, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: usize,
    columns: BTreeSet<&'static str>,
    said: bool,
}

impl Signals {
    /// Takes in a batch; says what its topic can feed once enough of it was seen.
    pub fn see(&mut self, batch: &PositionedBatch) {
        let requests = &batch.requests;
        if requests.rows() == 0 {
            return;
        }
        let topic = requests.topic().value(0);
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.to_owned(), Seen::default());
        }
        let Some(seen) = self.topics.get_mut(topic) else { return };
        if seen.said {
            return;
        }
        seen.requests += requests.rows();
        for column in signals::columns() {
            let array = requests.record_batch().column_by_name(column);
            if array.is_some_and(|array| array.null_count() < array.len()) {
                seen.columns.insert(column);
            }
        }
        if seen.requests >= REQUESTS_MIN {
            seen.say(topic);
        }
    }

    /// Says what is not said yet, however little was seen.
    pub fn say_rest(&mut self) {
        for (topic, seen) in &mut self.topics {
            if !seen.said {
                seen.say(topic);
            }
        }
    }
}

impl Seen {
    fn say(&mut self, topic: &str) {
        self.said = true;
        tracing::info!(topic, "{}", summary(|column| self.columns.contains(column)));
    }
}

/// `detections on: a, b; degraded: c (no host); off: d (no query)`.
fn summary(has: impl Fn(&str) -> bool) -> String {
    let mut parts = Vec::new();
    for readiness in [Readiness::On, Readiness::Degraded, Readiness::Off] {
        let named: Vec<String> = SIGNALS
            .iter()
            .map(|signal| (signal.kind, signal.readiness(&has)))
            .filter(|(_, (found, _))| *found == readiness)
            .map(|(kind, (_, missing))| {
                if missing.is_empty() {
                    kind.to_string()
                } else {
                    format!("{kind} (no {})", missing.join(", "))
                }
            })
            .collect();
        if !named.is_empty() {
            parts.push(format!("{}: {}", readiness.as_str(), named.join(", ")));
        }
    }
    format!("detections {}", parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn what_is_missing_is_named() {
        let text = summary(|column| !matches!(column, "query" | "host"));
        assert!(text.starts_with("detections degraded: http_flood (no host), "), "{text}");
        assert!(text.ends_with("off: cache_busting (no query, host)"), "{text}");
        assert!(!summary(|_| true).contains("no "));
    }
}
