//! What is told of an incident: its next revision.

use schemas::limits::INCIDENT_SOURCES_MAX;
use schemas::{Evidence, Incident, State};

use crate::explain::fingerprint::Quality;
use crate::incident::open::{Open, Spoken};
use crate::incident::summary::Summary;
use crate::judge::severity::{confidence, severity};
use crate::record::names::{Names, is_cut};
use crate::record::source::Source;

impl Open {
    /// The next revision.
    pub fn revise(
        &mut self,
        state: State,
        now: i64,
        host: Option<&str>,
        names: &Names,
        level: f64,
    ) -> Incident {
        let excess = (float(self.requests) - self.ordinary_sum).max(0.0);
        let rate = self.told_rate();
        let asked = rate * (1.0 - self.viewed);
        let severe =
            severity(self.kind, self.verdict, asked, level, float(self.source_count() as u64));
        let path = names.get(self.main_path).filter(|path| !is_cut(path)).map(str::to_owned);
        let printed = self.fingerprint.as_ref().and_then(|f| Some((f.sql(names)?, f.quality)));
        let shown =
            |get: fn(&Quality) -> f64| printed.as_ref().map(|(_, quality)| rounded(get(quality)));
        let summary = Summary {
            kind: self.kind,
            verdict: self.verdict,
            host,
            path: path.as_deref(),
            rate,
            is_peak: self.revision > 0,
            level,
            requests: self.requests,
            sources: self.source_count(),
            scope: &self.scope(names),
        };
        let incident = Incident {
            incident_id: self.id.clone(),
            revision: self.revision,
            state,
            kind: self.kind,
            verdict: self.verdict,
            severity: severe,
            confidence: confidence(self.attackness),
            target_host: host.map(str::to_owned),
            target_path: path.clone(),
            first_ts: self.first_ts,
            detected_ts: self.detected_ts,
            revision_ts: now,
            last_ts: self.last_ts,
            closed_ts: self.closed_ts,
            requests: i64::try_from(self.requests).unwrap_or(i64::MAX),
            excess_requests: whole(excess),
            source_count: i64::try_from(self.source_count()).unwrap_or(i64::MAX),
            sources: self.heaviest(names),
            fingerprint_recall: shown(|quality| quality.recall),
            fingerprint_recall_lower: shown(|quality| quality.recall_lower),
            fingerprint_precision: shown(|quality| quality.precision),
            fingerprint_collateral: shown(|quality| quality.collateral),
            fingerprint_collateral_upper: shown(|quality| quality.collateral_upper),
            fingerprint: printed.map(|(text, _)| text),
            technique: self.kind.row().technique.map(|technique| technique.id.to_owned()),
            summary: summary.text(),
            evidence: self.evidence(),
            campaign_id: None,
            campaign_hosts: None,
        };
        self.revision += 1;
        incident
    }

    fn evidence(&self) -> Vec<Evidence> {
        let shown = |said: &Spoken| Evidence {
            feature: said.feature.clone(),
            expected: rounded(said.expected),
            observed: rounded(said.observed),
            score: rounded(said.score),
            p_value: said.p_value.map(significant),
        };
        let mut evidence: Vec<Evidence> = self.evidence.iter().map(shown).collect();
        evidence
            .sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.feature.cmp(&b.feature)));
        evidence
    }

    fn heaviest(&self, names: &Names) -> Vec<String> {
        let mut all: Vec<(u64, u64)> =
            self.sources.iter().map(|(source, count)| (*count, *source)).collect();
        all.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        all.into_iter()
            .filter_map(|(_, source)| name(Source(source), names))
            .take(INCIDENT_SOURCES_MAX)
            .collect()
    }

    /// Requests per second to be told, and severity to be judged by: the greatest so far. Before a second of it has
    /// ended, as when it opens, there is only the mean over the span of what it has counted, of a second at least.
    fn told_rate(&self) -> f64 {
        if self.revision > 0 {
            return self.peak.max(self.rate);
        }
        #[expect(clippy::cast_precision_loss, reason = "a span of minutes")]
        let span_us = (self.last_ts - self.first_ts) as f64;
        let mean = float(self.requests) / (span_us / 1e6).max(1.0);
        mean.max(self.peak).max(self.rate)
    }
}

/// Text of a source.
pub fn name(source: Source, names: &Names) -> Option<String> {
    source.text().or_else(|| names.get(source.0).map(str::to_owned))
}

#[expect(clippy::cast_precision_loss, reason = "a count for people")]
pub(super) const fn float(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn whole(x: f64) -> i64 {
    libm::round(x) as i64
}

/// Two digits of a probability: the last ones of its logarithms differ from platform to platform.
fn significant(p: f64) -> f64 {
    format!("{p:.1e}").parse().unwrap_or(p)
}

fn rounded(x: f64) -> f64 {
    libm::round(x * 10_000.0) / 10_000.0
}

#[cfg(test)]
mod tests {
    use schemas::Kind;

    use super::*;
    use crate::incident::open::Opening;

    #[test]
    fn files_that_come_with_pages_make_nothing_worse() {
        let severity = |viewed: f64| {
            let mut open = Open::new(Opening::an_attack(Kind::HttpFlood));
            (open.requests, open.viewed) = (200, viewed);
            open.revise(State::Open, 0, None, &Names::default(), 1.0).severity
        };
        let (with_files, pages) = (severity(0.0), severity(0.95));
        assert!(with_files >= pages + 10, "{with_files} {pages}");
    }
}
