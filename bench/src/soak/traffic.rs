//! Lines of this very moment: visitors who come and go, new ones all the time, and a flood every ten minutes.

use std::io::{self, Write};
use std::net::Ipv4Addr;

use chrono::Utc;
use fastrand::Rng;

/// Each run has the same visitors.
const SEED: u64 = 1;

/// Visitors that come again and again.
const REGULARS: u64 = 20_000;

/// One in so many lines is of somebody who was never here.
const NEW_ONE_IN: u64 = 20;

/// A flood every so many seconds, its place in them and its length.
const FLOOD_EVERY_S: u64 = 600;
const FLOOD_FROM_S: u64 = 420;
const FLOOD_S: u64 = 60;

/// Sources of a flood, and how much more than usual it is.
const FLOOD_SOURCES: u64 = 40;
const FLOOD_FACTOR: u64 = 2;

const HOSTS: [&str; 4] =
    ["www.example.com", "shop.example.com", "api.example.com", "static.example.com"];

/// The traffic of a run.
#[derive(Debug)]
pub struct Traffic {
    rate: u64,
    seconds: u64,
    rng: Rng,
    newcomers: u64,
}

impl Traffic {
    /// So many lines a second, for so many seconds.
    pub fn new(rate: u64, seconds: u64) -> Self {
        Self { rate, seconds, rng: Rng::with_seed(SEED), newcomers: 0 }
    }

    /// How long it is.
    pub const fn seconds(&self) -> u64 {
        self.seconds
    }

    /// How many floods are in it, whole.
    pub fn floods(&self) -> usize {
        (0..self.seconds)
            .filter(|second| second % FLOOD_EVERY_S == FLOOD_FROM_S + FLOOD_S - 1)
            .count()
    }

    /// Writes the lines of a second; how many.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_second(&mut self, second: u64, out: &mut impl Write) -> io::Result<u64> {
        let start_us = Utc::now().timestamp_micros();
        let in_flood = (FLOOD_FROM_S..FLOOD_FROM_S + FLOOD_S).contains(&(second % FLOOD_EVERY_S));
        let lines = if in_flood { self.rate * (1 + FLOOD_FACTOR) } else { self.rate };
        for line in 0..lines {
            let ts =
                start_us + i64::try_from(line * 1_000_000 / lines).unwrap_or_default() - 1_000_000;
            let [a, b, c] = [(); 3].map(|()| self.rng.u64(..));
            let host = HOSTS[usize::try_from(a % 4).unwrap_or_default()];
            if line >= self.rate {
                let source = a % FLOOD_SOURCES;
                writeln!(
                    out,
                    r#"{{"ts":{ts},"client_ip":"198.51.100.{source}","method":"GET","scheme":"https","host":"{}","path":"/search","query":"q={b:x}","protocol":"HTTP/1.1","status":200,"response_bytes":{},"user_agent":"python-requests/2.31.0"}}"#,
                    HOSTS[1],
                    5_000 + c % 2_000,
                )?;
                continue;
            }
            let who = if a % NEW_ONE_IN == 0 {
                self.newcomers += 1;
                REGULARS + self.newcomers
            } else {
                // A few come often, most seldom.
                (b % REGULARS) * (c % REGULARS) / REGULARS
            };
            let (path, bytes) = match c % 5 {
                0 => (format!("/articles/{}", b % 400), 20_000 + b % 9_000),
                kind => (format!("/assets/{}-{kind}.js", b % 60), 2_000 + b % 40_000),
            };
            writeln!(
                out,
                r#"{{"ts":{ts},"client_ip":"{}","method":"GET","scheme":"https","host":"{host}","path":"{path}","protocol":"HTTP/2","status":{},"response_bytes":{bytes},"user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0"}}"#,
                address(who),
                if b % 50 == 0 { 404 } else { 200 },
                120 + who % 9,
                120 + who % 9,
            )?;
        }
        Ok(lines)
    }
}

/// Where a visitor comes from: anywhere, since networks that fill up one after the other are no crowd.
fn address(who: u64) -> Ipv4Addr {
    let [a, b, c, d] = Rng::with_seed(who).u32(..).to_le_bytes();
    Ipv4Addr::new(20 + a % 150, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floods_come_every_ten_minutes_and_every_line_is_one() {
        let mut traffic = Traffic::new(50, 1_200);
        assert_eq!(traffic.floods(), 2);
        let mut out = Vec::new();
        assert_eq!(traffic.write_second(0, &mut out).unwrap(), 50);
        assert_eq!(traffic.write_second(FLOOD_FROM_S, &mut out).unwrap(), 150);
        let lines = String::from_utf8(out).unwrap();
        let read: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read.len(), 200);
        let floods = read.iter().filter(|line| line["path"] == "/search").count();
        assert_eq!(floods, 100);
    }
}
