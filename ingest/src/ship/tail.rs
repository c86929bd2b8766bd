//! Follows a growing file across rotation: renamed and made anew, or copied and truncated.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rapidhash::v3::rapidhash_v3;
use serde::{Deserialize, Serialize};

/// Bytes read at once.
const READ_BYTES: u64 = 1 << 20;

/// Bytes at the start of a file by which it is known again: numbers of deleted files are given to new ones.
const HEAD_BYTES: u64 = 256;

/// A place in a file, behind a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Device the file is on.
    device: u64,
    /// Number of the file on it.
    inode: u64,
    /// Bytes before the place.
    offset: u64,
    /// Hash of the first bytes of the file, as far as the place and no further than some.
    head: u64,
}

/// A file that may grow, be renamed, be truncated, or be missing for a while.
///
/// A rotated file is left `grace` after a new one took its name, since its writers may hold it open a little
/// longer. A file that is truncated and grows beyond its old length between two looks cannot be told from
/// one that just grew.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    grace: Duration,
    open: Option<Open>,
    /// The beginning of a line whose end was not written yet.
    half_line: Vec<u8>,
}

#[derive(Debug)]
struct Open {
    file: File,
    device: u64,
    inode: u64,
    offset: u64,
    /// Hash of the first bytes, once the file has as many.
    head: Option<u64>,
    /// When another file was first seen under the name.
    rotated: Option<Instant>,
}

/// What the name stands for now, compared with the file that is open.
enum Now {
    Same,
    Truncated,
    Another,
    Nothing,
}

impl Tail {
    pub(super) fn new(path: &Path, grace: Duration) -> Self {
        Self { path: path.to_owned(), grace, open: None, half_line: Vec::new() }
    }

    /// Goes on at a place, in the file of the name or in one that was renamed since, in the same folder; whether the
    /// place is still there.
    ///
    /// # Errors
    /// Of the file system; a missing file is no error.
    pub(super) fn resume(&mut self, place: &Place) -> io::Result<bool> {
        self.open = Open::at(&self.path, place)?;
        for sibling in siblings(&self.path) {
            if self.open.is_some() {
                break;
            }
            self.open = Open::at(&sibling, place)?;
        }
        Ok(self.open.is_some())
    }

    /// Files that had the name after the one it went on in, and were renamed as well: they will not be read.
    ///
    /// # Errors
    /// Of the file system.
    pub(super) fn passed_over(&self) -> io::Result<Vec<PathBuf>> {
        let Some(open) = &self.open else { return Ok(Vec::new()) };
        let left = open.file.metadata()?.modified()?;
        let name = self.path.file_name().unwrap_or_default().as_encoded_bytes();
        let is_rotated = |path: &PathBuf| {
            let other = path.file_name().unwrap_or_default().as_encoded_bytes();
            let modified = || fs::metadata(path).and_then(|file| file.modified());
            other.len() > name.len()
                && other.starts_with(name)
                && modified().is_ok_and(|modified| modified > left)
        };
        Ok(siblings(&self.path).filter(is_rotated).collect())
    }

    /// The place `bytes` before the end of the lines read so far; `None` when the file they were in is done with.
    ///
    /// # Errors
    /// Of the file system.
    pub(super) fn place_before_end(&mut self, bytes: usize) -> io::Result<Option<Place>> {
        let left = (self.half_line.len() + bytes) as u64;
        self.open.as_mut().map(|open| open.place(open.offset.saturating_sub(left))).transpose()
    }

    /// The next whole lines, or `None` when there are none at the moment.
    ///
    /// # Errors
    /// Of the file system; a missing file is no error.
    pub(super) fn read(&mut self, now: Instant) -> io::Result<Option<Vec<u8>>> {
        loop {
            if self.open.is_none() && !self.open()? {
                return Ok(None);
            }
            if let Some(lines) = self.read_lines()? {
                return Ok(Some(lines));
            }
            let Some(open) = &mut self.open else { return Ok(None) };
            match open.now(&self.path)? {
                Now::Same | Now::Nothing => return Ok(None),
                Now::Truncated => {
                    open.offset = open.file.seek(SeekFrom::Start(0))?;
                    open.head = None;
                }
                Now::Another => {
                    let since = *open.rotated.get_or_insert(now);
                    if now.saturating_duration_since(since) < self.grace {
                        return Ok(None);
                    }
                    self.open = None;
                }
            }
            // What was left of the old content is a line without an end.
            if !self.half_line.is_empty() {
                return Ok(Some(std::mem::take(&mut self.half_line)));
            }
        }
    }

    fn open(&mut self) -> io::Result<bool> {
        match File::open(&self.path) {
            Ok(file) => {
                let metadata = file.metadata()?;
                self.open = Some(Open::new(file, &metadata, 0));
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads on until a line ends.
    fn read_lines(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(open) = &mut self.open else { return Ok(None) };
        loop {
            let searched = self.half_line.len();
            let read = (&open.file).take(READ_BYTES).read_to_end(&mut self.half_line)?;
            open.offset += read as u64;
            if read == 0 {
                return Ok(None);
            }
            let fresh = self.half_line.get(searched..).unwrap_or_default();
            if let Some(end) = memchr::memrchr(b'\n', fresh) {
                let rest = self.half_line.split_off(searched + end + 1);
                return Ok(Some(std::mem::replace(&mut self.half_line, rest)));
            }
        }
    }
}

impl Open {
    fn new(file: File, metadata: &Metadata, offset: u64) -> Self {
        let (device, inode) = identity(metadata);
        Self { file, device, inode, offset, head: None, rotated: None }
    }

    /// A file that was left at that place, if this is the one.
    fn at(path: &Path, place: &Place) -> io::Result<Option<Self>> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if identity(&metadata) != (place.device, place.inode) || metadata.len() < place.offset {
            return Ok(None);
        }
        let mut open = Self::new(File::open(path)?, &metadata, place.offset);
        if open.place(place.offset)? != *place {
            return Ok(None);
        }
        open.file.seek(SeekFrom::Start(place.offset))?;
        Ok(Some(open))
    }

    fn place(&mut self, offset: u64) -> io::Result<Place> {
        let head = match self.head {
            Some(head) if offset >= HEAD_BYTES => head,
            _ => {
                let mut bytes = vec![0; usize::try_from(offset.min(HEAD_BYTES)).unwrap_or(0)];
                self.file.read_exact_at(&mut bytes, 0)?;
                let head = rapidhash_v3(&bytes);
                self.head = (offset >= HEAD_BYTES).then_some(head);
                head
            }
        };
        Ok(Place { device: self.device, inode: self.inode, offset, head })
    }

    fn now(&self, path: &Path) -> io::Result<Now> {
        let named = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Now::Nothing),
            Err(error) => return Err(error),
        };
        Ok(if identity(&named) != (self.device, self.inode) {
            Now::Another
        } else if named.len() < self.offset {
            Now::Truncated
        } else {
            Now::Same
        })
    }
}

/// The files beside one, and it; none where the folder cannot be listed, which may still hold a file that can be read.
fn siblings(file: &Path) -> impl Iterator<Item = PathBuf> {
    let listed = fs::read_dir(folder_of(file)).into_iter().flatten().flatten();
    listed.map(|sibling| sibling.path())
}

/// The folder that a file is in.
pub(super) fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::SystemTime;

    use tempfile::TempDir;

    use super::*;

    struct Fixture {
        folder: TempDir,
        tail: Tail,
        now: Instant,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            let tail = Tail::new(&folder.path().join("log"), Duration::from_secs(2));
            Self { folder, tail, now: Instant::now() }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn append(&self, name: &str, text: &str) {
            let mut file = File::options().append(true).create(true).open(self.path(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        #[track_caller]
        fn check(&mut self, lines: &str) {
            let mut read = Vec::new();
            while let Some(block) = self.tail.read(self.now).unwrap() {
                read.push(String::from_utf8(block).unwrap());
            }
            assert_eq!(read.join("|"), lines);
        }
    }

    #[test]
    fn half_a_line_waits_for_its_end() {
        let mut log = Fixture::new();
        log.check("");
        log.append("log", "a\nb");
        log.check("a\n");
        log.append("log", "b\n");
        log.check("bb\n");
    }

    #[test]
    fn a_renamed_file_is_read_to_its_end_first() {
        let mut log = Fixture::new();
        log.append("log", "a\n");
        log.check("a\n");
        fs::rename(log.path("log"), log.path("log.1")).unwrap();
        log.append("log.1", "b\n");
        log.check("b\n");
        log.append("log", "x\n");
        log.append("log.1", "late\nhalf");
        log.check("late\n");
        log.now += Duration::from_secs(2);
        log.check("half|x\n");
        log.append("log.1", "too late\n");
        log.append("log", "y\n");
        log.check("y\n");
    }

    #[test]
    fn a_file_that_came_and_went_meanwhile_is_named() {
        let mut log = Fixture::new();
        log.append("log", "a\n");
        log.check("a\n");
        let place = log.tail.place_before_end(0).unwrap().unwrap();
        fs::rename(log.path("log"), log.path("log.2")).unwrap();
        log.append("log.1", "b\n");
        log.append("log", "c\n");
        log.append("other", "d\n");
        for (name, age_s) in [("log.2", 2), ("log.1", 1), ("log", 0), ("other", 0)] {
            let modified = SystemTime::now() - Duration::from_secs(age_s);
            let file = File::options().append(true).open(log.path(name)).unwrap();
            file.set_modified(modified).unwrap();
        }
        log.tail = Tail::new(&log.path("log"), Duration::ZERO);
        assert!(log.tail.resume(&place).unwrap());
        assert_eq!(log.tail.passed_over().unwrap(), [log.path("log.1")]);
        log.check("c\n");
        assert_eq!(log.tail.passed_over().unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_truncated_file_is_read_from_its_start() {
        let mut log = Fixture::new();
        log.append("log", "a\nb\n");
        log.check("a\nb\n");
        File::options().write(true).open(log.path("log")).unwrap().set_len(0).unwrap();
        log.append("log", "c\n");
        log.check("c\n");
    }
}
