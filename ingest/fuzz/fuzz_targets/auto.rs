//! Whole streams whose format and envelope are recognised.

#![no_main]

use ingest_fuzz::Family;
use ingest_fuzz::family::{Setting, every_format_is_listed, lists};

ingest_fuzz::fuzz_family!({
    every_format_is_listed();
    Family::new(lists::AUTO, Setting::Nothing)
});
