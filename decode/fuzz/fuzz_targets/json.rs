//! JSON lines of every dialect, and of field maps.

#![no_main]

use decode_fuzz::Family;
use decode_fuzz::family::{Setting, lists};

decode_fuzz::fuzz_family!(Family::new(lists::JSON, Setting::FieldMap));
