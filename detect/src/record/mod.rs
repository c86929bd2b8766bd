//! One access record as the detector keeps it: what it says, in hashes, numbers and flags.

pub mod attribute;
pub mod column;
pub mod columns;
pub mod event;
pub mod exploits;
pub mod lexicon;
pub mod names;
pub mod sought;
pub mod source;
pub mod words;
