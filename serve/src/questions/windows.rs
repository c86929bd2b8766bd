//! Rates by the minute, from the tables of windows: small, whatever the traffic.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use schemas::tables::TARGET_WINDOWS;

use super::sql;

/// Points of a plot, at most: more than two to three pixels each are not seen.
const POINTS_MAX: i64 = 240;

/// Steps that a clock has, seconds.
const STEPS: [i64; 10] = [60, 120, 300, 600, 900, 1_800, 3_600, 10_800, 21_600, 86_400];

/// Span of time, its beginning included, its end not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
}

impl Span {
    /// The least step with which a plot does not have too many points.
    pub(crate) fn step(self) -> TimeDelta {
        let seconds = (self.to - self.from).num_seconds();
        let fits = |step: &i64| seconds / step <= POINTS_MAX;
        TimeDelta::seconds(STEPS.into_iter().find(fits).unwrap_or(86_400))
    }

    /// The same from and to whole steps.
    pub(crate) fn whole(self) -> Self {
        let step = self.step();
        let from = self.from.duration_trunc(step).unwrap_or(self.from);
        let to = self.to.duration_trunc(step).unwrap_or(self.to);
        Self { from, to: if to < self.to { to + step } else { to } }
    }

    /// The condition that `column` is in it.
    pub(crate) fn condition(self, column: &str) -> String {
        format!("{column} >= {} AND {column} < {}", sql::time(self.from), sql::time(self.to))
    }
}

/// `column` down to whole steps.
pub(crate) fn binned(column: &str, step: TimeDelta) -> String {
    format!("date_bin(INTERVAL '{} seconds', {column})", step.num_seconds())
}

/// The beginning of the first minute that is in the tables and the end of the last, as `earliest` and `latest`.
pub(crate) fn bounds() -> String {
    format!(
        "SELECT min(window_start) AS earliest, max(window_end) AS latest FROM {}",
        TARGET_WINDOWS.name
    )
}

/// Requests and forecast of a host, or of all together, as `at`, `requests`, `forecast`.
pub(crate) fn rate(host: Option<&str>, span: Span) -> String {
    let at = binned("window_start", span.step());
    let host = host.map(|host| format!(" AND host = {}", sql::text(host))).unwrap_or_default();
    format!(
        "SELECT {at} AS at, sum(requests) AS requests, sum(baseline_requests) AS forecast, sum(errors_5xx) AS errors \
         FROM {} WHERE {}{host} GROUP BY 1 ORDER BY 1",
        TARGET_WINDOWS.name,
        span.condition("window_start")
    )
}

/// The hosts most asked, each with its rate: `host`, `at`, `requests`, `forecast`.
pub(crate) fn busiest(span: Span, hosts: usize) -> String {
    let at = binned("window_start", span.step());
    let (table, within) = (TARGET_WINDOWS.name, span.condition("window_start"));
    format!(
        "WITH busiest AS (SELECT host AS busy FROM {table} WHERE {within} GROUP BY host ORDER BY sum(requests) DESC, host \
         LIMIT {hosts}) \
         SELECT host, {at} AS at, sum(requests) AS requests, sum(baseline_requests) AS forecast, \
         max(requests) AS most, sum(errors_5xx) AS errors FROM {table} JOIN busiest ON host = busy WHERE {within} \
         GROUP BY 1, 2 ORDER BY 1, 2"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_of_any_length_has_few_points() {
        let to: DateTime<Utc> = "2026-03-01T00:00:30Z".parse().unwrap();
        let until = |length: TimeDelta| Span { from: to - length, to };
        let step = |length| until(length).step().num_seconds();
        assert_eq!(step(TimeDelta::hours(1)), 60);
        assert_eq!(step(TimeDelta::hours(6)), 120);
        assert_eq!(step(TimeDelta::days(30)), 10_800);
        assert_eq!(step(TimeDelta::days(9_999)), 86_400);
        let whole = until(TimeDelta::hours(1)).whole();
        assert_eq!(sql::rfc3339(whole.from), "2026-02-28T23:00:00Z");
        assert_eq!(sql::rfc3339(whole.to), "2026-03-01T00:01:00Z");
    }
}
