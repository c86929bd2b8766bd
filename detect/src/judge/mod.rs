//! What an excess is held to be.

pub mod benign;
pub mod evidence;
pub mod kind;
pub mod kinds;
pub mod profile;
pub mod worth;
