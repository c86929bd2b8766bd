//! What an excess is held to be.

pub mod evidence;
pub mod profile;
pub mod worth;
