//! What happens, turn by turn.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::rc::Rc;
use std::sync::Arc;

use cli::pipeline::EndPolicy;
use fastrand::Rng;
use tempfile::TempDir;

use crate::fault::{Fault, Plan};
use crate::group::{Change, Desk};
use crate::laws;
use crate::member::Process;
use crate::topic::{self, Message};

/// Turns without progress after which it is said that reading stands still.
const STILL_MAX: u32 = 2_000;

/// Turns in which something may go wrong; then everything left is read in peace.
const TURNS: u32 = 150;

/// What happened in all.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    /// Processes.
    pub started: u32,
    /// Of them, killed or failed.
    pub deaths: u32,
}

/// A topic, its tables, and the processes between them.
pub struct World {
    rng: Rng,
    topic: Rc<Vec<Vec<Message>>>,
    folder: TempDir,
    members: Vec<Process>,
    /// How many there may be at once. With one, findings are those of an undisturbed run.
    members_max: usize,
    /// Partitions that nobody has.
    free: BTreeSet<usize>,
    /// Says what happens, on stderr.
    tells: bool,
    pub counts: Counts,
}

impl World {
    /// The world of a seed; `tells` what happens in it, on stderr.
    pub fn of(seed: u64, tells: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let members_max = rng.usize(1..=3);
        let topic = Rc::new(topic::partitions(&mut rng, members_max == 1));
        let free = (0..topic.len()).collect();
        Self {
            rng,
            topic,
            members_max,
            folder: tempfile::tempdir().expect("a folder"),
            members: Vec::new(),
            free,
            tells,
            counts: Counts::default(),
        }
    }

    fn tell(&self, what: impl Display) {
        if self.tells {
            let held = self.members.iter().map(|member| member.desk.borrow().held());
            eprintln!("{what}; held: {:?}; free: {:?}", held.collect::<Vec<_>>(), self.free);
        }
    }

    /// Lets it all happen, then reads the rest in peace and holds the tables against an undisturbed run.
    pub fn run(&mut self) {
        for _ in 0..TURNS {
            self.turn();
        }
        self.read_the_rest();
        laws::check(self.folder.path());
        let found = laws::rows(self.folder.path());
        let undisturbed = Self {
            rng: self.rng.fork(),
            topic: Rc::clone(&self.topic),
            folder: tempfile::tempdir().expect("a folder"),
            members: Vec::new(),
            members_max: 1,
            free: (0..self.topic.len()).collect(),
            tells: self.tells,
            counts: Counts::default(),
        };
        self.tell("undisturbed");
        let expected = undisturbed.undisturbed();
        laws::same(&found.rejects, &expected.rejects);
        laws::same(&found.requests, &expected.requests);
        if self.members_max == 1 {
            for (found, expected) in found.findings.iter().zip(&expected.findings) {
                laws::same(found, expected);
            }
        }
    }

    fn undisturbed(mut self) -> laws::Rows {
        self.read_the_rest();
        laws::rows(self.folder.path())
    }

    fn policy(&self) -> EndPolicy {
        // Members that share a topic hold panes open for what others may bring.
        if self.members_max == 1 { EndPolicy::Close } else { EndPolicy::Hold }
    }

    fn turn(&mut self) {
        self.collect_released();
        if self.members.is_empty() {
            self.start();
            return;
        }
        let chosen = self.rng.usize(..self.members.len());
        match self.rng.u32(..100) {
            0..8 => self.commit(chosen),
            8..11 => self.kill(chosen),
            11..13 => self.stop(chosen),
            13..17 => self.start(),
            17..20 => self.hold_for_dead(chosen),
            20..25 if self.members_max > 1 => self.move_partition(chosen),
            25..28 => self.plan_fault(chosen),
            28..34 => self.share_out(),
            _ => self.step(chosen),
        }
    }

    /// Partitions that nobody has go to somebody.
    fn share_out(&mut self) {
        if self.members.is_empty() || self.free.is_empty() {
            return;
        }
        let chosen = self.rng.usize(..self.members.len());
        self.tell(format_args!("{chosen} is given what is free"));
        let partitions = std::mem::take(&mut self.free).into_iter().collect();
        self.members[chosen].desk.borrow_mut().changes.push_back(Change::Assign(partitions));
    }

    fn start(&mut self) {
        if self.members.len() >= self.members_max {
            return;
        }
        self.counts.started += 1;
        self.tell("a process starts");
        let policy = self.policy();
        let started = Process::start(self.folder.path(), &self.topic, policy, &mut self.rng);
        self.members.push(started.expect("the tables can be opened"));
        self.share_out();
    }

    fn step(&mut self, chosen: usize) {
        self.tell(format_args!("{chosen} goes on"));
        match self.members[chosen].step() {
            Ok(false) => {}
            // It opens the tables anew: another process in all but its number.
            Ok(true) => {
                let process = self.members.remove(chosen);
                self.collect(&process.desk.borrow());
                drop(process);
                self.start();
            }
            Err(error) => self.died(chosen, &error),
        }
    }

    fn commit(&mut self, chosen: usize) {
        self.tell(format_args!("{chosen} commits"));
        if let Err(error) = self.members[chosen].commit() {
            self.died(chosen, &error);
        }
    }

    fn stop(&mut self, chosen: usize) {
        self.tell(format_args!("{chosen} stops"));
        let process = self.members.remove(chosen);
        let (desk, store) = (Rc::clone(&process.desk), Arc::clone(&process.store));
        let stopped = process.stop();
        self.collect(&desk.borrow());
        if let Err(error) = stopped {
            self.account_for(&error, store.is_dead());
        }
    }

    fn kill(&mut self, chosen: usize) {
        self.tell(format_args!("{chosen} is killed"));
        let process = self.members.remove(chosen);
        process.store.kill();
        self.counts.deaths += 1;
        self.collect(&process.desk.borrow());
    }

    fn died(&mut self, chosen: usize, error: &anyhow::Error) {
        self.tell(format_args!("{chosen} ends: {error:#}"));
        let process = self.members.remove(chosen);
        let was_killed = process.store.is_dead();
        process.store.kill();
        self.collect(&process.desk.borrow());
        self.account_for(error, was_killed);
    }

    /// A process ends with an error only for a reason.
    fn account_for(&mut self, error: &anyhow::Error, was_killed: bool) {
        let text = format!("{error:#}");
        let is_conflict = text.contains("another process writes");
        assert!(was_killed || (is_conflict && self.members_max > 1), "{text}");
        self.counts.deaths += 1;
    }

    /// What it had is free again.
    fn collect(&mut self, desk: &Desk) {
        self.free.extend(desk.released.iter().copied());
        let is_lost = desk.changes.iter().any(|change| matches!(change, Change::Lost));
        if !is_lost {
            self.free.extend(desk.held().into_keys());
        }
        let coming = desk.changes.iter().flat_map(|change| match change {
            Change::Assign(partitions) => partitions.clone(),
            Change::Revoke(_) | Change::Lost => Vec::new(),
        });
        self.free.extend(coming);
    }

    fn collect_released(&mut self) {
        for member in &self.members {
            self.free.extend(std::mem::take(&mut member.desk.borrow_mut().released));
        }
    }

    /// The group takes everything from a member that has not answered for long, and gives it to others at once; the
    /// member hears of it at its next poll, and may have committed in between.
    fn hold_for_dead(&mut self, chosen: usize) {
        self.tell(format_args!("{chosen} is held for dead"));
        let mut desk = self.members[chosen].desk.borrow_mut();
        if desk.held().is_empty() || !desk.changes.is_empty() {
            return;
        }
        self.free.extend(desk.lose());
        drop(desk);
        let others: Vec<usize> = (0..self.members.len()).filter(|other| *other != chosen).collect();
        if let Some(other) = self.rng.choice(&others) {
            let partitions = std::mem::take(&mut self.free).into_iter().collect();
            let mut desk = self.members[*other].desk.borrow_mut();
            desk.changes.push_back(Change::Assign(partitions));
        }
    }

    /// A partition passes to another member in good order.
    fn move_partition(&mut self, chosen: usize) {
        self.tell(format_args!("{chosen} gives a partition away"));
        let mut desk = self.members[chosen].desk.borrow_mut();
        let held: Vec<usize> = desk.held().into_keys().collect();
        if let (Some(partition), true) = (self.rng.choice(&held), desk.is_settled()) {
            desk.changes.push_back(Change::Revoke(vec![*partition]));
        }
    }

    fn plan_fault(&mut self, chosen: usize) {
        let fault = if self.rng.bool() { Fault::Before } else { Fault::After };
        let writes = self.rng.usize(..6);
        self.tell(format_args!("{chosen} will fail: {fault:?}, after {writes} writes"));
        // A retry waits for a while: fewer of them.
        let is_stumble = self.rng.u32(..10) == 0;
        let plan =
            if is_stumble { Plan::stumble(fault, writes) } else { Plan::death(fault, writes) };
        self.members[chosen].store.plan(plan);
    }

    /// Nothing goes wrong any more.
    fn read_the_rest(&mut self) {
        let mut still = 0;
        let mut before = None;
        loop {
            self.collect_released();
            if self.members.is_empty() {
                self.start();
            }
            self.share_out();
            let done = self.members.iter().all(|member| member.desk.borrow().is_done());
            if done && self.free.is_empty() {
                let held = self.members.iter().flat_map(|member| member.desk.borrow().held());
                let mut held: Vec<usize> = held.map(|(partition, _)| partition).collect();
                held.sort_unstable();
                assert!(held.into_iter().eq(0..self.topic.len()), "each is somebody's, and once");
                break;
            }
            for chosen in (0..self.members.len()).rev() {
                self.step(chosen);
            }
            let held: Vec<_> =
                self.members.iter().map(|member| member.desk.borrow().held()).collect();
            still = if before.as_ref() == Some(&held) { still + 1 } else { 0 };
            let desks: Vec<_> = self.members.iter().map(|member| &member.desk).collect();
            assert!(still < STILL_MAX, "reading stands still: {desks:?}");
            before = Some(held);
        }
        for process in std::mem::take(&mut self.members) {
            let store = Arc::clone(&process.store);
            if let Err(error) = process.stop() {
                self.account_for(&error, store.is_dead());
                self.free.extend(0..self.topic.len());
            }
        }
        // One that failed at the very end has left something to be read again.
        if !self.free.is_empty() {
            self.read_the_rest();
        }
    }
}
