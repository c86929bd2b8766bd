//! One file as the source sees it: its reader's messages, its partition, and where its blocks ended.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use schemas::limits::REJECT_BYTES_MAX;

use super::identity::Known;
use super::lines::BlockLimits;
use super::reader::{FromReader, Outlet, Reader, STDIN};
use crate::source::SourceError;

/// A file that can be read.
#[derive(Debug)]
pub(super) struct Opened {
    pub path: PathBuf,
    /// `None` for standard input, and for a file to be opened in its turn.
    pub file: Option<File>,
}

/// How much of a file may be read ahead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub block_bytes: usize,
    pub blocks: usize,
}

/// One file being read.
#[derive(Debug)]
pub(super) struct Input {
    pub name: String,
    pub state: State,
    from_reader: Receiver<FromReader>,
    to_reader: SyncSender<Known>,
    pub bytes_read: Arc<AtomicU64>,
    pub partition: Arc<str>,
    /// Name that the first data line gives, without a number.
    pub base_name: String,
    /// Whether it can be read from its start once more.
    pub(super) can_reread: bool,
    pub paused: bool,
    /// Where the last block ended: line and proof.
    pub last_mark: Option<(i64, i64)>,
    /// Where blocks not yet committed ended.
    pub marks: VecDeque<(i64, i64)>,
}

/// Where an input is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Looking for the first data line, or passing over lines.
    Opening,
    /// Begins like a file that is being read: waits until that one has ended.
    Deferred,
    /// Resolved.
    Reading,
    /// Read to the end, or failed.
    Ended,
}

impl Input {
    /// Starts the thread that reads `opened` and rings `bell` for everything it sends.
    pub(super) fn begin(
        opened: Opened,
        room: Room,
        bell: &SyncSender<()>,
    ) -> Result<Self, SourceError> {
        let (to_source, from_reader) = sync_channel(room.blocks);
        let (to_reader, known) = sync_channel(1);
        let bytes_read = Arc::new(AtomicU64::new(0));
        let name = opened.path.to_string_lossy().into_owned();
        let can_reread = name != STDIN && is_regular(opened.file.as_ref());
        let reader = Reader {
            limits: BlockLimits {
                block_bytes: room.block_bytes,
                line_bytes_max: REJECT_BYTES_MAX,
                fill: can_reread,
            },
            path: opened.path.clone(),
            name: name.clone(),
            bytes_read: Arc::clone(&bytes_read),
            outlet: Outlet { to_source, bell: bell.clone() },
            known,
        };
        std::thread::Builder::new()
            .name("file reader".to_owned())
            .spawn(move || reader.run(opened.file))
            .map_err(|source| SourceError::Open { file: opened.path, source })?;
        Ok(Self {
            partition: name.as_str().into(),
            name,
            state: State::Opening,
            from_reader,
            to_reader,
            bytes_read,
            base_name: String::new(),
            can_reread,
            paused: false,
            last_mark: None,
            marks: VecDeque::new(),
        })
    }

    /// Tells the reader what the tables know of its first data line.
    pub(super) fn answer(&self, known: Known) {
        // A reader that is gone has said why: that is read next.
        self.to_reader.send(known).ok();
    }

    /// What the reader has to say, if anything.
    pub(super) fn try_recv(&self) -> Option<FromReader> {
        match self.from_reader.try_recv() {
            Ok(said) => Some(said),
            Err(TryRecvError::Empty) => None,
            // The thread died without a word.
            Err(TryRecvError::Disconnected) => Some(FromReader::Failed(SourceError::Read {
                file: self.name.clone(),
                line: self.last_mark.map_or(0, |(next_line, _)| next_line - 1),
                source: io::Error::other("its reader stopped"),
            })),
        }
    }
}

/// Opens a file, and says how long it is if that can be known.
pub(super) fn open(path: &Path) -> io::Result<(Option<File>, Option<u64>)> {
    if path.as_os_str() == STDIN {
        return Ok((None, None));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok((Some(file), metadata.is_file().then_some(metadata.len())))
}

/// Whether reads of it come back full.
fn is_regular(file: Option<&File>) -> bool {
    file.is_none_or(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()))
}
