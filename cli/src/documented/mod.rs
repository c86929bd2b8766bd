//! README and docs, held against the command line and the configuration: whatever command line, option or setting they
//! name is there. Two of the pages are written from them; `UPDATE_EXPECT=1 cargo test -p cli --lib documented` rewrites
//! these.

mod reference;
mod shell;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Command, CommandFactory};

use crate::args::Args;
use crate::config::File;

const FENCE: &str = "```";

/// Options of other programs that the pages name by themselves: of Java.
const FOREIGN: [&str; 1] = ["--add-opens"];

/// The workspace; told when the test runs, since checkouts may share the folder that is built into.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo starts the tests");
    Path::new(&package).join("..")
}

/// A part of a page, and where it is.
struct Part {
    /// Page and line.
    at: String,
    /// Language of the block; `None` for a span of code in a sentence.
    language: Option<String>,
    text: String,
}

/// Every block and span of code of the README, of all pages under `docs/`, and of the page for those who work on it.
fn parts() -> Vec<Part> {
    let mut pages = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.iter().flat_map(|page| parts_of(page)).collect()
}

fn parts_of(page: &Path) -> Vec<Part> {
    let text = fs::read_to_string(page).unwrap();
    let mut parts = Vec::new();
    let mut lines = text.lines().zip(1..).peekable();
    while let Some((line, number)) = lines.next() {
        let at = format!("{}:{number}", page.display());
        if let Some(language) = line.trim_start().strip_prefix(FENCE) {
            let block: Vec<&str> = lines
                .by_ref()
                .map(|(line, _)| line)
                .take_while(|line| line.trim_start() != FENCE)
                .collect();
            parts.push(Part { at, language: Some(language.to_owned()), text: block.join("\n") });
            continue;
        }
        // A span may go on in the next line of its paragraph.
        let mut paragraph = line.to_owned();
        let goes_on =
            |(line, _): &(&str, i32)| !line.is_empty() && !line.trim_start().starts_with(FENCE);
        while let Some((more, _)) = lines.next_if(goes_on) {
            paragraph.push(' ');
            paragraph.push_str(more);
        }
        let spans = paragraph.split('`').skip(1).step_by(2);
        parts.extend(spans.map(|span| Part {
            at: at.clone(),
            language: None,
            text: span.to_owned(),
        }));
    }
    parts
}

/// The command lines of a part; of a block that shows what they print, those behind `$ ` and `> `.
fn scripts(part: &Part) -> Vec<String> {
    if part.language.as_deref() != Some("console") {
        return vec![part.text.clone()];
    }
    let mut scripts: Vec<String> = Vec::new();
    for line in part.text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            scripts.push(command.to_owned());
        } else if let (Some(more), Some(last)) = (line.strip_prefix("> "), scripts.last_mut()) {
            *last = format!("{last}\n{more}");
        }
    }
    scripts
}

/// The arguments that a command gives to `floodmark`, its name in front; `None` for another program.
fn arguments(words: &[String]) -> Option<Vec<String>> {
    let is_before = |word: &&String| word.contains('=') || *word == "sudo";
    let words = &words[words.iter().take_while(is_before).count()..];
    let (program, arguments) = words.split_first()?;
    let arguments = match program.rsplit('/').next() {
        Some("floodmark") => arguments,
        // The one binary of the default packages.
        Some("cargo") if arguments.first()? == "run" && !arguments.contains(&"-p".to_owned()) => {
            &arguments[arguments.iter().position(|word| word == "--")? + 1..]
        }
        _ => return None,
    };
    Some(std::iter::once(&"floodmark".to_owned()).chain(arguments).cloned().collect())
}

#[test]
fn every_command_line_is_one() {
    let (mut faults, mut blocks) = (Vec::new(), 0);
    for part in parts()
        .iter()
        .filter(|part| part.text.contains("floodmark") || part.text.contains("cargo run"))
    {
        for words in scripts(part).iter().flat_map(|script| shell::commands(script)) {
            let Some(arguments) = arguments(&words) else { continue };
            let is_block = part.language.is_some();
            blocks += usize::from(is_block);
            let Err(error) = Args::command().try_get_matches_from(&arguments) else { continue };
            let is_fine = match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
                // A sentence may speak of a command without all that it needs.
                ErrorKind::MissingRequiredArgument
                | ErrorKind::MissingSubcommand
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => !is_block,
                ErrorKind::InvalidValue => !is_block && part.text.contains('…'),
                _ => false,
            };
            if !is_fine {
                faults.push(format!("{}: {}\n{error}", part.at, arguments.join(" ")));
            }
        }
    }
    assert!(blocks > 50, "{blocks} command lines in blocks");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every option of `command` and of those below it.
fn options(command: &Command, known: &mut BTreeSet<String>) {
    known.extend(
        command.get_arguments().filter_map(|arg| arg.get_long()).map(|long| format!("--{long}")),
    );
    for below in command.get_subcommands() {
        options(below, known);
    }
}

#[test]
fn every_option_in_a_sentence_is_one() {
    let mut known: BTreeSet<String> = FOREIGN.map(str::to_owned).into();
    let mut program = Args::command();
    // Adds `--help` and `--version`.
    program.build();
    options(&program, &mut known);
    let mut faults = Vec::new();
    for part in parts().iter().filter(|part| part.language.is_none()) {
        let option = part.text.split([' ', '=', ',']).next().unwrap_or_default();
        let name = option.trim_start_matches("--");
        let is_option =
            option.starts_with("--") && name.starts_with(|c: char| c.is_ascii_lowercase());
        if is_option && !known.contains(option) {
            faults.push(format!("{}: {}", part.at, part.text));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_setting_is_one() {
    let mut seen = 0;
    for part in parts().iter().filter(|part| part.language.as_deref() == Some("toml")) {
        seen += 1;
        if let Err(error) = toml::from_str::<File>(&part.text) {
            panic!("{}: {error}", part.at);
        }
    }
    assert!(seen >= 3, "{seen} blocks of settings");
}
