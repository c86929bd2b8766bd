//! Log format strings of nginx and Apache, and lines to be read by them.

#![no_main]

use decode_fuzz::Family;
use decode_fuzz::family::{Setting, lists};

decode_fuzz::fuzz_family!(Family::new(lists::FORMAT_STRINGS, Setting::FormatString));
