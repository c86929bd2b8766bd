//! Detection is stages: each may use itself and those below it, none the ones above.

use std::path::Path;

use crate::tidy::rust_files;

/// The stages of `detect/src`, from the top down.
const STAGES: [&str; 12] = [
    "detector", "state", "incident", "judge", "explain", "suspect", "seen", "normal", "clock",
    "record", "store", "math",
];

/// What every stage may use, and what uses no stage.
const COMMON: [&str; 3] = ["config", "limits", "counters"];

/// What stands outside: the list of what there is, the page of its tables, and what the tests of other crates look
/// through.
const OUTSIDE: [&str; 3] = ["lib", "reference", "testing"];

/// Folder, or file without its ending, directly under `detect/src`.
fn part(name: &Path) -> Option<&str> {
    let inside = name.strip_prefix("detect/src").ok()?;
    inside.iter().next()?.to_str().map(|part| part.trim_end_matches(".rs"))
}

/// The text without comments and without the tests at its end.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The parts of the crate that a text names by `crate::…`, or by `crate::{…, …}`.
fn named(code: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let paths = match rest.strip_prefix('{') {
            Some(list) => top_level(list),
            None => vec![rest],
        };
        let name = |path: &str| -> String {
            path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        };
        parts.extend(paths.into_iter().map(name).filter(|name| !name.is_empty()));
    }
    parts
}

/// The paths of a list in braces, whose first brace is left out; lists inside stay whole.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut paths) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                paths.push(&list[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                paths.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    paths
}

/// What a part of the crate names and may not.
fn faults(part: &str, text: &str) -> Vec<String> {
    let place = |name: &str| STAGES.iter().position(|stage| *stage == name);
    let may = |name: &str| match (place(part), place(name)) {
        _ if OUTSIDE.contains(&part) || COMMON.contains(&name) => true,
        (Some(from), Some(to)) => from <= to,
        _ => false,
    };
    let code = code(text);
    let mut faults: Vec<String> = named(&code)
        .into_iter()
        .filter(|name| !may(name))
        .map(|name| format!("{part} -> {name}"))
        .collect();
    if code.contains("super::super::") {
        faults.push(format!("{part} -> super::super::, which hides the stage: write crate::…"));
    }
    faults
}

#[test]
fn a_stage_of_detection_uses_none_above_it() {
    let mut found = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (name, text) in rust_files() {
        let Some(part) = part(&name) else { continue };
        found
            .extend(faults(part, &text).iter().map(|fault| format!("{}: {fault}", name.display())));
        if !seen.iter().any(|known| known == part) {
            seen.push(part.to_owned());
        }
    }
    assert!(found.is_empty(), "arrows of detect that point up:\n{}", found.join("\n"));
    let known = |part: &&str| seen.iter().any(|seen| seen == part);
    let all = STAGES.iter().chain(&COMMON).chain(&OUTSIDE);
    assert!(all.clone().all(known), "no such part of detect/src: {seen:?}");
    assert_eq!(seen.len(), all.count(), "a part of detect/src without a place: {seen:?}");
}

#[test]
fn an_arrow_that_points_up_is_seen() {
    assert_eq!(faults("seen", "use crate::normal::known::Known;\n"), [""; 0]);
    assert_eq!(faults("seen", "use crate::judge::kind;\n"), ["seen -> judge"]);
    assert_eq!(faults("math", "    crate::store::table::Table::new()\n"), ["math -> store"]);
    assert_eq!(
        faults("seen", "use crate::{limits::X, normal::{a, b}, suspect::{c, d}};\n"),
        ["seen -> suspect"]
    );
    assert_eq!(faults("limits", "use crate::math::hash;\n"), ["limits -> math"]);
    assert_eq!(faults("judge", "use crate::testing::Rows;\n"), ["judge -> testing"]);
    assert_eq!(faults("math", "/// Read by [`crate::store`].\n"), [""; 0]);
    assert_eq!(faults("math", "#[cfg(test)]\nmod tests {\n    use crate::store;\n}\n"), [""; 0]);
}
