//! Which part of a topic is read here: what is found is of that part alone, and says so.

use ingest::Share;
use schemas::{Evidence, Incident};

/// Name of the evidence that says how many partitions were read, of how many.
const FEATURE: &str = "partitions_read";

/// Adds to each revision which part of the topic it is of, unless that is all of it.
#[expect(clippy::cast_precision_loss, reason = "a topic has some thousand partitions")]
pub fn say(incidents: &mut [Incident], share: Option<Share>) {
    let Some(share) = share.filter(|share| share.is_part()) else { return };
    for incident in incidents {
        incident.evidence.push(Evidence {
            feature: FEATURE.to_owned(),
            expected: share.of as f64,
            observed: share.read as f64,
            score: 0.0,
            p_value: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::tests::incident;

    #[test]
    fn a_part_of_a_topic_is_told_and_the_whole_is_not() {
        let told = |share| {
            let mut incidents = [incident()];
            let before = incidents[0].evidence.len();
            say(&mut incidents, share);
            incidents[0]
                .evidence
                .drain(before..)
                .map(|one| (one.feature, one.observed, one.expected))
                .next()
        };
        assert_eq!(told(None), None);
        assert_eq!(told(Some(Share { read: 4, of: 4 })), None);
        let part = (FEATURE.to_owned(), 1.0, 4.0);
        assert_eq!(told(Some(Share { read: 1, of: 4 })), Some(part));
    }
}
