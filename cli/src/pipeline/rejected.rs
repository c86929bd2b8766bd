//! Says once for each topic that half of its lines are no access records.

use std::collections::BTreeMap;

use decode::{Batcher, RejectReason};
use schemas::PositionedBatch;
use schemas::text::escape;

/// Records after which the share of rejects is believed; less than that are judged at the end.
const RECORDS_MIN: u64 = 2_000;

/// Longest beginning of a line that is shown.
const EXAMPLE_CHARS: usize = 160;

/// What the topics have shown so far.
#[derive(Debug, Default)]
pub struct Rejected {
    topics: BTreeMap<String, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    records: u64,
    rejects: u64,
    /// One of the lines, escaped, and why it is none.
    example: Option<(RejectReason, String)>,
    is_said: bool,
}

impl Rejected {
    /// Takes in a batch of `batcher`; warns once half of enough records of its topic are rejects.
    pub fn see(&mut self, batch: &PositionedBatch, batcher: &Batcher) {
        let rejected = batcher.rejected(&batch.partition);
        let topic = match (batch.requests.rows(), rejected) {
            (0, None) => return,
            (0, Some((topic, _, _))) => topic,
            (_, _) => batch.requests.topic().value(0),
        };
        let seen = self.topics.entry(topic.to_owned()).or_default();
        seen.records += batch.records() as u64;
        seen.rejects += batch.rejects.num_rows() as u64;
        if let (None, Some((_, reason, line))) = (&seen.example, rejected) {
            seen.example = Some((reason, shown(line)));
        }
        if seen.records >= RECORDS_MIN {
            seen.judge(topic);
        }
    }

    /// Judges what was too little to be judged before.
    pub fn say_rest(&mut self) {
        for (topic, seen) in &mut self.topics {
            seen.judge(topic);
        }
    }
}

impl Seen {
    fn judge(&mut self, topic: &str) {
        if self.is_said || self.rejects == 0 || self.rejects * 2 < self.records {
            return;
        }
        self.is_said = true;
        let Some((reason, example)) = &self.example else { return };
        let Self { rejects, records, .. } = self;
        tracing::warn!(
            topic,
            rejects,
            records,
            %reason,
            %example,
            "half of the lines or more are no access records"
        );
    }
}

/// The beginning of a line, fit for a terminal.
fn shown(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let start: String = line.chars().take(EXAMPLE_CHARS).collect();
    let more = if start.len() < line.len() { "…" } else { "" };
    format!("{}{more}", escape(&start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_line_is_short_and_escaped() {
        assert_eq!(shown(b"a \x1b[31mb"), "a \\x1b[31mb");
        assert_eq!(shown(&[b'x'; 500]).chars().count(), EXAMPLE_CHARS + 1);
    }

    #[test]
    fn it_is_said_once_half_are_rejects() {
        let seen = |rejects, records| {
            let example = Some((RejectReason::NotJson, "x".to_owned()));
            let mut seen = Seen { records, rejects, example, is_said: false };
            seen.judge("logs");
            seen.is_said
        };
        assert_eq!([seen(0, 0), seen(0, 9), seen(4, 9), seen(5, 9)], [false, false, false, true]);
    }
}
