//! Text lines of every built-in format.

#![no_main]

use ingest_fuzz::Family;
use ingest_fuzz::family::{Setting, lists};

ingest_fuzz::fuzz_family!(Family::new(lists::TEXT_LINES, Setting::Nothing));
