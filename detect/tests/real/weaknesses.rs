//! One source that tries known weaknesses, a few or over days, and those who send what only looks like that.

use super::expect::{ATTACK, Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile, lasting};
use crate::traffic::people::{Person, home, load};
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::{BLOG, SMALL};
use crate::traffic::{Draw, Row, agents, robots, together};

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

/// A source of its own that asks for these, so many seconds apart, and gets these answers.
fn tries(
    (who, every_s): (u64, f64),
    of: impl Iterator<Item = (&'static str, String, Option<String>)>,
    answers: &[(i32, i64)],
) -> Vec<Row> {
    let one = Person {
        home: home(who, 1),
        agent: agents::current()[(who % 4) as usize].clone(),
        returns: false,
    };
    let ask = |(n, (method, path, query)): (usize, (&'static str, String, Option<String>))| {
        let mut row = one.asks(&BLOG, START_S + n as f64 * every_s, &path);
        (row.status, row.bytes) = answers[n % answers.len()];
        Row { method, query, ..row }
    };
    hostile(of.enumerate().map(ask).collect())
}

fn attack(rows: Vec<Row>, within_s: f64, seed: u64) -> Scenario {
    let rows = together(vec![rows, around(&BLOG, 0.4, 300.0, seed)]);
    let expect = Expectation {
        verdicts: ATTACK,
        named: 1.0,
        visitors: 0,
        ..found(BLOG.host, &["vuln_scan", "exploit_burst", "content_discovery"], within_s)
    };
    Scenario { rows: combined(rows), expect }
}

/// All that it has within a quarter of a minute: keys in twenty folders, and what runs code in frameworks.
pub fn list_in_a_quarter_of_a_minute(seed: u64) -> Scenario {
    let keys = (0..18).map(|n| {
        ("GET", format!("/{}.env", ["", "app/", "api/", "core/"][n % 4].repeat(1 + n / 4)), None)
    });
    let code = (0..4).map(|n| {
        (
            "POST",
            format!("/{}/phpunit/src/Util/PHP/eval-stdin.php", ["vendor", "lib", "old", "www"][n]),
            None,
        )
    });
    let rest = [
        "/_ignition/execute-solution",
        "/login.action",
        "/owa/",
        "/console",
        "/cms",
        "/api/jsonws",
    ];
    let rest = rest.iter().map(|path| ("GET", (*path).to_owned(), None));
    let rows = tries(
        (9_110, 0.45),
        keys.chain(code).chain(rest),
        &[(403, 150), (404, 2_900), (404, 2_900), (405, 310)],
    );
    attack(rows, 30.0, seed)
}

/// One every eight seconds for five minutes: files by way of plugins that hand out any, and plugins that take any.
pub fn plugins_one_by_one(seed: u64) -> Scenario {
    let ask = |n: usize| {
        if n % 3 == 2 {
            ("POST", format!("/wp-content/themes/theme{n}/lib/scripts/dl-skin.php"), None)
        } else {
            let path = format!("/wp-content/plugins/plugin{n}/download.php");
            ("GET", path, Some("file=../../../wp-config.php".into()))
        }
    };
    attack(tries((9_111, 8.0), (0..37).map(ask), &[(406, 226)]), 300.0, seed)
}

/// A robot that passes, under the name of its tool, with the first two dozen paths that such robots ask for.
pub fn passes_under_a_tools_name(seed: u64) -> Scenario {
    const PATHS: [&str; 24] = [
        "/login",
        "/owa/auth/logon.aspx",
        "/boaform/admin/formLogin",
        "/HNAP1",
        "/.git/config",
        "/.env",
        "/.aws/credentials",
        "/remote/login",
        "/server-status",
        "/pma/index.php",
        "/telescope/requests",
        "/debug/default/view",
        "/.DS_Store",
        "/vendor/phpunit/src/Util/PHP/eval-stdin.php",
        "/info.php",
        "/cgi-bin/luci",
        "/old/index.php",
        "/manager/html",
        "/api/v1/pods",
        "/admin",
        "/config.json",
        "/solr/admin/info/system",
        "/phpinfo.php",
        "/backup.zip",
    ];
    let agent: Text = "Mozilla/5.0 zgrab/0.x".into();
    let ask = |n: usize| {
        let (at, ip) = (START_S + n as f64 * 3.0, home(9_112, 1).ip);
        let row = robots::asks(&BLOG, at, ip, &agent, PATHS[n].to_owned());
        Row { status: 404, bytes: 2_900, ..row }
    };
    let rows = (0..PATHS.len()).map(ask).collect();
    let rows = together(vec![rows, around(&BLOG, 0.4, 300.0, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// A browser on a page of somebody who copied it from here, lost images and all; a reader of feeds that are gone; and one who
/// tries out the site before it is shown, and finds a dozen pages that are not there yet.
pub fn ordinary_misses(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 503);
    let mut rows = Vec::new();
    let guest =
        Person { home: home(9_120, 1), agent: agents::current()[1].clone(), returns: false };
    for n in 0..40_u64 {
        let mut row =
            guest.asks(&BLOG, START_S + n as f64 * 0.1, &format!("/wp-content/old/{n}.jpg"));
        row.referer = Some("https://copy.example/a".into());
        rows.push(Row { status: 404, bytes: 2_900, ..row });
    }
    let agent: Text = "FeedFetch/2.0".into();
    for n in 0..20_u64 {
        let path = format!("/category/{n}/feed/");
        let row = robots::asks(&BLOG, START_S + n as f64 * 2.0, home(9_121, 1).ip, &agent, path);
        rows.push(Row { status: 404, bytes: 2_900, ..row });
    }
    let owner = Person { home: home(9_122, 1), agent: agents::current()[0].clone(), returns: true };
    for n in 0..60_u64 {
        let (at, page) = (START_S + n as f64 * 9.0, 1 + draw.below(200));
        let mut row = owner.asks(&BLOG, at, &(BLOG.page)(page).0);
        if n % 5 == 4 {
            (row.path, row.status, row.bytes) = (format!("/2026/draft-{n}/"), 404, 2_900);
        }
        row.referer = Some(format!("https://{}/", BLOG.host));
        rows.extend(load(&BLOG, &mut draw, row, &owner, n == 0, page));
    }
    let rows = together(vec![rows, around(&BLOG, 0.4, 900.0, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// One address has a server evaluate what stands in a path, every twenty seconds for fifty minutes, and is answered that this is no
/// request.
pub fn expression_in_a_path(seed: u64) -> Scenario {
    const PATH: &str = "/%24%7B%28%23a%3D%40org.apache.commons.io.IOUtils%40toString%28%40java.lang.Runtime%40getRuntime%28%29\
                        .exec%28%22id%22%29%29%29%7D/";
    let asked = (0..150).map(|_| ("GET", PATH.to_owned(), None));
    let rows = tries((9_170, 20.0), asked, &[(400, 300)]);
    attack(rows, 1_800.0, seed)
}
