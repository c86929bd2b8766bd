//! `floodmark top`: what is shown, and how often.

use std::time::Duration;

use clap::Args as ClapArgs;

pub(super) const EXAMPLES: &str = "\
Examples:
  floodmark top --data /srv/floodmark
  floodmark top --minutes 15
  watch -n 10 floodmark top --once

Keys: q leaves, p or space holds the picture, left and right look at less and more of the past, r looks at once.
Where its output is no terminal it is written once, as text.";

/// `floodmark top`.
#[derive(Debug, ClapArgs)]
pub struct TopArgs {
    /// Folder (or object-store URI) of the tables.
    #[arg(long, env = "FLOODMARK_DATA", value_name = "URI")]
    pub data: Option<String>,
    /// Minutes of the past, from the last in the tables; default 60.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub minutes: Option<u32>,
    /// How often it looks again.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = humantime::parse_duration)]
    pub every: Duration,
    /// Write it once, as text.
    #[arg(long)]
    pub once: bool,
}
