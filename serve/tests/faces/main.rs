//! The core and its faces, over a small lake.
#![cfg(test)]

mod client;
mod core;
mod flight;
mod http;
mod lake;
mod pages;
mod postgres;
mod server;
mod stop;
