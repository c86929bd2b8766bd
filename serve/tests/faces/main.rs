//! The core and its faces, over a small lake.

mod client;
mod core;
mod http;
mod lake;
mod pages;
