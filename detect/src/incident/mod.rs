//! The life of incidents: opened, joined, reviewed, closed, taken up again. Only this stage changes them.

pub mod across;
mod burden;
pub mod campaign;
pub mod cases;
pub mod drift;
mod handed;
pub mod lifecycle;
pub mod look;
pub mod makers;
pub mod open;
pub mod patience;
pub mod pulses;
mod review;
mod scope;
mod selects;
pub mod strangers;
mod summary;
pub mod swarm;
pub mod target;
mod taxed;
pub mod tell;
mod texts;
