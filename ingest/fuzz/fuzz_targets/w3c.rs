//! W3C: header lines and rows of CloudFront and IIS, with and without fields from the configuration.

#![no_main]

use ingest_fuzz::Family;
use ingest_fuzz::family::{Setting, lists};

ingest_fuzz::fuzz_family!(Family::new(lists::W3C, Setting::Fields));
