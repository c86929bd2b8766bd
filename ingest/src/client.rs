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

/// What OpenSSL says of an alert by which the other side ends a connection.
const TLS_ALERT: &str = "SSL alert number";

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
            // A broker of TLS 1.3 says after the handshake what it thinks of our certificate.
            Some(_) if !state.was_up && reason.contains(TLS_ALERT) => {
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
            Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::PartitionEOF) | None => {}
            Some(_) => reason.clone_into(&mut state.reason),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_word_counts_except_where_we_depend_on_it() {
        let properties = [("linger.ms", "7"), ("group.id", "mine")];
        let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let defaults = [("linger.ms", "50"), ("client.id", "us")];
        let config = client_config(&defaults, &properties, &[("group.id", "ours")]);
        let value = |name| config.get(name).unwrap_or("none");
        assert_eq!(
            [value("linger.ms"), value("client.id"), value("group.id")],
            ["7", "us", "ours"]
        );
    }

    #[test]
    fn a_link_is_down_until_a_broker_answers() {
        let link = Link::new("b:1");
        let error = |code, reason| link.on_error(&KafkaError::Global(code), reason);
        error(RDKafkaErrorCode::BrokerTransportFailure, "refused");
        assert!(!link.is_down());
        error(RDKafkaErrorCode::AllBrokersDown, "1/1 brokers are down");
        assert!(link.is_down());
        link.on_answer();
        assert!(!link.is_down());
        error(RDKafkaErrorCode::BrokerTransportFailure, "SSL alert number 42");
        error(RDKafkaErrorCode::SSL, "expired");
        assert_eq!(link.refusal(), None, "a link that was up may come up again");
        error(RDKafkaErrorCode::Authentication, "who?");
        assert_eq!(link.refusal().as_deref(), Some("who?"));
        let link = Link::new("b:1");
        let alert = "Receive failed: certificate required: SSL alert number 116";
        link.on_error(&KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure), alert);
        assert_eq!(link.refusal().as_deref(), Some(alert));
    }
}
