//! Log format strings of nginx and Apache, and lines to be read by them.

#![no_main]

use ingest_fuzz::Family;
use ingest_fuzz::family::{Setting, lists};

ingest_fuzz::fuzz_family!(Family::new(lists::FORMAT_STRINGS, Setting::FormatString));
