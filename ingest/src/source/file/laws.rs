//! The law of resuming: however often reading stops, every line of every file is read once.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tempfile::TempDir;

use super::FileSource;
use crate::source::{Polled, Positions, Source};
use decode::message::RawMessage;

/// Lines by partition, in the order they came.
type Read = BTreeMap<Arc<str>, Vec<String>>;

/// Reads at most `blocks` blocks and commits them; true at the end of the input.
fn read_some(files: &[PathBuf], tables: &mut Positions, blocks: usize, read: &mut Read) -> bool {
    let mut source = FileSource::open_in_blocks(files, tables.clone(), 8).unwrap();
    let mut moved = Positions::new();
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut taken = 0;
    let mut at_end = false;
    while taken < blocks && !at_end {
        assert!(Instant::now() < deadline, "the source never ends");
        let polled = source.poll(Duration::from_secs(5), &mut |message: &RawMessage<'_>| {
            let lines = read.entry(Arc::clone(message.partition)).or_default();
            assert_eq!(i64::try_from(lines.len()).unwrap() + 1, message.offset);
            lines.extend(std::str::from_utf8(message.payload).unwrap().lines().map(str::to_owned));
            let next = i64::try_from(lines.len()).unwrap() + 1;
            moved.insert(Arc::clone(message.partition), next);
        });
        match polled.unwrap() {
            Polled::Messages(_) => taken += 1,
            Polled::End => at_end = true,
            _ => {}
        }
    }
    let proofs = source.proofs(&moved);
    assert_eq!(proofs.len(), moved.len());
    tables.extend(moved);
    tables.extend(proofs);
    at_end
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_line_is_read_once(
        texts in prop::collection::vec("((a|b|#c|abcdefghijkl|)\n){0,9}", 1..5),
        stops in prop::collection::vec(1_usize..5, 0..6),
    ) {
        // The beginning of a longer file cannot be told from another file.
        let is_beginning = |text: &String| {
            !text.is_empty() && texts.iter().any(|t| t.len() > text.len() && t.starts_with(text))
        };
        prop_assume!(!texts.iter().any(is_beginning));
        let folder = TempDir::new().unwrap();
        let mut files = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            let path = folder.path().join(number.to_string());
            fs::write(&path, text).unwrap();
            files.push(path);
        }
        let (mut tables, mut read) = (Positions::new(), Read::new());
        let mut stops = stops.into_iter();
        while !read_some(&files, &mut tables, stops.next().unwrap_or(usize::MAX), &mut read) {}

        let texts: Vec<Vec<&str>> = texts.iter().map(|text| text.lines().collect()).collect();
        for text in &texts {
            let held = read.values().any(|lines| lines.iter().zip(text).all(|(l, t)| l == t)
                && lines.len() >= text.len());
            prop_assert!(held || text.is_empty(), "{text:?} is not in {read:?}");
        }
        for lines in read.values() {
            prop_assert!(texts.iter().any(|text| text == lines), "{lines:?} is no file");
        }
        let lines_before: usize = read.values().map(Vec::len).sum();
        prop_assert!(read_some(&files, &mut tables, usize::MAX, &mut read));
        prop_assert_eq!(read.values().map(Vec::len).sum::<usize>(), lines_before);
    }
}
