//! Sites: what their pages are called, what a page pulls in, what people do besides reading.

use super::Draw;
use super::draw::mix;
use super::people::{Person, home, visits};
use super::robots;
use super::row::Row;

/// Something done besides reading: method, path, query, status and bytes of the answer.
pub type Aside = (&'static str, String, Option<String>, i32, i64);

/// A site.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    pub host: &'static str,
    /// Number of pages, the most read first.
    pub pages: u64,
    pub page: fn(u64) -> (String, Option<String>),
    /// What the first page of a visit pulls in.
    pub assets: &'static [&'static str],
    /// Own images of a page, at most.
    pub images: u64,
    pub image: fn(u64, u64) -> String,
    /// Pages of a visit on average.
    pub depth: f64,
    pub aside: fn(&mut Draw) -> Option<Aside>,
    pub feed: &'static str,
    /// Of a hundred people this many sit behind one of 48 gateways.
    pub shared: u64,
}

impl Site {
    /// What a reader of a page does besides.
    pub fn asides(&self, draw: &mut Draw, at_s: f64, who: &Person, page: &str) -> Option<Row> {
        let (method, path, query, status, bytes) = (self.aside)(draw)?;
        let mut row = who.asks(self, at_s + draw.between(0.0, 8.0), &path);
        row.referer = Some(format!("https://{}{page}", self.host));
        (row.method, row.query, row.status, row.bytes) = (method, query, status, bytes);
        Some(row)
    }

    /// A visitor of this site, always the same by this number.
    pub fn person(&self, who: u64) -> Person {
        let mut person = Person::visitor(who);
        let place = mix(who ^ 0x9a7e);
        if place % 100 < self.shared {
            person.home = home(300 + place / 100 % 48, 1);
        }
        person
    }

    /// The site under another name.
    pub const fn named(self, host: &'static str) -> Self {
        Self { host, ..self }
    }

    /// Ordinary traffic: people, crawlers, monitors, readers of the feed, proxies, probes.
    pub fn ordinary(&self, seconds: f64, per_s: f64, seed: u64) -> Vec<Row> {
        let people = (per_s * 900.0) as u64 + 80;
        let mut rows = visits(self, seconds, per_s * 0.85, people, seed);
        rows.extend(robots::all(self, seconds, per_s, seed));
        rows
    }
}

fn slug(page: u64) -> String {
    const WORDS: [&str; 16] = [
        "garden", "river", "notes", "winter", "bread", "engine", "letter", "harbour", "lamp",
        "field", "stone", "paper", "cloud", "market", "bridge", "window",
    ];
    let word = |shift: u64| WORDS[((mix(page + 1) >> shift) % 16) as usize];
    format!("{}-{}-{page}", word(0), word(8))
}

/// A log-in, one in five of which fails: statuses of those that fail and of those that do not.
fn login(draw: &mut Draw, path: &str, [failed, done]: [i32; 2], bytes: i64) -> Aside {
    ("POST", path.into(), None, if draw.chance(0.2) { failed } else { done }, bytes)
}

/// A blog, with the paths of `WordPress`.
pub const BLOG: Site = Site {
    host: "blog.example",
    pages: 400,
    page: |n| {
        if n == 0 {
            ("/".into(), None)
        } else {
            (format!("/{}/{:02}/{}/", 2015 + n % 10, 1 + n % 12, slug(n)), None)
        }
    },
    assets: &[
        "/wp-content/themes/quiet/style.css",
        "/wp-includes/js/jquery/jquery.min.js",
        "/wp-content/themes/quiet/main.js",
        "/wp-content/uploads/logo.png",
        "/wp-content/themes/quiet/body.woff2",
        "/favicon.ico",
    ],
    images: 4,
    image: |page, n| format!("/wp-content/uploads/{page}-{n}.jpg"),
    depth: 2.0,
    aside: |draw| match draw.below(120) {
        0 => Some(("POST", "/wp-comments-post.php".into(), None, 302, 300)),
        1 => Some(login(draw, "/wp-login.php", [200, 302], 7_800)),
        2..6 => Some(("POST", "/wp-admin/admin-ajax.php".into(), None, 200, 120)),
        6..9 => Some(("GET", "/".into(), Some(format!("s={}", slug(draw.below(60)))), 200, 18_000)),
        _ => None,
    },
    feed: "/feed/",
    shared: 0,
};

/// A wiki, with the paths of `MediaWiki`.
pub const WIKI: Site = Site {
    host: "wiki.example",
    pages: 6_000,
    page: |n| match n % 23 {
        22 => ("/index.php".into(), Some(format!("title={}&action=history", slug(n)))),
        21 if n % 2 == 1 => (
            "/index.php".into(),
            Some(format!("title={}&diff={}&oldid={}", slug(n), 90_000 + n, 89_000 + n)),
        ),
        _ => (format!("/wiki/{}", slug(n)), None),
    },
    assets: &[
        "/skins/vector/main.css",
        "/skins/vector/main.js",
        "/resources/logo.svg",
        "/static/favicon.ico",
        "/resources/jquery.js",
    ],
    images: 2,
    image: |page, n| format!("/images/thumb/{:x}/{page}-{n}.png", page % 16),
    depth: 3.0,
    aside: |draw| match draw.below(30) {
        0..4 => Some((
            "GET",
            "/api.php".into(),
            Some(format!("action=opensearch&search={}", slug(draw.below(400)))),
            200,
            900,
        )),
        4 => Some((
            "POST",
            "/index.php".into(),
            Some(format!("title={}&action=submit", slug(draw.below(6_000)))),
            302,
            0,
        )),
        5 if draw.chance(0.3) => Some((
            "POST",
            "/index.php".into(),
            Some("title=Special:UserLogin".into()),
            if draw.chance(0.2) { 200 } else { 302 },
            9_100,
        )),
        _ => None,
    },
    feed: "/feed.atom",
    shared: 0,
};

/// A library's catalogue.
pub const CATALOGUE: Site = Site {
    host: "catalogue.example",
    pages: 40_000,
    page: |n| match n {
        0 => ("/".into(), None),
        _ if n % 5 == 4 => ("/search".into(), Some(format!("q={}", slug(n % 900)))),
        _ => (format!("/works/{}", 10_000 + n), None),
    },
    assets: &[
        "/assets/app.css",
        "/assets/app.js",
        "/assets/icons.svg",
        "/favicon.ico",
        "/assets/serif.woff2",
    ],
    images: 2,
    image: |page, n| format!("/covers/{page}-{n}.jpg"),
    depth: 3.5,
    aside: |draw| match draw.below(40) {
        0 => Some(login(draw, "/account/login", [401, 302], 400)),
        1..4 => Some((
            "GET",
            "/api/availability".into(),
            Some(format!("id={}", draw.below(40_000))),
            200,
            240,
        )),
        _ => None,
    },
    feed: "/new.rss",
    shared: 0,
};

/// A newspaper.
pub const NEWS: Site = Site {
    host: "news.example",
    pages: 900,
    page: |n| {
        const PARTS: [&str; 5] = ["politics", "sport", "culture", "city", "science"];
        if n == 0 {
            ("/".into(), None)
        } else {
            (format!("/{}/{}.html", PARTS[(n % 5) as usize], slug(n)), None)
        }
    },
    assets: &[
        "/build/site.css",
        "/build/site.js",
        "/build/ads.js",
        "/build/head.woff2",
        "/img/logo.svg",
        "/img/sprite.png",
        "/favicon.ico",
        "/manifest.webmanifest",
    ],
    images: 6,
    image: |page, n| format!("/img/{}/{page}-{n}.webp", page % 30),
    depth: 2.2,
    aside: |draw| match draw.below(12) {
        0..3 => Some(("POST", "/collect".into(), None, 204, 0)),
        3 if draw.chance(0.15) => Some(login(draw, "/konto/login", [401, 302], 300)),
        _ => None,
    },
    feed: "/rss.xml",
    shared: 0,
};

/// A shop.
pub const SHOP: Site = Site {
    host: "shop.example",
    pages: 1_500,
    page: |n| match n {
        0 => ("/".into(), None),
        _ if n % 7 == 3 => (format!("/c/{}", slug(n % 40)), Some(format!("page={}", 1 + n % 9))),
        _ => (format!("/p/{}", slug(n)), None),
    },
    assets: &[
        "/static/shop.css",
        "/static/shop.js",
        "/static/vendor.js",
        "/static/logo.svg",
        "/static/ui.woff2",
        "/favicon.ico",
    ],
    images: 5,
    image: |page, n| format!("/media/{page}/{n}.webp"),
    depth: 4.0,
    aside: |draw| match draw.below(40) {
        0..3 => Some(("POST", "/cart/add".into(), None, 200, 500)),
        3 => Some(("POST", "/checkout".into(), None, 302, 0)),
        4 => Some(login(draw, "/account/login", [401, 302], 400)),
        5..9 => Some((
            "GET",
            "/search".into(),
            Some(format!("q={}", slug(draw.below(300)))),
            200,
            21_000,
        )),
        _ => None,
    },
    feed: "/offers.xml",
    shared: 0,
};

/// A small site of a club.
pub const SMALL: Site = Site {
    host: "club.example",
    pages: 30,
    page: |n| if n == 0 { ("/".into(), None) } else { (format!("/{}.html", slug(n)), None) },
    assets: &["/style.css", "/logo.png", "/favicon.ico"],
    images: 2,
    image: |page, n| format!("/img/{page}-{n}.jpg"),
    depth: 2.0,
    aside: |draw| {
        let refused = draw.chance(0.2);
        draw.chance(0.01)
            .then(|| ("POST", "/wp-login.php".into(), None, if refused { 200 } else { 302 }, 7_700))
    },
    feed: "/feed.xml",
    shared: 0,
};

/// A chat in the browser.
pub const CHAT: Site = Site {
    host: "chat.example",
    pages: 60,
    page: |n| {
        if n == 0 { ("/".into(), None) } else { (format!("/team/channels/{}", slug(n)), None) }
    },
    assets: &[
        "/static/main.css",
        "/static/main.js",
        "/static/emoji.png",
        "/static/inter.woff2",
        "/favicon.ico",
    ],
    images: 1,
    image: |page, n| format!("/static/avatar/{page}-{n}.png"),
    depth: 6.0,
    aside: |draw| match draw.below(6) {
        0 => Some(("GET", "/socket".into(), Some(format!("t={:x}", draw.below(1 << 30))), 101, 0)),
        1..4 => {
            Some(("GET", format!("/api/v4/channels/{}/posts", draw.below(60)), None, 200, 4_000))
        }
        4 => Some(("POST", "/api/v4/posts".into(), None, 201, 900)),
        _ => None,
    },
    feed: "/changelog.xml",
    shared: 15,
};

/// A storage for files, with programs that keep a folder the same.
pub const CLOUD: Site = Site {
    host: "cloud.example",
    pages: 80,
    page: |n| {
        if n == 0 {
            ("/index.php/apps/files/".into(), None)
        } else {
            ("/index.php/apps/files/".into(), Some(format!("dir=/{}&fileid={}", slug(n), 400 + n)))
        }
    },
    assets: &[
        "/core/css/server.css",
        "/dist/core-common.js",
        "/dist/files-main.js",
        "/core/img/logo.svg",
        "/favicon.ico",
    ],
    images: 2,
    image: |page, n| format!("/core/img/filetypes/{}-{n}.svg", page % 12),
    depth: 4.0,
    aside: |draw| match draw.below(12) {
        0..3 => Some((
            "PROPFIND",
            format!("/remote.php/dav/files/u{}/", draw.below(80)),
            None,
            207,
            2_400,
        )),
        3 => Some((
            "PUT",
            format!("/remote.php/dav/files/u{}/{}", draw.below(80), slug(draw.below(900))),
            None,
            201,
            0,
        )),
        4 => Some(("GET", "/status.php".into(), None, 200, 170)),
        5 if draw.chance(0.2) => Some(login(draw, "/index.php/login", [401, 303], 0)),
        _ => None,
    },
    feed: "/index.php/apps/activity/feed",
    shared: 0,
};
