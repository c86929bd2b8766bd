//! An incident revision as a JSON object that stays short enough for a line of a log.

use std::borrow::Cow;

use schemas::Incident;
use serde::Serialize;

/// Sources that one alert names; the table has up to [`schemas::limits::INCIDENT_SOURCES_MAX`].
pub(super) const SOURCES_MAX: usize = 20;

/// Bytes of a fingerprint that an alert carries. A longer one is left out, not cut: part of a predicate is another
/// predicate.
pub(super) const FINGERPRINT_BYTES_MAX: usize = 16 << 10;

/// A revision as it is written.
#[derive(Debug, Serialize)]
pub(super) struct Alert<'a> {
    #[serde(flatten)]
    incident: Cow<'a, Incident>,
    /// Length of the fingerprint, where it is too long to be here; the table has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint_bytes: Option<usize>,
}

impl<'a> Alert<'a> {
    pub(super) fn of(incident: &'a Incident) -> Self {
        let fingerprint_bytes = left_out(incident);
        if incident.sources.len() <= SOURCES_MAX && fingerprint_bytes.is_none() {
            return Self { incident: Cow::Borrowed(incident), fingerprint_bytes };
        }
        let mut short = incident.clone();
        short.sources.truncate(SOURCES_MAX);
        short.fingerprint = fingerprint(incident).map(str::to_owned);
        Self { incident: Cow::Owned(short), fingerprint_bytes }
    }
}

/// The fingerprint, unless it is too long for an alert.
pub(super) fn fingerprint(incident: &Incident) -> Option<&str> {
    incident.fingerprint.as_deref().filter(|text| text.len() <= FINGERPRINT_BYTES_MAX)
}

/// Length of the fingerprint, if it is too long for an alert.
pub(super) fn left_out(incident: &Incident) -> Option<usize> {
    incident.fingerprint.as_deref().map(str::len).filter(|length| *length > FINGERPRINT_BYTES_MAX)
}
