//! Incidents: their list, one of them, its revisions.

use std::fmt::{Display, Formatter};

use chrono::{DateTime, Utc};
use schemas::kinds::KINDS;
use schemas::tables::{INCIDENTS, REQUESTS};

use super::row::Row;
use super::sql::{self, Conditions};

/// Incidents of a list, at most.
pub(crate) const LIMIT_MAX: u32 = 1_000;

/// Networks of an incident, at most: all of IPv4 that are told apart, and as many of IPv6.
const NETWORKS_MAX: u32 = 2_048;

/// Bits of a network of IPv6 as registries give them to providers (RIPE-738: a /32 or shorter).
const PROVIDER_BITS: u32 = 32;

/// Which incidents.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Of this host.
    pub(crate) host: Option<String>,
    /// Of this kind.
    pub(crate) kind: Option<String>,
    /// Of the kinds of this class.
    pub(crate) class: Option<String>,
    /// Of this verdict; without one, all but those that are benign.
    pub(crate) verdict: Option<String>,
    /// Those alone that are not over.
    pub(crate) only_open: bool,
    /// Whose last request was then or later.
    pub(crate) since: Option<DateTime<Utc>>,
    /// Whose first request was before.
    pub(crate) until: Option<DateTime<Utc>>,
    /// Those that a list names after this one.
    pub(crate) after: Option<Place>,
    /// So many, the latest.
    pub(crate) limit: u32,
}

/// Where an incident is in a list: the latest first, those that began together by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    first_ts: DateTime<Utc>,
    incident_id: String,
}

impl Place {
    /// The place of an incident.
    pub(crate) fn of(incident: &Row) -> Option<Self> {
        let incident_id = incident.text("incident_id").to_owned();
        incident.time("first_ts").map(|first_ts| Self { first_ts, incident_id })
    }

    /// A place as [`Display`] writes it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (first_ts, incident_id) = text.split_once('/')?;
        let first_ts = DateTime::parse_from_rfc3339(first_ts).ok()?.to_utc();
        Some(Self { first_ts, incident_id: incident_id.to_owned() })
    }

    fn is_before(&self) -> String {
        let (first_ts, id) = (sql::time(self.first_ts), sql::text(&self.incident_id));
        format!("first_ts <= {first_ts} AND (first_ts < {first_ts} OR incident_id > {id})")
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", sql::rfc3339(self.first_ts), self.incident_id)
    }
}

impl Filter {
    /// The statement that finds them, one more than wanted, so that it shows whether there are more.
    pub(crate) fn statement(&self) -> String {
        let mut conditions = Conditions::default();
        conditions
            .equal("target_host", self.host.as_deref())
            .equal("kind", self.kind.as_deref())
            .equal("verdict", self.verdict.as_deref());
        if let Some(class) = &self.class {
            let kinds = KINDS.iter().filter(|row| row.class.as_str() == class);
            let names: Vec<String> = kinds.map(|row| sql::text(row.kind.as_str())).collect();
            conditions.and(format!("kind IN ({})", names.join(", ")));
        }
        if self.only_open {
            conditions.and("state <> 'close'");
        }
        if let Some(since) = self.since {
            conditions.and(format!("last_ts >= {}", sql::time(since)));
        }
        if let Some(until) = self.until {
            conditions.and(format!("first_ts < {}", sql::time(until)));
        }
        if let Some(place) = &self.after {
            conditions.and(place.is_before());
        }
        let from = if self.verdict.as_deref() == Some("benign") {
            conditions.and("newest = 1");
            newest()
        } else {
            "attacks".to_owned()
        };
        format!(
            "SELECT {} FROM {from}{} ORDER BY first_ts DESC, incident_id LIMIT {}",
            columns(),
            conditions.clause(),
            self.limit.min(LIMIT_MAX) + 1
        )
    }
}

fn columns() -> String {
    let names: Vec<&str> = INCIDENTS.columns.iter().map(|column| column.name).collect();
    names.join(", ")
}

/// The latest revision of each incident, whatever its verdict.
fn newest() -> String {
    format!(
        "(SELECT *, row_number() OVER (PARTITION BY incident_id ORDER BY revision DESC) AS newest FROM {}) \
         AS latest",
        INCIDENTS.name
    )
}

/// The statement that finds the latest revision of one incident.
pub(crate) fn of_incident(id: &str) -> String {
    format!(
        "SELECT {} FROM {} WHERE incident_id = {} ORDER BY revision DESC LIMIT 1",
        columns(),
        INCIDENTS.name,
        sql::text(id)
    )
}

/// The statement that tells how an incident came to be what it is: its last revisions, in their order.
pub(crate) fn revisions(id: &str) -> String {
    format!(
        "SELECT * FROM (SELECT revision, state, kind, verdict, severity, confidence, revision_ts, requests, \
         excess_requests, source_count, fingerprint, summary FROM {} WHERE incident_id = {} ORDER BY revision DESC \
         LIMIT {LIMIT_MAX}) AS last ORDER BY revision",
        INCIDENTS.name,
        sql::text(id)
    )
}

/// The condition that selects an incident's requests: its time, its host, its fingerprint. `None` without a fingerprint.
pub(crate) fn condition_of(incident: &Row) -> Option<String> {
    let fingerprint = incident.maybe_text("fingerprint").filter(|text| !text.is_empty())?;
    let mut conditions = vec![
        format!("ts >= {}", sql::text(incident.text("first_ts"))),
        format!("ts <= {}", sql::text(incident.text("last_ts"))),
    ];
    if let Some(host) = incident.maybe_text("target_host") {
        conditions.push(format!("host = {}", sql::text(host)));
    }
    conditions.push(format!("({fingerprint})"));
    Some(conditions.join(" AND "))
}

/// The statement that tells from which networks an incident's requests come: `network`, `requests`, `addresses`; of IPv4
/// those with `bits` bits, of IPv6 those that a provider gets.
pub(crate) fn networks_of(incident: &Row, bits: u32) -> Option<String> {
    let condition = condition_of(incident)?;
    Some(format!(
        "SELECT ip_prefix(client_ip, {bits}, {PROVIDER_BITS}) AS network, count(*) AS requests, \
         count(DISTINCT client_ip) AS addresses FROM {} WHERE {condition} AND client_ip IS NOT NULL \
         GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {NETWORKS_MAX}",
        REQUESTS.name
    ))
}

/// The statement that finds an incident's requests, in the order of the tables: so the first come at once.
pub(crate) fn requests_of(incident: &Row) -> Option<String> {
    let condition = condition_of(incident)?;
    Some(format!("SELECT * FROM {} WHERE {condition}", REQUESTS.name))
}
