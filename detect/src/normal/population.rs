//! What the sources of one host ordinarily do.

use serde::{Deserialize, Serialize};

use crate::seen::sources::SourceRecord;

/// Upper quantiles of what the sources of one host do, by stochastic approximation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// Of requests, decayed over ten seconds.
    pub(crate) all_10: f32,
    /// Of requests other than assets, decayed over ten seconds.
    pub(crate) pages_10: f32,
    /// Of pages of sources that load no assets, decayed over a minute.
    pub(crate) bare_60: f32,
    /// Of megabytes sent, decayed over a minute.
    pub(crate) megabytes_60: f32,
    /// Share of assets in what a source asks for.
    pub(crate) assets: f32,
    /// The host has been watched long enough for the quantiles to mean something.
    pub learned: bool,
    /// The origin is known to fail: people ask for the same pages again and again.
    pub origin_fails: bool,
}

impl Default for Population {
    fn default() -> Self {
        Self {
            all_10: 60.0,
            pages_10: 15.0,
            bare_60: 15.0,
            megabytes_60: 60.0,
            assets: 0.0,
            learned: false,
            origin_fails: false,
        }
    }
}

/// Quantile that is followed.
const QUANTILE: f32 = 0.995;

/// Weight of one source in the share of assets.
const ASSETS_GAIN: f32 = 0.01;

/// Share of assets from which a host's visitors are held to load them.
const ASSETS_SHARE_MIN: f32 = 0.2;

fn follow(quantile: &mut f32, value: f32) {
    let step = if value > *quantile { QUANTILE } else { QUANTILE - 1.0 };
    *quantile *= 1.0 + 0.05 * step;
}

impl Population {
    /// Takes a source in.
    pub(crate) fn look(&mut self, record: &SourceRecord) {
        follow(&mut self.all_10, record.all_10);
        follow(&mut self.pages_10, record.pages_10);
        if record.is_bare() && !record.declared {
            follow(&mut self.bare_60, record.pages_60);
        }
        follow(&mut self.megabytes_60, record.megabytes_60.max(0.01));
        let asked = record.assets_60 + record.pages_60;
        if asked > 0.0 {
            self.assets += ASSETS_GAIN * (record.assets_60 / asked - self.assets);
        }
    }

    /// Whether people who come to this host load assets, so that who loads none is no browser.
    pub(crate) const fn loads_assets(&self) -> bool {
        self.assets > ASSETS_SHARE_MIN
    }

    /// Upper envelope of an ordinary source's requests in a window of some seconds.
    pub fn window_envelope(&self, seconds: f64) -> f64 {
        let decayed = 10.0 * (1.0 - libm::exp(-seconds / 10.0));
        1.5 * f64::from(self.all_10.max(20.0))
            * (decayed / 10.0).max(0.5)
            * (seconds / 20.0).max(1.0)
    }

    /// Upper envelope of an ordinary source's requests in a minute.
    pub fn minute_envelope(&self) -> f64 {
        6.0 * f64::from(self.all_10.max(10.0))
    }
}
