//! One revision of one incident: as a struct, as JSON and as rows of [`INCIDENTS`].

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{ArrowError, DataType, Field};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};

use crate::column::UTC;
use crate::kinds::Kind;
use crate::limits::SUMMARY_TEXT_CHARS_MAX;
use crate::named::named_enum;
use crate::tables::INCIDENTS;

named_enum! {
    /// Where an incident is in its life.
    State {
        /// First revision.
        Open = "open",
        /// Something a reader should know has changed.
        Update = "update",
        /// Over.
        Close = "close",
    }
}

named_enum! {
    /// What the detector holds an incident to be.
    Verdict {
        /// Hostile.
        Attack = "attack",
        /// Could be hostile, could be a crowd: limit, do not block.
        Suspicious = "suspicious",
        /// Information only.
        Benign = "benign",
    }
}

/// One test that spoke for an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was measured, such as `request_rate` or `entropy_h2(path)`.
    pub feature: String,
    /// What the baseline led to expect, in the feature's unit.
    pub expected: f64,
    /// What was seen, in the same unit.
    pub observed: f64,
    /// Weight of the evidence, nats.
    pub score: f64,
    /// Probability that ordinary traffic shows as much as was seen, or more, by the forecast of one look: its exact tail,
    /// two digits of it. `None` where no count was forecast. What was tested among many, or over and over, needs much less
    /// than the customary levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
}

/// One revision of one incident. Times are microseconds since 1970, UTC, in event time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "they are the names of the columns")]
pub struct Incident {
    /// Stable across revisions, restarts and replays.
    pub incident_id: String,
    /// 0, 1, 2, …
    pub revision: i32,
    /// Where in its life.
    pub state: State,
    /// What it is made of.
    pub kind: Kind,
    /// What it is held to be.
    pub verdict: Verdict,
    /// 0–100.
    pub severity: i32,
    /// 0–1.
    pub confidence: f64,
    /// Attacked host.
    pub target_host: Option<String>,
    /// Attacked path.
    pub target_path: Option<String>,
    /// First request of the attack.
    #[serde(with = "rfc3339")]
    pub first_ts: i64,
    /// When the first decision fell.
    #[serde(with = "rfc3339")]
    pub detected_ts: i64,
    /// When this revision was decided.
    #[serde(with = "rfc3339")]
    pub revision_ts: i64,
    /// Last request seen.
    #[serde(with = "rfc3339")]
    pub last_ts: i64,
    /// When it was closed.
    #[serde(with = "rfc3339_option")]
    pub closed_ts: Option<i64>,
    /// Requests so far.
    pub requests: i64,
    /// Requests above the forecast so far.
    pub excess_requests: i64,
    /// Distinct sources so far.
    pub source_count: i64,
    /// Heaviest sources or prefixes, heaviest first, at most [`crate::limits::INCIDENT_SOURCES_MAX`].
    pub sources: Vec<String>,
    /// SQL predicate over `requests`.
    pub fingerprint: Option<String>,
    /// Predicted recall, 0–1.
    pub fingerprint_recall: Option<f64>,
    /// The same at least, with 95 % confidence.
    pub fingerprint_recall_lower: Option<f64>,
    /// Predicted precision, 0–1.
    pub fingerprint_precision: Option<f64>,
    /// Predicted collateral, 0–1.
    pub fingerprint_collateral: Option<f64>,
    /// The same at most, with 95 % confidence.
    pub fingerprint_collateral_upper: Option<f64>,
    /// MITRE ATT&CK technique id.
    pub technique: Option<String>,
    /// One sentence for a person.
    pub summary: String,
    /// The tests that spoke.
    pub evidence: Vec<Evidence>,
    /// Id of the campaign it is part of: of the incident with which that began. `None` while it is alone.
    pub campaign_id: Option<String>,
    /// Distinct hosts of the campaign so far.
    pub campaign_hosts: Option<i32>,
}

/// What a summary says of whom, before its colon: `possible http_flood on shop.example`. `host` is what
/// [`Incident::target_host`] holds.
///
/// Control characters are left out and a long host is cut: a summary is one line.
///
/// # Example
/// ```
/// use schemas::{Kind, Verdict, incident::subject};
///
/// assert_eq!(subject(Kind::HttpFlood, Verdict::Suspicious, None), "possible http_flood on the site");
/// ```
pub fn subject(kind: Kind, verdict: Verdict, host: Option<&str>) -> String {
    let host = one_line(host.unwrap_or("the site"));
    match verdict {
        Verdict::Attack => format!("{kind} on {host}"),
        Verdict::Suspicious => format!("possible {kind} on {host}"),
        Verdict::Benign => format!("{kind} (no attack) on {host}"),
    }
}

/// The beginning of a text from traffic, without control characters, for a summary.
pub fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SUMMARY_TEXT_CHARS_MAX).collect()
}

/// Event time as RFC 3339 text with microseconds, for people and JSON.
pub fn rfc3339_utc(us: i64) -> String {
    DateTime::<Utc>::from_timestamp_micros(us)
        .map_or_else(|| format!("{us}us"), |t| t.to_rfc3339_opts(SecondsFormat::Micros, true))
}

mod rfc3339 {
    use super::{DateTime, Serializer, rfc3339_utc};
    use serde::{Deserialize, Deserializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's `with` passes references")]
    pub(super) fn serialize<S: Serializer>(us: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339_utc(*us))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|t| t.timestamp_micros())
            .map_err(|error| D::Error::custom(format!("`{text}` is no RFC 3339 time: {error}")))
    }
}

mod rfc3339_option {
    use super::{DateTime, Serializer, rfc3339_utc};
    use serde::{Deserialize, Deserializer, de::Error};

    #[expect(clippy::ref_option, reason = "serde's `with` passes references")]
    pub(super) fn serialize<S: Serializer>(
        us: &Option<i64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match us {
            Some(us) => serializer.serialize_str(&rfc3339_utc(*us)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<i64>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        DateTime::parse_from_rfc3339(&text)
            .map(|t| Some(t.timestamp_micros()))
            .map_err(|error| D::Error::custom(format!("`{text}` is no RFC 3339 time: {error}")))
    }
}

/// Incident revisions as rows of [`INCIDENTS`].
///
/// # Errors
/// [`ArrowError`] when the columns do not fit the schema: a bug.
pub fn incident_rows(incidents: &[Incident]) -> Result<RecordBatch, ArrowError> {
    let text = |get: fn(&Incident) -> Option<&str>| -> ArrayRef {
        Arc::new(incidents.iter().map(get).collect::<StringArray>())
    };
    let time = |get: fn(&Incident) -> Option<i64>| -> ArrayRef {
        let times: TimestampMicrosecondArray = incidents.iter().map(get).collect();
        Arc::new(times.with_timezone(UTC))
    };
    let int = |get: fn(&Incident) -> i32| -> ArrayRef {
        Arc::new(incidents.iter().map(get).collect::<Int32Array>())
    };
    let long = |get: fn(&Incident) -> i64| -> ArrayRef {
        Arc::new(incidents.iter().map(get).collect::<Int64Array>())
    };
    let double = |get: fn(&Incident) -> Option<f64>| -> ArrayRef {
        Arc::new(incidents.iter().map(get).collect::<Float64Array>())
    };
    let evidence: StringArray =
        incidents.iter().map(|incident| Some(evidence_json(&incident.evidence))).collect();

    let columns: Vec<ArrayRef> = vec![
        text(|i| Some(&i.incident_id)),
        int(|i| i.revision),
        text(|i| Some(i.state.as_str())),
        text(|i| Some(i.kind.as_str())),
        text(|i| Some(i.verdict.as_str())),
        int(|i| i.severity),
        double(|i| Some(i.confidence)),
        text(|i| i.target_host.as_deref()),
        text(|i| i.target_path.as_deref()),
        time(|i| Some(i.first_ts)),
        time(|i| Some(i.detected_ts)),
        time(|i| Some(i.revision_ts)),
        time(|i| Some(i.last_ts)),
        time(|i| i.closed_ts),
        long(|i| i.requests),
        long(|i| i.excess_requests),
        long(|i| i.source_count),
        source_lists(incidents),
        text(|i| i.fingerprint.as_deref()),
        double(|i| i.fingerprint_recall),
        double(|i| i.fingerprint_recall_lower),
        double(|i| i.fingerprint_precision),
        double(|i| i.fingerprint_collateral),
        double(|i| i.fingerprint_collateral_upper),
        text(|i| i.technique.as_deref()),
        text(|i| Some(&i.summary)),
        Arc::new(evidence),
        text(|i| i.campaign_id.as_deref()),
        Arc::new(incidents.iter().map(|i| i.campaign_hosts).collect::<Int32Array>()),
    ];
    RecordBatch::try_new(INCIDENTS.row_schema(), columns)
}

fn evidence_json(evidence: &[Evidence]) -> String {
    serde_json::to_string(evidence).unwrap_or_else(|_| "[]".to_owned())
}

fn source_lists(incidents: &[Incident]) -> ArrayRef {
    let element = Arc::new(Field::new("element", DataType::Utf8, true));
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(element);
    for incident in incidents {
        for source in &incident.sources {
            lists.values().append_value(source);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident() -> Incident {
        Incident {
            incident_id: "a1b2".into(),
            revision: 0,
            state: State::Open,
            kind: Kind::HttpFlood,
            verdict: Verdict::Attack,
            severity: 80,
            confidence: 0.99,
            target_host: Some("shop.example".into()),
            target_path: None,
            first_ts: 1_700_000_000_000_000,
            detected_ts: 1_700_000_003_000_000,
            revision_ts: 1_700_000_003_000_000,
            last_ts: 1_700_000_002_900_000,
            closed_ts: None,
            requests: 3_000,
            excess_requests: 2_900,
            source_count: 2,
            sources: vec!["192.0.2.1".into(), "2001:db8::/64".into()],
            fingerprint: Some("path = '/'".into()),
            fingerprint_recall: Some(0.98),
            fingerprint_recall_lower: Some(0.95),
            fingerprint_precision: Some(0.97),
            fingerprint_collateral: Some(0.001),
            fingerprint_collateral_upper: Some(0.004),
            technique: Some("T1499.002".into()),
            summary: "flood".into(),
            evidence: vec![Evidence {
                feature: "request_rate".into(),
                expected: 100.0,
                observed: 1_000.0,
                score: 55.0,
                p_value: Some(1.2e-9),
            }],
            campaign_id: Some("a1b2".into()),
            campaign_hosts: Some(3),
        }
    }

    #[test]
    fn json_round_trips() {
        let json = serde_json::to_string(&incident()).unwrap();
        assert!(json.contains(r#""first_ts":"2023-11-14T22:13:20.000000Z""#), "{json}");
        assert_eq!(serde_json::from_str::<Incident>(&json).unwrap(), incident());
    }

    #[test]
    fn rows_fit_the_table() {
        let rows = incident_rows(&[incident(), incident()]).unwrap();
        assert_eq!(rows.num_rows(), 2);
        crate::batch::check(&rows, &INCIDENTS).unwrap();
    }
}
