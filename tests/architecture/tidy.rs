//! Habits that every file of the project keeps.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::workspace;

/// Lines that a file of Rust has at most.
const LINES_MAX: usize = 500;

/// Every file that git knows or would add, with its text; binary files are left out.
pub(crate) fn files() -> Vec<(PathBuf, String)> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(workspace::root())
        .output()
        .expect("git starts");
    let names = String::from_utf8(output.stdout).expect("file names are UTF-8");
    let mut names: Vec<PathBuf> = names.split_terminator('\0').map(PathBuf::from).collect();
    if names.is_empty() {
        // Sources without a repository, such as an unpacked archive.
        walk(workspace::root(), &mut names);
    }
    let read = |name: PathBuf| {
        let text = std::fs::read_to_string(workspace::root().join(&name)).ok()?;
        Some((name, text))
    };
    names.into_iter().filter_map(read).collect()
}

fn walk(folder: &Path, names: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            walk(&path, names);
        } else if path.is_file() {
            names.push(path.strip_prefix(workspace::root()).unwrap().to_owned());
        }
    }
}

/// Those of them that are Rust.
pub(crate) fn rust_files() -> Vec<(PathBuf, String)> {
    let is_rust = |name: &Path| name.extension().is_some_and(|extension| extension == "rs");
    let files: Vec<_> = files().into_iter().filter(|(name, _)| is_rust(name)).collect();
    assert!(files.len() > 20, "the workspace has more files than {files:?}");
    files
}

/// Fails with every line of `files` that `is_bad`.
fn forbid(what: &str, files: &[(PathBuf, String)], is_bad: impl Fn(&str) -> bool) {
    let mut found = Vec::new();
    for (name, text) in files {
        for (index, line) in text.lines().enumerate().filter(|(_, line)| is_bad(line)) {
            found.push(format!("{}:{}: {}", name.display(), index + 1, line.trim()));
        }
    }
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    for (name, text) in rust_files() {
        assert!(text.starts_with("//! "), "{} opens without `//!`", name.display());
    }
}

#[test]
fn files_are_short() {
    for (name, text) in rust_files() {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines, at most {LINES_MAX}", name.display());
    }
}

#[test]
fn nothing_is_left_for_later_in_a_comment() {
    let marks = [["TO", "DO"], ["FIX", "ME"]].map(|halves| halves.concat());
    forbid("unfinished", &rust_files(), |line| marks.iter().any(|mark| line.contains(mark)));
}

#[test]
fn no_test_sleeps() {
    // Called by its path or by its name; `pg_sleep(5)` in what an attacker sends is none.
    let calls = [["::sleep", "("], [" sleep", "("]].map(|halves| halves.concat());
    let tests: Vec<_> = rust_files()
        .into_iter()
        .map(|(name, text)| {
            let is_test = name.iter().any(|folder| folder == "tests");
            let from = if is_test { 0 } else { text.find("#[cfg(test)]").unwrap_or(text.len()) };
            (name, text[from..].to_owned())
        })
        .collect();
    forbid("a sleep: wait on a condition", &tests, |line| {
        calls.iter().any(|call| line.contains(call))
    });
}

#[test]
fn no_path_of_one_machine() {
    let paths = ["/work", "/root", "/home"].map(|folder| format!("{folder}/"));
    let sources: Vec<_> =
        files().into_iter().filter(|(name, _)| !name.starts_with("sample-data/files")).collect();
    forbid("a path of one machine", &sources, |line| paths.iter().any(|path| line.contains(path)));
}

#[test]
fn everything_has_a_licence_and_a_readme() {
    for name in
        ["LICENSE", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "Cargo.lock"]
    {
        let text = std::fs::read_to_string(workspace::root().join(name)).unwrap_or_default();
        assert!(!text.trim().is_empty(), "{name} is missing or empty");
    }
}

/// The one file that may: librdkafka's interface is C.
const UNSAFE: &str = "ingest/src/source/kafka/topic_id.rs";

#[test]
fn one_file_alone_is_unsafe() {
    let files: Vec<_> =
        rust_files().into_iter().filter(|(name, _)| name != Path::new(UNSAFE)).collect();
    // Put together, so that this file does not forbid itself.
    let (lint, word) = (concat!("unsafe", "_code"), concat!("uns", "afe "));
    let is_bad = |line: &str| {
        let code = line.trim_start();
        !code.starts_with("//")
            && (code.contains(lint)
                || code.contains(&format!("{word}{{"))
                || code.contains(&format!("{word}fn"))
                || code.contains(&format!("{word}impl")))
    };
    forbid("unsafe code", &files, is_bad);
}
