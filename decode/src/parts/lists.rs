//! Records that stand in a list, each in a line of its own.

use super::follow_brackets;

/// What is behind the beginning of an object that holds nothing but a list, `{"events":[`.
pub(in super::super) fn without_head(line: &str) -> Option<&str> {
    let key = line.trim_ascii().strip_prefix('{')?.trim_ascii_start().strip_prefix('"')?;
    let (key, rest) = key.split_once('"')?;
    let rest = rest.trim_ascii_start().strip_prefix(':')?.trim_ascii_start();
    let rest = rest.strip_prefix('[')?.trim_ascii_start();
    (!key.contains('\\')).then_some(rest)
}

/// An object that stands in a line of a list, with the comma before or behind it and the brackets that end the list.
pub(in super::super) fn object_of_list(line: &str) -> Option<&str> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(',').map_or(line, str::trim_ascii_start);
    let ends = ["", ",", "]", "]}", "]}}"].into_iter();
    let mut inner = ends.filter_map(|end| line.strip_suffix(end).map(str::trim_ascii_end));
    inner.find(|inner| {
        let mut open = String::new();
        inner.starts_with('{')
            && inner.ends_with('}')
            && follow_brackets(inner, &mut open)
            && open.is_empty()
    })
}

/// Longest line of nothing but the brackets that end a list and what it is in.
const END_BYTES_MAX: usize = 16;

/// Whether a line is nothing but those.
pub(in super::super) fn is_end_of_list(line: &str) -> bool {
    (1..=END_BYTES_MAX).contains(&line.len())
        && line.bytes().all(|byte| matches!(byte, b']' | b'}' | b' '))
}

/// A line without the bracket of a list that begins or ends in it.
pub(in super::super) fn without_list_bracket(line: &str) -> Option<&str> {
    let line = line.trim_ascii();
    if let Some(first) = line.strip_prefix('[').map(str::trim_ascii_start)
        && first.starts_with('{')
        && first.ends_with(['{', ','])
    {
        return Some(first);
    }
    let last = line.strip_suffix(']').map(str::trim_ascii_end)?;
    (last.starts_with('{') && last.ends_with('}')).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_stand_in_lists_line_by_line() {
        for (line, object) in [
            (r#"{"a":1},"#, Some(r#"{"a":1}"#)),
            (r#",{"a":1}"#, Some(r#"{"a":1}"#)),
            (r#"{"a":[{"b":1}]}]}"#, Some(r#"{"a":[{"b":1}]}"#)),
            (r#"{"a":[{"b":1}]}"#, Some(r#"{"a":[{"b":1}]}"#)),
            (r#"{"a":1}]"#, Some(r#"{"a":1}"#)),
            (r#"{"a":[1"#, None),
            (r#"{"a":1} x"#, None),
            ("]}", None),
        ] {
            assert_eq!(object_of_list(line), object, "{line}");
        }
        assert_eq!(without_head(r#"{ "Records": [ {"a":1},"#), Some(r#"{"a":1},"#));
        assert_eq!(without_head(r#"{"a":1,"b":["#), None);
        assert!(is_end_of_list("] }") && is_end_of_list("}") && !is_end_of_list("],"));
    }
}
