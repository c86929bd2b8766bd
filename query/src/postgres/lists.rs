//! Lists that are written as a text, as `{a,"b,c",NULL}` (PostgreSQL manual, "Array Input and Output Syntax").

/// The items of a list of one dimension, nulls as `None`; `None` for what is no such list.
///
/// # Example
/// ```
/// let items = query::postgres::items(r#"{a, "b,c", NULL}"#).unwrap();
/// assert_eq!(items, [Some("a".to_owned()), Some("b,c".to_owned()), None]);
/// ```
pub fn items(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    if inner.trim().is_empty() {
        return Some(Vec::new());
    }
    let (mut items, mut item) = (Vec::new(), Item::default());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match (c, item.state) {
            ('"', State::Within) => item.state = State::Behind,
            ('\\', State::Within) => item.text.push(chars.next()?),
            (c, State::Within) => item.text.push(c),
            (',', _) => std::mem::take(&mut item).end(&mut items)?,
            (c, _)
                if c.is_whitespace() && (item.text.is_empty() || item.state == State::Behind) => {}
            ('"', State::Plain) if item.text.is_empty() => item.state = State::Within,
            // Of more than one dimension; what stands beside quotes.
            ('"' | '{' | '}', _) | (_, State::Behind) => return None,
            ('\\', State::Plain) => {
                item.is_escaped = true;
                item.text.push(chars.next()?);
            }
            (c, State::Plain) => item.text.push(c),
        }
    }
    item.end(&mut items)?;
    Some(items)
}

/// Where in an item a character stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// There are no quotes.
    #[default]
    Plain,
    /// Within quotes.
    Within,
    /// Behind them.
    Behind,
}

#[derive(Debug, Default)]
struct Item {
    text: String,
    state: State,
    is_escaped: bool,
}

impl Item {
    /// Adds it to those before it; `None` for what is no item.
    fn end(self, items: &mut Vec<Option<String>>) -> Option<()> {
        let text = match self.state {
            State::Within => return None,
            State::Behind => self.text.as_str(),
            State::Plain => self.text.trim_end(),
        };
        let is_plain = self.state == State::Plain;
        // An empty text stands in quotes.
        if is_plain && text.is_empty() {
            return None;
        }
        let is_null = is_plain && !self.is_escaped && text.eq_ignore_ascii_case("null");
        items.push((!is_null).then(|| text.to_owned()));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart_as_they_are_meant() {
        let texts = |text: &str| {
            let items = items(text)?;
            let shown = items.iter().map(|item| item.as_deref().unwrap_or("-"));
            Some(shown.collect::<Vec<&str>>().join("|"))
        };
        for (text, is) in [
            (r#"{a,"b,\"}",NULL,"NULL"}"#, r#"a|b,"}|-|NULL"#),
            (r#"{ a , "b" , null }"#, "a|b|-"),
            (r#"{"", " x ", a b, \null}"#, "| x |a b|null"),
            ("{}", ""),
            (" { } ", ""),
        ] {
            assert_eq!(texts(text).as_deref(), Some(is), "{text}");
        }
        for wrong in
            ["", "a", "{", "{{a}}", "{\"a}", "{a\\", "{a,,b}", "{a,}", "{\"a\"b}", "{a\"b\"}"]
        {
            assert_eq!(texts(wrong), None, "{wrong}");
        }
    }
}
