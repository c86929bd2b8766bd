//! Lines that follow their format, but not byte by byte.
//!
//! Servers and operators write a blank too many, a dash without its quotes, a number beside the sizes, or leave the
//! remote log name out. So the line is taken for what it is, a row of words, quoted and bracketed texts, and laid beside
//! the row that the format makes, at the least cost: what a field must be (a time, a status, a request) decides where it
//! is. Only lines that were read in vain by the [`Plan`](super::Plan) itself come here.

use super::captures;
use super::ends::is_answer;
use super::pieces::{Kind, Piece, begins_with_end, next_piece, pieces_of};
use super::plan::{Fit, Optional};
use super::sound::{ends_in_address, is_address, is_forwarded, is_host};
use super::variables::{Guess, Variable};
use crate::literal::Literal;
use crate::record::{Escape, Record, Slot, Unit, Value};
use crate::request::split_request;
use crate::time::TimeParser;

/// Most fields of a format that is read so.
const ITEMS_MAX: usize = 40;

/// Most words in a row among which one too many is passed over: status and size. In a longer row of numbers it could be
/// any of them.
const WORDS_MAX: usize = 2;

/// What a line may cost and still be of the format: a dash or two, a field too many, a quoted one with a number. Beyond
/// that it could be anything.
const COST_MAX: u32 = 7;

/// What cannot be.
const NEVER: u32 = u32::MAX / 4;

/// A field of a format, or a word that stands in each line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    kind: Kind,
    variable: Option<Variable>,
    /// Text around the value, inside quotes or brackets.
    before: Literal,
    after: Literal,
}

/// The fields of a format in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    items: Vec<Item>,
}

impl Shape {
    /// The shape of a format: the text before the first variable, and the variables with the text behind each. `None`
    /// where two values share a word, or there are other delimiters than blanks, quotes and brackets.
    pub(super) fn new(before: &str, pieces: &[(Variable, String)]) -> Option<Self> {
        // A character that no format has stands for a variable.
        let mut text = before.to_owned();
        for (_, after) in pieces {
            text.push(VARIABLE);
            text.push_str(after);
        }
        let mut variables = pieces.iter().map(|(variable, _)| *variable);
        let mut items = Vec::new();
        for piece in pieces_of(&text)? {
            let variable = match piece.text.matches(VARIABLE).count() {
                0 => None,
                1 => variables.next(),
                _ => return None,
            };
            let (before, after) = piece.text.split_once(VARIABLE).unwrap_or((piece.text, ""));
            let (before, after) = (Literal::new(before), Literal::new(after));
            let item = Item { kind: piece.kind, variable, before, after };
            // A quote or bracket in a word is one that belongs to something else.
            if piece.kind == Kind::Word && piece.text.contains(['"', '[', ']', '|', '{']) {
                return None;
            }
            items.push(item);
        }
        let is_time = |item: &Item| item.slot().is_some_and(is_time);
        (items.len() <= ITEMS_MAX && items.iter().any(is_time)).then_some(Self { items })
    }

    /// Fills `record` from a line.
    pub(super) fn read<'a>(
        &self,
        line: &'a str,
        optional: Optional,
        record: &mut Record<'a>,
    ) -> Fit {
        record.is_text = true;
        let text = line.trim_ascii();
        // Most lines are of no format that is tried: that shows before they are laid beside it.
        if !self.may_begin(text) {
            return Fit::No;
        }
        let Some(pieces) = pieces_of(text).filter(|pieces| self.has_time_in(pieces)) else {
            return Fit::No;
        };
        let costs = Costs::new(&self.items, &pieces, optional);
        if costs.at(0, 0) > COST_MAX {
            return Fit::No;
        }
        let (mut item, mut piece, mut dashes) = (0, 0, 0);
        while let Some(field) = self.items.get(item) {
            let step = costs.step(item, piece);
            let is_request = step == Step::Take && field.slot() == Some(Slot::Request);
            let is_moved = matches!(step, Step::Take | Step::Pass) && !is_request;
            if is_moved && pieces.get(piece..).is_some_and(begins_with_end) {
                return Fit::No;
            }
            match step {
                Step::Take => {
                    if let Some(found) = pieces.get(piece) {
                        dashes += usize::from(field.kind != found.kind);
                        let mut times = pieces.iter().skip(piece + 1).map(|it| it.has_time);
                        let is_alone = || times.nth(1) == Some(true) && !times.any(|it| it);
                        field.keep(*found, is_alone, record);
                    }
                    (item, piece) = (item + 1, piece + 1);
                }
                Step::Pass => piece += 1,
                Step::Miss => item += 1,
                Step::End => return Fit::Whole,
            }
        }
        match pieces.get(piece) {
            None => Fit::Whole,
            // The fields behind another request.
            Some(_) if self.is_answered(pieces.split_at(piece)) => Fit::No,
            // The dash may have been no field, and this the last one.
            Some(behind) if dashes > 0 && behind.kind == Kind::Quoted => Fit::No,
            Some(behind) => {
                if behind.kind == Kind::Quoted && is_forwarded(behind.text) {
                    record.set(Slot::ForwardedFor, Value { text: behind.text, ..Value::default() });
                }
                Fit::Extra
            }
        }
    }

    /// Whether a text begins with what the format does: nothing is passed over in front of that.
    fn may_begin(&self, text: &str) -> bool {
        let first = next_piece(text).zip(self.items.first());
        first.is_some_and(|((piece, _), item)| item.cost(piece) < NEVER)
    }

    /// Whether one of the pieces can be the time of the format.
    fn has_time_in(&self, pieces: &[Piece<'_>]) -> bool {
        let is_time = |item: &&Item| item.slot().is_some_and(is_time);
        let time = self.items.iter().find(is_time);
        time.is_some_and(|time| pieces.iter().any(|piece| time.cost(*piece) < NEVER))
    }

    /// Whether those behind what was taken are the fields behind another request, or hold the end of one: its beginning may
    /// be in the last that was taken.
    fn is_answered(&self, (taken, behind): (&[Piece<'_>], &[Piece<'_>])) -> bool {
        let is_request = self.items.last().and_then(Item::slot) == Some(Slot::Request);
        let last = taken.last().filter(|_| !is_request);
        let is_whole = |pieces: &[Piece<'_>; 4]| {
            pieces.map(|piece| piece.kind) == [Kind::Word, Kind::Word, Kind::Quoted, Kind::Quoted]
                && is_answer(pieces.map(|piece| piece.text))
        };
        last.zip(behind.first()).is_some_and(|(piece, next)| piece.ends_request_before(next))
            || behind.windows(2).any(begins_with_end)
            || behind.try_into().is_ok_and(is_whole)
    }
}

/// Stands for a variable in the text of a format.
const VARIABLE: char = '\u{1}';

const fn is_time(slot: Slot) -> bool {
    matches!(slot, Slot::Time | Slot::Start)
}

impl Item {
    fn slot(&self) -> Option<Slot> {
        self.variable.and_then(|variable| variable.slot)
    }

    /// Whether its value is of no interest, and one word.
    fn is_skipped(&self) -> bool {
        self.kind == Kind::Word && self.slot().is_none()
    }

    /// The value in a piece, if the text around it is that of the format.
    fn value<'a>(&self, piece: Piece<'a>) -> Option<&'a str> {
        let text = self.before.strip(piece.text)?;
        let end = text.len().checked_sub(self.after.len())?;
        if self.after.ends(text.as_bytes()) { text.get(..end) } else { None }
    }

    /// What it costs to take a piece for it.
    fn cost(&self, piece: Piece<'_>) -> u32 {
        let is_dash = piece.kind == Kind::Word && piece.text == "-";
        let form = match (self.kind, piece.kind) {
            (one, other) if one == other => 0,
            (Kind::Quoted, Kind::Word) if is_dash => 1,
            _ => return NEVER,
        };
        if is_dash && self.kind == Kind::Quoted {
            return form;
        }
        let Some(text) = self.value(piece) else { return NEVER };
        let Some(variable) = self.variable else {
            return if text.is_empty() { form } else { NEVER };
        };
        let content = variable.slot.map_or(0, |slot| cost_of(slot, text));
        if content >= NEVER || (self.kind == Kind::Quoted && piece.has_time) {
            return NEVER;
        }
        form + content
    }

    fn keep<'a>(&self, piece: Piece<'a>, is_alone: impl FnOnce() -> bool, record: &mut Record<'a>) {
        let Some(variable) = self.variable else { return };
        let text = self.value(piece).unwrap_or(piece.text);
        let Variable { slot, unit, rank, guess, .. } = variable;
        let escape = if piece.has_escape { Escape::Backslash } else { variable.escape };
        if let Some(slot) = slot {
            record.set(slot, Value { text, escape, unit, rank });
        } else if guess != Guess::Nothing && text != "-" {
            captures::keep(text, is_alone, (escape, guess), record);
        }
    }
}

/// What it costs to take a text for the value of a slot.
fn cost_of(slot: Slot, text: &str) -> u32 {
    let is_number = |text: &str| {
        let digits = text.trim_start_matches(['+', '-']);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let sure = |is_so: bool| if is_so { 0 } else { NEVER };
    match slot {
        Slot::Time | Slot::Start => sure(TimeParser::default().parse(text, Unit::Auto).is_some()),
        Slot::ClientIp => sure(is_address(text) || text.starts_with("unix:")),
        Slot::Host => sure(is_host(text) || text == "-"),
        Slot::Status if text.len() == 3 && is_number(text) => 0,
        Slot::Status => {
            if text == "-" || (is_number(text) && !text.contains('.')) {
                2
            } else {
                NEVER
            }
        }
        Slot::RequestBytes | Slot::ResponseBytes | Slot::Duration => {
            let first = text.split([',', ' ']).next().unwrap_or(text);
            let number = first.trim_end_matches(|end: char| end.is_ascii_alphabetic());
            // A number with a fraction is a duration beside the sizes.
            let may_be = slot == Slot::Duration || !number.contains('.');
            sure(first == "-" || (may_be && is_number(number)))
        }
        Slot::Request if split_request(text).malformed => 3,
        _ => 0,
    }
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The piece is the field.
    Take,
    /// The piece is no field of the format.
    Pass,
    /// The field is not in the line.
    Miss,
    /// The line may end here.
    End,
}

/// The least cost of laying the rest of a line beside the rest of a format, from each place of both.
struct Costs {
    table: Vec<(u32, Step)>,
    width: usize,
}

impl Costs {
    fn new(items: &[Item], pieces: &[Piece<'_>], optional: Optional) -> Self {
        let width = pieces.len() + 1;
        let mut costs = Self { table: vec![(NEVER, Step::End); width * (items.len() + 1)], width };
        let is_time = |item: &Item| item.slot().is_some_and(is_time);
        let time = items.iter().position(is_time).unwrap_or_default();
        for item in (0..=items.len()).rev() {
            for piece in (0..width).rev() {
                let best = costs.best(items, pieces, (item, piece), (time, optional));
                if let Some(place) = costs.table.get_mut(item * width + piece) {
                    *place = best;
                }
            }
        }
        costs
    }

    fn at(&self, item: usize, piece: usize) -> u32 {
        self.table.get(item * self.width + piece).map_or(NEVER, |(cost, _)| *cost)
    }

    fn step(&self, item: usize, piece: usize) -> Step {
        self.table.get(item * self.width + piece).map_or(Step::End, |(_, step)| *step)
    }

    fn best(
        &self,
        items: &[Item],
        pieces: &[Piece<'_>],
        (item, piece): (usize, usize),
        (time, optional): (usize, Optional),
    ) -> (u32, Step) {
        let Some(field) = items.get(item) else {
            let is_torn = pieces.get(piece).is_some_and(|piece| piece.has_time);
            let behind = if piece < pieces.len() { self.at(item, piece + 1) } else { 0 };
            return (if is_torn { NEVER } else { behind }, Step::End);
        };
        let Some(found) = pieces.get(piece) else {
            let may_end = match optional {
                Optional::Nothing => false,
                Optional::After(values) => item == values,
                Optional::From(values) => item >= values,
            };
            return (if may_end { 0 } else { NEVER }, Step::End);
        };
        // Of two addresses in front of the time nobody can tell which asked.
        let is_other_client = item < time
            && field.slot() != Some(Slot::ClientIp)
            && is_other_client(*found, field)
            && !(item + 1 == time && is_user(pieces, piece));
        let take = if is_other_client { NEVER } else { field.cost(*found) };
        let take = take + self.at(item + 1, piece + 1);
        // Nothing is passed over before the first field: that it is somewhere behind would be a guess.
        // Nor before a field in front of the time that is wanted: what stands behind it is not it.
        let is_placed = !items.iter().take(time).skip(item).any(|field| field.slot().is_some());
        let is_sure = item <= time || words_beside(items, item) <= WORDS_MAX;
        let may_pass = item > 0 && is_placed && is_sure;
        let pass = if may_pass { found.cost_to_pass(item, time) } else { NEVER };
        let pass = pass + self.at(item, piece + 1);
        let is_missing = item < time && item > 0 && field.is_skipped();
        let miss = if is_missing { 2 + self.at(item + 1, piece) } else { NEVER };
        [(take, Step::Take), (pass, Step::Pass), (miss, Step::Miss)]
            .into_iter()
            .min_by_key(|(cost, _)| *cost)
            .map_or((NEVER, Step::End), |(cost, step)| (cost.min(NEVER), step))
    }
}

/// Whether a word that is skipped in front of the time is an address.
fn is_other_client(piece: Piece<'_>, field: &Item) -> bool {
    field.slot().is_none() && piece.kind == Kind::Word && ends_in_address(piece.text)
}

/// Whether the word right in front of the time is the name of a user: behind a client, and a dash for the remote log name.
fn is_user(pieces: &[Piece<'_>], piece: usize) -> bool {
    let before = piece.checked_sub(2).and_then(|from| pieces.get(from..piece));
    let is_client =
        matches!(before, Some([client, dash]) if dash.text == "-" && is_address(client.text));
    is_client && pieces.get(piece + 1).is_some_and(|next| next.has_time)
}

/// How many words stand in a row in a format, around a field or right before it.
fn words_beside(items: &[Item], item: usize) -> usize {
    let is_word = |field: &&Item| field.kind == Kind::Word;
    let before = items.iter().take(item).rev().take_while(is_word).count();
    before + items.iter().skip(item).take_while(is_word).count()
}

impl Piece<'_> {
    /// What it costs that it is no field, before field `item` of a format whose time is field `time`.
    fn cost_to_pass(self, item: usize, time: usize) -> u32 {
        match self.kind {
            // The name of a user has blanks and brackets in it as he likes.
            Kind::Word if item <= time && ends_in_address(self.text) => NEVER,
            Kind::Word | Kind::Bracketed if item <= time => 0,
            // What is in quotes is behind the time, and what has a time in it is another record.
            Kind::Quoted if item <= time => NEVER,
            _ if self.has_time => NEVER,
            Kind::Word if self.text.bytes().all(|byte| byte.is_ascii_digit()) => 2,
            // A duration, which other formats have a place for: alone it may be one that was added.
            Kind::Word if self.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => 5,
            Kind::Word => 3,
            Kind::Quoted | Kind::Bracketed => 4,
        }
    }
}
