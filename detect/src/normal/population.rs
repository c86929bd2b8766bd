//! What the sources of one host ordinarily do.

use serde::{Deserialize, Serialize};

/// What one source does at the moment; counts as in a source's source.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Glance {
    /// Requests, decayed over ten seconds.
    pub all_10: f32,
    /// Requests other than assets, decayed over ten seconds.
    pub pages_10: f32,
    /// Requests other than assets, decayed over a minute.
    pub pages_60: f32,
    /// Requests for assets, decayed over a minute.
    pub assets_60: f32,
    /// Megabytes sent, decayed over a minute.
    pub megabytes_60: f32,
    /// Seconds that its requests took, decayed over a minute.
    pub seconds_60: f32,
    /// It reads pages without assets and does not say that it is a program.
    pub reads_bare: bool,
}

/// Upper quantiles of what the sources of one host do, by stochastic approximation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// Of requests, decayed over ten seconds.
    pub all_10: f32,
    /// Of requests other than assets, decayed over ten seconds.
    pub pages_10: f32,
    /// Of pages of sources that load no assets, decayed over a minute.
    pub bare_60: f32,
    /// Of megabytes sent, decayed over a minute.
    pub megabytes_60: f32,
    /// Of the seconds that requests took, decayed over a minute.
    pub seconds_60: f32,
    /// Share of assets in what a source asks for.
    pub assets: f32,
}

impl Default for Population {
    fn default() -> Self {
        Self {
            all_10: 60.0,
            pages_10: 15.0,
            bare_60: 15.0,
            megabytes_60: 60.0,
            seconds_60: 60.0,
            assets: 0.0,
        }
    }
}

/// Quantile that is followed.
const QUANTILE: f32 = 0.995;

/// Weight of one source in the share of assets.
const ASSETS_GAIN: f32 = 0.01;

/// Share of assets from which browsers come to a host at all.
const BROWSERS_SHARE_MIN: f32 = 0.03;

/// Share of assets from which a host's visitors are held to load them.
const ASSETS_SHARE_MIN: f32 = 0.2;

fn follow(quantile: &mut f32, value: f32) {
    let step = if value > *quantile { QUANTILE } else { QUANTILE - 1.0 };
    *quantile *= 1.0 + 0.05 * step;
}

impl Population {
    /// Takes a source in.
    pub fn look(&mut self, source: &Glance) {
        follow(&mut self.all_10, source.all_10);
        follow(&mut self.pages_10, source.pages_10);
        if source.reads_bare {
            follow(&mut self.bare_60, source.pages_60);
        }
        follow(&mut self.megabytes_60, source.megabytes_60.max(0.01));
        follow(&mut self.seconds_60, source.seconds_60.max(0.01));
        let asked = source.assets_60 + source.pages_60;
        if asked > 0.0 {
            self.assets += ASSETS_GAIN * (source.assets_60 / asked - self.assets);
        }
    }

    /// Whether people who come to this host load assets, so that who loads none is no browser.
    pub const fn loads_assets(&self) -> bool {
        self.assets > ASSETS_SHARE_MIN
    }

    /// Whether some of those who come load assets: the host is no API.
    pub const fn has_browsers(&self) -> bool {
        self.assets > BROWSERS_SHARE_MIN
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
