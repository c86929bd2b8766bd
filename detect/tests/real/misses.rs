//! What is not there, and was not searched for: links that are none, hosts that send everybody elsewhere, slashes left out; and
//! searches that look like them.

use super::expect::{Expectation, START_S, Scenario, found, nothing};
use super::scene::{around, hostile};
use crate::traffic::people::{Person, home};
use crate::traffic::row::{Text, combined};
use crate::traffic::sites::{BLOG, SHOP, Site};
use crate::traffic::{Draw, Row, agents, robots, together};

const SEARCH: &[&str] = &["content_discovery", "vuln_scan"];

/// A reader of links that begins with the rules for robots, and finds as many in the scripts of pages as in the pages.
pub fn links_in_scripts(seed: u64) -> Scenario {
    const KINDS: [&str; 9] =
        ["video", "text", "prev", "image", "open", "application", "audio", "left", "on"];
    const PARTS: [&str; 9] = ["mp4", "xml", "next", "svg", "close", "json", "mpeg", "right", "off"];
    let mut draw = Draw::of(seed, 511);
    let (agent, ip): (Text, _) =
        ("Mozilla/5.0 (compatible; Linkmap 2.1)".into(), home(9_200, 1).ip);
    let mut rows = vec![robots::asks(&BLOG, START_S, ip.clone(), &agent, "/robots.txt".into())];
    let mut at = START_S;
    for n in 0..24_u64 {
        let script = format!("/wp-includes/js/{n:x}.js");
        rows.push(robots::asks(&BLOG, START_S + 2.0 + n as f64 * 0.4, ip.clone(), &agent, script));
    }
    // In spells there is no page between them.
    for n in 0..80_usize {
        at += draw.between(1.0, 6.0);
        if n < 40 || n % 3 == 0 {
            let page = (BLOG.page)(1 + draw.below(200)).0;
            rows.push(robots::asks(&BLOG, at, ip.clone(), &agent, page));
        }
        let link = format!("/{}/{}", KINDS[n % 9], PARTS[n / 9]);
        let row = robots::asks(&BLOG, at + 0.5, ip.clone(), &agent, link);
        rows.push(Row { status: 404, bytes: 2_900, ..row });
    }
    let rows = together(vec![rows, around(&BLOG, 0.5, 600.0, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// A scanner that loads a page of the site before each path of its list.
pub fn search_between_pages(seed: u64) -> Scenario {
    const TAILS: [&str; 6] = [".zip", ".php", ".sql", ".bak", ".tar.gz", ".asp"];
    let mut draw = Draw::of(seed, 512);
    let one = Person { home: home(9_201, 1), agent: agents::current()[3].clone(), returns: false };
    let mut rows = Vec::new();
    for n in 0..80_u64 {
        let at = START_S + n as f64 * 3.0;
        rows.push(one.asks(&BLOG, at, &(BLOG.page)(1 + draw.below(200)).0));
        let path = format!("/{:x}{}", 4_096 + n * 37, TAILS[(n % 6) as usize]);
        let row = one.asks(&BLOG, at + 0.5, &path);
        rows.push(Row { status: 404, bytes: 2_900, ..row });
    }
    let rows = together(vec![hostile(rows), around(&BLOG, 0.5, 600.0, seed)]);
    let expect = Expectation { sources: 1.0, ..found(BLOG.host, SEARCH, 240.0) };
    Scenario { rows: combined(rows), expect }
}

/// A host that sends everybody to the same path behind TLS, whatever they ask for.
fn moves_all(site: &Site, seed: u64) -> Vec<Row> {
    let mut rows = site.ordinary(START_S + 1_500.0, 0.15, seed);
    for row in &mut rows {
        (row.status, row.bytes) = (302, 320);
    }
    rows
}

/// Somebody goes through what the pages lead to, and a program that looks at links and names no page.
pub fn walk_where_all_is_moved(seed: u64) -> Scenario {
    let mut draw = Draw::of(seed, 513);
    let one = Person { home: home(9_202, 1), agent: agents::current()[1].clone(), returns: false };
    let agent: Text = "linklooker/0.4".into();
    let mut rows = Vec::new();
    for n in 0..54_u64 {
        let (at, page) = (START_S + n as f64 * 4.0, (SHOP.page)(200 + n).0);
        let mut row = one.asks(&SHOP, at, &page);
        row.referer = Some(format!("https://{}{}", SHOP.host, (SHOP.page)(draw.below(20)).0));
        rows.push(row);
        rows.push(robots::asks(&SHOP, at + 600.0, home(9_203, 1).ip, &agent, page));
    }
    for row in &mut rows {
        (row.status, row.bytes) = (302, 320);
    }
    let rows = together(vec![rows, moves_all(&SHOP, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}

/// A list of ways back in, dumps and forms that take files, on such a host.
pub fn search_where_all_is_moved(seed: u64) -> Scenario {
    const NAMES: [&str; 20] = [
        "wso.php",
        "c99.php",
        "r57.php",
        "shell.php",
        "alfa.php",
        "backup.sql",
        "db.sql",
        "dump.sql",
        "www.zip",
        "backup.zip",
        "upload.php",
        "upload.asp",
        "uploader.php",
        "upfile.asp",
        "filemanager/",
        "fckeditor/",
        "kindeditor/",
        "phpmyadmin/",
        "adminer.php",
        "mini.php",
    ];
    let one = Person { home: home(9_204, 1), agent: agents::old()[3].clone(), returns: false };
    let ask = |n: usize| {
        let folder = ["", "old/", "admin/"][n / 20];
        let path = format!("/{folder}{}", NAMES[n % 20]);
        let row = one.asks(&SHOP, START_S + n as f64 * 1.5, &path);
        Row { status: 302, bytes: 320, ..row }
    };
    let rows = together(vec![hostile((0..60).map(ask).collect()), moves_all(&SHOP, seed)]);
    let expect = Expectation { sources: 1.0, ..found(SHOP.host, SEARCH, 120.0) };
    Scenario { rows: combined(rows), expect }
}

/// A program looks for two systems that the site does not run, and then at its links, with the slash at their end left out, where
/// each is sent to.
pub fn links_without_a_slash(seed: u64) -> Scenario {
    let (agent, ip): (Text, _) = ("Mozilla/5.0 (compatible; sitecheck)".into(), home(9_205, 1).ip);
    let ask = |at: f64, path: &str, status| {
        let row = robots::asks(&BLOG, at, ip.clone(), &agent, path.to_owned());
        Row { status, bytes: 310, ..row }
    };
    let mut rows =
        vec![ask(START_S, "/administrator/index.php", 404), ask(START_S + 1.0, "/user/login", 404)];
    for n in 0..50_u64 {
        let page = (BLOG.page)(1 + n).0;
        rows.push(ask(START_S + 2.0 + n as f64 * 0.8, page.trim_end_matches('/'), 301));
    }
    let rows = together(vec![rows, around(&BLOG, 1.5, 600.0, seed)]);
    Scenario { rows: combined(rows), expect: nothing() }
}
