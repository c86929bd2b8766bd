//! Files are read once: whole, grown, renamed, packed, and beside others that begin alike.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes literals so")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::FileSource;
use crate::source::{Polled, Positions, Source, SourceError};
use decode::message::RawMessage;

/// What the tables would hold.
#[derive(Default)]
struct Tables {
    positions: Positions,
    attempts: Positions,
    /// `partition-number line-number line`, in order of arrival.
    lines: Vec<String>,
    events: Vec<String>,
    names: Vec<Arc<str>>,
}

impl Tables {
    fn number(&mut self, partition: &Arc<str>) -> usize {
        self.names.iter().position(|name| name == partition).unwrap_or_else(|| {
            self.names.push(Arc::clone(partition));
            self.names.len() - 1
        })
    }

    /// Reads `files` to the end and commits.
    fn scan(&mut self, files: &[PathBuf]) -> Result<(), SourceError> {
        let (read, proofs) = self.read(files)?;
        self.positions.extend(read);
        self.positions.extend(proofs);
        Ok(())
    }

    /// Reads `files` to the end and dies before they are committed.
    fn die(&mut self, files: &[PathBuf]) -> Result<(), SourceError> {
        let (read, proofs) = self.read(files)?;
        self.attempts.extend(read);
        self.attempts.extend(proofs);
        Ok(())
    }

    /// Reads `files` to the end: positions and proofs.
    fn read(&mut self, files: &[PathBuf]) -> Result<(Positions, Positions), SourceError> {
        let mut source = FileSource::open(files, self.positions.clone())?;
        source.recall(self.attempts.clone());
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut read = Positions::new();
        loop {
            assert!(Instant::now() < deadline, "the source never ends");
            let mut taken = Vec::new();
            let polled = source.poll(Duration::from_secs(5), &mut |message: &RawMessage<'_>| {
                taken.push((
                    Arc::clone(message.partition),
                    message.offset,
                    message.payload.to_vec(),
                ));
            })?;
            for (partition, first, payload) in taken {
                let number = self.number(&partition);
                let text = String::from_utf8(payload).unwrap();
                for (line, at) in text.lines().zip(first..) {
                    let shown: String = line.chars().take(20).collect();
                    self.lines.push(format!("{number} {at} {shown}"));
                    read.insert(Arc::clone(&partition), at + 1);
                }
            }
            let event = match polled {
                Polled::Messages(_) | Polled::Idle => continue,
                Polled::End => break,
                Polled::PartitionsAssigned(names) => {
                    let numbers: Vec<_> = names.iter().map(|name| self.number(name)).collect();
                    format!("assigned {numbers:?}")
                }
                Polled::LinesSkipped { partition, lines, .. } => {
                    format!("skipped {lines} of {}", self.number(&partition))
                }
                Polled::PartitionEnd(name) => format!("end {}", self.number(&name)),
                Polled::PartitionFailed(_, error) => error.to_string(),
                other => format!("{other:?}"),
            };
            self.events.push(event);
        }
        let proofs = source.proofs(&read);
        assert_eq!(proofs.len(), read.len());
        source.commit(&read);
        assert!(source.proofs(&read).is_empty());
        Ok((read, proofs))
    }

    fn check(&mut self, expect: &Expect) {
        let told = [std::mem::take(&mut self.lines), std::mem::take(&mut self.events)].concat();
        expect.assert_eq(&(told.join("\n") + "\n"));
    }
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

#[test]
fn a_file_goes_on_where_it_was_left() {
    let folder = Folder::new();
    let mut tables = Tables::default();
    let log = folder.write("access.log", "# comment\na\n\nb\n");
    tables.scan(std::slice::from_ref(&log)).unwrap();
    tables.check(&expect![[r#"
        0 1 # comment
        0 2 a
        0 3 
        0 4 b
        assigned [0]
        end 0
    "#]]);
    folder.write("access.log", "# comment\na\n\nb\nc\nd");
    tables.scan(std::slice::from_ref(&log)).unwrap();
    tables.check(&expect![[r#"
        0 5 c
        0 6 d
        assigned [0]
        skipped 4 of 0
        end 0
    "#]]);
    tables.scan(&[log]).unwrap();
    tables.check(&expect![[r#"
        assigned [0]
        skipped 6 of 0
        end 0
    "#]]);
}

#[test]
fn a_renamed_and_packed_file_is_the_same() {
    let folder = Folder::new();
    let mut tables = Tables::default();
    let text = "a\nb\nc\n";
    tables.scan(&[folder.write("access.log", text)]).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = folder.write("access.log.1.gz", gzip.finish().unwrap());
    let zstd = folder.write("access.log.2", zstd::encode_all(&b"a\nb\nc\nd\n"[..], 1).unwrap());
    tables.lines.clear();
    tables.events.clear();
    tables.scan(&[gzip, zstd]).unwrap();
    tables.check(&expect![[r#"
        0 4 d
        assigned [0]
        skipped 3 of 0
        skipped 3 of 0
        end 0
    "#]]);
}

#[test]
fn files_that_begin_alike_are_told_apart() {
    let folder = Folder::new();
    let mut tables = Tables::default();
    let one = folder.write("one", "same\nb\n");
    let two = folder.write("two", "same\nc\n");
    let short = folder.write("short", "same\n");
    tables.scan(&[one.clone(), two.clone(), short.clone()]).unwrap();
    tables.check(&expect![[r#"
        0 1 same
        0 2 b
        1 1 same
        1 2 c
        2 1 same
        assigned [0]
        assigned [1]
        end 0
        assigned [2]
        end 1
        end 2
    "#]]);
    tables.scan(&[two, short, one]).unwrap();
    tables.check(&expect![[r#"
        assigned [1]
        skipped 2 of 1
        assigned [2]
        end 1
        skipped 1 of 2
        assigned [0]
        end 2
        skipped 2 of 0
        end 0
    "#]]);
}

#[test]
fn a_file_whose_scan_died_is_known_again_and_another_is_not_taken_for_it() {
    let folder = Folder::new();
    let mut tables = Tables::default();
    let one = folder.write("one", "same\nb\nc\n");
    let two = folder.write("two", "same\nx\ny\n");
    tables.die(std::slice::from_ref(&one)).unwrap();
    tables.check(&expect![[r#"
        0 1 same
        0 2 b
        0 3 c
        assigned [0]
        end 0
    "#]]);
    tables.scan(std::slice::from_ref(&two)).unwrap();
    tables.check(&expect![[r#"
        1 1 same
        1 2 x
        1 3 y
        assigned [1]
        end 1
    "#]]);
    let grown = folder.write("one.1", "same\nb\nc\nd\n");
    tables.scan(&[grown]).unwrap();
    tables.check(&expect![[r#"
        0 1 same
        0 2 b
        0 3 c
        0 4 d
        assigned [0]
        end 0
    "#]]);
    tables.scan(&[two]).unwrap();
    tables.check(&expect![[r#"
        assigned [1]
        skipped 3 of 1
        end 1
    "#]]);
}

#[test]
fn a_line_that_grew_after_it_was_read_is_no_other_file() {
    let folder = Folder::new();
    let mut tables = Tables::default();
    tables.scan(&[folder.write("log", "a\nhal")]).unwrap();
    tables.check(&expect![[r#"
        0 1 a
        0 2 hal
        assigned [0]
        end 0
    "#]]);
    tables.scan(&[folder.write("log", "a\nhalf\nc\n")]).unwrap();
    tables.check(&expect![[r#"
        0 3 c
        assigned [0]
        skipped 2 of 0
        end 0
    "#]]);
}

#[test]
fn the_names_of_the_fields_come_again() {
    let folder = Folder::new();
    let mut tables = Tables::default();
    let text = "#Fields: old\na\n#Fields: date cs-uri\nb\nnot #Fields: x\n";
    tables.scan(&[folder.write("log", text)]).unwrap();
    tables.lines.clear();
    tables.events.clear();
    tables.scan(&[folder.write("log", text.to_owned() + "c\n")]).unwrap();
    tables.check(&expect![[r#"
        0 5 #Fields: date cs-uri
        0 6 c
        assigned [0]
        skipped 5 of 0
        end 0
    "#]]);
}

#[test]
fn a_torn_file_gives_what_can_be_read() {
    let folder = Folder::new();
    let text: String = (0..200_000_u64)
        .flat_map(|i| [(i * i * 0x9e37_79b9).to_string(), "\n".to_owned()])
        .collect();
    let whole = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let torn = folder.write("torn.zst", &whole[..whole.len() / 2]);
    let mut tables = Tables::default();
    let other = folder.write("other", "x\n");
    tables.scan(&[torn, other]).unwrap();
    let error = tables.events.iter().find(|event| event.starts_with("cannot read")).unwrap();
    assert!(error.contains("torn.zst"), "{error}");
    let lines = tables.lines.len();
    assert!(lines > 50_000, "{lines}");
    tables.scan(&[folder.write("whole.zst", &whole)]).unwrap();
    assert_eq!(tables.lines.len(), 200_001);
}

#[test]
fn a_pipe_cannot_be_read_twice() {
    let folder = Folder::new();
    let mut tables = Tables::default();
    tables.scan(&[folder.write("log", "a\nb\n")]).unwrap();
    let pipe = |text: &[u8]| {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(text).unwrap();
        let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
        (reader, PathBuf::from(path))
    };
    tables.events.clear();
    let (_keep, path) = pipe(b"a\nb\nc\n");
    tables.scan(&[path]).unwrap();
    assert_eq!(tables.lines.last().unwrap(), "0 3 c");
    let (_keep, path) = pipe(b"a\nother\nc\n");
    tables.scan(&[path]).unwrap();
    let error = tables.events.last().unwrap();
    assert!(error.contains("cannot be read twice"), "{error}");
}

#[test]
fn long_lines_pass_whole() {
    let folder = Folder::new();
    let long = vec![b'x'; 100 << 20];
    let file = folder.write("long", [&b"a\n"[..], &long, b"\nb\n"].concat());
    let mut source = FileSource::open(&[file], Positions::new()).unwrap();
    let mut lengths = Vec::new();
    let mut offsets = Vec::new();
    loop {
        let polled = source.poll(Duration::from_mins(1), &mut |message: &RawMessage<'_>| {
            lengths.extend(message.payload.split(|byte| *byte == b'\n').map(<[u8]>::len));
            offsets.push(message.offset);
        });
        if let Polled::End = polled.unwrap() {
            break;
        }
    }
    lengths.retain(|length| *length > 0);
    assert_eq!(lengths, [1, 100 << 20, 1]);
    assert_eq!(source.progress().read, source.progress().total.unwrap());
}

#[test]
fn a_paused_file_waits() {
    let folder = Folder::new();
    let mut source = FileSource::open(&[folder.write("log", "a\n")], Positions::new()).unwrap();
    let nothing = &mut |_: &RawMessage<'_>| {};
    let Polled::PartitionsAssigned(names) = source.poll(Duration::from_secs(5), nothing).unwrap()
    else {
        panic!("the partition comes first")
    };
    source.set_paused(&names[0], true).unwrap();
    assert!(matches!(source.poll(Duration::ZERO, nothing), Ok(Polled::Idle)));
    source.set_paused(&names[0], false).unwrap();
    assert!(matches!(source.poll(Duration::from_secs(5), nothing), Ok(Polled::Messages(1))));
}

#[test]
fn many_files_are_read_in_their_turn() {
    let folder = Folder::new();
    let files: Vec<_> =
        (0..300).map(|i| folder.write(&format!("{i}"), format!("{i}\n{i}\n"))).collect();
    let mut tables = Tables::default();
    tables.scan(&files).unwrap();
    assert_eq!(tables.lines.len(), 600);
}

#[test]
fn what_cannot_be_opened_is_named() {
    let folder = Folder::new();
    let missing = folder.0.path().join("missing");
    let error = FileSource::open(&[missing], Positions::new()).unwrap_err().to_string();
    assert!(error.ends_with("/missing`: No such file or directory (os error 2)"), "{error}");
    let error = FileSource::open(&[folder.0.path().into()], Positions::new()).unwrap_err();
    assert!(error.to_string().ends_with(": is a directory"), "{error}");
    let mut tables = Tables::default();
    tables.scan(&[folder.write("empty", "")]).unwrap();
    tables.check(&expect![[r#"
        assigned [0]
        end 0
    "#]]);
}
