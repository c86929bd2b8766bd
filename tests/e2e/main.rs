//! The whole system through its binary, with real parts around it.
#![cfg(test)]

mod bad_input;
mod broker;
mod cli;
mod clients;
mod console;
mod demo;
mod deploy;
mod disk_full;
mod flight;
mod golden;
mod grafana;
mod jdbc;
mod kafka;
mod pages;
mod postgres;
mod readers;
mod s3;
mod serve;
mod top;
mod upkeep;
mod warm;
