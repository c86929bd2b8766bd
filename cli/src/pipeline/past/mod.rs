//! What the tables know of the past, for a detector that has no state of its own: a first run over tables that others
//! filled, a restart whose checkpoint is gone or of another version, a scan that is told where to look.
//!
//! Nothing from the first record on is used, so that an older log is judged as if it had been read in its time. What is
//! read is bounded, newest first: [`REQUESTS_MAX`] requests of the last [`RECENT_US`], and [`MINUTES_MAX`] minutes of
//! hosts of the last [`WEEKS_US`].

mod ask;
mod read;

use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::cast;
use decode::identity::AllowList;
use detect::{DetectConfig, Past, PastMinute};
use query::{Session, SessionOptions};
use schemas::RequestBatch;
use schemas::tables::REQUESTS;

use crate::engine;
use ask::{Ask, Attack};
use read::{Reader, text};

/// How far back requests are replayed, µs: the time in which shares are forgotten.
const RECENT_US: i64 = 6 * 3_600_000_000;

/// Requests that are replayed at most: some seconds of work.
const REQUESTS_MAX: i64 = 1_000_000;

/// Requests that are read and sorted at once, as far as one minute has fewer: some tens of megabytes.
const CHUNK_REQUESTS: i64 = 100_000;

/// How far back the hours of the week are looked up, µs: as many visits as are remembered of each.
const WEEKS_US: i64 = 28 * DAY_US;

/// Minutes of hosts that are read at most: four weeks of two dozen hosts.
const MINUTES_MAX: i64 = 1_000_000;

/// Time between the end of the past and the first record, up to which requests are replayed, µs: what people ask for and
/// who comes changes within weeks. A choice.
const REPLAY_GAP_US: i64 = 7 * DAY_US;

/// The last minute of a run may have requests and no row of windows, µs.
const OPEN_MINUTE_US: i64 = 60_000_000;

const DAY_US: i64 = 86_400_000_000;
const MINUTE_US: i64 = 60_000_000;

/// Where the past is looked for.
#[derive(Debug, Clone)]
pub struct PastSource {
    /// Folder or URI of the tables.
    pub data: String,
    /// Only requests of this topic count: other topics have detectors of their own.
    pub topic: Option<String>,
    /// Who is never judged.
    pub allow: AllowList,
    /// Settings of the detector.
    pub detect: DetectConfig,
    /// Somebody asked for it: that it cannot be read is an error.
    pub required: bool,
}

/// What was learned of, for a line in the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Told {
    requests: i64,
    minutes: i64,
}

impl PastSource {
    /// Learns what came before an instant, µs; `partitions` are those that this process reads. `None` where there is
    /// nothing.
    ///
    /// # Errors
    /// When it is required and cannot be read.
    pub fn load(&self, begin_us: i64, partitions: &[Arc<str>]) -> anyhow::Result<Option<Past>> {
        let loaded =
            engine::on_deep_stack(|| engine::runtime()?.block_on(self.read(begin_us, partitions)));
        match loaded {
            Ok(None) => {
                if self.required {
                    tracing::warn!(
                        data = self.data,
                        "no history from before the first record: nothing to start from"
                    );
                }
                Ok(None)
            }
            Ok(Some((past, Told { requests, minutes }))) => {
                tracing::info!(
                    data = self.data,
                    requests,
                    minutes,
                    "learned what is ordinary from the history in the tables"
                );
                Ok(Some(past))
            }
            Err(error) if self.required => {
                Err(error.context(format!("cannot read the history in {}", self.data)))
            }
            Err(error) => {
                tracing::warn!(
                    "cannot read the history in the tables, everything is learned anew: {error:#}"
                );
                Ok(None)
            }
        }
    }

    async fn read(
        &self,
        begin_us: i64,
        partitions: &[Arc<str>],
    ) -> anyhow::Result<Option<(Past, Told)>> {
        let session = Session::open(&self.data, &SessionOptions::default()).await?;
        let reader = Reader::new(&session);
        let ask = Ask::new(begin_us, self.topic.as_deref(), partitions);
        let last = reader.longs(&ask.last_window()).await?;
        let Some(last_us) = last.first().map(|row| row[0]) else { return Ok(None) };
        let end_us = begin_us.min(last_us + OPEN_MINUTE_US);
        let attacks = self.attacks(&reader, &ask).await?;
        let spans = if begin_us - end_us > REPLAY_GAP_US {
            Vec::new()
        } else {
            spans(&reader.longs(&ask.minutes_of_requests(end_us - RECENT_US, end_us)).await?)
        };
        let cut_us = spans.first().map_or(end_us, |span| span.0);
        let mut past = Past::new(self.detect.clone());
        let minutes = weeks(&reader, &ask, &attacks, cut_us, &mut past).await?;
        let mut told = Told { requests: 0, minutes };
        for (from_us, to_us) in spans {
            let sql = ask.requests(from_us, to_us, &attacks);
            for batch in reader.batches(&sql).await? {
                let batch = self.requests(&batch)?;
                told.requests += i64::try_from(batch.rows()).unwrap_or_default();
                past.requests(&batch);
            }
        }
        Ok((told != Told::default()).then_some((past, told)))
    }

    async fn attacks(&self, reader: &Reader<'_>, ask: &Ask<'_>) -> anyhow::Result<Vec<Attack>> {
        let batches = reader.batches(&ask.attacks()).await?;
        batches.iter().map(Attack::of).try_fold(Vec::new(), |mut all, some| {
            all.extend(some?);
            Ok(all)
        })
    }

    /// Rows of an answer as a batch of requests; columns that were not asked for are null.
    fn requests(&self, rows: &RecordBatch) -> anyhow::Result<RequestBatch> {
        let schema = REQUESTS.row_schema();
        let column = |field: &Arc<arrow::datatypes::Field>| match rows.column_by_name(field.name())
        {
            Some(column) => cast(column, field.data_type()),
            None => Ok(new_null_array(field.data_type(), rows.num_rows())),
        };
        let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let batch = RequestBatch::try_new(RecordBatch::try_new(schema, columns)?)?;
        if self.allow.is_empty() {
            return Ok(batch);
        }
        let exempt: BooleanArray =
            (0..batch.rows()).map(|row| Some(self.is_exempt(&batch, row))).collect();
        Ok(batch.with_exempt(exempt))
    }

    fn is_exempt(&self, batch: &RequestBatch, row: usize) -> bool {
        let address: Option<IpAddr> =
            text(batch.client_ip(), row).and_then(|address| address.parse().ok());
        let asns = batch.client_asn();
        let asn = asns.is_valid(row).then(|| asns.value(row));
        self.allow.covers(address, asn, text(batch.user_agent(), row).unwrap_or_default())
    }
}

/// Tells the past the minutes before `cut_us` of the weeks before, day by day; how many there were.
async fn weeks(
    reader: &Reader<'_>,
    ask: &Ask<'_>,
    attacks: &[Attack],
    cut_us: i64,
    past: &mut Past,
) -> anyhow::Result<i64> {
    let (mut days, mut minutes, mut named) = (Vec::new(), 0, 0);
    for row in reader.longs(&ask.days_of_windows(cut_us)).await? {
        let [day, rows, hosts] = row[..] else { continue };
        if minutes + rows > MINUTES_MAX {
            break;
        }
        days.push(day);
        (minutes, named) = (minutes + rows, named + hosts);
    }
    days.reverse();
    for day in days {
        for batch in reader.batches(&Ask::windows(day, cut_us, named > 0)).await? {
            let hosts = cast(batch.column(0), &arrow::datatypes::DataType::Utf8)?;
            let (starts, requests) = (read::long(&batch, 1)?, read::long(&batch, 2)?);
            for row in 0..batch.num_rows() {
                let host = text(hosts.as_string(), row);
                let (start_us, requests) = (starts.value(row), requests.value(row));
                let attacked = attacks.iter().any(|one| one.spoils(host, start_us, requests));
                past.minute(&PastMinute { host, start_us, requests, attacked });
            }
        }
    }
    Ok(minutes)
}

/// Spans of time, oldest first, of no more requests than are read at once, of the newest minutes that are not too many;
/// `minutes` are the start and the requests of each, newest first.
fn spans(minutes: &[Vec<i64>]) -> Vec<(i64, i64)> {
    let (mut spans, mut all, mut chunk): (Vec<(i64, i64)>, i64, i64) = (Vec::new(), 0, 0);
    for minute in minutes {
        let [start_us, requests] = minute[..] else { continue };
        if all + requests > REQUESTS_MAX {
            break;
        }
        (all, chunk) = (all + requests, chunk + requests);
        match spans.last_mut() {
            Some(span) if chunk <= CHUNK_REQUESTS => span.0 = start_us,
            last => {
                let end_us = last.map_or(start_us + MINUTE_US, |span| span.0);
                spans.push((start_us, end_us));
                chunk = requests;
            }
        }
    }
    spans.reverse();
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_the_newest_minutes_in_pieces_without_a_gap() {
        let minute = |n: i64, requests: i64| vec![n * MINUTE_US, requests];
        let minutes = [minute(9, 60_000), minute(8, 30_000), minute(5, 30_000), minute(4, 950_000)];
        assert_eq!(
            spans(&minutes),
            [(5 * MINUTE_US, 8 * MINUTE_US), (8 * MINUTE_US, 10 * MINUTE_US)]
        );
        assert_eq!(spans(&[]), []);
        assert_eq!(spans(&[minute(3, 2_000_000)]), []);
    }
}
