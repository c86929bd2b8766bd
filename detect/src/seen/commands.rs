//! What a request counts for that has a server run something.

use crate::record::event::{Event, flag};

/// What one counts for that is written, or sent by what does not call itself a browser, and answered with success: nobody knows
/// whether it was run. A choice.
const SUCCESS: f32 = 2.0;

/// What a request counts for, which was in vain or was not; 0 where it carries no command.
pub(super) const fn weight(event: &Event, in_vain: bool) -> f32 {
    let is_told = event.has(flag::WRITE) || event.program != 0;
    match event.has(flag::COMMAND) {
        false => 0.0,
        true if is_told && event.is_hit() && !in_vain => SUCCESS,
        true => 1.0,
    }
}
