//! Revisions of incidents in the order in which they were decided: which there are, some of them, one page after another.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use arrow::array::AsArray as _;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, Utc};
use schemas::tables::INCIDENTS;

use super::row::Row;
use super::sql;
use crate::answers::{Answers, Fault, Question};

/// Revisions of a page.
pub(crate) const PAGE: usize = 1_000;

/// What a revision is known and ordered by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    revision_ts: DateTime<Utc>,
    incident_id: String,
    revision: i64,
}

impl Key {
    /// That of a row.
    pub(crate) fn of(row: &Row) -> Option<Self> {
        let revision = row.count("revision").try_into().ok()?;
        let incident_id = row.text("incident_id").to_owned();
        row.time("revision_ts").map(|revision_ts| Self { revision_ts, incident_id, revision })
    }

    /// What it is recognised by.
    pub(crate) fn hash(&self) -> u64 {
        hash(&self.incident_id, self.revision)
    }
}

fn hash(incident_id: &str, revision: i64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (incident_id, revision).hash(&mut hasher);
    hasher.finish()
}

/// Keys of the revisions of which `is_new` holds, in their order.
///
/// - `is_new`: asked of each that there is, by what it is recognised by: they are many, and few are new.
pub(crate) async fn keys(
    answers: &Answers,
    mut is_new: impl FnMut(u64) -> bool,
) -> Result<Vec<Key>, Fault> {
    let mut new = Vec::new();
    let text = format!("SELECT revision_ts, incident_id, revision FROM {}", INCIDENTS.name);
    let mut reply = answers.rows(Question::own(text)).await?;
    while let Some(batch) = reply.next().await {
        let time = DataType::Timestamp(TimeUnit::Microsecond, None);
        let wanted = [time, DataType::Utf8View, DataType::Int64];
        let columns = batch.columns().iter().zip(&wanted);
        let columns: Result<Vec<_>, _> = columns.map(|(column, of)| cast(column, of)).collect();
        let columns = columns.map_err(|_| Fault::Broken)?;
        let [times, ids, revisions] = columns.as_slice() else { return Err(Fault::Broken) };
        let times = times.as_primitive::<TimestampMicrosecondType>().iter();
        let (ids, revisions) = (ids.as_string_view(), revisions.as_primitive::<Int64Type>());
        for ((time, id), revision) in times.zip(ids).zip(revisions) {
            // None of the three is ever null.
            let (Some(time), Some(id), Some(revision)) = (time, id, revision) else { continue };
            if is_new(hash(id, revision)) {
                let revision_ts = DateTime::from_timestamp_micros(time).unwrap_or_default();
                new.push(Key { revision_ts, incident_id: id.to_owned(), revision });
            }
        }
    }
    reply.end().await?;
    new.sort_unstable();
    Ok(new)
}

/// The statement that reads these revisions.
pub(crate) fn named(keys: &[Key]) -> String {
    let each = keys.iter().map(|key| {
        format!("(incident_id = {} AND revision = {})", sql::text(&key.incident_id), key.revision)
    });
    ordered(&each.collect::<Vec<_>>().join(" OR "), "")
}

/// Where a page begins.
#[derive(Debug, Clone)]
pub(crate) enum After {
    /// With what was decided then.
    Instant(DateTime<Utc>),
    /// Behind this one.
    Key(Key),
}

impl After {
    /// The instant that the id of an event begins with.
    pub(crate) fn instant(id: &str) -> Option<Self> {
        let (time, _) = id.split_once('/')?;
        DateTime::parse_from_rfc3339(time).ok().map(|time| Self::Instant(time.to_utc()))
    }
}

/// The statement that reads a page.
pub(crate) fn page(after: &After) -> String {
    let limit = format!(" LIMIT {PAGE}");
    match after {
        After::Instant(time) => ordered(&format!("revision_ts >= {}", sql::time(*time)), &limit),
        After::Key(key) => {
            let (time, id) = (sql::time(key.revision_ts), sql::text(&key.incident_id));
            let of_instant = format!(
                "incident_id > {id} OR (incident_id = {id} AND revision > {})",
                key.revision
            );
            ordered(
                &format!("revision_ts >= {time} AND (revision_ts > {time} OR {of_instant})"),
                &limit,
            )
        }
    }
}

fn ordered(condition: &str, limit: &str) -> String {
    format!(
        "SELECT * FROM {} WHERE {condition} ORDER BY revision_ts, incident_id, revision{limit}",
        INCIDENTS.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(time: &str, incident_id: &str, revision: i64) -> Key {
        let revision_ts = time.parse().unwrap();
        Key { revision_ts, incident_id: incident_id.to_owned(), revision }
    }

    #[test]
    fn revisions_are_in_the_order_of_time_and_not_of_how_it_is_written() {
        let mut keys = [
            key("2026-03-01T00:00:10.5Z", "a", 1),
            key("2026-03-01T00:00:10Z", "b", 10),
            key("2026-03-01T00:00:10Z", "b", 9),
        ];
        keys.sort_unstable();
        assert_eq!(keys.each_ref().map(|key| key.revision), [9, 10, 1]);
        assert_eq!(keys[0].hash(), key("2026-04-01T00:00:10Z", "b", 9).hash());
        assert_ne!(keys[0].hash(), keys[1].hash());
    }

    #[test]
    fn the_statement_that_names_revisions_stays_short() {
        let keys: Vec<Key> =
            (0..200).map(|n| key("2026-03-01T00:00:10Z", &format!("{n:0>64}"), 0)).collect();
        let statement = named(&keys);
        assert!(statement.len() < 64 << 10, "{}", statement.len());
        assert!(query::statements::parse_bounded(&statement).is_ok());
    }
}
