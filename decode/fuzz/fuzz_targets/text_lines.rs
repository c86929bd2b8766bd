//! Text lines of every built-in format.

#![no_main]

use decode_fuzz::Family;
use decode_fuzz::family::{Setting, lists};

decode_fuzz::fuzz_family!(Family::new(lists::TEXT_LINES, Setting::Nothing));
