//! A program that hands over what it has kept, as soon as it is let do so; and who guesses until he is.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Home, Person};
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::{SMALL, Site};
use crate::traffic::{Draw, Row, together};

const TRACKS: Site = SMALL.named("tracks.example");

/// One telephone.
fn telephone() -> Person {
    let agent: Text = "Dalvik/2.1.0 (Linux; U; Android 5.1.1; SM-J320FN Build/LMY47V)".into();
    let home = Home { ip: "186.12.100.143".into(), asn: 7_303, country: "AR" };
    Person { home, agent: (agent, "t13d1516h2_8daaf6152771_02713d6af862"), returns: true }
}

/// A write to the first page.
fn sends(at_s: f64, query: String, (status, bytes): (i32, i64)) -> Row {
    let row = telephone().asks(&TRACKS, at_s, "/");
    Row { method: "POST", query: Some(query), status, bytes, ..row }
}

const REFUSED: (i32, i64) = (403, 669);
const TAKEN: (i32, i64) = (200, 1_846);

/// Where it was, by the number of the place.
fn place(n: u64) -> String {
    format!("id=251404&timestamp={}&lat=-31.9256{n:04}&lon=-65.0518", 1_606_206_755 + 5 * n)
}

fn beside(rows: Vec<Row>, seed: u64, expect: Expectation) -> Scenario {
    let rows = together(vec![around(&TRACKS, 0.1, 5_400.0, seed), rows]);
    Scenario { rows: combined(rows), expect }
}

/// Refused so many times, after some and after thirty seconds in turn, while the server is set up; then so many places at once.
fn kept(refusals: u64, places: u64, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 621);
    let mut at = START_S;
    let mut rows = Vec::new();
    for n in 0..refusals {
        rows.push(sends(at, place(0), REFUSED));
        at += if n % 2 == 0 { draw.between(4.0, 6.0) } else { draw.between(28.0, 31.0) };
    }
    for n in 0..places {
        rows.push(sends(at, place(n), TAKEN));
        at += draw.between(0.2, 0.4);
    }
    rows
}

/// A quarter of an hour of refusals, and hundreds of places at once, all answered alike.
pub fn handed_over(seed: u64) -> Scenario {
    beside(kept(61, 825, seed), seed, nothing())
}

/// An hour of refusals, for which it may be told; what is taken afterwards ends that.
pub fn handed_over_late(seed: u64) -> Scenario {
    let expect = found(TRACKS.host, &["brute_force"], 3_600.0);
    beside(hostile(kept(200, 4_000, seed)), seed, Expectation { counts: 1_500, ..expect })
}

fn guessed() -> Expectation {
    Expectation { verdicts: ATTACK, named: 1.0, ..found(TRACKS.host, &["brute_force"], 300.0) }
}

/// Another name and password in each query, until one is let in and goes on.
pub fn guesses_in_queries(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 622);
    let tries = times(&mut draw, (START_S, START_S + 600.0), 0.3).into_iter().enumerate();
    let query = |n| format!("id=251404&pass={n}");
    let mut rows: Vec<Row> = tries.map(|(n, at)| sends(at, query(n), REFUSED)).collect();
    let rest = times(&mut draw, (START_S + 600.0, START_S + 900.0), 2.0).into_iter();
    rows.extend(rest.zip(0..).map(|(at, n)| sends(at, place(n), TAKEN)));
    beside(hostile(rows), seed, guessed())
}

/// What is guessed does not show, at one address; who is let in goes on there, for as long as he likes.
pub fn guesses_and_goes_on(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 623);
    let tries = times(&mut draw, (START_S, START_S + 300.0), 0.5).into_iter();
    let mut rows: Vec<Row> = tries.map(|at| sends(at, place(0), REFUSED)).collect();
    let rest = times(&mut draw, (START_S + 300.0, START_S + 1_200.0), 2.0).into_iter();
    rows.extend(rest.zip(0..).map(|(at, n)| sends(at, place(n), TAKEN)));
    beside(hostile(rows), seed, Expectation { requests: 0.9, ..guessed() })
}
