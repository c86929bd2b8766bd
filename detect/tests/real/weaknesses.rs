//! One source that tries known weaknesses, a few or over days, and those who send what only looks like that.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, lasting};
use crate::traffic::people::{Person, home, load};
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::{BLOG, SMALL};
use crate::traffic::{Draw, agents, robots, together};

/// Something that a form's own parameters have the server run, posted by one program for a day, in spells or one by one.
fn commands_of_a_day((count, every_s): (u64, f64), answer: (i32, i64), seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 501);
    let agent: Text = "curl/7.58.0".into();
    let mut at = START_S;
    let mut rows = Vec::new();
    for n in 0..count {
        at += every_s * draw.between(0.5, 1.5);
        let mut row = robots::asks(&SMALL, at, "203.0.113.77".into(), &agent, "/".into());
        row.query = Some(format!(
            "q=user/password&name[%23post_render][]=passthru&name[%23markup]=id{n}&name[%23type]=markup"
        ));
        (row.method, row.status, row.bytes) = ("POST", answer.0, answer.1 + draw.below(900) as i64);
        rows.push(row);
    }
    let rows = together(vec![hostile(rows), lasting(&SMALL, 0.02, at + 900.0, seed)]);
    let expect = Expectation {
        verdicts: ATTACK,
        named: 1.0,
        visitors: 0,
        ..found(SMALL.host, &["vuln_scan", "exploit_burst"], 6.0 * 3_600.0)
    };
    Scenario { rows: combined(rows), expect }
}

/// They are taken: the page comes back each time.
pub fn commands_taken(seed: u64) -> Scenario {
    commands_of_a_day((40, 1_500.0), (200, 14_000), seed)
}

/// They are sent on to another page: none of them is a password.
pub fn commands_sent_on(seed: u64) -> Scenario {
    commands_of_a_day((60, 900.0), (302, 400), seed)
}

/// Somebody who learns to program, on a site about it: most of what is searched for for a day looks like a command.
pub fn searches_for_commands(seed: u64) -> Scenario {
    const ASKED: [&str; 6] = [
        "s=system(+in+c",
        "s=curl+https+certificate",
        "s=php+exec(+returns+nothing",
        "s=%22select+a%22+union+all+order",
        "s=wget+http+proxy",
        "s='or'+in+sql",
    ];
    let mut draw = Draw::of(seed, 502);
    let who = Person { home: home(9_100, 1), agent: agents::current()[2].clone(), returns: true };
    let mut rows = Vec::new();
    for n in 0..30_u64 {
        let at = START_S + n as f64 * 700.0 + draw.between(0.0, 300.0);
        let mut row = who.asks(&BLOG, at, "/");
        row.query = Some(ASKED[(n % 6) as usize].into());
        rows.extend(load(&BLOG, &mut draw, row, &who, n == 0, 3));
        for read in 0..draw.below(4) {
            let page = 1 + draw.below(300);
            let row = who.asks(&BLOG, at + 30.0 + 60.0 * read as f64, &(BLOG.page)(page).0);
            rows.extend(load(&BLOG, &mut draw, row, &who, false, page));
        }
    }
    let rows = together(vec![rows, around(&BLOG, 0.5, 21_600.0, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}
