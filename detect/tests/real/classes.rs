//! Classes: many who share an address, each with a browser, at work on the same pages at the same time.

use super::expect::{START_S, Scenario, found, nothing};
use super::scene::{around, hostile};
use crate::traffic::people::{Person, home, load};
use crate::traffic::sites::SHOP;
use crate::traffic::{Draw, Row, together};

/// Pupils of a school, of which there are forty.
const SCHOOLS: u64 = 40;
const PUPILS: u64 = 24;

/// What each pupil's page saves every fifteen seconds, for ten minutes; with the pages of the exam and what belongs to them, or
/// without.
fn exam(seed: u64, with_pages: bool) -> Vec<Row> {
    let mut draw = Draw::of(seed, 321);
    let mut rows = Vec::new();
    for school in 0..SCHOOLS {
        for pupil in 0..PUPILS {
            let who = SCHOOLS * pupil + school;
            let person =
                Person { home: home(6_100 + school, 1), returns: false, ..Person::visitor(who) };
            let page = format!("/course/{}/task/{}", 100 + school % 3, 1 + pupil % 12);
            let begins = START_S + draw.between(0.0, 150.0);
            if with_pages {
                for (at, path) in [(begins, "/"), (begins + 12.0, page.as_str())] {
                    let row = person.asks(&SHOP, at, path);
                    rows.extend(load(&SHOP, &mut draw, row, &person, true, pupil));
                }
            }
            for n in 1..40 {
                let mut row = person.asks(&SHOP, begins + 15.0 * f64::from(n), "/api/answer");
                row.referer = Some(format!("https://{}{page}", SHOP.host));
                (row.method, row.status, row.bytes) = ("POST", 204, 0);
                rows.push(row);
            }
        }
    }
    rows
}

/// An exam begins in forty schools at once, each behind one address.
pub fn exam_begins(seed: u64) -> Scenario {
    let rows = together(vec![around(&SHOP, 8.0, 900.0, seed), exam(seed, true)]);
    Scenario { rows, expect: nothing() }
}

/// The same writes by those who never had a page.
pub fn writes_without_pages(seed: u64) -> Scenario {
    let rows = together(vec![around(&SHOP, 8.0, 900.0, seed), hostile(exam(seed, false))]);
    let expect = found(SHOP.host, &["http_flood"], 120.0);
    Scenario { rows, expect }
}
