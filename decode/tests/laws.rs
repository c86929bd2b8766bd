//! What must hold for any input: no panic, nothing lost, and the cut into messages does not matter.

#![cfg(test)]

mod package;
mod support;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use decode::DecoderConfig;
use proptest::prelude::*;
use support::{read_blocks, show};

/// Lines of every format, to be damaged.
fn seeds() -> Vec<Vec<u8>> {
    package::logs()
        .iter()
        .flat_map(|file| {
            let text = std::fs::read(file).unwrap();
            text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()
        })
        .collect()
}

/// A line of some format with a few bytes replaced, inserted or cut away.
fn damaged_line() -> impl Strategy<Value = Vec<u8>> {
    let byte =
        prop_oneof![Just(b'"'), Just(b'\\'), Just(b'{'), Just(b' '), Just(b'['), any::<u8>()];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, byte), 0..4);
    (prop::sample::select(seeds()), edits).prop_map(|(mut line, edits)| {
        for (at, kind, byte) in edits {
            if line.is_empty() {
                break;
            }
            let at = at.index(line.len());
            match kind {
                0 => line[at] = byte,
                1 => line.insert(at, byte),
                2 => line.truncate(at),
                _ => drop(line.remove(at)),
            }
        }
        line
    })
}

fn damaged_text() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(damaged_line(), 0..20).prop_map(|lines| lines.join(&b'\n'))
}

fn format() -> impl Strategy<Value = &'static str> {
    let names: Vec<_> = decode::Format::names().filter(|name| *name != "json").collect();
    prop::sample::select(names)
}

/// Whether a line may be a part of one, which is a row or a reject where it ends.
fn may_be_part(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let has = |part: &[u8]| line.windows(part.len()).any(|window| window == part);
    let is_json = matches!(line, [b'{' | b'[' | b']' | b'}' | b'"', ..]);
    // A number or a word may be one of a list, and several have a comma before each blank.
    let is_list = line.windows(2).all(|pair| pair[1] != b' ' || pair[0] == b',');
    is_json || is_list || has(b" P ") || has(b" F ")
}

/// Line and index of every row and reject, in order.
fn places(batches: &[schemas::PositionedBatch]) -> Vec<(i64, i32)> {
    let mut places = Vec::new();
    for batch in batches {
        for table in [batch.requests.record_batch(), &batch.rejects] {
            let line = table.column_by_name("topic_offset").unwrap().as_primitive::<Int64Type>();
            let index = table.column_by_name("record_index").unwrap().as_primitive::<Int32Type>();
            places.extend(line.values().iter().copied().zip(index.values().iter().copied()));
        }
    }
    places.sort_unstable();
    places
}

/// Cuts between lines only, as sources do.
fn blocks(text: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut.index(lines.len() + 1)).collect();
    bounds.extend([0, lines.len()]);
    bounds.sort_unstable();
    let blocks = bounds.windows(2).map(|pair| lines[pair[0]..pair[1]].concat());
    blocks.filter(|block| !block.is_empty() || text.is_empty()).collect()
}

/// One record with its keys in any order, keys nobody asked for in between, and any spacing.
fn json_line() -> impl Strategy<Value = String> {
    let known = [
        r#""EdgeEndTimestamp":"2024-05-01T12:00:00Z""#,
        r#""ClientIP":"192.0.2.1""#,
        r#""ClientRequestMethod":"GET""#,
        r#""ClientRequestHost":"a.example""#,
        r#""ClientRequestURI":"/p?q""#,
        r#""EdgeResponseStatus":200"#,
        r#""ClientRequestUserAgent":"a \"b\" \\""#,
    ];
    let unknown = [
        r#""Cookies":{"ClientIP":"198.51.100.1","x":["}",{}]}"#,
        r#""BotTags":["ClientIP"]"#,
        r#""X\"ClientIP":"198.51.100.2""#,
        r#""WorkerSubrequest":false"#,
    ];
    let some = prop::sample::subsequence(unknown.to_vec(), 0..=unknown.len());
    (some, prop::sample::select(vec![",", " , ", ",\t"]))
        .prop_flat_map(move |(some, comma)| {
            let keys: Vec<&str> = known.iter().copied().chain(some).collect();
            (Just(keys).prop_shuffle(), Just(comma))
        })
        .prop_map(|(keys, comma)| format!("{{{}}}", keys.join(comma)))
}

proptest! {
    #[test]
    fn every_line_is_a_row_or_a_reject(text in damaged_text(), format in format()) {
        let (batches, _) = read_blocks(&DecoderConfig::of(format), [&*text]);
        // A list of records is as many of them, numbered from 0.
        let places = places(&batches);
        let firsts = places.iter().filter(|(_, index)| *index == 0).map(|(line, _)| *line);
        let has_place = |number: &i64| places.contains(&(*number, 0));
        let lines = (1..).zip(text.split(|byte| *byte == b'\n'));
        let lines = lines
            .filter(|(_, line)| !line.trim_ascii().is_empty() && !line.starts_with(b"#"))
            .filter(|(number, line)| has_place(number) || !may_be_part(line))
            .map(|(number, _)| number);
        prop_assert!(firsts.eq(lines));
        let follows = |pair: &[(i64, i32)]| {
            let [(line, index), next] = pair else { return false };
            // Below 0 is what the end of the file shows to have no end.
            *next == (*line, index + 1) || (next.0 > *line && next.1 <= 0)
        };
        prop_assert!(places.windows(2).all(follows));

        let newlines = text.split(|byte| *byte == b'\n').count() - 1;
        let unended = usize::from(text.last().is_some_and(|byte| *byte != b'\n'));
        let next = i64::try_from(1 + newlines + unended).unwrap();
        prop_assert_eq!(batches.last().map(|batch| batch.next_position), Some(next));
    }

    #[test]
    fn rejects_hold_their_line_whole(text in damaged_text(), format in format()) {
        let (batches, _) = read_blocks(&DecoderConfig::of(format), [&*text]);
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let places = places(&batches);
        let is_alone = |line| !places.contains(&(line, 1));
        for batch in batches {
            let rejects = batch.rejects;
            let numbers = rejects.column_by_name("topic_offset").unwrap();
            let numbers = numbers.as_primitive::<Int64Type>();
            let raw = rejects.column_by_name("raw").unwrap().as_binary::<i32>();
            for row in 0..rejects.num_rows() {
                let number = usize::try_from(numbers.value(row)).unwrap();
                let line = lines.get(number - 1).copied().unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let (raw, is_alone) = (raw.value(row), is_alone(numbers.value(row)));
                // What waited in vain has the place of the line that showed it.
                let is_end = |line: &&[u8]| !line.is_empty() && raw.ends_with(line.trim_ascii());
                let is_joined =
                    lines.iter().take(number).any(|line| may_be_part(line) && is_end(line));
                prop_assert!(!is_alone || raw == line || is_joined);
            }
        }
    }

    #[test]
    fn cuts_into_messages_change_nothing(
        text in damaged_text(),
        format in format(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let config = DecoderConfig::of(format);
        let (whole, chosen) = read_blocks(&config, [&*text]);
        let blocks = blocks(&text, &cuts);
        let (cut, chosen_cut) = read_blocks(&config, blocks.iter().map(Vec::as_slice));
        prop_assert_eq!(show(&whole), show(&cut));
        prop_assert_eq!(chosen, chosen_cut);
    }

    #[test]
    fn the_order_of_json_keys_changes_nothing(orders in prop::collection::vec(json_line(), 1..8)) {
        let text = orders.join("\n");
        let (batches, _) = read_blocks(&DecoderConfig::of("cloudflare"), [text.as_bytes()]);
        let rows = show(&batches);
        let mut lines = rows.lines().map(|line| line.split_once(' ').unwrap().1);
        let first = lines.next().unwrap();
        prop_assert!(first.contains("host=\"a.example\" path=\"/p\" query=\"q\""), "{first}");
        for line in lines {
            prop_assert_eq!(line, first);
        }
    }

    #[test]
    fn any_bytes_are_survived(text in prop::collection::vec(any::<u8>(), 0..400), format in format()) {
        read_blocks(&DecoderConfig::of(format), [&*text]);
    }
}
