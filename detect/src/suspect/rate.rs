//! Test of the rate: a host gets more requests than its forecast allows.

use serde::{Deserialize, Serialize};

use crate::math::evalue::{EDetector, Forecast, tail_probability};

/// Accumulated evidence against the rate of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RateTest {
    detector: EDetector,
    /// Evidence, nats.
    pub nats: f64,
    /// Forecast of the last second, requests.
    pub forecast: Forecast,
    /// Requests of the last second that was tested.
    pub observed: f64,
}

impl RateTest {
    /// Takes in the requests of one second.
    pub fn observe(&mut self, requests: f64, forecast: Forecast) {
        self.observed = requests;
        self.nats = self.detector.observe(requests, forecast);
    }

    /// Probability that the last second brings so much or more, by its forecast.
    pub fn tail(&self) -> f64 {
        tail_probability(self.observed, self.forecast)
    }

    /// Forgets the evidence.
    pub fn reset(&mut self) {
        self.detector.reset();
        self.nats = 0.0;
    }
}
