//! What every Kafka client of ours shares: its configuration, and what it says about the connection.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Properties by name, as librdkafka documents them.
pub type Properties = BTreeMap<String, String>;

/// `defaults`, overridden by the user's `properties`, overridden by what we cannot do without.
pub(crate) fn client_config(
    defaults: &[(&str, &str)],
    properties: &Properties,
    fixed: &[(&str, &str)],
) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (name, value) in defaults {
        config.set(*name, *value);
    }
    for (name, value) in properties {
        config.set(name, value);
    }
    for (name, value) in fixed {
        config.set(*name, *value);
    }
    config
}

/// What is known about the way to the brokers. Says once when it is lost and once when it is back.
#[derive(Debug)]
pub(crate) struct Link {
    brokers: String,
    state: Mutex<LinkState>,
}

#[derive(Debug, Default)]
struct LinkState {
    down: bool,
    was_up: bool,
    reason: String,
    refusal: Option<String>,
}

impl Link {
    pub(crate) fn new(brokers: &str) -> Self {
        Self { brokers: brokers.to_owned(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, LinkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an error that librdkafka reports by itself.
    pub(crate) fn on_error(&self, error: &KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason);
        let mut state = self.state();
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed) => {
                state.refusal = Some(reason.to_owned());
            }
            Some(RDKafkaErrorCode::SSL) if !state.was_up => {
                state.refusal = Some(reason.to_owned());
            }
            Some(RDKafkaErrorCode::AllBrokersDown) if !state.down => {
                state.down = true;
                tracing::warn!(
                    brokers = self.brokers,
                    reason = state.reason,
                    "no broker can be reached; trying again until one answers"
                );
            }
            Some(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::Resolve) => {
                reason.clone_into(&mut state.reason);
            }
            _ => {}
        }
    }

    /// Notes that a broker has answered.
    pub(crate) fn on_answer(&self) {
        let mut state = self.state();
        state.was_up = true;
        if std::mem::take(&mut state.down) {
            tracing::info!(brokers = self.brokers, "the brokers answer again");
        }
    }

    pub(crate) fn is_down(&self) -> bool {
        self.state().down
    }

    /// Why the brokers will not have us, if so.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.state().refusal.clone()
    }

    /// librdkafka's own log: what matters in it also comes as an error, once.
    #[expect(clippy::unused_self, reason = "the log belongs to the link")]
    pub(crate) fn on_log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", ?level, facility, message);
    }
}
