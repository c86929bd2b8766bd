//! What the invented sites consist of.

use crate::request::{Content, Method};

/// What a section's pages are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The page most visits start at.
    Home,
    /// A page with pictures and links.
    Page,
    /// A page that lists many others of one kind: what a copier of the site wants.
    Item,
    /// Where names and passwords are sent.
    Login,
    /// Called by a page's scripts.
    Call,
}

/// A family of resources of one site.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Section {
    /// Path and query; `{slug}`, `{word}` and `{n}` are filled once per resource.
    pub(crate) path: &'static str,
    /// How many resources it has.
    pub(crate) count: usize,
    /// Share of views (of calls per view, for [`Role::Call`]).
    pub(crate) share: f64,
    pub(crate) role: Role,
    pub(crate) method: Method,
    pub(crate) content: Content,
    /// Median size, bytes.
    pub(crate) size: f64,
    /// Median time to serve when the cache does not, milliseconds.
    pub(crate) ms: f64,
    /// Share answered by the cache; 0 for what may not be cached.
    pub(crate) hit: f64,
    /// Mean number of pictures of a page.
    pub(crate) pictures: f64,
    /// Status when it succeeds, when it fails, and how often it fails.
    pub(crate) answer: (u16, u16, f64),
    /// Whether a number that differs for each request follows the path.
    pub(crate) numbered: bool,
}

const PAGE: Section = Section {
    path: "/",
    count: 1,
    share: 0.1,
    role: Role::Page,
    method: Method::Get,
    content: Content::Html,
    size: 34_000.0,
    ms: 90.0,
    hit: 0.0,
    pictures: 4.0,
    answer: (200, 404, 0.006),
    numbered: false,
};

const CALL: Section = Section {
    role: Role::Call,
    content: Content::Json,
    size: 2_400.0,
    ms: 35.0,
    pictures: 0.0,
    answer: (200, 404, 0.004),
    ..PAGE
};

const BEACON: Section = Section {
    path: "/collect",
    share: 0.5,
    method: Method::Post,
    content: Content::Empty,
    size: 60.0,
    ms: 7.0,
    answer: (204, 400, 0.001),
    ..CALL
};

const HOME: Section = Section { role: Role::Home, share: 0.14, pictures: 9.0, ..PAGE };
const SEARCH: Section = Section {
    path: "/search?q={word}+{word}",
    count: 160,
    share: 0.09,
    ms: 210.0,
    pictures: 3.0,
    ..PAGE
};
const LOGIN: Section = Section {
    path: "/login",
    share: 0.02,
    role: Role::Login,
    method: Method::Post,
    content: Content::Html,
    size: 900.0,
    ms: 140.0,
    pictures: 0.0,
    answer: (302, 401, 0.11),
    ..PAGE
};

/// Who visits a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visitors {
    /// People with browsers.
    Browsers,
    /// A program on people's phones; no assets.
    Apps,
}

/// One kind of site.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    /// First label of the host name, and the rest.
    pub(crate) host: (&'static str, &'static str),
    /// Share of all ordinary requests, before normalisation.
    pub(crate) share: f64,
    pub(crate) visitors: Visitors,
    /// Views of a visit beyond the first, mean.
    pub(crate) views: f64,
    /// Median seconds between two views.
    pub(crate) think_s: f64,
    /// Share of visits that start at the home page.
    pub(crate) lands_home: f64,
    pub(crate) sections: &'static [Section],
    /// Style sheets, scripts, fonts: how many of each a page needs.
    pub(crate) assets: (usize, usize, usize),
    /// Folder of the pictures.
    pub(crate) pictures: &'static str,
}

/// Every kind of site, in the order in which runs take them.
pub(crate) const MODELS: [Model; 7] = [
    Model {
        host: ("shop", "example.com"),
        share: 1.4,
        visitors: Visitors::Browsers,
        views: 5.0,
        think_s: 13.0,
        lands_home: 0.35,
        sections: &[
            HOME,
            Section {
                path: "/category/{word}?page=1",
                count: 40,
                share: 0.2,
                pictures: 8.0,
                ..PAGE
            },
            Section {
                path: "/product/{slug}-{n}",
                count: 1_400,
                share: 0.42,
                role: Role::Item,
                pictures: 5.0,
                ..PAGE
            },
            SEARCH,
            Section { path: "/basket", share: 0.07, pictures: 1.0, ..PAGE },
            LOGIN,
            Section {
                path: "/api/basket",
                share: 0.12,
                method: Method::Post,
                answer: (200, 409, 0.01),
                ..CALL
            },
            BEACON,
        ],
        assets: (2, 4, 2),
        pictures: "/media",
    },
    Model {
        host: ("accounts", "example.com"),
        share: 0.7,
        visitors: Visitors::Browsers,
        views: 2.2,
        think_s: 9.0,
        lands_home: 0.25,
        sections: &[
            Section { pictures: 1.0, ..HOME },
            Section { path: "/signin", share: 0.34, pictures: 1.0, size: 12_000.0, ..PAGE },
            Section { path: "/signin", share: 0.26, answer: (302, 401, 0.09), ..LOGIN },
            Section { path: "/profile", share: 0.12, pictures: 1.0, ..PAGE },
            Section { path: "/settings/{word}", count: 9, share: 0.1, pictures: 0.0, ..PAGE },
            Section { path: "/password/reset", share: 0.03, pictures: 0.0, ..PAGE },
            Section { path: "/api/session", share: 0.5, size: 700.0, ..CALL },
        ],
        assets: (1, 3, 1),
        pictures: "/img",
    },
    Model {
        host: ("news", "example.org"),
        share: 1.3,
        visitors: Visitors::Browsers,
        views: 3.0,
        think_s: 24.0,
        lands_home: 0.4,
        sections: &[
            Section { hit: 0.8, ms: 120.0, share: 0.2, ..HOME },
            Section {
                path: "/section/{word}",
                count: 14,
                share: 0.2,
                hit: 0.75,
                pictures: 7.0,
                ..PAGE
            },
            Section {
                path: "/2026/03/{slug}",
                count: 420,
                share: 0.52,
                role: Role::Item,
                hit: 0.7,
                pictures: 4.0,
                ..PAGE
            },
            SEARCH,
            Section { path: "/api/ticker", share: 0.3, hit: 0.6, ..CALL },
            BEACON,
        ],
        assets: (2, 3, 2),
        pictures: "/images",
    },
    Model {
        host: ("docs", "example.org"),
        share: 0.7,
        visitors: Visitors::Browsers,
        views: 3.5,
        think_s: 30.0,
        lands_home: 0.2,
        sections: &[
            Section { pictures: 2.0, ms: 40.0, ..HOME },
            Section {
                path: "/guide/{slug}",
                count: 130,
                share: 0.42,
                pictures: 2.0,
                ms: 45.0,
                ..PAGE
            },
            Section {
                path: "/reference/{word}/{word}",
                count: 320,
                share: 0.3,
                role: Role::Item,
                pictures: 0.5,
                ms: 45.0,
                ..PAGE
            },
            SEARCH,
            Section {
                path: "/download/{word}-{n}.zip",
                count: 24,
                share: 0.03,
                content: Content::Zip,
                size: 2_600_000.0,
                ms: 400.0,
                hit: 0.85,
                pictures: 0.0,
                ..PAGE
            },
        ],
        assets: (1, 2, 2),
        pictures: "/img",
    },
    Model {
        host: ("api", "example.net"),
        share: 1.2,
        visitors: Visitors::Apps,
        views: 9.0,
        think_s: 3.5,
        lands_home: 0.7,
        sections: &[
            Section {
                path: "/v1/feed?limit=20",
                role: Role::Home,
                share: 0.3,
                size: 8_500.0,
                ..CALL
            },
            Section {
                path: "/v1/items/",
                role: Role::Item,
                share: 0.28,
                numbered: true,
                answer: (200, 404, 0.015),
                ..CALL
            },
            Section { path: "/v1/me", role: Role::Page, share: 0.14, size: 1_200.0, ..CALL },
            Section {
                path: "/v1/search?q={word}",
                role: Role::Page,
                count: 90,
                share: 0.08,
                ms: 120.0,
                ..CALL
            },
            Section {
                path: "/v1/events",
                role: Role::Page,
                share: 0.16,
                method: Method::Post,
                answer: (202, 400, 0.002),
                size: 90.0,
                ..CALL
            },
            Section {
                path: "/v1/session",
                role: Role::Login,
                share: 0.04,
                method: Method::Post,
                answer: (200, 401, 0.05),
                ms: 90.0,
                ..CALL
            },
        ],
        assets: (0, 0, 0),
        pictures: "/img",
    },
    Model {
        host: ("tickets", "example"),
        share: 0.8,
        visitors: Visitors::Browsers,
        views: 3.2,
        think_s: 15.0,
        lands_home: 0.3,
        sections: &[
            HOME,
            Section {
                path: "/event/{slug}",
                count: 90,
                share: 0.5,
                role: Role::Item,
                pictures: 4.0,
                ..PAGE
            },
            Section { path: "/venue/{word}", count: 25, share: 0.1, pictures: 3.0, ..PAGE },
            SEARCH,
            Section { path: "/cart", share: 0.06, pictures: 0.0, ..PAGE },
            Section { path: "/api/seats", share: 0.4, ..CALL },
            BEACON,
        ],
        assets: (2, 3, 2),
        pictures: "/media",
    },
    Model {
        host: ("forum", "example.net"),
        share: 0.9,
        visitors: Visitors::Browsers,
        views: 6.0,
        think_s: 19.0,
        lands_home: 0.3,
        sections: &[
            Section { pictures: 3.0, ..HOME },
            Section { path: "/board/{word}", count: 22, share: 0.22, pictures: 2.0, ..PAGE },
            Section {
                path: "/topic/{n}-{slug}",
                count: 900,
                share: 0.48,
                role: Role::Item,
                pictures: 2.5,
                ..PAGE
            },
            Section { path: "/login", share: 0.02, pictures: 0.0, size: 8_000.0, ..PAGE },
            LOGIN,
            Section {
                path: "/reply",
                share: 0.05,
                method: Method::Post,
                answer: (302, 400, 0.02),
                pictures: 0.0,
                ..PAGE
            },
            BEACON,
        ],
        assets: (1, 3, 1),
        pictures: "/avatars",
    },
];
