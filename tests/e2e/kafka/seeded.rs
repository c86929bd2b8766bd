//! Faults one behind the other, in an order and at moments that a seed draws, while traffic arrives.
//!
//! `FLOODMARK_TEST_FAULTS=100` has a hundred of them, `FLOODMARK_TEST_SEED` repeats their order.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tests::floodmark::PATIENCE;
use tests::sample::traffic;
use tests::skip::{Missing, or_skip};
use tests::table::assert_same;
use tests::{Floodmark, Kafka, Random, Running, Signal, Tables};

use super::{assert_every_record_once, calm, run, ship};

/// Faults of a run, unless the variable says otherwise.
const FAULTS: u32 = 8;

/// Longest time that something stands still or away: twice the session of a member, so that some are thought dead and
/// others are not.
const AWAY_MAX: Duration = Duration::from_secs(3);

/// Longest time that all is well between two faults.
const WELL_MAX: Duration = Duration::from_millis(1500);

/// The consumer group.
const GROUP: &str = "faults";

/// A group that reads a topic, and what befalls it.
struct Trial {
    kafka: Kafka,
    topic: String,
    tables: Tables,
    folder: TempDir,
    shipper: Running,
    random: Random,
    first: Running,
}

type Fault = (&'static str, fn(&mut Trial));

/// What can befall a member by itself.
const ALONE: [Fault; 4] = [
    ("killed", Trial::is_killed),
    ("stopped and started", Trial::is_restarted),
    ("stands still", Trial::stands_still),
    ("the broker stands still", Trial::broker_stands_still),
];

/// What can befall it with another one beside it.
const BESIDE: [Fault; 4] = [
    ("hands over", Trial::is_handed_over),
    ("another comes and is killed", Trial::another_is_killed),
    ("another comes and is stopped", Trial::another_is_stopped),
    ("stands still while another comes, which goes on alone", Trial::is_replaced),
];

impl Trial {
    /// The sample arrives, for `seconds` with each fault, about as long as one takes.
    fn start(partitions: u32, seconds: i64) -> Result<Self, Missing> {
        let kafka = Kafka::start()?;
        let topic = kafka.topic("faults", partitions);
        let log = traffic();
        let seconds = i64::from(faults_wanted()) * seconds;
        let rate = (log.lines() / seconds).max(1).to_string();
        let shipper = ship(&kafka, &topic).args(["--rate", &rate]).arg(log.path()).start();
        let folder = tempfile::tempdir().unwrap();
        let tables = Tables::at(folder.path().join("lake"));
        let first = member(&kafka, &topic, &tables);
        Ok(Self { kafka, topic, tables, folder, shipper, random: Random::new(), first })
    }

    fn member(&self) -> Running {
        member(&self.kafka, &self.topic, &self.tables)
    }

    /// One fault behind the other.
    fn suffer(&mut self, faults: &[Fault]) {
        for number in 1..=faults_wanted() {
            let well = self.random.below(WELL_MAX);
            self.first.run_for(well);
            let (name, befall) = self.random.one_of(faults);
            println!("{number}: {name}, after {well:?}");
            befall(self);
        }
    }

    fn is_killed(&mut self) {
        self.take_first().kill();
        self.first = self.member();
    }

    fn is_restarted(&mut self) {
        stop(self.take_first());
        self.first = self.member();
    }

    /// Its successor starts while it still writes what it has.
    fn is_handed_over(&mut self) {
        let next = self.member();
        stop(std::mem::replace(&mut self.first, next));
    }

    /// What runs, out of its place.
    fn take_first(&mut self) -> Running {
        let nothing = Running::start(&mut Command::new("true"));
        std::mem::replace(&mut self.first, nothing)
    }

    fn stands_still(&mut self) {
        self.first.signal(Signal::Stop);
        let away = self.random.below(AWAY_MAX);
        self.first.run_for(away);
        self.first.signal(Signal::Cont);
    }

    fn broker_stands_still(&mut self) {
        self.kafka.signal(Signal::Stop);
        let away = self.random.below(AWAY_MAX);
        self.first.run_for(away);
        self.kafka.signal(Signal::Cont);
    }

    fn another_is_killed(&mut self) {
        let mut other = self.member();
        other.run_for(self.random.below(AWAY_MAX));
        other.kill();
    }

    fn another_is_stopped(&mut self) {
        let mut other = self.member();
        other.until("two members", PATIENCE, |_| self.kafka.members(GROUP) == 2);
        other.run_for(self.random.below(WELL_MAX));
        stop(other);
    }

    fn is_replaced(&mut self) {
        self.first.signal(Signal::Stop);
        let mut other = self.member();
        other.run_for(self.random.below(AWAY_MAX));
        self.first.signal(Signal::Cont);
        self.first.run_for(self.random.below(WELL_MAX));
        stop(std::mem::replace(&mut self.first, other));
    }

    /// All of it arrives and is read; the folder of the trial, its topic and what was read.
    fn end(self) -> (Kafka, String, Tables, TempDir) {
        let Self { kafka, topic, tables, folder, shipper, first, .. } = self;
        shipper.output(PATIENCE).expect_status(0);
        stop(first);
        run(&kafka, &topic, GROUP, &tables).arg("--exit-at-end").success();
        assert_eq!(kafka.lag(GROUP, &topic), 0);
        assert_every_record_once(&tables, kafka.messages(&topic));
        Floodmark::new(["check", "--data", tables.arg()]).success();
        (kafka, topic, tables, folder)
    }
}

/// Stops a member in good order. One that has barely begun does not hear the signal, and is ended by it.
fn stop(member: Running) {
    member.signal(Signal::Term);
    let output = member.output(PATIENCE);
    if output.status.code().is_some() || !output.stderr.is_empty() {
        output.expect_status(0);
    }
}

fn member(kafka: &Kafka, topic: &str, tables: &Tables) -> Running {
    run(kafka, topic, GROUP, tables).args(["--commit-interval", "150ms"]).start()
}

fn faults_wanted() -> u32 {
    std::env::var("FLOODMARK_TEST_FAULTS").map_or(FAULTS, |faults| faults.parse().unwrap())
}

#[test]
fn whatever_befalls_one_instance_tables_and_findings_are_those_of_a_calm_run() {
    let Some(mut trial) = or_skip(Trial::start(3, 2)) else { return };
    trial.suffer(&ALONE);
    let (kafka, topic, tables, folder) = trial.end();
    let calm = calm(&kafka, &topic, folder.path());
    assert!(calm.count("incidents") > 0, "the sample has attacks");
    let all = ["requests", "target_windows", "source_windows", "incidents"];
    assert_same(&all, &calm, &tables);
}

#[test]
fn whatever_befalls_a_group_each_record_is_there_once() {
    let Some(mut trial) = or_skip(Trial::start(4, 3)) else { return };
    trial.suffer(&[ALONE, BESIDE].concat());
    trial.end();
}
