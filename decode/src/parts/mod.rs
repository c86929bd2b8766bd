//! Lines that are one in several: what container runtimes cut, and JSON written over many lines.
//!
//! ```text
//! 2024-05-01T12:00:00Z stdout P 192.0.2.1 - - [01/May/…          {
//! 2024-05-01T12:00:00Z stdout F … "curl/8.5.0"                     "status": 200
//!                                                                }
//! ```
//!
//! Parts of a line follow each other in their stream, standard output or errors; lines of the other stream may stand
//! between. What is waited for is part of what was learnt of a partition, so that a restart loses nothing of it. A
//! joined line has the place of its last part; what is given up has the place of the line that showed it to be alone, in
//! front of that one.

mod lists;

use serde::{Deserialize, Serialize};

use super::envelope::split_time;
use super::json::string_in;
pub(super) use lists::{is_end_of_list, object_of_list, without_head, without_list_bracket};

/// Bytes at the start of a line among which a container runtime's mark of a part stands.
const MARK_BYTES: usize = 64;

/// Bytes at the end of a line of Docker's in which its stream and time stand.
const DOCKER_TAIL_BYTES: usize = 512;

/// What Docker's lines begin with.
const DOCKER_HEAD: &str = "{\"log\":\"";

/// What stands before their text and behind it. Programs that wrote them anew put blanks behind the colons.
const DOCKER: [(&str, &str); 2] =
    [(DOCKER_HEAD, "\",\"stream\":\"std"), ("{\"log\": \"", "\", \"stream\": \"std")];

/// Deepest nesting of JSON over many lines.
const DEPTH_MAX: usize = 64;

/// Beginnings that wait for their ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parts {
    stdout: Option<Begun>,
    stderr: Option<Begun>,
    /// JSON over many lines.
    block: Option<Block>,
    /// Lines of several containers are mixed here, so that parts cannot be told to belong together.
    is_mixed: bool,
    /// Something waits: asked for each line.
    #[serde(skip)]
    is_waiting: bool,
}

/// The beginning of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    pub(super) text: String,
    /// It is the text of a JSON string.
    pub(super) is_json: bool,
}

/// The beginning of a value of JSON, its lines joined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block {
    pub(super) text: String,
    /// Brackets that are open.
    open: String,
}

/// Which stream of a container a line is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Standard,
    Errors,
}

/// A line of a container runtime, which may be a part of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) output: Output,
    pub(super) is_json: bool,
    /// No part follows.
    pub(super) is_last: bool,
    before: &'a str,
    pub(super) text: &'a str,
    after: &'a str,
}

impl Parts {
    pub(super) const NONE: Self =
        Self { stdout: None, stderr: None, block: None, is_mixed: false, is_waiting: false };

    /// The same with note taken of whether something waits.
    pub(super) fn noted(mut self) -> Self {
        self.note();
        self
    }

    const fn note(&mut self) {
        self.is_waiting = self.stdout.is_some() || self.stderr.is_some() || self.block.is_some();
    }

    /// Whether nothing is waited for, nor was anything learnt.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether something waits for its end.
    #[inline]
    pub(super) const fn are_waited_for(&self) -> bool {
        self.is_waiting
    }

    /// Whether JSON over many lines is being read.
    pub(super) const fn has_block(&self) -> bool {
        self.block.is_some()
    }

    pub(super) const fn take_block(&mut self) -> Option<Block> {
        let block = self.block.take();
        self.note();
        block
    }

    pub(super) fn keep_block(&mut self, block: Block) {
        self.block = Some(block);
        self.note();
    }

    /// The beginning that waits in a stream.
    pub(super) const fn take(&mut self, output: Output) -> Option<Begun> {
        let begun = match output {
            Output::Standard => self.stdout.take(),
            Output::Errors => self.stderr.take(),
        };
        self.note();
        begun
    }

    /// Any beginning, as a line.
    pub(super) fn take_any(&mut self) -> Option<String> {
        let begun = self.take(Output::Standard).or_else(|| self.take(Output::Errors));
        begun.map(Begun::into_line).or_else(|| Some(self.take_block()?.text))
    }

    /// Waits for the end of a line, if it can be told.
    pub(super) fn keep(&mut self, output: Output, begun: Begun) {
        match output {
            Output::Standard => self.stdout = Some(begun),
            Output::Errors => self.stderr = Some(begun),
        }
        self.note();
    }

    /// Waits for no ends any more.
    pub(super) const fn mix(&mut self) {
        self.is_mixed = true;
    }

    pub(super) const fn are_mixed(&self) -> bool {
        self.is_mixed
    }
}

impl Begun {
    /// A line of what there is of it.
    pub(super) fn into_line(self) -> String {
        if self.is_json { format!("{DOCKER_HEAD}{}\"}}", self.text) } else { self.text }
    }
}

/// Keys under which collectors put a part.
const TEXT_KEYS: &[&str] = &["log", "message", "msg"];

/// How collectors mark parts, and the last of them: Fluent Bit hands the runtime's mark on, Fluentd's driver for Docker
/// counts them. With a blank behind the colon, and without.
const TAGS: [(&str, bool); 8] = [
    ("\"logtag\":\"P\"", false),
    ("\"logtag\": \"P\"", false),
    ("\"logtag\":\"F\"", true),
    ("\"logtag\": \"F\"", true),
    ("\"partial_last\":\"false\"", false),
    ("\"partial_last\": \"false\"", false),
    ("\"partial_last\":\"true\"", true),
    ("\"partial_last\": \"true\"", true),
];

/// Whether a line of JSON says that it is the last part of a line, if it says anything of that. A client's text has its
/// quotes escaped.
fn is_tagged_last(line: &str) -> Option<bool> {
    TAGS.iter().find(|(tag, _)| line.contains(tag)).map(|(_, is_last)| *is_last)
}

/// Whether a line may bear a container runtime's mark of a part.
#[inline]
pub(super) fn may_be_part(line: &str) -> bool {
    let head = line.as_bytes().get(..MARK_BYTES).unwrap_or(line.as_bytes());
    memchr::memchr_iter(b'P', head)
        .any(|at| head.get(at.wrapping_sub(1)) == Some(&b' ') && head.get(at + 1) == Some(&b' '))
}

/// Whether a line is a part that others follow.
#[cold]
pub(super) fn is_unfinished_part(line: &str) -> bool {
    Piece::of(line).is_some_and(|piece| !piece.is_last)
}

impl<'a> Piece<'a> {
    /// A line of Docker's, of the container runtime interface, or of a collector that says of each whether more follows.
    pub(super) fn of(line: &'a str) -> Option<Self> {
        if line.starts_with('{')
            && let Some(is_last) = is_tagged_last(line)
        {
            return Self::of_tagged(line, is_last);
        }
        match DOCKER.iter().find(|(head, _)| line.starts_with(head)) {
            Some((head, mark)) => Self::of_docker(line, head, mark),
            None => Self::of_cri(line),
        }
    }

    fn of_tagged(line: &'a str, is_last: bool) -> Option<Self> {
        let place = string_in(line, TEXT_KEYS)?;
        let (before, text, after) =
            (line.get(..place.start)?, line.get(place.clone())?, line.get(place.end..)?);
        let is_errors = [before, after].iter().any(|part| part.contains("\"stderr\""));
        let output = if is_errors { Output::Errors } else { Output::Standard };
        Some(Self { output, is_json: true, is_last, before, text, after })
    }

    fn of_cri(line: &'a str) -> Option<Self> {
        let (time, rest) = split_time(line).filter(|(time, _)| !time.is_empty())?;
        let (output, tagged) = match rest.split_at_checked(7)? {
            ("stdout ", tagged) => (Output::Standard, tagged),
            ("stderr ", tagged) => (Output::Errors, tagged),
            _ => return None,
        };
        let (tag, text) = tagged.split_once(' ').unwrap_or((tagged, ""));
        let is_last = match tag.split(':').next()? {
            "F" => true,
            "P" => false,
            _ => return None,
        };
        let before = line.get(..time.len() + 8)?;
        Some(Self { output, is_json: false, is_last, before, text, after: "" })
    }

    fn of_docker(line: &'a str, before: &'a str, mark: &str) -> Option<Self> {
        let from = line.len().saturating_sub(DOCKER_TAIL_BYTES).max(before.len() - 1);
        let tail = line.as_bytes().get(from..)?;
        let at = from + memchr::memmem::rfind(tail, mark.as_bytes())?;
        let (text, after) = line.split_at_checked(at)?;
        let text = text.get(before.len()..)?;
        let output = if after.contains("\"stderr\"") { Output::Errors } else { Output::Standard };
        let is_last = text.strip_suffix("\\n").is_some_and(|text| {
            let backslashes = text.bytes().rev().take_while(|byte| *byte == b'\\').count();
            backslashes % 2 == 0
        });
        Some(Self { output, is_json: true, is_last, before, text, after })
    }

    /// The line that ends with this part.
    pub(super) fn join(&self, begun: &str) -> String {
        let mark = if self.is_json { "" } else { "F " };
        [self.before, mark, begun, self.text, self.after].concat()
    }
}

/// Whether JSON may go on in another line behind this one.
pub(super) fn may_go_on(line: &str) -> bool {
    line.trim_ascii_end().ends_with(['{', '[', ','])
}

impl Block {
    /// The block that a line begins: one that breaks off where JSON may.
    pub(super) fn begin(line: &str) -> Option<Self> {
        let line = line.trim_ascii();
        let inside = line.strip_prefix(['{', '['])?.trim_ascii_start();
        let is_json = inside.is_empty() || inside.starts_with(['"', '{', '[']);
        if !is_json || !may_go_on(line) {
            return None;
        }
        let mut block = Self::default();
        block.push(line).then_some(block).filter(|block| !block.is_whole())
    }

    /// Whether it is only the bracket of a list, which is no record.
    pub(super) fn is_bracket(&self) -> bool {
        self.text == "["
    }

    /// Whether it is only the beginning of an object that holds nothing but a list: `{"events": [`.
    pub(super) fn is_head(&self) -> bool {
        without_head(&self.text) == Some("")
    }

    pub(super) fn is_whole(&self) -> bool {
        self.open.is_empty()
    }

    /// Adds a line, unless it cannot be the next one.
    pub(super) fn push(&mut self, line: &str) -> bool {
        let line = line.trim_ascii();
        if !self.may_go_on(line) {
            return false;
        }
        let mut open = self.open.clone();
        if !follow_brackets(line, &mut open) {
            return false;
        }
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(line);
        self.open = open;
        true
    }

    /// Whether a line can stand behind the one before.
    fn may_go_on(&self, line: &str) -> bool {
        let is_in_object = self.open.ends_with('{');
        match (self.text.as_bytes().last(), line.as_bytes().first()) {
            (_, None) => false,
            (Some(b'{' | b','), Some(first)) if is_in_object => matches!(first, b'"' | b'}'),
            (None | Some(b'{' | b'[' | b',' | b':'), Some(_)) => true,
            (Some(_), Some(first)) => matches!(first, b'}' | b']' | b','),
        }
    }
}

/// Whether a byte may be of a number, or of a word such as `null`.
const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

/// Follows the brackets of a line; `false` where they are not those of JSON, or a string is not closed.
fn follow_brackets(line: &str, open: &mut String) -> bool {
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let is_good = match byte {
            b'"' => {
                at += 1;
                while let Some(inner) = bytes.get(at).filter(|inner| **inner != b'"') {
                    at += if *inner == b'\\' { 2 } else { 1 };
                }
                bytes.get(at).is_some()
            }
            b'{' | b'[' => {
                open.push(char::from(*byte));
                open.len() <= DEPTH_MAX
            }
            b'}' => open.pop() == Some('{'),
            b']' => open.pop() == Some('['),
            b',' | b':' | b' ' | b'\t' => true,
            // Of two words nothing stands between but a comma.
            other if is_of_word(*other) => {
                let before = bytes.get(..at).unwrap_or_default();
                let is_new = matches!(before.last(), Some(b' ' | b'\t'));
                !is_new || !before.trim_ascii_end().last().is_some_and(|last| is_of_word(*last))
            }
            _ => false,
        };
        // What is behind the end of the value is no part of it, but for a comma.
        let is_end = open.is_empty() && !bytes.get(at + 1..).unwrap_or_default().is_empty();
        if !is_good || (is_end && bytes.get(at + 1..) != Some(b",")) {
            return false;
        }
        at += 1;
        if open.is_empty() {
            return true;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_by_their_marks() {
        for (line, found) in [
            ("2024-05-01T12:00:00Z stdout P a b", Some((Output::Standard, false, "a b"))),
            ("2024-05-01T12:00:00.1+02:00 stderr F ", Some((Output::Errors, true, ""))),
            ("2024-05-01T12:00:00Z stdout F:x a", Some((Output::Standard, true, "a"))),
            (r#"{"log":"a\n","stream":"stderr","time":"x"}"#, Some((Output::Errors, true, r"a\n"))),
            (r#"{"log":"a\\n","stream":"stdout"}"#, Some((Output::Standard, false, r"a\\n"))),
            (r#"{"log":"a","x":"stdout"}"#, None),
            (r#"{"log": "a", "stream": "stdout"}"#, Some((Output::Standard, false, "a"))),
            (r#"{"log": "a\n", "stream": "stderr"}"#, Some((Output::Errors, true, r"a\n"))),
            (r#"{"log": "a\", \"stream\": \"stdout\""}"#, None),
            (r#"{"log":"a","stream":"stdout","logtag":"P"}"#, Some((Output::Standard, false, "a"))),
            (
                r#"{"stream": "stderr", "logtag": "F", "log": "a"}"#,
                Some((Output::Errors, true, "a")),
            ),
            (
                r#"{"message":"a","partial_message":"true","partial_last":"true"}"#,
                Some((Output::Standard, true, "a")),
            ),
            (r#"{"log":"a \"logtag\":\"P\""}"#, None),
            ("2024-05-01T12:00:00Z stdout X a", None),
            ("2024-05-01T12:00:00Z stdin F a", None),
            ("192.0.2.1 - - P a", None),
            ("", None),
        ] {
            let piece = Piece::of(line).map(|piece| (piece.output, piece.is_last, piece.text));
            assert_eq!(piece, found, "{line}");
        }
    }

    #[test]
    fn blocks_end_where_their_brackets_do() {
        for (lines, text) in [
            (
                vec!["{", "\"a\": [", "1,", "2", "],", "\"b\": \"}\"", "}"],
                Some("{ \"a\": [ 1, 2 ], \"b\": \"}\" }"),
            ),
            (vec!["{\"a\": {", "\"b\": 1", "}", "},"], Some("{\"a\": { \"b\": 1 } },")),
            (vec!["{", "192.0.2.1"], None),
            (vec!["[{\"a\": [", "192.0.2.1 -", "]}]"], None),
            (vec!["{\"a\":1,", "{\"a\":1}"], None),
            (vec!["{", "\"a\": 1", "\"b\": 2"], None),
            (vec!["{", "\"a\": 1 ]"], None),
            (vec!["{\"a\":1}"], None),
            (vec!["{\"a\":1} x,"], None),
        ] {
            let mut block = Block::begin(lines[0]);
            for line in &lines[1..] {
                block = block.and_then(|mut block| block.push(line).then_some(block));
            }
            let whole = block.filter(Block::is_whole).map(|block| block.text);
            assert_eq!(whole.as_deref(), text, "{lines:?}");
        }
    }
}
