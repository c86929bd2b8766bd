//! Command lines as a shell splits them, as far as the pages need it: quotes, comments, pipes, redirections.

use std::iter::Peekable;
use std::str::Chars;

/// The commands of a script, each as its words. Variables and substitutions stay as they are written.
pub(super) fn commands(script: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut chars = script.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            '\n' | '|' | '&' | ';' | '(' | ')' => commands.push(Vec::new()),
            ' ' | '\t' => {}
            '\\' if chars.next_if_eq(&'\n').is_some() => {}
            '<' | '>' => redirection(&mut chars),
            c => {
                let word = word(c, &mut chars);
                let is_descriptor = word.chars().all(|c| c.is_ascii_digit());
                if !(is_descriptor && matches!(chars.peek(), Some('<' | '>'))) {
                    commands.last_mut().unwrap().push(word);
                }
            }
        }
    }
    commands.retain(|words| !words.is_empty());
    commands
}

/// Passes over the target of a redirection.
fn redirection(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|c| matches!(c, '>' | '&' | ' ')).is_some() {}
    if let Some(first) = chars.next() {
        word(first, chars);
    }
}

/// The word that begins with `first`.
fn word(first: char, chars: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    let mut next = Some(first);
    while let Some(c) = next {
        match c {
            '\'' => word.extend(chars.by_ref().take_while(|c| *c != '\'')),
            '"' => quoted(chars, &mut word),
            '\\' => word.extend(chars.next()),
            c => word.push(c),
        }
        next = chars
            .next_if(|c| !matches!(c, ' ' | '\t' | '\n' | '|' | '&' | ';' | '<' | '>' | '(' | ')'));
    }
    word
}

/// What stands in double quotes.
fn quoted(chars: &mut Peekable<Chars<'_>>, word: &mut String) {
    while let Some(c) = chars.next() {
        match c {
            '"' => return,
            '\\' => word.extend(chars.next()),
            c => word.push(c),
        }
    }
}

#[test]
fn a_line_is_split_as_a_shell_does() {
    let script =
        "a 'b c' \"d \\\"e\\\"\" f\\ g 2>&1 >out # no | no\nh | i && j --k='l m' > n \\\n  o; p <q";
    let split: Vec<String> = commands(script).iter().map(|words| words.join("·")).collect();
    assert_eq!(split, ["a·b c·d \"e\"·f g", "h", "i", "j·--k=l m·o", "p"]);
}
