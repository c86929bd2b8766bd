//! What was seen, counted: nothing here judges.

pub mod accepted;
pub mod attempters;
pub mod attempts;
pub mod challenges;
mod commands;
pub mod draws;
pub mod heaviest;
pub mod holders;
pub mod host;
pub mod minutes;
mod moved;
pub mod queue;
pub mod readers;
pub mod source_record;
pub mod sources;
pub mod texts;
pub mod tries;
mod unserved;
pub mod votes;
