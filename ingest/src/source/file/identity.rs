//! How a file is known again: by its first data line, and by a hash of the lines already read.
//!
//! A name or an inode would not do: rotation renames, compression rewrites. The hashes are not keyed,
//! since they must be the same in every run; who can write the log files can make two collide, and gains
//! no more than by leaving lines out.

use std::collections::BTreeSet;
use std::sync::Arc;

use rapidhash::v3::{RapidSecrets, RapidStreamHasherV3, rapidhash_v3_seeded};

use crate::source::Positions;

static CONTENT: RapidSecrets = RapidSecrets::seed(0);
static FIRST_LINE_LOW: RapidSecrets = RapidSecrets::seed(1);
static FIRST_LINE_HIGH: RapidSecrets = RapidSecrets::seed(2);

/// Bytes of the first data line that count.
const FIRST_LINE_BYTES: usize = 64 << 10;

/// What the partition names of files begin with.
const OF_FILES: &str = "file/";

/// Digits of the hash behind it.
const HASH_DIGITS: usize = 32;

/// The partition name that the first data line gives: `file/` and 128 bits of hash.
pub(super) fn partition_name(first_line: &[u8]) -> String {
    let line = first_line.get(..FIRST_LINE_BYTES).unwrap_or(first_line);
    let high = rapidhash_v3_seeded(line, &FIRST_LINE_HIGH);
    let low = rapidhash_v3_seeded(line, &FIRST_LINE_LOW);
    format!("{OF_FILES}{high:016x}{low:016x}")
}

/// A name for a set of files, whatever their order: letters and digits.
pub(super) fn set_name<'a>(partitions: impl Iterator<Item = &'a str>) -> String {
    let files: BTreeSet<&str> = partitions.collect();
    let joined: Vec<&str> = files.into_iter().collect();
    partition_name(joined.join(" ").as_bytes()).trim_start_matches(OF_FILES).to_owned()
}

/// Whether a partition is of a file, perhaps of one that begins like another. A topic may be called `file`: its partitions have
/// numbers of fewer digits.
pub(super) fn is_of_file(partition: &str) -> bool {
    let hash = partition.strip_prefix(OF_FILES).and_then(|name| name.get(..HASH_DIGITS));
    hash.is_some_and(|hash| hash.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// The first line of `block` that is neither blank nor a comment (`#`), without its line end.
pub(super) fn first_data_line(block: &[u8]) -> Option<&[u8]> {
    block
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .find(|line| !line.trim_ascii_start().is_empty() && line.first() != Some(&b'#'))
}

/// Name of the position that carries the content hash of `partition`.
pub(super) fn proof_name(partition: &str) -> Arc<str> {
    format!("{partition}/content").into()
}

/// The running hash of the lines read so far.
pub(super) struct Content(RapidStreamHasherV3<'static>);

impl Content {
    pub(super) fn new() -> Self {
        Self(RapidStreamHasherV3::new(&CONTENT))
    }

    /// Adds lines that have their line end.
    pub(super) fn add(&mut self, lines: &[u8]) {
        self.0.write(lines);
    }

    /// The hash as a position can carry it: 62 bits, and in the lowest bit whether the line before the
    /// position had no line end (and so is left out of the hash, since it may yet grow).
    pub(super) fn proof(&self, open_line: bool) -> i64 {
        let bits = (self.0.finish() >> 2 << 1) | u64::from(open_line);
        bits.cast_signed()
    }
}

/// A place in a file, and what proves the lines before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Number of the next line.
    pub next_line: i64,
    /// [`Content::proof`] at `next_line`; `None` where it is not known: then the first line must do.
    pub proof: Option<i64>,
}

impl Place {
    const START: Self = Self { next_line: 1, proof: None };

    fn of(partition: &str, positions: &Positions) -> Option<Self> {
        let next_line = positions.get(partition).copied()?;
        let proof = positions.get(&proof_name(partition)).copied();
        Some(Self { next_line, proof })
    }

    /// Whether the last line before `next_line` had no line end when it was read.
    pub(super) fn open_line(&self) -> bool {
        self.proof.is_some_and(|proof| proof & 1 == 1)
    }

    /// Lines that the proof covers.
    pub(super) fn lines_proven(&self) -> i64 {
        self.next_line - 1 - i64::from(self.open_line())
    }
}

/// A file that was read before, and that begins with the same data line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Its partition.
    pub partition: Arc<str>,
    /// How far it was read.
    pub read: Place,
    /// How far the tables hold it; less where a scan died before it had committed all.
    pub held: Place,
}

/// What is known about files that begin with one data line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Those that were read, shortest first.
    pub candidates: Vec<Candidate>,
    /// The name of the next one.
    pub fresh: Arc<str>,
}

/// Looks up `name`, `name-2`, `name-3` … in the `positions` of the tables and in those of `attempts` that came to nothing.
pub(super) fn known(name: &str, positions: &Positions, attempts: &Positions) -> Known {
    let mut candidates = Vec::new();
    let mut partition: Arc<str> = name.into();
    for number in 2_u64.. {
        let held = Place::of(&partition, positions);
        let tried = Place::of(&partition, attempts);
        let further = |place: &Place| held.is_none_or(|held| place.next_line > held.next_line);
        let Some(read) = tried.filter(further).or(held) else { break };
        let held = held.unwrap_or(Place::START);
        let next = format!("{name}-{number}").into();
        let partition = std::mem::replace(&mut partition, next);
        if read != held && held != Place::START {
            // It may have been cut or changed behind what the tables hold.
            candidates.push(Candidate { partition: Arc::clone(&partition), read: held, held });
        }
        candidates.push(Candidate { partition, read, held });
    }
    candidates.sort_by_key(|candidate| candidate.read.lines_proven());
    Known { candidates, fresh: partition }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_data_line_is_neither_blank_nor_a_comment() {
        assert_eq!(first_data_line(b"#Version: 1\n\n  \r\nx y\r\nz"), Some(&b"x y"[..]));
        assert_eq!(first_data_line(b"# only\n"), None);
    }

    #[test]
    fn names_and_proofs_never_change() {
        assert_eq!(partition_name(b"203.0.113.7"), "file/f88738764a94d92263b46e33c1571e47");
        assert!(is_of_file(&partition_name(b"203.0.113.7")) && !is_of_file("file/0"));
        let mut content = Content::new();
        content.add(b"a\n");
        content.add(b"b\n");
        assert_eq!(content.proof(true) - content.proof(false), 1);
        assert_eq!(content.proof(false), 9_202_179_254_771_131_788);
    }

    #[test]
    fn files_that_begin_alike_are_numbered() {
        let positions: Positions =
            [("f", 9), ("f/content", 6), ("f-2", 5)].map(|(name, at)| (name.into(), at)).into();
        let lines = |known: &Known| -> Vec<(String, i64, i64)> {
            let line =
                |c: &Candidate| (c.partition.to_string(), c.read.next_line, c.held.next_line);
            known.candidates.iter().map(line).collect()
        };
        let held = known("f", &positions, &Positions::new());
        assert_eq!(&*held.fresh, "f-3");
        assert_eq!(lines(&held), [("f-2".into(), 5, 5), ("f".into(), 9, 9)]);
        let attempts: Positions =
            [("f", 7), ("f-2", 20), ("f-3", 4)].map(|(name, at)| (name.into(), at)).into();
        let tried = known("f", &positions, &attempts);
        assert_eq!(&*tried.fresh, "f-4");
        let expected =
            [("f-3".into(), 4, 1), ("f-2".into(), 5, 5), ("f".into(), 9, 9), ("f-2".into(), 20, 5)];
        assert_eq!(lines(&tried), expected);
    }
}
