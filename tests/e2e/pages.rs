//! What README and docs show is what happens: each ```` ```console ```` block is run and its output compared.
//!
//! A block holds commands (`$ ` first, `> ` for the lines that continue one) and the standard output expected below
//! each. The blocks of one page share a folder, which holds `sample-data`. Blocks of any
//! other kind are not run. `UPDATE_EXPECT=1` writes what is printed now into the pages.

use std::path::Path;
use std::process::{Command, Stdio};

use expect_test::expect_file;
use tests::{floodmark, pages, workspace};

const FENCE: &str = "```";

/// Pages with blocks that are run, and the commands that each has at least: a page that loses them is noticed.
macro_rules! pages_that_are_run {
    ($($test:ident: $page:literal, $commands:literal;)+) => {
        const PAGES: &[&str] = &[$($page),+];
        $(
            #[test]
            fn $test() {
                replay_page($page, $commands);
            }
        )+
    };
}

pages_that_are_run! {
    readme: "README.md", 2;
    under_attack: "docs/under-attack.md", 4;
    first_steps: "docs/first-steps.md", 3;
    feeding: "docs/feeding.md", 2;
    formats: "docs/formats.md", 1;
    alerts: "docs/alerts.md", 3;
    investigating: "docs/investigating.md", 7;
    upkeep: "docs/upkeep.md", 2;
}

#[test]
fn every_page_with_a_console_block_is_run() {
    let with_blocks = pages::all().into_iter().filter(|page| {
        page.text.lines().any(|line| line.trim_start().starts_with(&format!("{FENCE}console")))
    });
    let mut named: Vec<String> = with_blocks.map(|page| page.name).collect();
    named.sort();
    let mut run = PAGES.to_vec();
    run.sort_unstable();
    assert_eq!(named, run);
}

/// Runs one command line in `folder`, with the binary under test found as `floodmark`; returns standard output.
fn run(command: &str, folder: &Path) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .args(["-c", command])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", folder.join("bin").display()))
        .stdin(Stdio::null())
        .output()
        .expect("bash starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}\n{}\n{stderr}", output.status);
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// The block as it should read: its commands with what they print now.
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
        while lines.next_if(|line| !line.starts_with("$ ")).is_some() {}
        let printed = run(&command, folder);
        replayed.extend(printed.lines().map(|line| line.trim_end().to_owned()));
        commands.push(command);
    }
    replayed
}

/// Runs the blocks of a page, in a folder of their own.
fn replay_page(name: &str, commands_min: usize) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    let found = [
        (floodmark::binary(), "bin/floodmark"),
        (&workspace::root().join("sample-data"), "sample-data"),
    ];
    for (original, link) in found {
        std::os::unix::fs::symlink(original, folder.path().join(link)).unwrap();
    }
    let page = workspace::root().join(name);
    let text = std::fs::read_to_string(&page).unwrap();
    let lines: Vec<&str> = text.lines().collect();
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
    assert!(commands.len() >= commands_min, "{name} has {commands_min} commands: {commands:#?}");
    expect_file![page].assert_eq(&(replayed.join("\n") + "\n"));
}
