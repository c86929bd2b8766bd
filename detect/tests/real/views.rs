//! Pages that are viewed with all that belongs to them, by few who look alike; and floods that put on the look of it.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, times};
use crate::traffic::people::{Home, Person};
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::BLOG;
use crate::traffic::{Draw, Row, robots, together};

/// A browser that nobody else on the site has.
const AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/534.34 (KHTML, like Gecko) Qt/4.8.2";

/// A file of a page with many.
fn file(n: u64) -> String {
    let kind = ["png", "js", "woff2", "css", "svg", "jpg"][(n % 6) as usize];
    format!("/wp-content/uploads/front/{n}.{kind}")
}

/// Addresses of a proxy that takes a load apart, of one network, or of a service in a cloud, each of another.
fn address(is_proxy: bool, n: u64) -> Person {
    let ip = if is_proxy { format!("185.137.164.{}", 3 + n) } else { format!("54.{}.7.9", 20 + n) };
    let home = Home { ip, asn: 20_661, country: "TM" };
    Person {
        home,
        agent: (Text::from(AGENT), "t13d1812h1_85036bcba153_375ca2c5e164"),
        returns: false,
    }
}

/// A request of one of them for a file, in the name of the first page.
fn asks(who: &Person, at_s: f64, path: &str) -> Row {
    Row { referer: Some(format!("https://{}/", BLOG.host)), ..who.asks(&BLOG, at_s, path) }
}

/// A site with few visitors, most of whose requests are its own: it calls itself to see what is due.
fn beside(rows: Vec<Row>, seed: u64, expect: Expectation) -> Scenario {
    let mut draw = Draw::of(seed, 614);
    let agent: Text = format!("WordPress/6.7.1; https://{}", BLOG.host).into();
    let calls = times(&mut draw, (0.0, START_S + 1_200.0), 0.4).into_iter().map(|at| {
        let row = robots::asks(&BLOG, at, "203.0.113.9".into(), &agent, "/wp-cron.php".into());
        Row { method: "POST", bytes: 0, query: Some(format!("doing_wp_cron={at:.6}")), ..row }
    });
    let rows = together(vec![around(&BLOG, 0.04, 300.0, seed), calls.collect(), rows]);
    Scenario { rows: combined(rows), expect }
}

/// Somebody opens the first page behind a proxy of eight addresses: a hundred files within seven seconds, some of them asked for
/// ahead without the page's name.
pub fn through_a_proxy(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 611);
    let mut rows = vec![address(true, 0).asks(&BLOG, START_S, "/")];
    for n in 0..98 {
        let at = START_S + draw.between(0.2, 7.0);
        let row = asks(&address(true, draw.below(8)), at, &file(n));
        if n % 5 == 0 {
            rows.push(Row {
                referer: None,
                ..address(true, draw.below(8)).asks(&BLOG, at, &file(n))
            });
        }
        rows.push(row);
    }
    beside(rows, seed, nothing())
}

/// A service takes a picture of the first page from seven places at once.
pub fn by_a_service(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 612);
    let mut rows = Vec::new();
    for place in 0..7 {
        let (who, began_s) = (address(false, place), START_S + draw.between(0.0, 8.0));
        rows.push(who.asks(&BLOG, began_s, "/"));
        let files = (0..31).map(|n| asks(&who, began_s + draw.between(0.1, 2.0), &file(n)));
        rows.extend(files.collect::<Vec<_>>());
        let mut call = asks(&who, began_s + 2.5, "/");
        (call.method, call.query) = ("POST", Some("ajax=get_fragments".into()));
        rows.push(call);
    }
    beside(rows, seed, nothing())
}

/// So many requests a second for files, by eight of them for two minutes: which file, of a request's number.
fn flood(per_s: f64, seed: u64, which: impl Fn(u64) -> String) -> Vec<Row> {
    let mut draw = Draw::of(seed, 613);
    let ask = |n: u64| {
        let who = address(true, draw.below(8));
        let at = START_S + n as f64 / per_s;
        asks(&who, at, &which(n))
    };
    hostile((0..(120.0 * per_s) as u64).map(ask).collect())
}

fn flooded() -> Expectation {
    Expectation { verdicts: ATTACK, requests: 0.8, ..found(BLOG.host, &["http_flood"], 30.0) }
}

/// The same hundred files again and again, and the page they name now and then.
pub fn files_again_and_again(seed: u64) -> Scenario {
    let which = |n| if n % 50 == 0 { "/".to_owned() } else { file(n % 100) };
    beside(flood(20.0, seed, which), seed, flooded())
}

/// Files without the page that they name.
pub fn files_without_the_page(seed: u64) -> Scenario {
    beside(flood(20.0, seed, |n| format!("/wp-content/uploads/{n}.jpg")), seed, flooded())
}

/// The page, and ever new files that name it, two hundred a second.
pub fn files_at_volume(seed: u64) -> Scenario {
    let which =
        |n| if n % 150 == 0 { "/".to_owned() } else { format!("/wp-content/uploads/{n}.jpg") };
    beside(flood(200.0, seed, which), seed, flooded())
}
