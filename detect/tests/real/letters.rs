//! Letters to very many: the host that counts who opens them, and sends who follows a link to where it leads.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{hostile, times};
use crate::traffic::people::{Person, home};
use crate::traffic::row::combined;
use crate::traffic::sites::{SMALL, Site};
use crate::traffic::{Draw, Row, agents, together};

const COUNTER: Site = SMALL.named("t.letters.example");

/// Seconds of the whole.
const LENGTH_S: f64 = START_S + 3_600.0;

/// Somebody who gets letters.
fn reader(draw: &mut Draw) -> Person {
    let who = draw.below(90_000);
    Person { home: home(draw.below(2_500), who), agent: agents::of_visitor(who), returns: false }
}

/// A link of a letter is followed.
fn follows(at: f64, who: &Person, letter: u64, key: u64, link: u64) -> Row {
    let row = who.asks(&COUNTER, at, &format!("/c/{letter}/{key:016x}/{link}"));
    Row { status: 302, bytes: 0, duration_us: Some(6_000), referer: None, ..row }
}

/// A letter is opened, and one in eleven follows a link of it.
fn opened(draw: &mut Draw, at: f64, letter: u64) -> Vec<Row> {
    let (who, key) = (reader(draw), draw.below(1 << 60));
    let image = who.asks(&COUNTER, at, &format!("/o/{letter}/{key:016x}.gif"));
    let mut rows = vec![Row { bytes: 43, duration_us: Some(2_000), referer: None, ..image }];
    if draw.chance(0.09) {
        let link = 1 + draw.below(9);
        rows.push(follows(at + draw.wait(25.0), &who, letter, key, link));
    }
    rows
}

/// Letters of many campaigns, each opened now and then.
fn ordinary(draw: &mut Draw, seed: u64) -> Vec<Row> {
    let all = times(draw, (0.0, LENGTH_S), 3.0);
    let rows = all.into_iter().flat_map(|at| {
        let letter = 90_000 + draw.below(400);
        opened(draw, at, letter)
    });
    let rows = rows.collect();
    together(vec![rows, SMALL.named("beside.example").ordinary(LENGTH_S, 0.6, seed + 500)])
}

/// A letter goes to hundreds of thousands: gateways follow each link of 1,500 of them in the first quarter of an hour, while people
/// open them. Who is sent elsewhere copies nothing.
pub fn to_very_many(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 341);
    let mut rows = ordinary(&mut draw, seed);
    for _ in 0..1_500 {
        let at = START_S + draw.between(0.0, 900.0);
        let key = draw.below(1 << 60);
        let gateway = Person {
            home: home(8_300 + draw.below(6), draw.below(5)),
            agent: agents::of_visitor(draw.below(40)),
            returns: false,
        };
        rows.extend((1..8).map(|n| follows(at + 0.2 * n as f64, &gateway, 91_777, key, n)));
    }
    for _ in 0..40_000 {
        let at =
            if draw.chance(0.25) { draw.between(0.0, 600.0) } else { 600.0 + draw.wait(1_200.0) };
        rows.extend(opened(&mut draw, START_S + at.min(3_500.0), 91_777));
    }
    Scenario { rows: combined(together(vec![rows])), expect: nothing() }
}

/// The archive of the letters is read by thousands, a letter or two by each, and nothing that belongs to it.
pub fn archive_is_copied(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 342);
    let mut rows = Vec::new();
    for at in times(&mut draw, (START_S, START_S + 1_200.0), 5.0) {
        let who = Person {
            home: home(9_100 + draw.below(900), draw.below(4_000)),
            agent: agents::of_visitor(draw.below(60)),
            returns: false,
        };
        let path = format!("/archive/{}/{}", 90_000 + draw.below(400), draw.below(5_000));
        let row = who.asks(&COUNTER, at, &path);
        rows.push(Row { bytes: 9_000 + draw.below(40_000) as i64, referer: None, ..row });
    }
    let rows = together(vec![ordinary(&mut draw, seed), hostile(rows)]);
    let kinds = &["swarm", "scraping", "http_flood"];
    let expect = Expectation { verdicts: ATTACK, ..found(COUNTER.host, kinds, 180.0) };
    Scenario { rows: combined(rows), expect }
}
