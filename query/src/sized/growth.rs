//! Functions that make more of their arguments than they are given, and how much at most: bytes of one row.

use super::given::Given;

/// The most that a call makes of a row, bytes. It may be more than what comes, by a small factor.
pub(super) type Bound = fn(&Given, usize) -> u64;

/// The functions, by the engine's names. What is not here makes no more than its argument, but for a small factor: a line of a
/// hundred megabytes in `rejects` can be read, as `encode(raw, 'hex')`, too.
pub(super) const GROWING: [(&str, Bound); 24] = [
    ("array_append", of_all),
    ("array_concat", of_all),
    ("array_prepend", of_all),
    ("array_repeat", |given, row| given.bytes(0, row).max(1).saturating_mul(given.count(1, row))),
    ("array_replace", replaced_elements),
    ("array_replace_all", replaced_elements),
    ("array_replace_n", replaced_elements),
    ("array_resize", |given, row| {
        let element = given.element(0).max(given.bytes(2, row)).max(1);
        element.saturating_mul(given.count(1, row))
    }),
    ("array_to_string", |given, row| {
        let between = given.bytes(1, row).saturating_add(given.bytes(2, row));
        // A number of eight bytes is written in twenty at most.
        let values = given.bytes(0, row).saturating_mul(3);
        values.saturating_add(between.saturating_mul(given.elements(0, row)))
    }),
    ("array_union", of_all),
    ("concat", of_all),
    ("concat_ws", |given, row| {
        of_all(given, row).saturating_add(given.bytes(0, row).saturating_mul(others(given)))
    }),
    ("generate_series", steps),
    ("lpad", padded),
    ("make_array", of_all),
    ("overlay", of_all),
    ("range", steps),
    ("regexp_replace", |given, row| {
        // Before each character and at the end there may be a match, and each match may stand in what replaces it as often as
        // that has characters.
        let (text, with) = (given.bytes(0, row), given.bytes(2, row));
        let matches = if given.len() > 3 { text.saturating_add(1) } else { 1 };
        let written = matches.saturating_add(text).saturating_mul(with);
        text.saturating_add(written)
    }),
    ("repeat", |given, row| given.bytes(0, row).saturating_mul(given.count(1, row))),
    ("replace", |given, row| {
        let (text, from) = (given.bytes(0, row), given.bytes(1, row));
        let matches = text.checked_div(from).unwrap_or_else(|| text.saturating_add(1));
        text.saturating_add(matches.saturating_mul(given.bytes(2, row)))
    }),
    ("rpad", padded),
    // A place for each of the parts.
    ("string_to_array", |given, row| given.bytes(0, row).saturating_mul(17)),
    // A field of two letters is written in ten at most.
    ("to_char", |given, row| given.bytes(1, row).saturating_mul(5)),
    ("translate", |given, row| given.bytes(0, row).saturating_mul(4)),
];

/// All arguments, one behind the other.
pub(super) fn of_all(given: &Given, row: usize) -> u64 {
    (0..given.len()).fold(0, |sum: u64, arg| sum.saturating_add(given.bytes(arg, row)))
}

fn others(given: &Given) -> u64 {
    super::given::long(given.len().saturating_sub(1))
}

fn replaced_elements(given: &Given, row: usize) -> u64 {
    let with = given.elements(0, row).saturating_mul(given.bytes(2, row));
    given.bytes(0, row).saturating_add(with)
}

/// As many characters, of four bytes at most.
fn padded(given: &Given, row: usize) -> u64 {
    given.count(1, row).saturating_mul(4)
}

/// Eight bytes for each step from one place to another.
fn steps(given: &Given, row: usize) -> u64 {
    let (start, stop) = match given.len() {
        1 => (Some(0), given.place(0, row)),
        _ => (given.place(0, row), given.place(1, row)),
    };
    let by = if given.len() > 2 { given.place(2, row) } else { Some(1) };
    let (Some(start), Some(stop), Some(by)) = (start, stop, by) else { return 0 };
    let way = stop - start;
    if way == 0 || (way < 0) != (by < 0) {
        return 8;
    }
    // No step at all is an error of the function itself.
    let steps = way.checked_div(by).unwrap_or_default().unsigned_abs();
    u64::try_from(steps).unwrap_or(u64::MAX).saturating_add(1).saturating_mul(8)
}
