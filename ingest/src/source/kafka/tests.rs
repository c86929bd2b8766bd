//! The source against librdkafka's mock broker: positions, ends, rebalances, losses.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::Consumer;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::{Held, KafkaConfig, KafkaSource, Membership};
use crate::EmbeddedBroker;
use crate::source::{Polled, Positions, Source, SourceError};
use decode::message::RawMessage;

const TOPIC: &str = "logs";
const DEADLINE: Duration = Duration::from_mins(1);

/// The positions of the tables, shared between the sources of a test.
type Tables = Arc<Mutex<Positions>>;

fn send(broker: &EmbeddedBroker, partition: i32, payloads: &[&str]) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", broker.brokers())
        .set("linger.ms", "0")
        .create()
        .unwrap();
    for payload in payloads {
        let record = BaseRecord::<str, str>::to(TOPIC).partition(partition).payload(payload);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(DEADLINE).unwrap();
}

fn config(broker: &EmbeddedBroker) -> KafkaConfig {
    let mut config = KafkaConfig::new(broker.brokers(), TOPIC, "test");
    // The mock broker waits 3 s in the first rebalance and almost a session's time in every other.
    config.properties.insert("session.timeout.ms".to_owned(), "4000".to_owned());
    config.properties.insert("heartbeat.interval.ms".to_owned(), "200".to_owned());
    config
}

fn alone_to_end(broker: &EmbeddedBroker) -> KafkaConfig {
    KafkaConfig { membership: Membership::Alone, exit_at_end: true, ..config(broker) }
}

fn source(config: KafkaConfig, tables: &Tables) -> KafkaSource {
    let tables = Arc::clone(tables);
    let lookup = move |names: &[Arc<str>]| {
        let held = tables.lock().unwrap();
        let positions = names.iter().filter_map(|n| Some((Arc::clone(n), *held.get(n)?))).collect();
        Ok(Held { positions, again: Positions::new() })
    };
    KafkaSource::new(config, Box::new(lookup)).unwrap()
}

/// Polls until `wanted`; returns what was read as `partition@offset payload` and every event but `Idle`.
fn poll_until(
    source: &mut KafkaSource,
    mut wanted: impl FnMut(&Polled) -> bool,
) -> Result<(Vec<String>, Vec<Polled>), SourceError> {
    let deadline = Instant::now() + DEADLINE;
    let (mut messages, mut events) = (Vec::new(), Vec::new());
    loop {
        assert!(Instant::now() < deadline, "it never came; so far {messages:?} {events:?}");
        let polled = source.poll(Duration::from_millis(100), &mut |message: &RawMessage<'_>| {
            let text = String::from_utf8_lossy(message.payload);
            messages.push(format!("{}@{} {text}", message.partition, message.offset));
        })?;
        let done = wanted(&polled);
        if !matches!(polled, Polled::Idle | Polled::Messages(_)) {
            events.push(polled);
        }
        if done {
            return Ok((messages, events));
        }
    }
}

/// Polls no more until the client has given up on us.
fn be_held_for_dead(source: &KafkaSource) {
    let deadline = Instant::now() + DEADLINE;
    while !source.consumer.assignment_lost() {
        assert!(Instant::now() < deadline, "the client waits for ever");
        std::thread::yield_now();
    }
}

const fn is_end(polled: &Polled) -> bool {
    matches!(polled, Polled::End)
}

#[test]
fn a_topic_is_read_to_its_end_from_the_positions_of_the_tables() {
    let broker = EmbeddedBroker::start(TOPIC, 3).unwrap();
    send(&broker, 0, &["a", "b", "c"]);
    send(&broker, 1, &["x"]);
    let tables = Tables::default();
    tables.lock().unwrap().insert("logs/0".into(), 2);
    let mut source = source(alone_to_end(&broker), &tables);
    let (mut messages, events) = poll_until(&mut source, is_end).unwrap();
    messages.sort();
    assert_eq!(messages, ["logs/0@2 c", "logs/1@0 x"]);
    let ends = events.iter().filter(|event| matches!(event, Polled::PartitionEnd(_))).count();
    assert_eq!(ends, 3);
    assert!(matches!(events.first(), Some(Polled::PartitionsAssigned(names)) if names.len() == 3));
}

#[test]
fn the_end_is_that_seen_at_start() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    send(&broker, 0, &["a"]);
    let mut source = source(alone_to_end(&broker), &Tables::default());
    poll_until(&mut source, |polled| matches!(polled, Polled::PartitionsAssigned(_))).unwrap();
    send(&broker, 0, &["later"]);
    let (messages, _) = poll_until(&mut source, is_end).unwrap();
    assert_eq!(messages, ["logs/0@0 a"]);
}

#[test]
fn a_group_shares_the_topic_and_loses_nothing() {
    let broker = EmbeddedBroker::start(TOPIC, 4).unwrap();
    for partition in 0..4 {
        send(&broker, partition, &["a", "b"]);
    }
    let tables = Tables::default();
    let mut first = source(config(&broker), &tables);
    let mut caught_up = 0;
    let (mut messages, _) = poll_until(&mut first, |polled| {
        caught_up += usize::from(matches!(polled, Polled::CaughtUp(_)));
        caught_up == 4
    })
    .unwrap();
    messages.sort();
    assert_eq!(messages.len(), 8);
    let held: Positions = (0..4).map(|n| (format!("logs/{n}").into(), 2)).collect();
    first.commit(&held);

    let mut second = source(config(&broker), &tables);
    let deadline = Instant::now() + DEADLINE;
    let (mut taken, mut awaited) = (Vec::new(), Vec::new());
    let nothing = &mut |message: &RawMessage<'_>| panic!("{} comes twice", message.partition);
    while taken.is_empty() {
        assert!(Instant::now() < deadline, "the second member gets nothing");
        let polled = first.poll(Duration::from_millis(20), nothing).unwrap();
        if let Polled::PartitionsRevoking(_) = polled {
            // What the first member read is committed before it gives partitions up.
            tables.lock().unwrap().extend(held.clone());
        }
        match second.poll(Duration::from_millis(20), nothing).unwrap() {
            Polled::PartitionsAssigned(names) => taken = names,
            Polled::PartitionsAwaited(names) => awaited = names,
            _ => {}
        }
    }
    assert_eq!((taken.len(), awaited.len()), (2, 2));
    assert!(taken.iter().all(|name| !awaited.contains(name)));
    let number: i32 = taken[0].rsplit('/').next().unwrap().parse().unwrap();
    send(&broker, number, &["new"]);
    let (messages, _) =
        poll_until(&mut second, |polled| matches!(polled, Polled::Messages(_))).unwrap();
    assert_eq!(messages, [format!("{}@2 new", taken[0])]);
    drop(first);
    drop(second);
}

#[test]
fn a_member_that_was_held_for_dead_begins_again() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    send(&broker, 0, &["a", "b"]);
    let tables = Tables::default();
    let mut config = config(&broker);
    config.properties.insert("max.poll.interval.ms".to_owned(), "4000".to_owned());
    let mut source = source(config, &tables);
    let caught_up = |polled: &Polled| matches!(polled, Polled::CaughtUp(_));
    assert_eq!(poll_until(&mut source, caught_up).unwrap().0.len(), 2);
    tables.lock().unwrap().insert("logs/0".into(), 1);
    be_held_for_dead(&source);
    let (messages, events) = poll_until(&mut source, caught_up).unwrap();
    assert!(matches!(events.first(), Some(Polled::PartitionsLost(names)) if names.len() == 1));
    assert_eq!(messages, ["logs/0@1 b"], "{events:?}");
}

#[test]
fn a_paused_partition_waits() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    send(&broker, 0, &["a"]);
    let mut source = source(alone_to_end(&broker), &Tables::default());
    poll_until(&mut source, |polled| matches!(polled, Polled::PartitionsAssigned(_))).unwrap();
    source.set_paused("logs/0", true).unwrap();
    for _ in 0..5 {
        let polled = source.poll(Duration::from_millis(50), &mut |_: &RawMessage<'_>| {}).unwrap();
        assert!(matches!(polled, Polled::Idle), "{polled:?}");
    }
    source.set_paused("logs/0", false).unwrap();
    assert_eq!(poll_until(&mut source, is_end).unwrap().0, ["logs/0@0 a"]);
}

#[test]
fn what_retention_deleted_is_passed_over() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    let megabyte = "x".repeat(900_000);
    send(&broker, 0, &["first", "second"]);
    let tables = Tables::default();
    let mut live =
        source(KafkaConfig { membership: Membership::Alone, ..config(&broker) }, &tables);
    let (read, _) = poll_until(&mut live, |polled| matches!(polled, Polled::CaughtUp(_))).unwrap();
    assert_eq!(read.len(), 2);
    live.consumer.pause(&live.list(&[0])).unwrap();
    for _ in 0..12 {
        send(&broker, 0, &[&megabyte]);
    }
    // One that starts late: the log begins after its position.
    tables.lock().unwrap().insert("logs/0".into(), 1);
    let mut late = source(alone_to_end(&broker), &tables);
    let (messages, _) = poll_until(&mut late, is_end).unwrap();
    assert!((3..12).contains(&messages.len()), "{}", messages.len());
    assert!(messages.last().unwrap().starts_with("logs/0@13 "));
    // One that was too slow: the log moved away under it.
    live.consumer.resume(&live.list(&[0])).unwrap();
    let mut messages = Vec::new();
    while messages.last().is_none_or(|last: &String| !last.starts_with("logs/0@13 ")) {
        let (more, _) = poll_until(&mut live, |polled| !matches!(polled, Polled::Idle)).unwrap();
        messages.extend(more);
    }
    assert!((3..12).contains(&messages.len()), "{}", messages.len());
}

#[test]
fn a_topic_made_anew_is_an_error() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    send(&broker, 0, &["a"]);
    let tables = Tables::default();
    tables.lock().unwrap().insert("logs/0".into(), 500);
    let mut source = source(alone_to_end(&broker), &tables);
    let error = poll_until(&mut source, is_end).unwrap_err();
    assert!(matches!(error, SourceError::TopicRecreated { position: 500, high: 1, .. }), "{error}");
}

#[test]
fn a_message_without_payload_moves_the_position() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", broker.brokers()).create().unwrap();
    producer.send(BaseRecord::<str, str>::to(TOPIC).key("k")).map_err(|(error, _)| error).unwrap();
    producer.flush(DEADLINE).unwrap();
    let mut source = source(alone_to_end(&broker), &Tables::default());
    assert_eq!(poll_until(&mut source, is_end).unwrap().0, ["logs/0@0 "]);
}

#[test]
fn a_broker_that_comes_back_is_read_on() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    send(&broker, 0, &["a"]);
    broker.set_reachable(false).unwrap();
    let mut source = source(alone_to_end(&broker), &Tables::default());
    let nothing = &mut |_: &RawMessage<'_>| {};
    while !source.consumer.context().link.is_down() {
        assert!(matches!(source.poll(Duration::from_millis(50), nothing), Ok(Polled::Idle)));
    }
    broker.set_reachable(true).unwrap();
    assert_eq!(poll_until(&mut source, is_end).unwrap().0, ["logs/0@0 a"]);
    assert!(!source.consumer.context().link.is_down());
}

#[test]
fn a_partition_without_a_leader_holds_up_no_other() {
    for membership in [Membership::Alone, Membership::Group] {
        let broker = EmbeddedBroker::start(TOPIC, 3).unwrap();
        for partition in 0..3 {
            send(&broker, partition, &["a"]);
        }
        let config = KafkaConfig { membership, ..config(&broker) };
        broker.set_led(TOPIC, 1, false);
        let mut source = source(config, &Tables::default());
        let mut read = Vec::new();
        while read.len() < 2 {
            let (messages, _) =
                poll_until(&mut source, |polled| matches!(polled, Polled::Messages(_))).unwrap();
            read.extend(messages);
        }
        broker.set_led(TOPIC, 1, true);
        let (messages, events) =
            poll_until(&mut source, |polled| matches!(polled, Polled::Messages(_))).unwrap();
        read.extend(messages);
        read.sort();
        assert_eq!(read, ["logs/0@0 a", "logs/1@0 a", "logs/2@0 a"], "{events:?}");
    }
}

#[test]
fn who_has_lost_everything_is_not_at_the_end() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    send(&broker, 0, &["a", "b"]);
    let mut config = KafkaConfig { exit_at_end: true, ..config(&broker) };
    config.properties.insert("max.poll.interval.ms".to_owned(), "4000".to_owned());
    let mut source = source(config, &Tables::default());
    let assigned = |polled: &Polled| matches!(polled, Polled::PartitionsAssigned(_));
    poll_until(&mut source, assigned).unwrap();
    be_held_for_dead(&source);
    let (messages, events) = poll_until(&mut source, is_end).unwrap();
    assert!(events.iter().any(|event| matches!(event, Polled::PartitionsLost(_))), "{events:?}");
    assert!(
        messages.ends_with(&["logs/0@0 a".to_owned(), "logs/0@1 b".to_owned()]),
        "{messages:?}"
    );
}

#[test]
fn all_that_the_client_has_to_say_is_heard_at_once() {
    let broker = EmbeddedBroker::start(TOPIC, 1).unwrap();
    broker.set_reachable(false).unwrap();
    let mut config = config(&broker);
    config.properties.insert("statistics.interval.ms".to_owned(), "1".to_owned());
    let mut source = source(config, &Tables::default());
    // Meanwhile it gathers statistics.
    source.consumer.fetch_metadata(None, Duration::from_millis(200)).unwrap_err();
    assert_eq!(source.consumer.context().served(), 0);
    source.serve_client().unwrap();
    assert!(source.consumer.context().served() > 2);
}

#[test]
fn a_member_may_leave_at_any_time() {
    let broker = EmbeddedBroker::start(TOPIC, 2).unwrap();
    for polls in [0, 1, 3, 10, 30, 60] {
        let mut source = source(config(&broker), &Tables::default());
        for _ in 0..polls {
            source.poll(Duration::from_millis(100), &mut |_: &RawMessage<'_>| {}).unwrap();
        }
        let begun = Instant::now();
        drop(source);
        assert!(begun.elapsed() < Duration::from_secs(20), "after {polls} polls");
    }
}

#[test]
fn an_unknown_property_is_named() {
    let mut config = KafkaConfig::new("127.0.0.1:1", TOPIC, "test");
    config.properties.insert("no.such.thing".to_owned(), "1".to_owned());
    let error = KafkaSource::new(config, Box::new(|_| Ok(Held::default()))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Kafka property `no.such.thing` cannot be `1`: No such configuration property: \"no.such.thing\""
    );
}
