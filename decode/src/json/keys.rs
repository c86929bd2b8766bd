//! Which keys of a JSON line feed which values: the field map of the configuration, compiled.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::adjust::Adjust;
use crate::literal::Literal;
use crate::record::{Escape, Slot, Unit, Value};

/// Keys remembered of one dialect, known and unknown; more are looked up each time.
const ENTRIES_MAX: usize = 1_024;

/// One way to a value: the keys from the outermost object inwards.
pub type KeyPath = Vec<String>;

/// Where the values of one slot come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldSource {
    /// One key, or a path of keys with dots between them.
    Key(String),
    /// Several, the preferred first.
    Keys(Vec<String>),
    /// The same with the unit of the numbers.
    WithUnit {
        /// Keys, the preferred first.
        keys: Vec<String>,
        /// Unit of a duration or numeric timestamp.
        unit: Unit,
    },
}

impl FieldSource {
    /// Its keys, the preferred first.
    pub fn keys(&self) -> &[String] {
        match self {
            Self::Key(key) => std::slice::from_ref(key),
            Self::Keys(keys) | Self::WithUnit { keys, .. } => keys,
        }
    }

    /// The unit of its numbers.
    pub(crate) const fn unit(&self) -> Unit {
        match self {
            Self::WithUnit { unit, .. } => *unit,
            Self::Key(_) | Self::Keys(_) => Unit::Auto,
        }
    }
}

/// Field map: for each value (named as in [`Slot::NAMES`]) the keys that hold it.
///
/// A key with dots, such as `request.headers.Host`, is a path into nested objects as well as a key that has the
/// dots in its name; `\.` is a dot of the name only.
pub type FieldMap = BTreeMap<String, FieldSource>;

/// What presets say about keys besides the value they hold, in place of the name of a value.
pub(crate) mod marks {
    /// Objects, or lists of one object, that hold the record: its keys stand there as well as on the outside.
    pub(crate) const RECORD: &str = "record";
    /// Objects that may hold any key instead: in lists of pairs, with its dots, or nested.
    pub(crate) const ATTRIBUTES: &str = "attributes";
    /// Durations that are milliseconds when they are written without a fraction.
    pub(crate) const WHOLE_MILLIS: &str = "whole_ms";
    /// Durations of another unit than the others of their slot: milliseconds.
    pub(crate) const MILLIS: &str = "ms";
    /// Microseconds.
    pub(crate) const MICROS: &str = "us";
    /// Nanoseconds.
    pub(crate) const NANOS: &str = "ns";
    /// Durations of no unit that is known, unless their text names one.
    pub(crate) const WITH_UNIT: &str = "with_unit";
    /// Those of durations.
    pub(crate) const OF_DURATIONS: [&str; 5] = [WHOLE_MILLIS, MILLIS, MICROS, NANOS, WITH_UNIT];
    /// Lists with commas of which the last entry counts.
    pub(crate) const LAST_OF_LIST: &str = "last_of_list";
    /// Kinds of spans, of which those of a client are of another kind than access.
    pub(crate) const SPAN_KIND: &str = "span_kind";
    /// Paths that may lack the slash they begin with.
    pub(crate) const ROOTED: &str = "rooted";
    /// Texts of any kind, of which those that are a target are one.
    pub(crate) const TARGET: &str = "target";
    /// Queries behind which Azure's gateway writes parameters of its own.
    pub(crate) const GATEWAY_QUERY: &str = "gateway_query";
}

/// What a key feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) slot: Slot,
    pub(crate) unit: Unit,
    pub(crate) rank: u8,
}

impl Target {
    /// The value that a text makes.
    #[inline]
    pub(crate) const fn value(self, text: &str, escape: Escape) -> Value<'_> {
        Value { text, escape, unit: self.unit, rank: self.rank }
    }
}

/// What a key feeds, and how its text is changed before that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fed {
    pub(crate) target: Target,
    pub(crate) adjust: Option<Adjust>,
}

/// An object of the dialect that holds wanted keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(u16);

impl NodeId {
    /// The whole line.
    pub(super) const ROOT: Self = Self(0);
}

/// What to do with the value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Skip,
    Take(Target),
    /// Takes it when it has been changed.
    TakeAdjusted(Target, Adjust),
    Enter(NodeId),
    /// Takes it, or goes into it if it is an object or a list.
    TakeOrEnter(Target, NodeId),
}

/// A key met before, in the list of all keys met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntryId(usize);

#[derive(Debug, Clone)]
struct Entry {
    /// `,"key":`.
    text: Literal,
    /// `"key":`.
    alone: Literal,
    action: Action,
    /// The keys that followed this one, the latest first.
    next: [usize; 2],
}

/// The keys of a dialect.
#[derive(Debug, Clone)]
pub(super) struct KeyTable {
    /// The first entries stand for the start of each object.
    entries: Vec<Entry>,
    by_key: Vec<HashMap<Box<str>, usize>>,
    /// The objects that hold the whole record.
    records: Vec<NodeId>,
    /// What to do with the keys of the line by their letters and digits alone, where the dialect has no one spelling.
    by_letters: HashMap<Box<str>, Action>,
}

impl KeyTable {
    pub(super) fn new(fields: &FieldMap) -> Self {
        let mut table = Self {
            entries: Vec::new(),
            by_key: vec![HashMap::new()],
            records: Vec::new(),
            by_letters: HashMap::new(),
        };
        let wanted = wanted(fields);
        // Objects first, so that their start entries have the numbers of the objects.
        let mut nodes = BTreeMap::from([(Vec::new(), NodeId::ROOT)]);
        for (key, _) in &wanted {
            let path = split_path(key);
            for depth in 1..path.len() {
                let next = NodeId(u16::try_from(nodes.len()).unwrap_or(u16::MAX));
                nodes.entry(path.get(..depth).unwrap_or_default().to_vec()).or_insert(next);
            }
        }
        table.by_key = vec![HashMap::new(); nodes.len()];
        let start = Entry {
            text: Literal::default(),
            alone: Literal::default(),
            action: Action::Skip,
            next: [usize::MAX; 2],
        };
        table.entries = vec![start; nodes.len()];
        for (path, node) in &nodes {
            if let Some((key, parent)) = path.split_last()
                && let Some(parent) = nodes.get(parent)
            {
                table.insert(*parent, key, Action::Enter(*node));
            }
        }
        let records = keys_of(fields, marks::RECORD);
        let in_record = |key: &str| records.iter().any(|record| key.starts_with(&**record));
        for (key, action) in wanted {
            let path = split_path(&key);
            if let Some((last, parent)) = path.split_last()
                && let Some(parent) = nodes.get(parent)
            {
                table.insert(*parent, last, action);
                if path.len() > 1 && !in_record(&key) {
                    table.insert(NodeId::ROOT, &path.join("."), action);
                }
            }
        }
        let records = records.iter();
        table.records =
            records.filter_map(|record| nodes.get(&split_path(record)).copied()).collect();
        table
    }

    /// The same table for a dialect whose keys are written in any way: `remote_addr`, `remoteAddr`, `Remote-Addr`.
    pub(super) fn with_any_spelling(mut self) -> Self {
        let root = self.by_key.first().into_iter().flatten();
        let mut keys: Vec<(&Box<str>, &usize)> = root.collect();
        keys.sort_by_key(|(_, index)| **index);
        for (key, index) in keys {
            if let Some(entry) = self.entries.get(*index) {
                self.by_letters.entry(letters_of(key)).or_insert(entry.action);
            }
        }
        self
    }

    /// Whether an object is a whole record, apart from the line itself.
    pub(super) fn is_record(&self, node: NodeId) -> bool {
        self.records.contains(&node)
    }

    /// What to do with the value of a key of an object, however it is written there.
    pub(super) fn action(&self, node: NodeId, key: &str) -> Action {
        let entry = self.by_key.get(usize::from(node.0)).and_then(|keys| keys.get(key));
        entry.and_then(|index| self.entries.get(*index)).map_or(Action::Skip, |entry| entry.action)
    }

    /// The same of a name in a list of pairs, which may be a header as a client spelt it.
    pub(super) fn action_of_name(&self, node: NodeId, name: &str) -> Action {
        match self.action(node, name) {
            Action::Skip if name.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                self.action(node, &name.to_ascii_lowercase())
            }
            known => known,
        }
    }

    /// The entry before the first key of an object.
    pub(super) const fn start(node: NodeId) -> EntryId {
        EntryId(node.0 as usize)
    }

    /// The key at the start of `rest` with a comma before it, when it is one of those that followed `previous` before:
    /// its entry, the length of `,"key":` and its action.
    #[expect(
        clippy::inline_always,
        reason = "a call for every value of a line costs a tenth of it"
    )]
    #[inline(always)]
    pub(super) fn predict(
        &self,
        previous: EntryId,
        rest: &[u8],
    ) -> Option<(EntryId, usize, Action)> {
        self.follower(previous, |entry| &entry.text, rest)
    }

    /// The same for a key without a comma before it: the first one, and one behind a blank.
    #[inline]
    pub(super) fn predict_alone(
        &self,
        previous: EntryId,
        rest: &[u8],
    ) -> Option<(EntryId, usize, Action)> {
        self.follower(previous, |entry| &entry.alone, rest)
    }

    /// The first of the keys that followed `previous` of which the spelling stands at the start of `rest`.
    #[expect(
        clippy::inline_always,
        reason = "a call for every value of a line costs a tenth of it"
    )]
    #[inline(always)]
    fn follower(
        &self,
        previous: EntryId,
        spelling: impl Fn(&Entry) -> &Literal,
        rest: &[u8],
    ) -> Option<(EntryId, usize, Action)> {
        let next = self.entries.get(previous.0)?.next;
        for index in next {
            let entry = self.entries.get(index)?;
            let text = spelling(entry);
            if text.begins_as_key(rest) {
                return Some((EntryId(index), text.len(), entry.action));
            }
        }
        None
    }

    /// Forgets which key followed which.
    pub(super) fn forget_order(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.next = [usize::MAX; 2]);
    }

    /// Looks a key up, and remembers that it followed `previous` if it is to be `predicted`. A key never seen before is
    /// remembered too.
    #[cold]
    pub(super) fn find(
        &mut self,
        node: NodeId,
        previous: EntryId,
        key: &str,
        predicted: bool,
    ) -> (EntryId, Action) {
        let known = self.by_key.get(usize::from(node.0)).and_then(|keys| keys.get(key)).copied();
        let index = match known {
            Some(index) => index,
            None if self.entries.len() < ENTRIES_MAX && key.len() < 256 => {
                let alike = self.by_letters.get(&letters_of(key)).filter(|_| node == NodeId::ROOT);
                let action = alike.copied().unwrap_or(Action::Skip);
                self.insert(node, key, action)
            }
            None => return (previous, Action::Skip),
        };
        if predicted && let Some(before) = self.entries.get_mut(previous.0) {
            before.next = [index, before.next[0]];
        }
        let action = self.entries.get(index).map_or(Action::Skip, |entry| entry.action);
        (EntryId(index), action)
    }

    /// Adds a key, unless the object has it already with a use; the entry's index.
    fn insert(&mut self, node: NodeId, key: &str, action: Action) -> usize {
        let index = self.entries.len();
        let Some(keys) = self.by_key.get_mut(usize::from(node.0)) else { return index };
        if let Some(index) = keys.get(key) {
            if let Some(entry) = self.entries.get_mut(*index)
                && let (Action::Enter(node), Action::Take(target)) = (entry.action, action)
            {
                entry.action = Action::TakeOrEnter(target, node);
            }
            return *index;
        }
        keys.insert(key.into(), index);
        let text = format!(",\"{key}\":");
        let alone = Literal::new(text.get(1..).unwrap_or_default());
        let text = Literal::new(&text);
        self.entries.push(Entry { text, alone, action, next: [usize::MAX; 2] });
        index
    }
}

/// The letters and digits of a key, in lower case.
pub(crate) fn letters_of(key: &str) -> Box<str> {
    let letters = key.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect::<String>().into()
}

/// What the first of the keys that `is_it` feeds, for values that stand elsewhere than in an object.
pub(crate) fn fed_by(fields: &FieldMap, is_it: impl Fn(&str) -> bool) -> Option<Fed> {
    feeding(fields).find(|(key, _)| is_it(key)).map(|(_, fed)| fed)
}

/// Each key, and what it feeds.
fn feeding(fields: &FieldMap) -> impl Iterator<Item = (&String, Fed)> {
    let known = fields.iter().filter_map(|(name, source)| Some((Slot::named(name)?, source)));
    known.flat_map(move |(slot, source)| {
        source.keys().iter().enumerate().map(move |(rank, key)| {
            let rank = u8::try_from(rank).unwrap_or(u8::MAX);
            let target = Target { slot, unit: source.unit(), rank };
            (key, Fed { target, adjust: Adjust::of(key, fields) })
        })
    })
}

/// The keys wanted and what to do with them, with those inside the objects that hold attributes or the record.
fn wanted(fields: &FieldMap) -> Vec<(String, Action)> {
    let mut wanted = Vec::new();
    for (key, Fed { target, adjust }) in feeding(fields) {
        let action =
            adjust.map_or(Action::Take(target), |adjust| Action::TakeAdjusted(target, adjust));
        wanted.push((key.clone(), action));
        for attributes in keys_of(fields, marks::ATTRIBUTES) {
            wanted.push((format!("{attributes}.{}", key.replace('.', "\\.")), action));
            wanted.push((format!("{attributes}.{key}"), action));
        }
    }
    let outside = wanted.clone();
    for record in keys_of(fields, marks::RECORD) {
        wanted.extend(outside.iter().map(|(key, action)| (format!("{record}.{key}"), *action)));
    }
    wanted
}

pub(super) fn keys_of<'a>(fields: &'a FieldMap, name: &str) -> &'a [String] {
    fields.get(name).map_or(&[], FieldSource::keys)
}

/// The keys of a path: `a.b\.c` is `a`, then `b.c`.
fn split_path(path: &str) -> KeyPath {
    let mut keys = vec![String::new()];
    let mut characters = path.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek(), keys.last_mut()) {
            ('\\', Some('.'), Some(key)) => {
                key.push('.');
                characters.next();
            }
            ('.', _, _) => keys.push(String::new()),
            (_, _, Some(key)) => key.push(character),
            (_, _, None) => {}
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(split_path("a"), ["a"]);
        assert_eq!(split_path("a.b.c"), ["a", "b", "c"]);
        assert_eq!(split_path(r"a\.b.c"), ["a.b", "c"]);
    }
}
