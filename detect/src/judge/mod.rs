//! What an excess is held to be.

pub mod benign;
pub mod evidence;
pub mod kind;
pub mod profile;
pub mod rule;
pub mod severity;
pub mod worth;
