//! The dearest traffic that anybody can send: nothing in it repeats.

use std::fmt::Write as _;

use crate::input::Log;

/// First instant, seconds since 1970: 2 March 2026, 9:00 UTC.
const START_S: u64 = 1_772_442_000;

/// Requests a second.
const RATE: u64 = 10_000;

/// Lines in the format of Floodmark: each of a source, with a path, a query, a user agent, a JA4 and a `Host` header
/// that no other has.
pub fn log(lines: u64) -> Log {
    let mut text = String::new();
    for line in 0..lines {
        let ts = START_S * 1_000_000 + line * 1_000_000 / RATE;
        let [a, b, c] = [1, 2, 3].map(|salt| draw(line, salt));
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            r#"{{"ts":{ts},"client_ip":"2001:db8:{:x}:{:x}::1","method":"GET","scheme":"https","host":"h{a:x}.example.com","path":"/articles/{b:016x}/{line}.html","query":"id={c:x}&page={line}","protocol":"HTTP/2","status":200,"response_bytes":{},"user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) reader/{c:x}","ja4":"t13d1516h2_{:012x}","referer":"https://h{a:x}.example.com/"}}"#,
            line >> 16,
            line & 0xffff,
            1_000 + a % 50_000,
            100 + b % 50,
            c >> 16,
        );
    }
    Log::of(text.into_bytes(), lines)
}

/// The mixing function of `SplitMix64`.
const fn draw(number: u64, salt: u64) -> u64 {
    let mut x = number.wrapping_add(salt << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ::decode::DecoderConfig;

    use super::*;
    use crate::stages::decode;

    #[test]
    fn no_value_comes_twice() {
        let batches = decode::batches(&log(3_000), &DecoderConfig::of("floodmark")).unwrap();
        let (mut values, mut rows) = (HashSet::new(), 0);
        for batch in &batches {
            let requests = &batch.requests;
            for row in 0..requests.rows() {
                rows += 1;
                values.insert(requests.client_ip().value(row));
                values.insert(requests.host().value(row));
                values.insert(requests.path().value(row));
                values.insert(requests.query().value(row));
                values.insert(requests.user_agent().value(row));
                values.insert(requests.ja4().value(row));
            }
        }
        assert_eq!((rows, values.len()), (3_000, 18_000));
    }
}
