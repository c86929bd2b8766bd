//! An incident revision as an OCSF Detection Finding (class 2004).
//!
//! Field meanings follow the Open Cybersecurity Schema Framework 1.9: `activity_id` 1 Create, 2 Update, 3 Close;
//! severity 1–5; an anomaly's observations and baselines carry what each test saw and expected.

use schemas::techniques::Technique;
use schemas::{Incident, State, Verdict};
use serde_json::{Value, json};

use super::json as bounded;

const CLASS_UID: i64 = 2004;

/// The finding as a JSON object.
pub fn finding(incident: &Incident) -> Value {
    let activity = match incident.state {
        State::Open => 1,
        State::Update => 2,
        State::Close => 3,
    };
    json!({
        "activity_id": activity,
        "category_uid": 2,
        "class_uid": CLASS_UID,
        "type_uid": CLASS_UID * 100 + activity,
        "time": incident.revision_ts / 1_000,
        "start_time": incident.first_ts / 1_000,
        "end_time": incident.last_ts / 1_000,
        "severity_id": severity_id(incident.severity),
        "severity": super::text::level(incident.severity),
        "status_id": if incident.state == State::Close { 4 } else { 1 },
        "is_alert": incident.state == State::Open && incident.verdict != Verdict::Benign,
        "confidence_score": percent(incident.confidence),
        "count": incident.requests,
        "message": incident.summary,
        "metadata": {
            "version": "1.9.0",
            "product": { "name": "Floodmark", "version": env!("CARGO_PKG_VERSION") },
            "correlation_uid": incident.campaign_id,
        },
        "finding_info": finding_info(incident),
        "evidences": [{
            "verdict": incident.verdict,
            "url": { "hostname": incident.target_host, "path": incident.target_path },
        }],
        "observables": incident.sources.iter().take(bounded::SOURCES_MAX)
            .map(|source| json!({ "name": "source", "type_id": 2, "value": source }))
            .collect::<Vec<_>>(),
        "anomaly_analyses": [anomalies(incident)],
        "unmapped": {
            "fingerprint": bounded::fingerprint(incident),
            "fingerprint_bytes": bounded::left_out(incident),
            "fingerprint_recall": incident.fingerprint_recall,
            "fingerprint_recall_lower": incident.fingerprint_recall_lower,
            "fingerprint_precision": incident.fingerprint_precision,
            "fingerprint_collateral": incident.fingerprint_collateral,
            "fingerprint_collateral_upper": incident.fingerprint_collateral_upper,
            "revision": incident.revision,
            "excess_requests": incident.excess_requests,
            "source_count": incident.source_count,
            "campaign_hosts": incident.campaign_hosts,
            "owasp_automated_threats": incident.kind.row().oat,
        },
    })
}

fn finding_info(incident: &Incident) -> Value {
    let row = incident.kind.row();
    let host = incident.target_host.as_deref().unwrap_or("all hosts");
    json!({
        "uid": incident.incident_id,
        "title": format!("{} on {host}", row.title),
        "desc": row.says,
        "types": [incident.kind],
        "created_time": incident.detected_ts / 1_000,
        "modified_time": incident.revision_ts / 1_000,
        "first_seen_time": incident.first_ts / 1_000,
        "last_seen_time": incident.last_ts / 1_000,
        "attacks": row.technique.iter().map(attack).collect::<Vec<_>>(),
    })
}

/// The object `attack`: a technique, and where it is one of a technique's the sub-technique.
fn attack(technique: &Technique) -> Value {
    let whole = json!({ "uid": technique.parent_id(), "name": technique.parent_name });
    if !technique.is_sub_technique() {
        return json!({ "technique": whole });
    }
    let sub = json!({ "uid": technique.id, "name": technique.name });
    json!({ "technique": whole, "sub_technique": sub })
}

fn anomalies(incident: &Incident) -> Value {
    let observed = |pick: fn(&schemas::Evidence) -> f64| -> Vec<Value> {
        let observe = |e: &schemas::Evidence| {
            json!({
                "observation_parameter": e.feature,
                "observations": [{ "value": pick(e).to_string() }],
            })
        };
        incident.evidence.iter().map(observe).collect()
    };
    json!({
        "analysis_targets": [{ "name": incident.target_host.as_deref().unwrap_or("all hosts"), "type": "host" }],
        "anomalies": observed(|e| e.observed),
        "baselines": observed(|e| e.expected),
    })
}

const fn severity_id(severity: i32) -> i64 {
    match severity {
        80.. => 5,
        60.. => 4,
        35.. => 3,
        1.. => 2,
        _ => 1,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a share of one fits")]
fn percent(share: f64) -> i64 {
    (share * 100.0).round() as i64
}

#[cfg(test)]
mod tests {
    use schemas::{Incident, Kind};
    use serde_json::json;

    use super::finding;
    use crate::alerts::tests::incident;

    #[test]
    fn a_finding_has_what_the_class_requires() {
        let finding = finding(&incident());
        for required in
            ["activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id"]
        {
            assert!(finding[required].is_i64(), "{required}");
        }
        assert_eq!(finding["type_uid"], 200_401);
        assert_eq!(finding["finding_info"]["uid"], "a1b2");
        assert_eq!(finding["is_alert"], true);
        assert_eq!(finding["finding_info"]["title"], "HTTP flood on shop.example");
    }

    #[test]
    fn a_kind_is_told_as_others_know_it() {
        let told =
            |kind| finding(&Incident { kind, ..incident() })["finding_info"]["attacks"].clone();
        let stuffing = json!([{
            "technique": { "uid": "T1110", "name": "Brute Force" },
            "sub_technique": { "uid": "T1110.004", "name": "Credential Stuffing" },
        }]);
        assert_eq!(told(Kind::CredentialStuffing), stuffing);
        let scraping =
            json!([{ "technique": { "uid": "T1594", "name": "Search Victim-Owned Websites" } }]);
        assert_eq!(told(Kind::Scraping), scraping);
    }
}
