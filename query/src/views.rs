//! The views: questions asked so often that they have a name.

use std::fmt::Write;

use schemas::kinds::KindRow;
use schemas::signals::{self, Readiness};
use schemas::tables::{INCIDENTS, REQUESTS};

/// A view over the tables.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Name in queries.
    pub name: &'static str,
    /// What a row is, for the help.
    pub doc: &'static str,
    /// The table whose columns it has, if it has those of one.
    pub like: Option<&'static schemas::Table>,
    /// Whether other views are made of it.
    pub(crate) is_base: bool,
    sql: fn() -> String,
}

impl View {
    /// The statement that makes it.
    pub fn create(&self) -> String {
        format!("CREATE OR REPLACE VIEW {} AS {}", self.name, self.query())
    }

    /// What it is a name of.
    pub(crate) fn query(&self) -> String {
        (self.sql)()
    }

    /// The view of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        VIEWS.iter().find(|view| view.name == name)
    }
}

/// Every view.
pub static VIEWS: [View; 3] = [
    View {
        name: "attacks",
        doc: "Latest revision of every incident whose verdict is not `benign`.",
        like: Some(&INCIDENTS),
        is_base: true,
        sql: attacks,
    },
    View {
        name: "campaigns",
        doc: "One attack on several hosts: what, how many, since when, how much, from how many named sources.",
        like: None,
        is_base: false,
        sql: campaigns,
    },
    View {
        name: "signals",
        doc: "One detection on one topic: whether it is on, degraded or off, which columns its log lacks, and the log formats of the topic.",
        like: None,
        is_base: false,
        sql: signals,
    },
];

fn attacks() -> String {
    let columns: Vec<&str> = INCIDENTS.columns.iter().map(|column| column.name).collect();
    let columns = columns.join(", ");
    format!(
        "SELECT {columns} FROM (SELECT *, row_number() OVER (PARTITION BY incident_id ORDER BY revision DESC) AS newest \
         FROM {}) WHERE newest = 1 AND verdict <> 'benign'",
        INCIDENTS.name
    )
}

/// The incident with which a campaign began may have been over before the second came: then only the others name it.
fn campaigns() -> String {
    "WITH told AS (SELECT *, coalesce(campaign_id, incident_id) AS campaign FROM attacks), \
     named AS (SELECT campaign, count(DISTINCT source) AS sources \
     FROM (SELECT campaign, unnest(sources) AS source FROM told) GROUP BY campaign) \
     SELECT told.campaign AS campaign_id, count(DISTINCT coalesce(target_host, '')) AS hosts, \
     count(*) AS incidents, count(*) FILTER (WHERE state <> 'close') AS still_open, \
     string_agg(DISTINCT kind, ', ' ORDER BY kind) AS kinds, min(verdict) AS verdict, \
     max(severity) AS severity, min(first_ts) AS first_ts, max(last_ts) AS last_ts, \
     sum(requests) AS requests, greatest(max(coalesce(named.sources, 0)), max(source_count)) AS sources \
     FROM told LEFT JOIN named ON named.campaign = told.campaign \
     GROUP BY told.campaign HAVING count(*) > 1"
        .to_owned()
}

fn signals() -> String {
    let (mut counts, mut sums) = (String::new(), String::new());
    for column in signals::columns() {
        // Writing to a string cannot fail.
        let _ = write!(counts, ", count({column}) AS {column}");
        let _ = write!(sums, ", sum({column}) AS {column}");
    }
    let sql = format!(
        "WITH by_format AS (SELECT topic, format, count(*) AS n{counts} FROM {} GROUP BY topic, format), \
         shares AS (SELECT *, round(1000.0 * n / sum(n) OVER (PARTITION BY topic)) / 10 AS share FROM by_format), \
         seen AS (SELECT topic, sum(n) AS requests{sums}, \
         string_agg(format || ' ' || share || ' %', ', ' ORDER BY n DESC, format) AS formats FROM shares GROUP BY topic) ",
        REQUESTS.name
    );
    let told: Vec<String> = signals::detections().map(signal).collect();
    // Each detection of one list, not a statement each: those would read the table as often.
    format!(
        "{sql} SELECT topic, told['detection'] AS detection, told['readiness'] AS readiness, \
         told['missing'] AS missing, requests, formats \
         FROM (SELECT topic, requests, formats, unnest(make_array({})) AS told FROM seen)",
        told.join(", ")
    )
}

/// What is told of a detection, of the counts in a row of a topic.
fn signal(signal: &KindRow) -> String {
    let lacks = |columns: &[&str]| {
        let each: Vec<String> = columns.iter().map(|column| format!("{column} = 0")).collect();
        if each.is_empty() { "false".to_owned() } else { each.join(" OR ") }
    };
    let missing: Vec<String> = signal
        .columns()
        .map(|column| format!("CASE WHEN {column} = 0 THEN '{column}' END"))
        .collect();
    format!(
        "named_struct('detection', '{}', 'readiness', CASE WHEN {} THEN '{}' WHEN {} THEN '{}' ELSE '{}' END, \
         'missing', concat_ws(', ', {}))",
        signal.kind,
        lacks(signal.needs),
        Readiness::Off.as_str(),
        lacks(signal.helps),
        Readiness::Degraded.as_str(),
        Readiness::On.as_str(),
        missing.join(", "),
    )
}
