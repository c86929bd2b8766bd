//! From the tokens of a format string to a plan.

use super::loose::Shape;
use super::plan::{Front, Optional, Plan, Quotes};
use super::step::{Closing, Step, Until};
use super::variables::{FormatError, Guess, Token, Variable};
use crate::literal::Literal;
use crate::record::{Escape, Slot};

/// A variable and the text behind it.
type Piece = (Variable, String);

impl Plan {
    /// The same plan for lines that are read byte by byte or not at all: their writer escapes nothing, so that a text
    /// could be taken for the fields behind it. Behind the user agent none has a blank: it ends as late as it can.
    #[must_use]
    pub fn with_one_reading(mut self) -> Self {
        self.shape = None;
        let is_agent = |step: &&mut Step| {
            step.variable.slot == Some(Slot::UserAgent) && step.until == Until::Text
        };
        self.steps.iter_mut().filter(is_agent).for_each(|step| step.until = Until::LastText);
        self
    }

    /// The same plan for lines with bars between fields, of which two stand behind the user agent: bars inside that one are
    /// its own.
    #[must_use]
    pub fn with_bars_in_agent(mut self) -> Self {
        let is_agent = |step: &&mut Step| step.variable.slot == Some(Slot::UserAgent);
        self.steps.iter_mut().filter(is_agent).for_each(|step| step.until = Until::BarBeforeLast);
        self
    }

    /// Whether its lines have captured headers.
    pub const fn has_captures(&self) -> bool {
        self.has_captures
    }

    pub(super) fn from_tokens(tokens: Vec<Token>) -> Result<Self, FormatError> {
        let (before, mut pieces) = pieces_of(tokens)?;
        join_times(&mut pieces);
        if pieces.is_empty() {
            return Err(FormatError::NoVariables);
        }
        if !pieces.iter().any(|(variable, _)| is_time(*variable)) {
            return Err(FormatError::NoTime);
        }
        let mut steps: Vec<Step> = Vec::with_capacity(pieces.len());
        let mut behind_quote = before.ends_with('"');
        for (index, piece) in pieces.iter().enumerate() {
            let next = pieces.get(index + 1).map(|(next, _)| *next);
            let step = Step::new(index, piece, next, behind_quote);
            behind_quote = piece.1.ends_with('"');
            match steps.last_mut() {
                Some(last) if last.is_skipped_with(&step) => last.values += 1,
                _ => steps.push(step),
            }
        }
        if let [.., before, last] = &mut steps[..] {
            last.is_behind_bar = before.until == Until::Byte(b'|');
        }
        for index in 0..steps.len() {
            let words = words_before_time(steps.get(index + 1..).unwrap_or_default());
            if let Some(step) = steps.get_mut(index) {
                step.words_before_time = words;
            }
        }
        // A port is one word: what stands behind it is no part of it.
        let is_port = |step: &Step| step.until == Until::Port;
        let port = steps.iter().position(is_port).and_then(|at| steps.get_mut(at + 1));
        if let Some(port) = port.filter(|port| port.until == Until::TextBeforeTime) {
            port.until = Until::Text;
        }
        let front = front_of(&steps);
        let clients = pieces.iter().filter(|(it, _)| it.slot == Some(Slot::ClientIp)).count();
        Ok(Self {
            shape: Shape::new(&before, &pieces).map(Box::new),
            before: Literal::new(before.trim_ascii_start()),
            steps,
            optional: Optional::Nothing,
            has_sure_client: false,
            quotes: Quotes::Unknown,
            has_captures: pieces.iter().any(|(it, _)| it.guess == Guess::Captures),
            has_two_clients: clients > 1,
            front,
        })
    }
}

/// Whether a text without quotes that a client may have chosen stands in front of the client, behind which a time in brackets
/// comes: the text may hold what looks like both.
fn front_of(steps: &[Step]) -> Front {
    if let Some(Step { until: Until::Byte(_), variable, .. }) = steps.first()
        && let Some(slot @ (Slot::CacheStatus | Slot::Scheme)) = variable.slot
    {
        return Front::Word(slot);
    }
    let is_client = |step: &Step| step.variable.slot == Some(Slot::ClientIp);
    let Some(at) = steps.iter().position(is_client) else { return Front::Sure };
    let is_open = |step: &Step| {
        let is_chosen = match step.variable.slot {
            None | Some(Slot::ForwardedFor | Slot::RealIp | Slot::UserAgent | Slot::Referer) => {
                true
            }
            // Of rank 2 it is the server's own name.
            Some(Slot::Host) => step.variable.rank < 2,
            Some(_) => false,
        };
        is_chosen && step.until != Until::Quote
    };
    let is_timed = steps.get(at).is_some_and(|step| step.words_before_time.is_some());
    if is_timed && steps.iter().take(at).any(is_open) { Front::Open } else { Front::Sure }
}

/// How many words that are skipped these steps have before the time, if nothing else stands there.
fn words_before_time(steps: &[Step]) -> Option<usize> {
    let mut words = 0;
    for step in steps {
        if step.variable.slot.is_some() {
            return None;
        }
        words += step.values;
        if step.until == Until::TextBeforeTime {
            return Some(words);
        }
    }
    None
}

impl Step {
    /// The step of value `index`; `behind_quote` is whether a quote stands before it.
    fn new(
        index: usize,
        (variable, after): &Piece,
        next: Option<Variable>,
        behind_quote: bool,
    ) -> Self {
        let until = if behind_quote && after.starts_with('"') {
            Until::Quote
        } else if after.is_empty() {
            Until::End
        } else if after == ":" && variable.slot == Some(Slot::ClientIp) {
            Until::Port
        } else if after.contains('[') && next.is_some_and(is_time) {
            Until::TextBeforeTime
        } else if let [byte] = after.as_bytes() {
            match variable.guess {
                _ if variable.is_padded => Until::Padded(*byte),
                Guess::List => Until::List(*byte),
                _ if variable.blanks > 0 && *byte == b' ' => Until::Nth(*byte, variable.blanks),
                _ => Until::Byte(*byte),
            }
        } else {
            Until::Text
        };
        let closing = if variable.escape == Escape::Hash {
            Closing::First
        } else if next.is_some_and(|next| next.slot == Some(Slot::Status)) {
            Closing::Number
        } else if after != "\"" {
            Closing::Anything
        } else if next.is_none() && (is_skipped(*variable) || variable.slot == Some(Slot::Aborted))
        {
            Closing::LineEndUnread
        } else {
            Closing::LineEnd
        };
        let may_miss = is_number(*variable) || until == Until::TextBeforeTime;
        let after_blank =
            if may_miss && after.starts_with(' ') { after.trim_ascii_start() } else { "" };
        Self {
            index,
            values: 1,
            variable: *variable,
            until,
            after: Literal::new(after),
            after_blank: Literal::new(after_blank),
            closing,
            is_word: !behind_quote && (is_word_slot(*variable) || is_skipped(*variable)),
            words_before_time: None,
            is_behind_bar: false,
            is_raw: false,
        }
    }

    /// Whether a step and the next one are skipped in one go.
    fn is_skipped_with(&self, next: &Self) -> bool {
        is_skipped(self.variable)
            && is_skipped(next.variable)
            && matches!(self.until, Until::Byte(_))
            && self.until == next.until
    }
}

/// Whether the values of a slot have no blanks in them: a text with one belongs to a field beside it, too.
const fn is_word_slot(variable: Variable) -> bool {
    let Some(slot) = variable.slot else { return false };
    matches!(
        slot,
        Slot::Status
            | Slot::RequestBytes
            | Slot::ResponseBytes
            | Slot::Duration
            | Slot::Method
            | Slot::Protocol
            | Slot::Scheme
            | Slot::CacheStatus
            | Slot::Aborted
            | Slot::Country
            | Slot::Host
            | Slot::Ja3
            | Slot::Ja4
    )
}

/// Whether the values of a slot are numbers, which some servers leave out where there is none.
const fn is_number(variable: Variable) -> bool {
    matches!(variable.slot, Some(Slot::RequestBytes | Slot::ResponseBytes))
}

const fn is_skipped(variable: Variable) -> bool {
    variable.slot.is_none() && matches!(variable.guess, Guess::Nothing)
}

const fn is_time(variable: Variable) -> bool {
    matches!(variable.slot, Some(Slot::Time | Slot::Start | Slot::Date))
}

/// The text before the first variable, and the variables with the text behind each.
fn pieces_of(tokens: Vec<Token>) -> Result<(String, Vec<Piece>), FormatError> {
    let mut before = String::new();
    let mut pieces: Vec<Piece> = Vec::new();
    for token in tokens {
        match (token, pieces.last_mut()) {
            (Token::Literal(text), None) => before = text,
            (Token::Literal(text), Some((_, after))) => *after = text,
            // `%U%q` and `$uri$is_args$args`: together they are the request target.
            (Token::Variable(next), Some((path, after)))
                if after.is_empty()
                    && matches!(path.slot, Some(Slot::Path | Slot::Uri))
                    && matches!(next.slot, Some(Slot::Query) | None) =>
            {
                path.slot = Some(Slot::Uri);
            }
            // `$is_args$args` behind a blank.
            (Token::Variable(next), Some((query, after)))
                if after.is_empty()
                    && query.slot == Some(Slot::Query)
                    && next.slot == Some(Slot::Query) =>
            {
                *query = next;
            }
            // `$host$request_uri`: they part at the slash.
            (Token::Variable(next), Some((host, after)))
                if after.is_empty()
                    && matches!(host.slot, Some(Slot::Host))
                    && matches!(next.slot, Some(Slot::Uri | Slot::Path)) =>
            {
                (host.slot, host.guess) = (None, Guess::HostAndTarget);
            }
            // `$server_port$request_uri`.
            (Token::Variable(next), Some((skipped, after)))
                if after.is_empty()
                    && is_skipped(*skipped)
                    && matches!(next.slot, Some(Slot::Uri | Slot::Path)) =>
            {
                skipped.guess = Guess::Target;
            }
            (Token::Variable(next), Some((host, after)))
                if after.is_empty()
                    && matches!(host.guess, Guess::HostAndTarget | Guess::Target)
                    && matches!(next.slot, Some(Slot::Query) | None) => {}
            // Parts of one time, such as a second and its fraction.
            (Token::Variable(next), Some((time, after)))
                if after.is_empty() && is_time(*time) && is_time(next) =>
            {
                time.blanks += next.blanks;
            }
            (Token::Variable(_), Some((_, after))) if after.is_empty() => {
                return Err(FormatError::Touching(pieces.len()));
            }
            (Token::Variable(variable), _) => pieces.push((variable, String::new())),
        }
    }
    Ok((before, pieces))
}

/// Makes one value of a time that several variables write, one behind the other: `%{%F %T}t.%{msec_frac}t %{%z}t`.
fn join_times(pieces: &mut Vec<Piece>) {
    let is_part = |(variable, after): &Piece| {
        is_time(*variable) && after.len() <= 1 && !after.ends_with(['"', ']', '|'])
    };
    let mut at = 0;
    while at + 1 < pieces.len() {
        let next = pieces.get(at + 1).map(|(next, after)| (*next, after.clone()));
        let Some((next, after)) = next else { return };
        match pieces.get_mut(at) {
            Some(time)
                if is_part(time)
                    && is_time(next)
                    && (next.is_part_of_time || time.0.is_part_of_time) =>
            {
                time.0.blanks += next.blanks + u8::from(time.1 == " ");
                time.0.is_part_of_time &= next.is_part_of_time;
                time.1 = after;
                pieces.remove(at + 1);
            }
            _ => at += 1,
        }
    }
}
