//! W3C: header lines and rows of CloudFront and IIS, with and without fields from the configuration.

#![no_main]

use decode_fuzz::Family;
use decode_fuzz::family::{Setting, lists};

decode_fuzz::fuzz_family!(Family::new(lists::W3C, Setting::Fields));
