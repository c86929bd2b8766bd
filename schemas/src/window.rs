//! What the detector saw in a window: rows of [`SOURCE_WINDOWS`] and [`TARGET_WINDOWS`].

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::ArrowError;

use crate::column::UTC;
use crate::tables::{SOURCE_WINDOWS, TARGET_WINDOWS};

/// Shannon (Miller–Madow) and collision entropy of one attribute, bits; `None` where too few requests were seen.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Entropies {
    /// Miller–Madow estimate of Shannon entropy.
    pub h1: Option<f64>,
    /// Unbiased estimate of collision (Rényi-2) entropy.
    pub h2: Option<f64>,
}

/// One source in one window.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceWindow {
    /// Start, microseconds UTC, inclusive.
    pub window_start: i64,
    /// End, microseconds UTC, exclusive.
    pub window_end: i64,
    /// IPv4 address or IPv6 /64.
    pub source: String,
    /// Requests.
    pub requests: i64,
    /// Bytes sent.
    pub response_bytes: i64,
    /// Responses 400–499.
    pub errors_4xx: i64,
    /// Responses 500–599.
    pub errors_5xx: i64,
    /// Distinct paths.
    pub distinct_paths: i64,
    /// Distinct hosts.
    pub distinct_hosts: i64,
    /// Distinct user agents.
    pub distinct_user_agents: i64,
    /// Of the paths.
    pub entropy_path: Entropies,
    /// Of the query strings.
    pub entropy_query: Entropies,
    /// Of the user agents.
    pub entropy_user_agent: Entropies,
    /// Of the status codes.
    pub entropy_status: Entropies,
    /// Upper envelope of an ordinary source's requests in a window.
    pub baseline_requests: f64,
    /// Evidence, nats.
    pub score: f64,
}

/// One host in one window.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetWindow {
    /// Start, microseconds UTC, inclusive.
    pub window_start: i64,
    /// End, microseconds UTC, exclusive.
    pub window_end: i64,
    /// Host; `None` where the log names none.
    pub host: Option<String>,
    /// Requests.
    pub requests: i64,
    /// Requests too late to be decided on.
    pub late_requests: i64,
    /// Requests whose time was not believed.
    pub implausible_requests: i64,
    /// Requests judged at another time than they name.
    pub corrected_requests: i64,
    /// Bytes sent.
    pub response_bytes: i64,
    /// Responses 400–499.
    pub errors_4xx: i64,
    /// Responses 500–599.
    pub errors_5xx: i64,
    /// Distinct sources.
    pub distinct_sources: i64,
    /// Distinct paths.
    pub distinct_paths: i64,
    /// Distinct user agents.
    pub distinct_user_agents: i64,
    /// Of the sources.
    pub entropy_source: Entropies,
    /// Of the paths.
    pub entropy_path: Entropies,
    /// Of the query strings.
    pub entropy_query: Entropies,
    /// Of the user agents.
    pub entropy_user_agent: Entropies,
    /// Of the status codes.
    pub entropy_status: Entropies,
    /// Forecast of the requests.
    pub baseline_requests: Option<f64>,
    /// Dispersion of the forecast.
    pub baseline_dispersion: Option<f64>,
    /// Evidence, nats.
    pub score: f64,
}

/// Collects one column from a slice of rows.
struct Columns<'a, T> {
    rows: &'a [T],
    arrays: Vec<ArrayRef>,
}

impl<'a, T> Columns<'a, T> {
    const fn new(rows: &'a [T]) -> Self {
        Self { rows, arrays: Vec::new() }
    }

    fn time(mut self, get: fn(&T) -> i64) -> Self {
        let times: TimestampMicrosecondArray = self.rows.iter().map(get).map(Some).collect();
        self.arrays.push(Arc::new(times.with_timezone(UTC)));
        self
    }

    fn text(mut self, get: fn(&T) -> Option<&str>) -> Self {
        self.arrays.push(Arc::new(self.rows.iter().map(get).collect::<StringArray>()));
        self
    }

    fn long(mut self, get: fn(&T) -> i64) -> Self {
        self.arrays.push(Arc::new(self.rows.iter().map(get).collect::<Int64Array>()));
        self
    }

    fn double(mut self, get: fn(&T) -> Option<f64>) -> Self {
        self.arrays.push(Arc::new(self.rows.iter().map(get).collect::<Float64Array>()));
        self
    }

    fn entropies(self, get: fn(&T) -> Entropies) -> Self {
        let h1: Float64Array = self.rows.iter().map(|row| get(row).h1).collect();
        let h2: Float64Array = self.rows.iter().map(|row| get(row).h2).collect();
        let mut arrays = self.arrays;
        arrays.push(Arc::new(h1));
        arrays.push(Arc::new(h2));
        Self { rows: self.rows, arrays }
    }
}

/// Source windows as rows of [`SOURCE_WINDOWS`] in flight.
///
/// # Errors
/// [`ArrowError`] when the columns do not fit the schema: a bug.
pub fn source_window_rows(rows: &[SourceWindow]) -> Result<RecordBatch, ArrowError> {
    let columns = Columns::new(rows)
        .time(|w| w.window_start)
        .time(|w| w.window_end)
        .text(|w| Some(&w.source))
        .long(|w| w.requests)
        .long(|w| w.response_bytes)
        .long(|w| w.errors_4xx)
        .long(|w| w.errors_5xx)
        .long(|w| w.distinct_paths)
        .long(|w| w.distinct_hosts)
        .long(|w| w.distinct_user_agents)
        .entropies(|w| w.entropy_path)
        .entropies(|w| w.entropy_query)
        .entropies(|w| w.entropy_user_agent)
        .entropies(|w| w.entropy_status)
        .double(|w| Some(w.baseline_requests))
        .double(|w| Some(w.score));
    RecordBatch::try_new(SOURCE_WINDOWS.row_schema(), columns.arrays)
}

/// Target windows as rows of [`TARGET_WINDOWS`] in flight.
///
/// # Errors
/// [`ArrowError`] when the columns do not fit the schema: a bug.
pub fn target_window_rows(rows: &[TargetWindow]) -> Result<RecordBatch, ArrowError> {
    let columns = Columns::new(rows)
        .time(|w| w.window_start)
        .time(|w| w.window_end)
        .text(|w| w.host.as_deref())
        .long(|w| w.requests)
        .long(|w| w.late_requests)
        .long(|w| w.implausible_requests)
        .long(|w| w.corrected_requests)
        .long(|w| w.response_bytes)
        .long(|w| w.errors_4xx)
        .long(|w| w.errors_5xx)
        .long(|w| w.distinct_sources)
        .long(|w| w.distinct_paths)
        .long(|w| w.distinct_user_agents)
        .entropies(|w| w.entropy_source)
        .entropies(|w| w.entropy_path)
        .entropies(|w| w.entropy_query)
        .entropies(|w| w.entropy_user_agent)
        .entropies(|w| w.entropy_status)
        .double(|w| w.baseline_requests)
        .double(|w| w.baseline_dispersion)
        .double(|w| Some(w.score));
    RecordBatch::try_new(TARGET_WINDOWS.row_schema(), columns.arrays)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_windows_fit_their_tables() {
        crate::batch::check(&source_window_rows(&[]).unwrap(), &SOURCE_WINDOWS).unwrap();
        crate::batch::check(&target_window_rows(&[]).unwrap(), &TARGET_WINDOWS).unwrap();
    }
}
