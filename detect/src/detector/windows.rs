//! Rows of the minutes: what each host and each source that mattered did.

use schemas::limits::{SUB_PANE_US, WINDOW_US};

use super::{Detector, Findings};
use crate::incident::tell::name;

impl Detector {
    /// Emits the rows of the minutes that ended at or before `at_s`.
    pub(super) fn roll_window(&mut self, at_s: i64, out: &mut Findings) {
        let length = WINDOW_US / SUB_PANE_US;
        let end = match self.state.window_end_s {
            Some(end) if at_s < end => return,
            Some(end) => {
                self.emit_windows(end, out);
                (at_s.div_euclid(length) + 1) * length
            }
            None => (at_s.div_euclid(length) + 1) * length,
        };
        self.state.window_end_s = Some(end);
    }

    /// Emits the rows of the minute that ends at `end_s`.
    pub(super) fn emit_windows(&mut self, end_s: i64, out: &mut Findings) {
        let state = &mut self.state;
        let end = end_s * SUB_PANE_US;
        let mut rows = Vec::new();
        let mut envelope = 60.0_f64;
        for (key, target) in state.hosts.iter_mut(|target| !target.host.minute.is_empty()) {
            let host = state.names.get(key).map(str::to_owned);
            let forecast = target.has_learned(&self.config).then(|| {
                let forecast = target.host.normal.forecast(end_s - 1);
                (forecast.mean * 60.0, forecast.size)
            });
            envelope = envelope.max(target.host.normal.population.minute_envelope());
            rows.push(target.host.minute.take(end, host, forecast));
        }
        state.hosts.end_minute();
        rows.sort_by(|a, b| a.host.cmp(&b.host));
        out.target_windows.append(&mut rows);
        if !state.minutes.is_empty() {
            let names = &state.names;
            let label = |source| name(source, names).unwrap_or_else(|| "unknown".to_owned());
            out.source_windows.append(&mut state.minutes.take(end, envelope, label));
        }
    }
}
