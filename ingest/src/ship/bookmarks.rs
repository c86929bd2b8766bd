//! Where followed files were left, kept in a file from one shipment to the next.
//!
//! A place is kept once every line before it has been acknowledged by a broker. After a stop the next shipment goes on
//! at the very line; after a crash it sends again what was shipped since the file was last written, a second or so.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::ShipError;
use super::tail::{Place, folder_of};

/// How often the file is written while places move.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// Version of the file's layout.
const VERSION: u32 = 1;

/// Lines of a block of which nothing has been heard yet.
pub(super) type Ticket = Arc<AtomicU64>;

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    files: Vec<Bookmark>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Bookmark {
    topic: String,
    path: PathBuf,
    #[serde(flatten)]
    place: Place,
}

/// The places of all followed files.
#[derive(Debug)]
pub(super) struct Bookmarks {
    file: PathBuf,
    topic: String,
    kept: Kept,
    /// Places whose lines are under way, in the order they were sent.
    pending: VecDeque<(PathBuf, Place, Ticket)>,
    moved: bool,
    saved: Instant,
}

impl Bookmarks {
    /// Those in `file`, none where there is no such file; it is written at once, so that a shipment does not begin
    /// whose places cannot be kept.
    ///
    /// # Errors
    /// [`ShipError::State`] when the file cannot be read or written.
    pub(super) fn open(file: &Path, topic: &str) -> Result<Self, ShipError> {
        let fail = |source| ShipError::State { file: file.to_owned(), source };
        let kept = match fs::read(file) {
            Ok(bytes) => parse(&bytes).map_err(fail)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Kept { version: VERSION, files: Vec::new() }
            }
            Err(error) => return Err(fail(error)),
        };
        let mut bookmarks = Self {
            file: file.to_owned(),
            topic: topic.to_owned(),
            kept,
            pending: VecDeque::new(),
            moved: false,
            saved: Instant::now(),
        };
        bookmarks.save()?;
        Ok(bookmarks)
    }

    /// Where a file was left.
    pub(super) fn find(&self, path: &Path) -> Option<Place> {
        let path = absolute(path);
        let of = |bookmark: &&Bookmark| bookmark.topic == self.topic && bookmark.path == path;
        self.kept.files.iter().find(of).map(|bookmark| bookmark.place)
    }

    /// Notes a place, to be kept once the lines before it have arrived.
    pub(super) fn note(&mut self, path: &Path, place: Place, ticket: Ticket) {
        self.pending.push_back((absolute(path), place, ticket));
    }

    /// Keeps the places all of whose lines have arrived.
    ///
    /// # Errors
    /// [`ShipError::State`] when the file cannot be written.
    pub(super) fn settle(&mut self) -> Result<(), ShipError> {
        while let Some((path, place, ticket)) = self.pending.pop_front() {
            if ticket.load(Ordering::Acquire) > 0 {
                self.pending.push_front((path, place, ticket));
                break;
            }
            self.keep(path, place);
        }
        if self.moved && self.saved.elapsed() >= SAVE_INTERVAL { self.save() } else { Ok(()) }
    }

    /// Keeps what has arrived, now.
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub(super) fn finish(&mut self) -> Result<(), ShipError> {
        self.settle()?;
        if self.moved { self.save() } else { Ok(()) }
    }

    fn keep(&mut self, path: PathBuf, place: Place) {
        self.moved = true;
        let topic = &self.topic;
        let files = &mut self.kept.files;
        match files.iter_mut().find(|kept| kept.topic == *topic && kept.path == path) {
            Some(bookmark) => bookmark.place = place,
            None => files.push(Bookmark { topic: topic.clone(), path, place }),
        }
    }

    fn save(&mut self) -> Result<(), ShipError> {
        self.write().map_err(|source| ShipError::State { file: self.file.clone(), source })?;
        self.moved = false;
        self.saved = Instant::now();
        Ok(())
    }

    /// Writes the file whole beside itself, then puts it in its place.
    fn write(&self) -> io::Result<()> {
        let mut beside = NamedTempFile::new_in(folder_of(&self.file))?;
        serde_json::to_writer_pretty(&mut beside, &self.kept)?;
        beside.as_file().sync_all()?;
        beside.persist(&self.file)?;
        Ok(())
    }
}

fn parse(bytes: &[u8]) -> io::Result<Kept> {
    let kept: Kept = serde_json::from_slice(bytes)?;
    if kept.version == VERSION {
        return Ok(kept);
    }
    let message = format!("it has version {}, not {VERSION}", kept.version);
    Err(io::Error::new(io::ErrorKind::InvalidData, message))
}

/// The same file has one name, from whichever folder it is named.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ship::tail::Tail;

    /// The place behind everything in a file.
    fn end_of(path: &Path) -> Place {
        let mut tail = Tail::new(path, Duration::ZERO);
        while tail.read(Instant::now()).unwrap().is_some() {}
        tail.place_before_end(0).unwrap().unwrap()
    }

    #[test]
    fn a_place_is_kept_once_all_lines_before_it_have_arrived() {
        let folder = tempfile::tempdir().unwrap();
        let (log, state) = (folder.path().join("log"), folder.path().join("state"));
        let open = || Bookmarks::open(&state, "logs").unwrap();
        let mut bookmarks = open();
        fs::write(&log, "a\n").unwrap();
        let first = (end_of(&log), Ticket::new(AtomicU64::new(1)));
        fs::write(&log, "a\nb\n").unwrap();
        let second = (end_of(&log), Ticket::default());
        bookmarks.note(&log, first.0, Arc::clone(&first.1));
        bookmarks.note(&log, second.0, second.1);
        bookmarks.finish().unwrap();
        assert_eq!(open().find(&log), None, "the second place waits for the first");
        first.1.store(0, Ordering::Release);
        bookmarks.finish().unwrap();
        assert_eq!(open().find(&log), Some(second.0));
        assert_eq!(Bookmarks::open(&state, "others").unwrap().find(&log), None);
    }
}
