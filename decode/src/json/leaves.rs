//! Every value of a line of JSON with its path, for people: no decoder needs them all.

use std::ops::Range;

use super::scan::{Broken, Cursor};

/// Values that are listed of a line, at most.
const LEAVES_MAX: usize = 512;

/// How deep objects and lists are looked into.
const DEPTH_MAX: usize = 16;

/// A value that is no object and no list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The keys from the outermost object inwards, with dots between them; lists add nothing.
    pub path: String,
    /// Where the text stands in the line, without its quotes.
    pub bytes: Range<usize>,
}

/// The values of a line, in order, as far as it is JSON.
pub fn leaves(line: &str) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let mut cursor = Cursor::new(line);
    // What was found before the line stops being JSON is told all the same.
    let _broken = value(&mut cursor, &mut String::new(), 0, &mut leaves);
    leaves
}

fn value(
    cursor: &mut Cursor<'_>,
    path: &mut String,
    depth: usize,
    leaves: &mut Vec<Leaf>,
) -> Result<(), Broken> {
    let first = cursor.peek()?;
    if leaves.len() >= LEAVES_MAX || depth >= DEPTH_MAX {
        return cursor.skip_value();
    }
    match first {
        b'{' => object(cursor, path, depth, leaves),
        b'[' => {
            cursor.skip(1);
            while cursor.entry()?.is_some() {
                value(cursor, path, depth + 1, leaves)?;
            }
            Ok(())
        }
        first => {
            let scalar = cursor.scalar(first)?;
            let end = cursor.place() - usize::from(scalar.quoted);
            let bytes = end - scalar.text.len()..end;
            leaves.push(Leaf { path: path.clone(), bytes });
            Ok(())
        }
    }
}

fn object(
    cursor: &mut Cursor<'_>,
    path: &mut String,
    depth: usize,
    leaves: &mut Vec<Leaf>,
) -> Result<(), Broken> {
    if !cursor.enters_object()? {
        return Ok(());
    }
    loop {
        let key = cursor.key()?;
        let outer = path.len();
        if outer > 0 {
            path.push('.');
        }
        path.push_str(key);
        let read = value(cursor, path, depth + 1, leaves);
        path.truncate(outer);
        read?;
        if !cursor.another()? {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_paths_and_places() {
        let line = r#"{"a":"x\"y","b":{"c":[1,{"d":null}]},"e":[]}"#;
        let found: Vec<_> =
            leaves(line).into_iter().map(|leaf| (leaf.path, line[leaf.bytes].to_owned())).collect();
        let expected = [("a", "x\\\"y"), ("b.c", "1"), ("b.c.d", "null")];
        assert_eq!(found, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    }

    #[test]
    fn what_breaks_off_is_told_as_far_as_it_goes() {
        assert_eq!(leaves(r#"{"a":1,"b":"x"#).len(), 1);
        assert_eq!(leaves("").len(), 0);
        assert!(leaves(&"[".repeat(100_000)).is_empty());
    }
}
