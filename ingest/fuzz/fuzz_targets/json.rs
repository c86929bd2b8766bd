//! JSON lines of every dialect, and of field maps.

#![no_main]

use ingest_fuzz::Family;
use ingest_fuzz::family::{Setting, lists};

ingest_fuzz::fuzz_family!(Family::new(lists::JSON, Setting::FieldMap));
