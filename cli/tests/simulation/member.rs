//! A process of the group: the pipeline over a source of the simulation.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cli::alerts::{AlertFormat, AlertQueue, AlertWriter, Overflow};
use cli::pipeline::{Back, Detection, EndPolicy, Front, FrontConfig, Keep, Pace, Step, Tables};
use decode::{Batcher, DecoderConfig};
use detect::DetectConfig;
use fastrand::Rng;
use lake::{History, Lake, LakeOptions};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use url::Url;

use crate::fault::FaultStore;
use crate::group::{Desk, Member, TOPIC};
use crate::laws::{self, Revision};
use crate::topic::Message;

/// Attempts at a commit: one that fails is tried again, one that fails for good is not tried for ever.
const COMMIT_ATTEMPTS: u32 = 2;

/// A running process.
pub struct Process {
    pub desk: Rc<RefCell<Desk>>,
    pub store: Arc<FaultStore>,
    front: Front<'static>,
    _alerts: AlertQueue,
    told: Told,
    /// Revisions that the tables held when it started, and that it must tell nobody of.
    known: BTreeSet<Revision>,
}

/// What a process has written to its stdout.
#[derive(Debug, Default, Clone)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Process {
    /// Nobody is told twice of what is in the tables.
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        let told = self.told.0.lock().expect("no panic");
        let again = laws::revisions(&told).into_iter().filter(|told| self.known.contains(told));
        assert_eq!(again.collect::<Vec<_>>(), []);
    }
}

fn learns_in_a_minute() -> DetectConfig {
    DetectConfig { learning_us: 60_000_000, ..DetectConfig::default() }
}

impl Process {
    /// Starts on the tables in `folder`.
    pub fn start(
        folder: &Path,
        topic: &Rc<Vec<Vec<Message>>>,
        at_end: EndPolicy,
        rng: &mut Rng,
    ) -> anyhow::Result<Self> {
        // Of those that share a topic, who takes a partition over may find what another has found.
        let is_alone = at_end == EndPolicy::Close;
        let known = if is_alone { laws::incidents(folder) } else { BTreeSet::new() };
        let store = FaultStore::of(Arc::new(LocalFileSystem::new()));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let options = LakeOptions {
            checkpoint_interval: 1_000_000,
            sync: false,
            keeps_states_beside: false,
            ..LakeOptions::default()
        };
        let url = Url::from_directory_path(folder).expect("an absolute path");
        let store_of_lake: Arc<dyn ObjectStore> = Arc::<FaultStore>::clone(&store);
        let lake = runtime.block_on(Lake::open_in(store_of_lake, url, options))?;
        let mut tables = Tables { lake, runtime };
        let history = History::of(format!("run/simulated/{TOPIC}"));
        let mut batcher = Batcher::new(&DecoderConfig::default())?;
        let restored = tables.detector(&history, &learns_in_a_minute(), &mut batcher)?;
        let (back, commits) = Back::start(tables, history.clone(), COMMIT_ATTEMPTS)?;
        let desk = Rc::<RefCell<Desk>>::default();
        let source = Member {
            desk: Rc::clone(&desk),
            topic: Rc::clone(topic),
            lookup: back.lookup(),
            rng: rng.fork(),
        };
        let told = Told::default();
        let writer = AlertWriter::new(AlertFormat::Json, told.clone());
        let alerts = AlertQueue::start(writer, Overflow::Wait)?;
        // A state is kept with each commit, beside it, or seldom: what came since is then read again by who comes next.
        let pace = match rng.u32(..3) {
            0 => Pace::each(),
            1 => Pace::within(0),
            _ => Pace::beside(u64::MAX),
        };
        let detection = Detection::start(history, restored, pace, None, alerts.alerts(), back)?;
        // Commits are turns of the world.
        let config = FrontConfig { commit_interval: Duration::MAX, at_end };
        let front = Front::new(config, Box::new(source), batcher, detection, commits);
        Ok(Self { desk, store, front, _alerts: alerts, told, known })
    }

    /// One round; true when its partitions were taken away.
    pub fn step(&mut self) -> anyhow::Result<bool> {
        let step = self.front.step()?;
        if step == Step::Lost {
            self.front.abandon()?;
            return Ok(true);
        }
        self.front.settle()?;
        Ok(false)
    }

    /// Commits what was read.
    pub fn commit(&mut self) -> anyhow::Result<()> {
        self.front.commit_and_wait(Keep::WhenDue)
    }

    /// Ends in good order.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.front.finish()
    }
}
