//! What is in the topic: ordinary traffic of some minutes, a flood, and lines that are none.

use fastrand::Rng;

/// 2026-03-02T00:00:00Z, µs.
const EPOCH: i64 = 1_772_409_600_000_000;

const SECOND: i64 = 1_000_000;

/// A message of a partition.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its lines.
    pub payload: Vec<u8>,
    /// When the broker got it, µs.
    pub arrival_us: i64,
}

/// The messages of each partition, in order. With `parts` some lines are the beginnings of others: who takes a partition over
/// does not get one that waits, which is then told as it is, in front of what follows.
pub fn partitions(rng: &mut Rng, parts: bool) -> Vec<Vec<Message>> {
    let mut partitions = vec![Vec::new(); rng.usize(1..=4)];
    let seconds = rng.i64(80..140);
    // Long enough, in some, for a wrong clock to be recognised.
    let pace = rng.i64(1..=3);
    let flood = rng.i64(70..seconds)..seconds;
    // A partition whose clock is set to another zone, and one that falls silent early.
    let zone_of = rng.usize(..8);
    let silent = (rng.usize(..6), rng.i64(10..seconds));
    for second in 0..seconds {
        let lines = rng.usize(1..5) + if flood.contains(&second) { 40 } else { 0 };
        let mut at = 0;
        while at < lines {
            let partition = rng.usize(..partitions.len());
            if partition == silent.0 && second >= silent.1 {
                at += 1;
                continue;
            }
            let hours = if partition == zone_of { 5 } else { 0 };
            let together = rng.usize(1..=3).min(lines - at);
            let payload = (0..together)
                .flat_map(|_| {
                    let told = second * pace + hours * 3_600;
                    line(rng, told, flood.contains(&second), parts)
                })
                .collect();
            let arrival_us = EPOCH + second * pace * SECOND + rng.i64(0..2 * SECOND);
            partitions[partition].push(Message { payload, arrival_us });
            at += together;
        }
    }
    partitions
}

/// A line with its line feed, which is not always one of an access log.
fn line(rng: &mut Rng, second: i64, in_flood: bool, parts: bool) -> Vec<u8> {
    match rng.u32(..200) {
        0 => return b"nonsense\n".to_vec(),
        1 => return Vec::new(),
        2 => return b"{}{}{}\n".to_vec(),
        3 => return vec![0xff, 0, b'\n'],
        4 if parts => return b"2026-03-02T00:00:10Z stdout P the beginning of \n".to_vec(),
        _ => {}
    }
    // Now and then a record from years ahead.
    let second = if rng.u32(..300) == 0 { second + 70_000_000 } else { second };
    let time = chrono::DateTime::from_timestamp(EPOCH / SECOND + second, 0).expect("a time");
    let time = time.format("%d/%b/%Y:%H:%M:%S +0000");
    let (client, path) = if in_flood && rng.u32(..40) > 2 {
        (format!("198.51.100.{}", rng.u32(..3)), format!("/search?q={}", rng.u32(..)))
    } else {
        (format!("192.0.2.{}", rng.u32(..60)), format!("/page/{}", rng.u32(..9)))
    };
    let host = ["shop.example:443", "www.example:443"][rng.usize(..2)];
    let line = format!(
        "{host} {client} - - [{time}] \"GET {path} HTTP/1.1\" 200 {} \"-\" \"Mozilla/5.0 (X11)\"\n",
        rng.u32(200..90_000)
    );
    line.into_bytes()
}
