//! The pages `docs/commands.md` and `docs/configuration.md`.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory};
use expect_test::expect_file;

use crate::args::Args;

const COMMANDS: &str = "\
# Commands

Options stand in any order behind the command. Those of `scan`, `ship`, `run`, `maintain` and `serve` are also keys of the
[configuration](configuration.md), and where one is named below a variable of the environment sets it: the command line wins over the
environment, the environment over the file. Exit status: 0 done; 1 the command ran and failed; 2 the command line or configuration is
wrong. This page is written from the arguments by a test.
";

const CONFIGURATION: &str = "\
# Configuration

`--config FILE` (or `FLOODMARK_CONFIG`) names a TOML file whose keys are the names of the options; none is read by itself. The command
line wins over `FLOODMARK_…` variables of the environment, these over the file. An unknown key is an error that names its line.
[Commands](commands.md) says what each option does, [Feeding logs](feeding.md#who-asked) and [Log formats](formats.md#any-json) have `[allow]`
and `[fields]`. This is `cli/floodmark.example.toml`, with every key; a test copies it here.
";

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// How an argument is written.
fn written(arg: &Arg) -> String {
    let takes_values = arg.get_action().takes_values();
    let names = arg.get_value_names().unwrap_or_default();
    let value = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let value = if takes_values { value } else { String::new() };
    let short = arg.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    match arg.get_long() {
        Some(long) => cell(&format!("{short}`{}`", format!("--{long} {value}").trim_end())),
        None => cell(&format!("`{value}`")),
    }
}

/// What an argument means.
fn meaning(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    if arg.get_action().takes_values() {
        let values = arg.get_possible_values();
        let values: Vec<String> =
            values.iter().map(|value| format!("`{}`", value.get_name())).collect();
        let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy());
        let defaults: Vec<_> = defaults.collect();
        for (label, list) in [("One of", values.join(", ")), ("Default", defaults.join(", "))] {
            if !list.is_empty() {
                let list = if label == "Default" { format!("`{list}`") } else { list };
                write!(text, ". {label} {list}").unwrap();
            }
        }
    }
    cell(&text)
}

/// The table of the arguments for which `is_shown` holds.
fn table(page: &mut String, command: &Command, is_shown: impl Fn(&Arg) -> bool) {
    let is_own = |arg: &&Arg| !matches!(arg.get_id().as_str(), "help" | "version");
    let rows: Vec<&Arg> =
        command.get_arguments().filter(is_own).filter(|arg| is_shown(arg)).collect();
    if rows.is_empty() {
        return;
    }
    page.push_str("\n| | environment | |\n| --- | --- | --- |\n");
    for arg in rows {
        let variable = arg.get_env().map(|name| format!("`{}`", name.to_string_lossy()));
        writeln!(
            page,
            "| {} | {} | {} |",
            written(arg),
            variable.unwrap_or_default(),
            meaning(arg)
        )
        .unwrap();
    }
}

/// What stands below the options in the help: examples in a block, sentences as they are.
fn after(page: &mut String, command: &Command) {
    let Some(text) = command.get_after_help() else { return };
    let text = text.to_string();
    let (examples, rest): (Vec<&str>, Vec<&str>) =
        text.lines().filter(|line| *line != "Examples:").partition(|line| line.starts_with("  "));
    let examples: Vec<&str> = examples.iter().map(|line| line.trim_start()).collect();
    if !examples.is_empty() {
        write!(page, "\n```sh\n{}\n```\n", examples.join("\n")).unwrap();
    }
    let rest = rest.join("\n");
    if !rest.trim().is_empty() {
        write!(page, "\n{}\n", rest.trim()).unwrap();
    }
}

#[test]
fn the_page_of_commands_is_written_from_the_arguments() {
    let mut program = Args::command();
    program.build();
    let mut page = COMMANDS.to_owned();
    page.push_str("\n## Of every command\n");
    table(&mut page, &program, Arg::is_global_set);
    for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
        if command.get_name() == "help" {
            continue;
        }
        let about = command.get_long_about().or(command.get_about());
        let about = about.map(ToString::to_string).unwrap_or_default();
        write!(page, "\n## `floodmark {}`\n\n{about}\n", command.get_name()).unwrap();
        table(&mut page, command, |arg| !arg.is_global_set());
        after(&mut page, command);
    }
    expect_file!["../../../docs/commands.md"].assert_eq(&page);
}

#[test]
fn the_page_of_the_configuration_shows_every_key() {
    let example = include_str!("../../floodmark.example.toml");
    let page = format!("{CONFIGURATION}\n```toml\n{}\n```\n", example.trim_end());
    expect_file!["../../../docs/configuration.md"].assert_eq(&page);
}
