//! The questions to the tables.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::read::{long, text};
use super::{DAY_US, WEEKS_US};

/// Attacks that are left out of what is learned, at most: the heaviest.
const ATTACKS_MAX: usize = 1_000;

/// Attacks whose requests are left out one by one, at most, and bytes of a predicate: each is a term of the query.
const PREDICATES_MAX: usize = 16;
const PREDICATE_BYTES_MAX: usize = 16_384;

/// Share of a minute from which an attack spoils it: less is within what minutes differ by.
const SPOILT_SHARE: f64 = 0.1;

/// Columns of requests that the detector reads, and those that are never null.
const COLUMNS: &str = "ts, client_ip, client_asn, client_country, method, host, path, query, status, request_bytes, \
                       response_bytes, duration_us, user_agent, referer, cache_status, ja4, malformed, record_index, \
                       aborted";

/// An attack of the past.
#[derive(Debug, Clone, PartialEq)]
pub struct Attack {
    host: Option<String>,
    first_us: i64,
    last_us: i64,
    requests: i64,
    predicate: Option<String>,
}

impl Attack {
    /// Those of an answer to [`Ask::attacks`].
    pub fn of(batch: &RecordBatch) -> anyhow::Result<Vec<Self>> {
        let hosts = cast(batch.column(0), &DataType::Utf8)?;
        let predicates = cast(batch.column(4), &DataType::Utf8)?;
        let (first, last, requests) = (long(batch, 1)?, long(batch, 2)?, long(batch, 3)?);
        let attack = |row| Self {
            host: text(hosts.as_string(), row).map(str::to_owned),
            first_us: first.value(row),
            last_us: last.value(row),
            requests: requests.value(row),
            predicate: text(predicates.as_string(), row).map(str::to_owned),
        };
        Ok((0..batch.num_rows()).map(attack).collect())
    }

    /// Whether much of the requests of a host in the minute that begins then were its.
    #[expect(clippy::cast_precision_loss, reason = "requests and microseconds")]
    pub fn spoils(&self, host: Option<&str>, start_us: i64, requests: i64) -> bool {
        let minutes = ((self.last_us - self.first_us) as f64 / 6e7).max(1.0);
        self.host.as_deref() == host
            && self.first_us < start_us + 60_000_000
            && self.last_us >= start_us
            && self.requests as f64 / minutes >= SPOILT_SHARE * requests as f64
    }

    fn excludes(&self, from_us: i64, to_us: i64) -> Option<String> {
        let predicate = self.predicate.as_ref().filter(|text| text.len() <= PREDICATE_BYTES_MAX)?;
        let host = self.host.as_ref().map_or_else(
            || "host IS NULL".to_owned(),
            |host| format!("host = '{}'", host.replace('\'', "''")),
        );
        (self.first_us < to_us && self.last_us >= from_us).then(|| {
            let (first, last) = (time(self.first_us), time(self.last_us));
            format!(
                " AND ({host} AND ts >= {first} AND ts <= {last} AND ({predicate})) IS NOT TRUE"
            )
        })
    }
}

fn time(us: i64) -> String {
    format!("arrow_cast({us}, 'Timestamp(Microsecond, Some(\"UTC\"))')")
}

fn date(day: i64) -> String {
    format!("arrow_cast(arrow_cast({day}, 'Int32'), 'Date32')")
}

/// The days of a span of time, for the partitions of the tables.
fn days(from_us: i64, to_us: i64) -> String {
    let day = |us: i64| date(us.div_euclid(DAY_US));
    format!("date >= {} AND date <= {}", day(from_us), day(to_us))
}

/// What is asked about the time before an instant.
#[derive(Debug)]
pub struct Ask<'a> {
    begin_us: i64,
    topic: Option<&'a str>,
    /// Numbers of the partitions of the topic.
    partitions: Vec<i32>,
}

impl<'a> Ask<'a> {
    /// Questions about the time before `begin_us`, as far as `partitions` of a topic were read in it.
    pub fn new(begin_us: i64, topic: Option<&'a str>, partitions: &[Arc<str>]) -> Self {
        let number = |name: &Arc<str>| {
            let number = name.strip_prefix(topic?)?.strip_prefix('/')?;
            // Of a topic made anew, the id follows; what was ordinary under its name still is.
            number.split('@').next()?.parse().ok()
        };
        Self { begin_us, topic, partitions: partitions.iter().filter_map(number).collect() }
    }

    /// End of the last minute before.
    pub fn last_window(&self) -> String {
        format!(
            "SELECT max(window_end) FROM target_windows WHERE {} AND window_end <= {}",
            days(self.begin_us - WEEKS_US, self.begin_us),
            time(self.begin_us)
        )
    }

    /// Attacks, as they were known at that instant: host, first and last request, requests, predicate.
    pub fn attacks(&self) -> String {
        format!(
            "SELECT target_host, first_ts, last_ts, requests, fingerprint FROM \
             (SELECT *, row_number() OVER (PARTITION BY incident_id ORDER BY revision DESC) AS newest FROM incidents \
             WHERE revision_ts <= {} AND revision_ts >= {}) \
             WHERE newest = 1 AND verdict = 'attack' ORDER BY requests DESC, incident_id LIMIT {ATTACKS_MAX}",
            time(self.begin_us),
            time(self.begin_us - WEEKS_US)
        )
    }

    fn requests_of(&self, from_us: i64, to_us: i64) -> String {
        let (from, to) = (time(from_us), time(to_us.min(self.begin_us)));
        let mut of =
            format!("FROM requests WHERE {} AND ts >= {from} AND ts < {to}", days(from_us, to_us));
        if let Some(topic) = self.topic {
            of += " AND topic = '";
            of += &topic.replace('\'', "''");
            of += "'";
        }
        if !self.partitions.is_empty() {
            let numbers: Vec<String> = self.partitions.iter().map(ToString::to_string).collect();
            of += " AND topic_partition IN (";
            of += &numbers.join(", ");
            of += ")";
        }
        of
    }

    /// Minutes with requests, newest first, and how many.
    pub fn minutes_of_requests(&self, from_us: i64, to_us: i64) -> String {
        format!(
            "SELECT date_bin(INTERVAL '1 minute', ts) AS minute, count(*) {} GROUP BY 1 ORDER BY 1 DESC",
            self.requests_of(from_us, to_us)
        )
    }

    /// Requests in order of time, without those of the heaviest attacks.
    pub fn requests(&self, from_us: i64, to_us: i64, attacks: &[Attack]) -> String {
        let excluded = attacks.iter().filter_map(|attack| attack.excludes(from_us, to_us));
        let excluded: String = excluded.take(PREDICATES_MAX).collect();
        format!("SELECT {COLUMNS} {}{excluded} ORDER BY ts", self.requests_of(from_us, to_us))
    }

    /// Days with windows that end by an instant, newest first, how many, and how many of them of a named host.
    pub fn days_of_windows(&self, cut_us: i64) -> String {
        format!(
            "SELECT date, count(*), count(host) FROM target_windows WHERE {} AND window_end <= {} \
             GROUP BY date ORDER BY date DESC",
            days(self.begin_us - WEEKS_US, cut_us),
            time(cut_us)
        )
    }

    /// Windows of a day that end by an instant, in order of time: host, start, requests. Of several processes that count
    /// the same host in the same minute the one with most is what one of them may expect. Where hosts are named, windows
    /// without one are of hosts that nobody knows.
    pub fn windows(day: i64, cut_us: i64, named: bool) -> String {
        format!(
            "SELECT host, window_start, max(requests) FROM target_windows WHERE date = {} AND window_end <= {}{} \
             GROUP BY host, window_start ORDER BY window_start, host",
            date(day),
            time(cut_us),
            if named { " AND host IS NOT NULL" } else { "" }
        )
    }
}
