//! Templates, taken apart.

use std::fmt;

/// A part of a time, as PostgreSQL's manual names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// Year, so many of its last digits.
    Year(u32),
    /// Year of the week, so many of its last digits.
    WeekYear(u32),
    Month,
    MonthName,
    MonthShort,
    /// Week of the year whose first day is the first of January.
    Week,
    IsoWeek,
    WeekOfMonth,
    DayOfYear,
    Day,
    /// From Sunday, which is 1.
    WeekDay,
    /// From Monday, which is 1.
    IsoWeekDay,
    DayName,
    DayShort,
    Quarter,
    Hour,
    HalfDayHour,
    Minute,
    Second,
    SecondOfDay,
    /// So many digits of the fraction of a second.
    Fraction(u32),
    /// AM or PM, with full stops or without.
    HalfDay {
        has_stops: bool,
    },
    Zone,
    Offset,
    OffsetHours,
    OffsetMinutes,
}

/// How the letters of a name are written, which the template shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Capital,
    Lower,
}

impl Case {
    fn of(written: &str) -> Self {
        let mut letters = written.chars().filter(char::is_ascii_alphabetic);
        let (first, second) = (letters.next(), letters.next());
        let is_upper = |of: Option<char>| of.is_none_or(|c| c.is_ascii_uppercase());
        match (is_upper(first), is_upper(second)) {
            (true, true) => Self::Upper,
            (true, false) => Self::Capital,
            (false, _) => Self::Lower,
        }
    }

    /// A name, which is given with a capital.
    pub(super) fn write(self, name: &str, out: &mut String) {
        match self {
            Self::Upper => out.push_str(&name.to_uppercase()),
            Self::Capital => out.push_str(name),
            Self::Lower => out.push_str(&name.to_lowercase()),
        }
    }
}

/// Fields by how they are written: of two that begin alike the longer one first.
const FIELDS: [(&str, Field); 44] = [
    ("YYYY", Field::Year(4)),
    ("YYY", Field::Year(3)),
    ("YY", Field::Year(2)),
    ("Y", Field::Year(1)),
    ("IYYY", Field::WeekYear(4)),
    ("IYY", Field::WeekYear(3)),
    ("IY", Field::WeekYear(2)),
    ("IW", Field::IsoWeek),
    ("ID", Field::IsoWeekDay),
    ("I", Field::WeekYear(1)),
    ("MONTH", Field::MonthName),
    ("MON", Field::MonthShort),
    ("MM", Field::Month),
    ("MI", Field::Minute),
    ("MS", Field::Fraction(3)),
    ("DAY", Field::DayName),
    ("DY", Field::DayShort),
    ("DDD", Field::DayOfYear),
    ("DD", Field::Day),
    ("D", Field::WeekDay),
    ("HH24", Field::Hour),
    ("HH12", Field::HalfDayHour),
    ("HH", Field::HalfDayHour),
    ("SSSSS", Field::SecondOfDay),
    ("SSSS", Field::SecondOfDay),
    ("SS", Field::Second),
    ("US", Field::Fraction(6)),
    ("FF1", Field::Fraction(1)),
    ("FF2", Field::Fraction(2)),
    ("FF3", Field::Fraction(3)),
    ("FF4", Field::Fraction(4)),
    ("FF5", Field::Fraction(5)),
    ("FF6", Field::Fraction(6)),
    ("AM", Field::HalfDay { has_stops: false }),
    ("PM", Field::HalfDay { has_stops: false }),
    ("A.M.", Field::HalfDay { has_stops: true }),
    ("P.M.", Field::HalfDay { has_stops: true }),
    ("WW", Field::Week),
    ("W", Field::WeekOfMonth),
    ("Q", Field::Quarter),
    ("TZH", Field::OffsetHours),
    ("TZM", Field::OffsetMinutes),
    ("TZ", Field::Zone),
    ("OF", Field::Offset),
];

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// A field; `is_bare` without the blanks and zeros that fill it.
    Field { field: Field, case: Case, is_bare: bool },
    /// Text that stands for itself.
    Text(String),
}

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) parts: Vec<Part>,
    text: String,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pattern {
    /// Takes a template apart. What is no field stands for itself, as does what is in double quotes.
    pub(super) fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let (mut rest, mut is_bare) = (text, false);
        while let Some(first) = rest.chars().next() {
            if let Some(behind) = strip_word(rest, "FM").or_else(|| strip_word(rest, "FX")) {
                is_bare |= strip_word(rest, "FM").is_some();
                rest = behind;
                continue;
            }
            let field = FIELDS.iter().filter(|(word, _)| strip_word(rest, word).is_some());
            if let Some((word, field)) = field.max_by_key(|(word, _)| word.len()) {
                let (written, behind) = rest.split_at(word.len());
                let case = Case::of(written);
                parts.push(Part::Field { field: *field, case, is_bare });
                (rest, is_bare) = (behind, false);
                continue;
            }
            let (plain, behind) = match first {
                '"' => {
                    let inside = rest.strip_prefix('"').unwrap_or_default();
                    inside.split_once('"').unwrap_or((inside, ""))
                }
                _ => rest.split_at(first.len_utf8()),
            };
            match parts.last_mut() {
                Some(Part::Text(text)) => text.push_str(plain),
                _ => parts.push(Part::Text(plain.to_owned())),
            }
            rest = behind;
        }
        Self { parts, text: text.to_owned() }
    }
}

/// What is behind a word, whatever its case.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (start, behind) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_field_is_meant() {
        let fields = |text: &str| {
            let parts = Pattern::parse(text).parts;
            let field = |part| match part {
                Part::Field { field, .. } => Some(field),
                Part::Text(_) => None,
            };
            parts.into_iter().filter_map(field).collect::<Vec<_>>()
        };
        assert_eq!(fields("YYYYMMDD"), [Field::Year(4), Field::Month, Field::Day]);
        assert_eq!(
            fields("hh24:mi:ss.us"),
            [Field::Hour, Field::Minute, Field::Second, Field::Fraction(6)]
        );
        assert_eq!(fields("\"YYYY\" Mon"), [Field::MonthShort]);
        assert_eq!(
            Pattern::parse("YYYY\"T\"HH24 é").parts,
            [
                Part::Field { field: Field::Year(4), case: Case::Upper, is_bare: false },
                Part::Text("T".to_owned()),
                Part::Field { field: Field::Hour, case: Case::Upper, is_bare: false },
                Part::Text(" é".to_owned()),
            ]
        );
    }
}
