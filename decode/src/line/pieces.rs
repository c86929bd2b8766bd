//! The pieces that a line of text is made of: words, quoted and bracketed texts.

use super::ends::{ends_as_request, is_status, is_version};
use super::sound::{holds_record, looks_like_time};

/// Most pieces of a line that are looked at.
const PIECES_MAX: usize = 64;

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Quoted,
    Bracketed,
}

/// A piece of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) has_escape: bool,
    /// It holds, or is, the time of a record in brackets.
    pub(super) has_time: bool,
}

impl<'a> Piece<'a> {
    fn new(kind: Kind, text: &'a str, has_escape: bool) -> Self {
        let has_time = match kind {
            Kind::Bracketed => looks_like_time(text),
            Kind::Word | Kind::Quoted => holds_record(text),
        };
        Self { kind, text, has_escape, has_time }
    }

    /// Whether a request ends with it: the status is the next one.
    pub(super) fn ends_request_before(&self, next: &Self) -> bool {
        self.ends_request() && next.kind == Kind::Word && is_status(next.text)
    }

    /// Whether a quote closes it, behind the version of a protocol.
    fn ends_request(&self) -> bool {
        match self.kind {
            Kind::Quoted => ends_as_request(self.text),
            // Where that quote was opened is in what stands before.
            Kind::Word => self.text.strip_suffix('"').is_some_and(is_version),
            Kind::Bracketed => false,
        }
    }
}

/// Whether the first of these pieces is the end of a request.
pub(super) fn begins_with_end(pieces: &[Piece<'_>]) -> bool {
    matches!(pieces, [piece, next, ..] if piece.ends_request_before(next))
}

/// Takes a text apart; `None` when a quote is not closed or there are too many pieces.
pub(super) fn pieces_of(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        if pieces.len() == PIECES_MAX {
            return None;
        }
        let (piece, tail) = next_piece(rest)?;
        pieces.push(piece);
        rest = tail.trim_ascii_start();
    }
    Some(pieces)
}

/// The piece at the start of a text, and the rest; `None` when a quote is not closed.
pub(super) fn next_piece(text: &str) -> Option<(Piece<'_>, &str)> {
    match text.strip_prefix('"') {
        Some(inner) => quoted(inner),
        None => Some(bracketed(text).unwrap_or_else(|| word(text))),
    }
}

/// Up to the first quote that is not escaped and behind which a blank or nothing stands.
fn quoted(inner: &str) -> Option<(Piece<'_>, &str)> {
    let bytes = inner.as_bytes();
    let (mut from, mut has_escape) = (0, false);
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes.get(at) == Some(&b'\\') {
            has_escape = true;
            from = at + 2;
        } else if matches!(bytes.get(at + 1), None | Some(b' ')) {
            let text = inner.get(..at)?;
            return Some((Piece::new(Kind::Quoted, text, has_escape), inner.get(at + 1..)?));
        } else {
            from = at + 1;
        }
    }
}

fn bracketed(rest: &str) -> Option<(Piece<'_>, &str)> {
    let inner = rest.strip_prefix('[')?;
    // API Gateway writes no blank between the time and the request.
    let ends = |byte: Option<&u8>| match byte {
        None | Some(b' ') => true,
        Some(b'"') => looks_like_time(inner),
        Some(_) => false,
    };
    let end = memchr::memchr_iter(b']', inner.as_bytes())
        .find(|at| ends(inner.as_bytes().get(at + 1)))?;
    let text = inner.get(..end).filter(|text| !text.contains('"'))?;
    Some((Piece::new(Kind::Bracketed, text, false), inner.get(end + 1..)?))
}

/// A word, or a list: its entries end with a comma, or have ` : ` between them.
fn word(rest: &str) -> (Piece<'_>, &str) {
    let mut end = rest.find(' ').unwrap_or(rest.len());
    loop {
        let (text, tail) = rest.split_at(end);
        let gap = if text.ends_with(',') {
            1
        } else if tail.starts_with(" : ") {
            3
        } else {
            0
        };
        let next = tail.get(gap..).filter(|next| gap > 0 && !next.starts_with([' ', '"', '[']));
        let Some(next) = next.filter(|next| !next.is_empty()) else {
            return (Piece::new(Kind::Word, text, false), tail);
        };
        end += gap + next.find(' ').unwrap_or(next.len());
    }
}
