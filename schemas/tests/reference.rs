//! `docs/tables.md` is written from the definitions; `UPDATE_EXPECT=1 cargo test -p schemas` rewrites it.

use std::fmt::Write as _;

use expect_test::expect_file;
use schemas::tables::ALL;

#[test]
fn the_reference_describes_every_column() {
    let mut page = String::from(
        "# Tables\n\nDelta Lake tables under `--data`. Timestamps are microseconds, UTC, in event time. `?` = may be null.\n\
         `attacks` is a view: the latest revision of every incident with `verdict <> 'benign'`.\n\
         `campaigns` is a view: one row per attack on several hosts, with `hosts`, `incidents`, `still_open`, `kinds`,\n\
         the worst `verdict` and `severity`, `first_ts`, `last_ts`, `requests`, and `sources`: the distinct ones among those\n\
         that its incidents name.\n\
         This page is written from `schemas/src/tables.rs` by a test.\n",
    );
    for table in ALL {
        write!(page, "\n## `{}`\n\n{}", table.name, table.doc).unwrap();
        if !table.partition_by.is_empty() {
            write!(page, " Partitioned by `{}`.", table.partition_by.join("`, `")).unwrap();
        }
        page.push_str("\n\n| column | type | meaning |\n| --- | --- | --- |\n");
        for column in table.columns {
            let null = if column.nullable { "?" } else { "" };
            writeln!(
                page,
                "| {} | {}{null} | {} |",
                column.name,
                column.data_type.name(),
                column.doc
            )
            .unwrap();
        }
    }
    expect_file!["../../docs/tables.md"].assert_eq(&page);
}

#[test]
fn names_are_unique_within_a_table() {
    for table in ALL {
        let mut names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table.columns.len(), "{}", table.name);
    }
}
