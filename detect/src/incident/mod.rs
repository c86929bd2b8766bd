//! The life of incidents: opened, joined, reviewed, closed, taken up again. Only this stage changes them.

pub mod lifecycle;
pub mod open;
mod summary;
