//! Every format: the lines of `conformance/<format>[.variant].log` decode to the rows of the `.rows` file beside
//! them, read in the format by name and read with `auto`, which must recognise it.
//!
//! `UPDATE_EXPECT=1 cargo test -p decode --test conformance` rewrites the rows, and the table of formats in `docs/formats.md`;
//! read the difference.

#![cfg(test)]

mod package;
#[path = "../examples/conformance/runner/mod.rs"]
mod runner;
#[path = "conformance/runner_test.rs"]
mod runner_test;
mod support;
#[path = "conformance/table.rs"]
mod table;

use std::path::Path;

use decode::{DecoderConfig, Format};
use expect_test::expect_file;
use package::logs as cases;
use support::{read_blocks, show};

fn format_of(case: &Path) -> Format {
    let name = case.file_name().unwrap().to_str().unwrap();
    name.split('.').next().unwrap().parse().unwrap()
}

#[test]
fn lines_decode_to_the_golden_rows() {
    for case in cases() {
        let format = format_of(&case);
        let lines = std::fs::read(&case).unwrap();
        let (batches, _) = read_blocks(&DecoderConfig::of(format.name()), [&*lines]);
        expect_file![case.with_extension("rows")].assert_eq(&show(&batches));
    }
}

#[test]
fn auto_recognises_each_and_reads_the_same() {
    for case in cases() {
        let lines = std::fs::read(&case).unwrap();
        let (batches, format) = read_blocks(&DecoderConfig::default(), [&*lines]);
        assert_eq!(format, Some(format_of(&case)), "{}", case.display());
        expect_file![case.with_extension("rows")].assert_eq(&show(&batches));
    }
}

#[test]
fn every_format_has_a_case() {
    let cases = cases();
    for format in Format::ALL {
        let needs_configuration = matches!(format, Format::Auto | Format::Json | Format::Custom);
        let has_case = cases.iter().any(|case| format_of(case) == *format);
        assert!(has_case || needs_configuration, "{format}");
    }
}
