//! What is going on, at a glance: for a terminal, where a page cannot be shown.

use chrono::{DateTime, TimeDelta, Utc};

use crate::answers::{Answers, Fault};
use crate::questions::windows::{self, Span};
use crate::questions::{Filter, Row, rows, sources};

/// Lines of each list.
#[derive(Debug, Clone, Copy)]
pub struct Lines {
    /// Hosts.
    pub hosts: usize,
    /// Open incidents.
    pub incidents: u32,
    /// Sources.
    pub sources: usize,
}

/// A host, or all hosts together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rate {
    /// Its name; `None` for requests that name none, and for all together.
    pub host: Option<String>,
    /// Requests of each step, from the beginning of the span.
    pub requests: Vec<u64>,
    /// Of these answered with a status of 500 and above, all together.
    pub errors: u64,
}

/// An incident that is not over.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Open {
    /// How bad it is, of 100.
    pub severity: u64,
    /// What it is.
    pub kind: String,
    /// What was made of it.
    pub verdict: String,
    /// Whom it is meant for.
    pub host: Option<String>,
    /// Its first request.
    pub since: Option<DateTime<Utc>>,
    /// Its requests.
    pub requests: u64,
    /// What selects these.
    pub fingerprint: String,
}

/// A source: an address or a network, as the detector counts them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Requests in the span.
    pub requests: u64,
    /// Of these answered with a status of 400 and above.
    pub errors: u64,
    /// Different paths that it asked for in a minute, at most.
    pub paths: u64,
}

/// What is going on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overview {
    /// Beginning of the time that is looked at.
    pub from: DateTime<Utc>,
    /// Its end: that of the last minute in the tables.
    pub to: DateTime<Utc>,
    /// Length of a step.
    pub step: TimeDelta,
    /// All hosts together.
    pub all: Rate,
    /// The hosts most asked, the busiest first.
    pub hosts: Vec<Rate>,
    /// Incidents that are not over, the latest first.
    pub open: Vec<Open>,
    /// Whether there are more of these.
    pub has_more: bool,
    /// The busiest sources, the busiest first.
    pub sources: Vec<Source>,
}

impl Overview {
    /// The last `length` of what is in the tables.
    ///
    /// # Errors
    /// Those of a query.
    pub async fn look(answers: &Answers, length: TimeDelta, lines: Lines) -> Result<Self, Fault> {
        let held = rows(answers, &windows::bounds()).await?;
        let time = |name: &str| held.first().and_then(|row| row.time(name));
        let (Some(earliest), Some(to)) = (time("earliest"), time("latest")) else {
            return Ok(Self::default());
        };
        let span = Span { from: (to - length).max(earliest), to }.whole();
        let open = Filter { only_open: true, limit: lines.incidents, ..Filter::default() };
        let (rate, busiest) = (windows::rate(None, span), windows::busiest(span, lines.hosts));
        let (open, sources) = (open.statement(), sources::busiest(span, lines.sources));
        let (rate, busiest, open, sources) = futures::try_join!(
            rows(answers, &rate),
            rows(answers, &busiest),
            rows(answers, &open),
            rows(answers, &sources),
        )?;
        let has_more = open.len() > lines.incidents as usize;
        Ok(Self {
            from: span.from,
            to: span.to,
            step: span.step(),
            all: of_host(span, None, &rate),
            hosts: hosts(span, &busiest),
            open: open.iter().take(lines.incidents as usize).map(Open::of).collect(),
            has_more,
            sources: sources.iter().map(Source::of).collect(),
        })
    }
}

impl Rate {
    /// All its requests.
    pub fn sum(&self) -> u64 {
        self.requests.iter().sum()
    }

    /// Requests of the last step.
    pub fn last(&self) -> u64 {
        self.requests.last().copied().unwrap_or_default()
    }
}

impl Open {
    fn of(row: &Row) -> Self {
        Self {
            severity: row.count("severity"),
            kind: row.text("kind").to_owned(),
            verdict: row.text("verdict").to_owned(),
            host: row.maybe_text("target_host").map(str::to_owned),
            since: row.time("first_ts"),
            requests: row.count("requests"),
            fingerprint: row.text("fingerprint").to_owned(),
        }
    }
}

impl Source {
    fn of(row: &Row) -> Self {
        Self {
            name: row.text("source").to_owned(),
            requests: row.count("requests"),
            errors: row.count("errors"),
            paths: row.count("paths"),
        }
    }
}

fn hosts(span: Span, busiest: &[Row]) -> Vec<Rate> {
    // They come in the order of their names.
    let same = |one: &Row, other: &Row| one.maybe_text("host") == other.maybe_text("host");
    let of_one = |points: &[Row]| {
        let host = points.first().and_then(|row| row.maybe_text("host"));
        of_host(span, host, points)
    };
    let mut hosts: Vec<Rate> = busiest.chunk_by(same).map(of_one).collect();
    hosts.sort_by_key(|host| std::cmp::Reverse(host.sum()));
    hosts
}

/// Requests of each step; where there is no row for one, there were none.
fn of_host(span: Span, host: Option<&str>, points: &[Row]) -> Rate {
    let step = span.step();
    let place = |at: DateTime<Utc>| (at - span.from).num_seconds() / step.num_seconds();
    let count = usize::try_from(place(span.to)).unwrap_or_default();
    let mut requests = vec![0; count];
    for row in points {
        let at = row.time("at").and_then(|at| usize::try_from(place(at)).ok());
        if let Some(of_step) = at.and_then(|at| requests.get_mut(at)) {
            *of_step += row.count("requests");
        }
    }
    let errors = points.iter().map(|row| row.count("errors")).sum();
    Rate { host: host.map(str::to_owned), requests, errors }
}
