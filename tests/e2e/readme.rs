//! What the README shows is what happens: each ```` ```console ```` block is run and its output compared.
//!
//! A block holds commands (`$ ` first, `> ` for the lines that continue one) and the standard output expected below
//! each; a line `…` stands for any lines. Blocks of any other kind are not run. `UPDATE_EXPECT=1` writes what is
//! printed now into the README.

use std::path::Path;
use std::process::Command;

use expect_test::expect_file;
use tests::{floodmark, workspace};

const FENCE: &str = "```";

/// Runs one command line in `folder`, with the binary under test found as `floodmark`; returns standard output.
fn run(command: &str, folder: &Path) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .args(["-c", command])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", folder.join("bin").display()))
        .output()
        .expect("bash starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}\n{}\n{stderr}", output.status);
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// Whether `printed` is `expected`, in which a line `…` stands for any lines.
fn matches(expected: &[&str], printed: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => (0..=printed.len()).any(|skip| matches(rest, &printed[skip..])),
        Some((line, rest)) => {
            printed.split_first().is_some_and(|(first, more)| first == line && matches(rest, more))
        }
    }
}

/// The block as it should read: its commands with what they print now, or as it is where that matches.
fn replay(block: &[&str], folder: &Path, commands: &mut Vec<String>) -> Vec<String> {
    let mut lines = block.iter().copied().peekable();
    let mut replayed = Vec::new();
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("$ ") else { panic!("no command above `{line}`") };
        let mut command = command.to_owned();
        replayed.push(line.to_owned());
        while let Some(more) = lines.next_if(|line| line.starts_with("> ")) {
            command.push('\n');
            command.push_str(&more[2..]);
            replayed.push(more.to_owned());
        }
        let mut expected = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            expected.push(line);
        }
        let printed = run(&command, folder);
        let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
        let shown = if matches(&expected, &printed) { expected } else { printed };
        replayed.extend(shown.into_iter().map(str::to_owned));
        commands.push(command);
    }
    replayed
}

#[test]
fn console_blocks_of_the_readme_print_what_they_show() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    let found = [
        (floodmark::binary(), "bin/floodmark"),
        (&workspace::root().join("sample-data"), "sample-data"),
    ];
    for (original, link) in found {
        std::os::unix::fs::symlink(original, folder.path().join(link)).unwrap();
    }
    let readme = std::fs::read_to_string(workspace::root().join("README.md")).unwrap();
    let lines: Vec<&str> = readme.lines().collect();
    let (mut replayed, mut commands, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(line) = lines.get(at) {
        replayed.push((*line).to_owned());
        at += 1;
        if *line == format!("{FENCE}console") {
            let end = lines[at..].iter().position(|line| *line == FENCE).expect("a block ends");
            replayed.extend(replay(&lines[at..at + end], folder.path(), &mut commands));
            at += end;
        }
    }
    let queries = commands.iter().filter(|command| command.contains("floodmark sql")).count();
    assert!(queries >= 5, "the guide has five queries, {queries} were found in {commands:#?}");
    expect_file!["../../README.md"].assert_eq(&(replayed.join("\n") + "\n"));
}
