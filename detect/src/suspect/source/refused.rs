//! Reads refused for want of credentials: keys and passwords that are guessed without a form.

use super::table::{CREDENTIALS, Test};
use super::{CRAWL_PATHS_MIN, Circumstances, Suspect};

/// Share of refused reads from which a source does little else: a page of an application asks for more that needs no
/// credentials, and who is let in after a handshake has it taken back.
const REFUSED_SHARE_MIN: f64 = 0.5;

/// Where that comes from.
const REFUSED_SHARE: &str = "a choice: half of what it asks for; an application whose key has run out goes on with what needs none, and what a \
                             success follows was a handshake";

/// Who says whom it works for and follows links into what is closed to it is a crawler.
fn is_no_crawl(suspect: &Suspect<'_>, _: &Circumstances<'_>) -> bool {
    !suspect.record.is_declared() || suspect.record.distinct_paths() < CRAWL_PATHS_MIN
}

/// Reads refused for want of credentials, by what does little else.
const REFUSED: Test =
    Test { share: REFUSED_SHARE_MIN, why_share: REFUSED_SHARE, also: is_no_crawl, ..CREDENTIALS };

/// Keys guessed at once.
pub const REFUSED_60: Test = Test {
    name: "refused_reads_60",
    scale_s: 60.0,
    counter: |s| s.attempts(|a| a.refused[0]),
    floor: 40.0,
    why: "a page asks for two dozen things at most when it is opened, all of which are refused where its key has run out, \
          and then for a new key: a choice beyond that",
    envelope: |_| 8.0,
    usual: "what an open page asks for in a minute, every eight seconds, while its key has run out: a choice",
    of: |s| f64::from(s.record.pages_60),
    ..REFUSED
};

/// Keys guessed steadily.
pub const REFUSED_600: Test = Test {
    name: "refused_reads_600",
    scale_s: 600.0,
    counter: |s| s.attempts(|a| a.refused[1]),
    floor: 150.0,
    why: "one every four seconds for ten minutes: programs whose key has run out ask every ten to sixty seconds, two or \
          three at one address every ten: a choice beyond that",
    envelope: |_| 40.0,
    usual: "a program whose key has run out and that asks every fifteen seconds: a choice",
    of: |s| f64::from(s.record.pages_600),
    ..REFUSED
};
