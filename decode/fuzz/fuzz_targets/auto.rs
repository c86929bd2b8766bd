//! Whole streams whose format and envelope are recognised.

#![no_main]

use decode_fuzz::Family;
use decode_fuzz::family::{Setting, every_format_is_listed, lists};

decode_fuzz::fuzz_family!({
    every_format_is_listed();
    Family::new(lists::AUTO, Setting::Nothing)
});
