//! Rules: conjunctions of simple predicates that select records, and what a renderer needs to write them.

use serde::{Deserialize, Serialize};

use crate::record::column::{Column, Test};
use crate::record::event::Event;
use crate::record::names::Names;
use crate::record::source::Source;

/// One conjunct. Lists are sorted and hold at least one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Atom {
    /// A column shows one of these values: hashes of texts or numbers, 0 for none.
    OneOf(Column, Vec<u64>),
    /// A text column begins with this text, by its hash: one of the beginnings that a record shows of it.
    Begins(Column, u64),
    /// Source is one of these.
    Source(Vec<Source>),
    /// Source lies in one of these /24s or /48s.
    Prefix(Vec<Source>),
}

/// What can be written of one conjunct: a column that passes any of some tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conjunct<'a> {
    /// The column.
    pub column: Column,
    /// Any of these selects; at least one.
    pub tests: Vec<Test<'a>>,
}

impl Atom {
    /// No referer.
    pub fn referer_none() -> Self {
        Self::OneOf(Column::Referer, vec![0])
    }

    /// Whether the event is selected.
    pub fn matches(&self, event: &Event) -> bool {
        match self {
            Self::OneOf(column, values) => values.binary_search(&column.of(event)).is_ok(),
            Self::Begins(column, text) => {
                column.facts().beginnings.iter().any(|of| of(event) == *text)
            }
            Self::Source(values) => values.binary_search(&event.source).is_ok(),
            Self::Prefix(values) => values.binary_search(&event.source.prefix()).is_ok(),
        }
    }

    /// Column it speaks of: two atoms of one column are not combined.
    pub const fn column(&self) -> Column {
        match self {
            Self::OneOf(column, _) | Self::Begins(column, _) => *column,
            Self::Source(_) | Self::Prefix(_) => Column::Source,
        }
    }

    /// Whether it selects all that another does, as far as can be told from the two alone.
    fn covers(&self, other: &Self) -> bool {
        fn all<T: Ord>(of: &[T], mut others: impl Iterator<Item = T>) -> bool {
            others.all(|value| of.binary_search(&value).is_ok())
        }
        match (self, other) {
            (Self::OneOf(column, values), Self::OneOf(of, others)) => {
                column == of && all(values, others.iter().copied())
            }
            (Self::Source(values), Self::Source(others))
            | (Self::Prefix(values), Self::Prefix(others)) => all(values, others.iter().copied()),
            (Self::Prefix(values), Self::Source(others)) => {
                all(values, others.iter().map(|source| source.prefix()))
            }
            _ => self == other,
        }
    }

    /// Number of values chosen.
    pub const fn values(&self) -> usize {
        match self {
            Self::OneOf(_, values) => values.len(),
            Self::Begins(..) => 1,
            Self::Source(values) | Self::Prefix(values) => values.len(),
        }
    }

    /// The test of each value, in order; `None` for a value that nothing known selects alone.
    pub fn tests<'a>(
        &'a self,
        names: &'a Names,
    ) -> Box<dyn Iterator<Item = Option<Test<'a>>> + 'a> {
        match self {
            Self::OneOf(column, values) => {
                Box::new(values.iter().map(|value| column.test(*value, names)))
            }
            Self::Begins(_, text) => Box::new(std::iter::once(names.get(*text).map(Test::Begins))),
            Self::Source(values) => {
                Box::new(values.iter().map(|source| Column::Source.test(source.0, names)))
            }
            Self::Prefix(values) => Box::new(values.iter().map(|prefix| Test::of_prefix(*prefix))),
        }
    }

    /// The same with the values that `keep` accepts, by their place; `None` when none is left.
    pub fn filtered(&self, keep: impl Fn(usize) -> bool) -> Option<Self> {
        fn kept<T: Copy>(values: &[T], keep: impl Fn(usize) -> bool) -> Option<Vec<T>> {
            let kept: Vec<T> =
                (0..).zip(values).filter(|(at, _)| keep(*at)).map(|(_, v)| *v).collect();
            (!kept.is_empty()).then_some(kept)
        }
        match self {
            Self::OneOf(column, values) => {
                kept(values, keep).map(|values| Self::OneOf(*column, values))
            }
            Self::Begins(..) => keep(0).then(|| self.clone()),
            Self::Source(values) => kept(values, keep).map(Self::Source),
            Self::Prefix(values) => kept(values, keep).map(Self::Prefix),
        }
    }

    /// The hashes whose texts it needs.
    pub fn names(&self) -> Vec<u64> {
        match self {
            Self::OneOf(_, values) => values.clone(),
            Self::Begins(_, text) => vec![*text],
            Self::Source(values) => values.iter().map(|source| source.0).collect(),
            Self::Prefix(_) => Vec::new(),
        }
    }

    /// What a renderer writes; `None` when one of its values cannot be written.
    pub fn conjunct<'a>(&'a self, names: &'a Names) -> Option<Conjunct<'a>> {
        let tests: Vec<Test<'a>> = self.tests(names).collect::<Option<_>>()?;
        (!tests.is_empty()).then_some(Conjunct { column: self.column(), tests })
    }
}

/// A conjunction of atoms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its conjuncts.
    pub atoms: Vec<Atom>,
}

impl Rule {
    /// Whether the event is selected; an empty rule selects nothing.
    pub fn matches(&self, event: &Event) -> bool {
        !self.atoms.is_empty() && self.atoms.iter().all(|atom| atom.matches(event))
    }

    /// Whether it selects all that another does, as far as can be told from the two alone.
    pub fn covers(&self, other: &Self) -> bool {
        let is_in = |atom: &Atom| other.atoms.iter().any(|of| atom.covers(of));
        !self.atoms.is_empty() && self.atoms.iter().all(is_in)
    }

    /// Whether it speaks of how the origin answers and of nothing else: nobody can stop a request by that.
    pub fn is_of_answers(&self) -> bool {
        self.atoms.iter().all(|atom| atom.column() == Column::Status)
    }

    /// The hashes whose texts it needs.
    pub fn names(&self) -> impl Iterator<Item = u64> {
        self.atoms.iter().flat_map(Atom::names)
    }
}
