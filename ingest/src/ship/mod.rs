//! Feeds log files into a Kafka topic: one line a message, keyed by the client's network.

mod bookmarks;
mod feed;
mod key;
mod pace;
mod tail;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use decode::{ConfigError, DecoderConfig};
use schemas::limits::REJECT_BYTES_MAX;

use self::bookmarks::Bookmarks;
use self::feed::{Feed, Flow};
pub use self::key::ClientNetwork;
use self::tail::Tail;
use crate::client::Properties;
use crate::compress::decompress;
use crate::source::{BlockLimits, LineBlocks};

/// Blocks read ahead of the producer.
const BLOCKS_AHEAD: usize = 4;

/// Bytes of a block.
const BLOCK_BYTES: usize = 1 << 20;

/// How often a followed file is looked at.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(200);

/// How long a rotated file may still be written to.
const ROTATION_GRACE: Duration = Duration::from_secs(2);

/// The name that stands for standard input.
const STDIN: &str = "-";

/// Where to ship and how.
pub struct ShipConfig {
    /// `host:port`, several with commas.
    pub brokers: String,
    /// Topic.
    pub topic: String,
    /// librdkafka properties; they override our defaults.
    pub properties: Properties,
    /// Go on reading as the files grow and are rotated, until stopped.
    pub follow: bool,
    /// Where the places in followed files are kept, to go on from there next time; without it each is read from its
    /// start.
    pub state: Option<PathBuf>,
    /// Lines a second, at most.
    pub rate: Option<u32>,
    /// How lines are read, to find the client whose network is their key.
    pub decoder: DecoderConfig,
}

impl ShipConfig {
    /// Ships whole files at full speed.
    pub fn new(brokers: &str, topic: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            topic: topic.to_owned(),
            properties: Properties::new(),
            follow: false,
            state: None,
            rate: None,
            decoder: DecoderConfig::default(),
        }
    }
}

impl fmt::Debug for ShipConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The properties may hold passwords.
        f.debug_struct("ShipConfig")
            .field("brokers", &self.brokers)
            .field("topic", &self.topic)
            .field("follow", &self.follow)
            .field("state", &self.state)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

/// The caller's say in a shipment. It is asked every few hundred lines or milliseconds.
pub trait ShipControl {
    /// Whether to stop: nothing more is read, what was sent is still delivered.
    fn stop(&mut self) -> bool {
        false
    }

    /// Whether more may be sent after `lines` lines: for a broker that forgets what nobody has read.
    fn may_send(&mut self, lines: u64) -> bool {
        let _ = lines;
        true
    }

    /// How far it is.
    fn progress(&mut self, progress: &ShipProgress) {
        let _ = progress;
    }
}

/// No say.
impl ShipControl for () {}

/// How far a shipment is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShipProgress {
    /// Lines given to the client.
    pub lines: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of the lines, those no broker has acknowledged yet.
    pub under_way: u64,
    /// Bytes read, as stored.
    pub bytes_read: u64,
    /// Bytes to read in all, where that is known.
    pub bytes_total: Option<u64>,
}

/// What a shipment came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShipSummary {
    /// Lines delivered: each once.
    pub lines: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Why a shipment is not complete.
#[derive(Debug, thiserror::Error)]
pub enum ShipError {
    /// The format makes no sense.
    #[error(transparent)]
    Format(#[from] ConfigError),
    /// A file cannot be opened or read.
    #[error("cannot read `{}`: {source}; {delivered} lines before were delivered", file.display())]
    Read {
        /// As given.
        file: PathBuf,
        /// Lines of this shipment that were delivered.
        delivered: u64,
        /// Why.
        source: io::Error,
    },
    /// The file with the places in followed files cannot be read or written.
    #[error("cannot use the state file `{}`: {source}", file.display())]
    State {
        /// As given.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A librdkafka property is unknown or has a value it does not take.
    #[error("Kafka property `{property}` cannot be `{value}`: {reason}")]
    Property {
        /// Name.
        property: String,
        /// Value given.
        value: String,
        /// As librdkafka says it.
        reason: String,
    },
    /// The topic does not exist, and the brokers do not make it.
    #[error("topic `{topic}` does not exist on {brokers}; create it first")]
    TopicMissing {
        /// Topic.
        topic: String,
        /// Brokers asked.
        brokers: String,
    },
    /// The brokers refuse this client.
    #[error(
        "the brokers {brokers} refuse the connection: {reason}; see the security.*, sasl.* and ssl.* properties"
    )]
    Refused {
        /// Brokers asked.
        brokers: String,
        /// As librdkafka says it.
        reason: String,
    },
    /// Lines were given up.
    #[error(
        "{lines} lines were not delivered to topic `{topic}`: {reason}; {delivered} lines were"
    )]
    Undelivered {
        /// Not delivered.
        lines: u64,
        /// Delivered.
        delivered: u64,
        /// Topic.
        topic: String,
        /// Why the first failed.
        reason: String,
    },
    /// Lines are larger than the broker takes; all others were delivered.
    #[error(
        "{lines} lines are larger than the brokers take and were left out, {delivered} lines were delivered; \
         raise message.max.bytes of the topic"
    )]
    Oversized {
        /// Too large.
        lines: u64,
        /// Delivered.
        delivered: u64,
    },
    /// librdkafka failed.
    #[error("Kafka client failed: {action}: {source}")]
    Kafka {
        /// What was being done.
        action: &'static str,
        /// Why.
        source: rdkafka::error::KafkaError,
    },
}

/// Ships `files` (`-` is standard input, compressed ones are unpacked) in the order given, or follows them.
///
/// Returns when everything is delivered, or after `control` said stop.
///
/// # Errors
/// [`ShipError`] says how many lines were delivered. An unreachable broker is no error: it is said once and
/// waited for.
pub fn ship(
    config: &ShipConfig,
    files: &[PathBuf],
    control: &mut dyn ShipControl,
) -> Result<ShipSummary, ShipError> {
    let (opened, bytes_total) = open(config, files)?;
    let state = config.state.as_deref().filter(|_| config.follow);
    let mut bookmarks = state.map(|file| Bookmarks::open(file, &config.topic)).transpose()?;
    let mut feed = Feed::new(config, control)?;
    feed.progress.bytes_total = bytes_total;
    let sent = send(&mut feed, config, opened, bookmarks.as_mut(), files);
    // Whatever became of the rest: what has arrived is not sent again.
    let kept = bookmarks.as_mut().map_or(Ok(()), Bookmarks::finish);
    sent.and(kept)?;
    Ok(ShipSummary { lines: feed.progress.lines, bytes: feed.progress.bytes })
}

/// Sends what there is and waits until it has arrived, also when a file cannot be read on.
fn send(
    feed: &mut Feed<'_>,
    config: &ShipConfig,
    opened: Vec<Opened>,
    bookmarks: Option<&mut Bookmarks>,
    files: &[PathBuf],
) -> Result<(), ShipError> {
    if feed.connect()? == Flow::Stop {
        return Ok(());
    }
    let read_all = if config.follow { follow(feed, files, bookmarks) } else { read(feed, opened) };
    match read_all {
        Err(ShipError::Read { file, source, .. }) => {
            feed.finish()?;
            Err(ShipError::Read { file, source, delivered: feed.progress.lines })
        }
        other => other.and_then(|()| feed.finish()),
    }
}

/// A file to read, and its handle unless it is standard input.
type Opened = (PathBuf, Option<File>);

/// Opens everything first, so that a wrong name is found before anything is sent.
fn open(config: &ShipConfig, files: &[PathBuf]) -> Result<(Vec<Opened>, Option<u64>), ShipError> {
    if config.follow {
        return Ok((Vec::new(), None));
    }
    let mut opened = Vec::new();
    let mut total = Some(0);
    for path in files {
        if path.as_os_str() == STDIN {
            opened.push((path.clone(), None));
            total = None;
            continue;
        }
        let fail = |source| ShipError::Read { file: path.clone(), delivered: 0, source };
        let file = File::open(path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        if metadata.is_dir() {
            return Err(fail(io::ErrorKind::IsADirectory.into()));
        }
        let bytes = metadata.is_file().then_some(metadata.len());
        total = total.zip(bytes).map(|(total, bytes)| total + bytes);
        opened.push((path.clone(), Some(file)));
    }
    Ok((opened, total))
}

/// Reads files one after the other, each on a thread of its own.
fn read(feed: &mut Feed<'_>, files: Vec<Opened>) -> Result<(), ShipError> {
    let bytes_read = Arc::new(AtomicU64::new(0));
    for (path, file) in files {
        let fail = |source| ShipError::Read { file: path.clone(), delivered: 0, source };
        let blocks = read_blocks(file, Arc::clone(&bytes_read)).map_err(fail)?;
        loop {
            feed.progress.bytes_read = bytes_read.load(Ordering::Relaxed);
            let flow = match blocks.recv_timeout(FOLLOW_INTERVAL) {
                Ok(block) => feed.block(&path.to_string_lossy(), &block.map_err(fail)?)?.0,
                Err(RecvTimeoutError::Timeout) => feed.wait(Duration::ZERO)?,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if flow == Flow::Stop {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Starts a thread that reads; the channel closes at the end.
fn read_blocks(
    file: Option<File>,
    bytes_read: Arc<AtomicU64>,
) -> io::Result<Receiver<io::Result<Vec<u8>>>> {
    let (sender, receiver) = sync_channel(BLOCKS_AHEAD);
    let limits = BlockLimits {
        block_bytes: BLOCK_BYTES,
        line_bytes_max: REJECT_BYTES_MAX,
        fill: file.is_some(),
    };
    std::thread::Builder::new().name("file reader".to_owned()).spawn(move || {
        let reader = match file {
            Some(file) => decompress(file, bytes_read),
            None => decompress(io::stdin(), bytes_read),
        };
        let mut blocks = match reader {
            Ok(reader) => LineBlocks::new(reader, limits),
            Err(error) => {
                // Nobody listens once the shipment has stopped.
                sender.send(Err(error)).ok();
                return;
            }
        };
        while let Some(block) = blocks.next_block().transpose() {
            let failed = block.is_err();
            if sender.send(block.map(|block| block.bytes)).is_err() || failed {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// Reads what the files grow by, until stopped.
fn follow(
    feed: &mut Feed<'_>,
    files: &[PathBuf],
    mut bookmarks: Option<&mut Bookmarks>,
) -> Result<(), ShipError> {
    let mut tails = tails(files, bookmarks.as_deref())?;
    loop {
        let mut grown = false;
        for (path, tail) in &mut tails {
            let fail = |source| ShipError::Read { file: path.to_path_buf(), delivered: 0, source };
            let Some(lines) = tail.read(Instant::now()).map_err(fail)? else { continue };
            grown = true;
            feed.progress.bytes_read += lines.len() as u64;
            let (flow, sent) = feed.block(&path.to_string_lossy(), &lines)?;
            if let Some(bookmarks) = bookmarks.as_deref_mut()
                && let Some(place) =
                    tail.place_before_end(lines.len() - sent.bytes).map_err(fail)?
            {
                bookmarks.note(path, place, sent.ticket);
            }
            if flow == Flow::Stop {
                return Ok(());
            }
        }
        if let Some(bookmarks) = bookmarks.as_deref_mut() {
            bookmarks.settle()?;
        }
        let idle = if grown { Duration::ZERO } else { FOLLOW_INTERVAL };
        if feed.wait(idle)? == Flow::Stop {
            return Ok(());
        }
    }
}

/// The files, each where it was left.
fn tails<'a>(
    files: &'a [PathBuf],
    bookmarks: Option<&Bookmarks>,
) -> Result<Vec<(&'a Path, Tail)>, ShipError> {
    let resume = |path: &'a PathBuf| {
        let mut tail = Tail::new(path, ROTATION_GRACE);
        let Some(place) = bookmarks.and_then(|bookmarks| bookmarks.find(path)) else {
            return Ok((path.as_path(), tail));
        };
        let fail = |source| ShipError::Read { file: path.clone(), delivered: 0, source };
        if !tail.resume(&place).map_err(fail)? {
            tracing::warn!(
                file = %path.display(),
                "the file is not the one that was left, nor is that one beside it: it is shipped from its start, and \
                 lines may be missing between the two"
            );
        }
        for passed_over in tail.passed_over().map_err(fail)? {
            tracing::warn!(
                file = %passed_over.display(),
                "rotated more than once since it was left: this one is not shipped, unless by `floodmark ship` without --follow"
            );
        }
        Ok((path.as_path(), tail))
    };
    files.iter().map(resume).collect()
}
