//! The life of incidents: opened, joined, reviewed, closed, taken up again. Only this stage changes them.

pub mod campaign;
pub mod cases;
pub mod lifecycle;
pub mod look;
pub mod open;
mod summary;
pub mod target;
