//! Says once for each topic which detections its log can feed.

use std::collections::{BTreeMap, BTreeSet};

use schemas::PositionedBatch;
use schemas::kinds::KindRow;
use schemas::signals::{self, Readiness};

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

/// `detections on: a, b; degraded: c, d (no host, ja4); off: e (no query)`.
fn summary(has: impl Fn(&str) -> bool) -> String {
    let mut parts = Vec::new();
    for readiness in [Readiness::On, Readiness::Degraded, Readiness::Off] {
        let so: Vec<&KindRow> =
            signals::detections().filter(|row| row.readiness(&has).0 == readiness).collect();
        if so.is_empty() {
            continue;
        }
        let named = match readiness {
            Readiness::On => joined(so.iter().map(|row| row.kind.to_string())),
            Readiness::Degraded => with_lacks(&so, &has),
            Readiness::Off => joined(so.iter().map(|row| {
                let lacks = row.needs.iter().filter(|column| !has(column));
                format!("{} (no {})", row.kind, joined(lacks.map(ToString::to_string)))
            })),
        };
        parts.push(format!("{}: {named}", readiness.as_str()));
    }
    format!("detections {}", parts.join("; "))
}

/// What lacks for one of them lacks for most: it is said once for all.
fn with_lacks(rows: &[&KindRow], has: impl Fn(&str) -> bool) -> String {
    let mut lacks: Vec<&str> = Vec::new();
    for column in rows.iter().flat_map(|row| row.columns()) {
        if !has(column) && !lacks.contains(&column) {
            lacks.push(column);
        }
    }
    let kinds = joined(rows.iter().map(|row| row.kind.to_string()));
    format!("{kinds} (no {})", lacks.join(", "))
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn what_is_missing_is_named() {
        assert!(!summary(|_| true).contains("no "));
        // As nginx and Apache write it by default.
        let combined = ["client_ip", "method", "path", "query", "status", "response_bytes"];
        let text = summary(|column| combined.contains(&column) || column == "user_agent");
        expect_test::expect!["detections degraded: http_flood, cache_busting, credential_stuffing, brute_force, content_discovery, vuln_scan, exploit_burst, scraping, swarm, enumeration, slow_http, stream_abuse, bulk_download (no host, ja4, client_asn, referer, duration_us, request_bytes, protocol); off: app_exhaustion (no duration_us)"].assert_eq(&text);
    }
}
