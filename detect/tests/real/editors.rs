//! Who was let in and works on a page that writes by itself; and tools that only look like it.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Person, home, load};
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::BLOG;
use crate::traffic::{Draw, Row, together};

/// Where pages of the editor write to.
const AJAX: &str = "/wp-admin/admin-ajax.php";

fn editor() -> Person {
    Person { home: home(9_700, 3), returns: false, ..Person::visitor(97_000) }
}

/// A write of somebody, from a page.
fn writes(who: &Person, at_s: f64, path: &str, page: &str, (status, bytes): (i32, i64)) -> Row {
    let row = who.asks(&BLOG, at_s, path);
    let referer = Some(format!("https://{}{page}", BLOG.host));
    Row { method: "POST", referer, status, bytes, ..row }
}

/// Logs in, and opens the page on which a text is written, with all that belongs to it.
fn comes_in(draw: &mut Draw, who: &Person, at_s: f64) -> Vec<Row> {
    let form = who.asks(&BLOG, at_s, "/wp-login.php");
    let mut rows = load(&BLOG, draw, form, who, true, 0);
    rows.push(writes(who, at_s + 30.0, "/wp-login.php", "/wp-login.php", (302, 219)));
    for (page, later) in [("/wp-admin/", 31.0), ("/wp-admin/post-new.php", 60.0)] {
        rows.push(who.asks(&BLOG, at_s + later, page));
        let files = (0..40).map(|n| {
            let path = format!("/wp-admin/js/part-{n}.js");
            who.pulls(&BLOG, at_s + later + draw.between(0.2, 3.0), &path, page)
        });
        rows.extend(files.collect::<Vec<_>>());
    }
    rows
}

fn beside(rows: Vec<Row>, seed: u64, expect: Expectation) -> Scenario {
    let rows = together(vec![around(&BLOG, 0.4, 1_200.0, seed), rows]);
    Scenario { rows: combined(rows), expect }
}

/// Pictures are handed over, the page looks for news, and each picture is put into the text: sixty writes in half a minute that are
/// answered alike.
pub fn of_a_post(seed: u64) -> Scenario {
    let (mut draw, who, page) = (Draw::of(seed, 631), editor(), "/wp-admin/post-new.php");
    let mut rows = comes_in(&mut draw, &who, START_S - 600.0);
    let mut at = START_S - 400.0;
    for n in 0..61 {
        let sent = writes(&who, at, "/wp-admin/async-upload.php", page, (200, 1_530 + n % 4));
        rows.push(sent);
        rows.push(who.pulls(&BLOG, at + 1.2, &format!("/wp-content/uploads/new-{n}.jpg"), page));
        at += draw.between(2.0, 5.0);
    }
    rows.extend((0..12).map(|n| writes(&who, at + 15.0 * f64::from(n), AJAX, page, (200, 98))));
    at += 180.0;
    for _ in 0..62 {
        rows.push(writes(&who, at, AJAX, page, (200, 357)));
        at += draw.between(0.2, 0.6);
    }
    rows.push(writes(&who, at + 20.0, "/wp-admin/post.php", page, (302, 267)));
    beside(rows, seed, nothing())
}

/// Tries so many a second for five minutes, answered alike, in the name of a page.
fn tries(per_s: f64, path: &str, page: &str, seed: u64) -> Vec<Row> {
    let mut draw = Draw::of(seed, 632);
    let who = Person { home: home(9_701, 3), ..editor() };
    let all = times(&mut draw, (START_S, START_S + 300.0), per_s).into_iter();
    hostile(all.map(|at| writes(&who, at, path, page, (200, 357))).collect())
}

fn stuffed() -> Expectation {
    let kinds = &["brute_force", "credential_stuffing"];
    Expectation { verdicts: ATTACK, named: 1.0, ..found(BLOG.host, kinds, 240.0) }
}

/// Names the form that it answers.
pub fn tries_of_a_form(seed: u64) -> Scenario {
    beside(tries(2.0, "/members/enter", "/members/enter", seed), seed, stuffed())
}

/// Names another page of the host, and was never let in, nor loaded one.
pub fn tries_in_the_name_of_a_page(seed: u64) -> Scenario {
    beside(tries(2.0, AJAX, "/wp-admin/post-new.php", seed), seed, stuffed())
}

/// Was let in, and loaded what belongs to the page, and tries the keys of others at it faster than anybody works.
pub fn tries_of_who_was_let_in(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 633);
    let who = Person { home: home(9_701, 3), ..editor() };
    let rows = vec![
        comes_in(&mut draw, &who, START_S - 200.0),
        tries(2.0, "/members/redeem", "/wp-admin/post-new.php", seed),
    ];
    beside(together(rows), seed, stuffed())
}

/// Where the log does not tell which host it is.
fn without_host(mut scenario: Scenario) -> Scenario {
    scenario.rows.retain(|row| row.host == BLOG.host);
    scenario.rows.iter_mut().for_each(|row| row.host = Text::from(""));
    scenario.expect.hosts.iter_mut().for_each(String::clear);
    scenario
}

pub fn of_a_post_without_host(seed: u64) -> Scenario {
    without_host(of_a_post(seed))
}

pub fn tries_of_a_form_without_host(seed: u64) -> Scenario {
    without_host(tries_of_a_form(seed))
}
