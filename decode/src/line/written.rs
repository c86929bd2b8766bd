//! Format strings as they stand in the configuration of a server.

use std::borrow::Cow;

/// Begins the directive of nginx.
const NGINX: &str = "log_format ";

/// Begins the directive of Apache.
const APACHE: &str = "LogFormat ";

/// The format string in a directive, or in the quotes of one: `log_format main '…' '…';`, `LogFormat "…" main`. Any other text
/// is one as it stands.
pub(super) fn format_string(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim_ascii();
    let found = if let Some(directive) = trimmed.strip_prefix(NGINX) {
        let behind_name =
            directive.trim_ascii_start().split_once(|c: char| c.is_ascii_whitespace());
        behind_name.and_then(|(_, rest)| joined(rest))
    } else if let Some(directive) = trimmed.strip_prefix(APACHE) {
        quoted_by_apache(directive)
    } else {
        joined(trimmed).filter(|_| trimmed.starts_with('\''))
    };
    found.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// What the quotes in a row hold, as one: `'…' '…';`, perhaps behind `escape=json`.
fn joined(text: &str) -> Option<String> {
    let mut rest = text.trim_ascii().trim_end_matches(';').trim_ascii();
    if rest.starts_with("escape=") {
        rest = rest.split_once(|c: char| c.is_ascii_whitespace())?.1.trim_ascii_start();
    }
    let mut format = String::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (inner, tail) = rest.get(1..)?.split_once(quote)?;
        format.push_str(inner);
        rest = tail.trim_ascii_start();
    }
    (!format.is_empty()).then_some(format)
}

/// What the quotes hold, those inside behind backslashes.
fn quoted_by_apache(text: &str) -> Option<String> {
    let inner = text.trim_ascii_start().strip_prefix('"')?;
    let closes = |at: &usize| !inner.get(..*at).is_some_and(|before| before.ends_with('\\'));
    let end = inner.match_indices('"').map(|(at, _)| at).find(closes)?;
    inner.get(..end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives() {
        let nginx = r#"$remote_addr [$time_local] "$request" $status"#;
        for text in [
            nginx,
            r#"'$remote_addr [$time_local] "$request" $status'"#,
            "'$remote_addr [$time_local] '\n  '\"$request\" $status'",
            "log_format main '$remote_addr [$time_local] '\n\t'\"$request\" $status';",
            "log_format  main escape=json '$remote_addr [$time_local] \"$request\" $status' ;\n",
        ] {
            assert_eq!(format_string(text), nginx, "{text}");
        }
        let apache = r#"%h %t \"%r\" %>s"#;
        assert_eq!(format_string(r#"LogFormat "%h %t \"%r\" %>s" short"#), apache);
        for text in
            ["", "'", "log_format", "log_format main", "LogFormat x", "'$a' $b", "\"$a\" \"$b\""]
        {
            assert_eq!(format_string(text), text);
        }
    }
}
