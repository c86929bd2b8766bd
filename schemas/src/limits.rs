//! Every maximum that more than one crate must agree on.

/// Rows in one in-flight batch, at most; a single Kafka message may exceed it.
pub const BATCH_ROWS_MAX: usize = 8_192;

/// Bytes of one line that are kept as an access record; a longer line is a reject with its whole bytes.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// Bytes of one reject's `raw` column; Arrow's `Binary` offsets are 32-bit.
pub const REJECT_BYTES_MAX: usize = 1 << 30;

/// Sources named by one incident revision.
pub const INCIDENT_SOURCES_MAX: usize = 1_000;

/// Characters of one text from traffic that a summary quotes.
pub const SUMMARY_TEXT_CHARS_MAX: usize = 120;

/// Version of the table layout, written to every table as the property `floodmark.schemaVersion`.
pub const SCHEMA_VERSION: u32 = 1;

/// Length of the rows in `source_windows` and `target_windows`, microseconds.
pub const WINDOW_US: i64 = 60_000_000;

/// Length of a pane, microseconds: the step in which votes are counted and learned.
pub const PANE_US: i64 = 5_000_000;

/// Length of a sub-pane, microseconds: the step at whose end the detector decides.
pub const SUB_PANE_US: i64 = 1_000_000;

const _: () = assert!(WINDOW_US % PANE_US == 0, "windows are made of whole panes");
const _: () = assert!(PANE_US % SUB_PANE_US == 0, "panes are made of whole sub-panes");
const _: () = assert!(LINE_BYTES_MAX < REJECT_BYTES_MAX, "a reject holds any line");
