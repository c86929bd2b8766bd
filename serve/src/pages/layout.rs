//! What every page has, and how it is sent: the head at once, each part when its query has answered.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::assets;
use crate::answers::Fault;

/// Bytes of a value that a page shows; the rest is for those who ask for it with SQL.
const SHOWN_BYTES: usize = 512;

/// Bytes of a statement or a rule that a page shows: ours have some thousand, those of many values more.
const SHOWN_SQL_BYTES: usize = 16 << 10;

/// Bytes of an address, at most: with a browser's headers it fits the head of a request.
const LINK_BYTES: usize = 16 << 10;

/// Parts of a page that are asked for at the same time.
const PARTS_AT_ONCE: usize = 2;

/// A part of a page, on its way.
pub(super) type Part = BoxFuture<'static, Markup>;

/// Pages that the navigation names.
const PLACES: [(&str, &str); 4] =
    [("/", "Now"), ("/explore", "Explore"), ("/source", "Source"), ("/sql", "SQL")];

/// A part with a title; where its question was not answered, it says why.
pub(super) fn part(
    title: &'static str,
    answered: impl Future<Output = Result<Markup, Fault>> + Send + 'static,
) -> Part {
    answered
        .map(move |answered| {
            html! {
                section {
                    h2 { (title) }
                    @match answered {
                        Ok(body) => (body),
                        Err(fault) => p .fault role="alert" { (fault.to_string()) },
                    }
                }
            }
        })
        .boxed()
}

/// The page `title`, one of those `at` a place of the navigation.
pub(super) fn page(title: &str, at: &str, parts: Vec<Part>) -> Response {
    let head = html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\"><head>"))
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1";
        title { (shown_text(title)) " · Floodmark" }
        link rel="stylesheet" href=(assets::CSS.path);
        link rel="icon" href=(assets::ICON.path);
        script src=(assets::JS.path) defer {}
        (PreEscaped("</head><body>"))
        a .skip href="#main" { "To the content" }
        header {
            strong { "Floodmark" }
            nav aria-label="Pages" {
                @for (path, name) in PLACES {
                    a href=(path) aria-current=[(path == at).then_some("page")] { (name) }
                }
            }
        }
        (PreEscaped("<main id=\"main\">"))
        h1 { (shown_text(title)) }
    };
    let end = "</main><footer>Times are UTC. Every number here is a query: open its SQL.</footer></body></html>\n";
    let head = futures::stream::once(std::future::ready(head.into_string()));
    let parts = futures::stream::iter(parts).buffered(PARTS_AT_ONCE).map(Markup::into_string);
    let end = futures::stream::once(std::future::ready(end.to_owned()));
    let body = head.chain(parts).chain(end).map(Ok::<_, std::convert::Infallible>);
    let mut response = Response::new(Body::from_stream(body));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}

/// The statement behind what is shown.
pub(super) fn sql_of(statement: &str) -> Markup {
    html! {
        details .sql {
            summary { "SQL" }
            pre { code { (shown_sql(statement)) } }
            (sql_link(statement, "Open as a query"))
        }
    }
}

/// A link to where a statement is asked; where an address cannot hold it, it is there to be copied.
pub(super) fn sql_link(statement: &str, says: &str) -> Markup {
    let link = format!("/sql?q={}", encoded(statement));
    html! {
        @if fits(&link) { a href=(link) { (says) } }
        @else { button type="button" data-copy=(statement) { (says) ": copy its SQL" } }
    }
}

/// Whether a server takes an address.
pub(super) const fn fits(link: &str) -> bool {
    link.len() <= LINK_BYTES
}

/// Where a source is looked at.
pub(super) fn source_link(source: &str) -> String {
    format!("/source?q={}", encoded(source))
}

/// A text as a part of an address.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A text from traffic: characters that could mislead are spelled out.
pub(super) fn shown_text(text: &str) -> String {
    shown(text, SHOWN_BYTES)
}

/// A statement or a rule, whole unless it is very long.
pub(super) fn shown_sql(text: &str) -> String {
    shown(text, SHOWN_SQL_BYTES)
}

fn shown(text: &str, bytes: usize) -> String {
    let (kept, left_out) = cut(text, bytes);
    let mut shown = schemas::text::escape(kept).into_owned();
    if left_out > 0 {
        // Writing to a string cannot fail.
        let _ = write!(shown, "… ({} bytes more)", count(left_out as u64));
    }
    shown
}

/// A value from traffic, apart from what is around it.
pub(super) fn value(text: &str) -> Markup {
    html! { bdi .value { (shown_text(text)) } }
}

/// The beginning of a text, of so many bytes at most, and how many it leaves out.
fn cut(text: &str, bytes: usize) -> (&str, usize) {
    if text.len() <= bytes {
        return (text, 0);
    }
    let at = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    text.split_at_checked(at).map_or((text, 0), |(kept, rest)| (kept, rest.len()))
}

/// A count as people read it.
pub(super) fn count(number: u64) -> String {
    schemas::text::thousands(number)
}

/// So many of what one is called so.
pub(super) fn several(number: u64, one: &str) -> String {
    let end = match number {
        1 => "",
        _ if one.ends_with('s') => "es",
        _ => "s",
    };
    format!("{} {one}{end}", count(number))
}

/// A share, 0–1, in percent.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.01 {
        "< 0.01 %".to_owned()
    } else if percent > 0.0 && percent < 1.0 {
        format!("{percent:.2} %")
    } else if percent > 99.0 && percent < 100.0 {
        format!("{:.2} %", (percent * 100.0).floor() / 100.0)
    } else {
        format!("{percent:.0} %")
    }
}

/// A time of an answer, to the second.
pub(super) fn time(text: &str) -> Markup {
    let short = text.get(..19).map_or_else(|| text.to_owned(), |text| text.replace('T', " "));
    html! { time datetime=(text) { (short) } }
}

/// A severity in words, so that it needs no colour.
pub(super) const fn severity_word(severity: u64) -> &'static str {
    match severity {
        80.. => "critical",
        60.. => "high",
        35.. => "medium",
        _ => "low",
    }
}

/// A severity.
pub(super) fn severity(severity: u64) -> Markup {
    let word = severity_word(severity);
    html! { span class={ "severity " (word) } { (word) " " (severity) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_attacker_sends_is_text() {
        let told = value("</bdi><script>alert(1)</script>\u{202e}\u{1b}").into_string();
        assert_eq!(
            told,
            "<bdi class=\"value\">&lt;/bdi&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u{202e}\\x1b</bdi>"
        );
        let long = shown_text(&"é".repeat(1 << 20));
        assert!(long.ends_with("… (2,096,640 bytes more)"), "{}", &long[long.len() - 40..]);
        let link = sql_link("a'&<b", "x").into_string();
        assert_eq!(link, "<a href=\"/sql?q=a%27%26%3Cb\">x</a>");
    }

    #[test]
    fn a_statement_is_shown_whole_and_a_link_is_one_that_works() {
        let statement = format!("SELECT '{}'", "x".repeat(10_000));
        let shown = sql_of(&statement).into_string();
        assert!(shown.contains(&statement) && shown.contains("href="), "{shown}");
        let long = sql_link(&"x".repeat(100_000), "All").into_string();
        assert!(!long.contains("href=") && long.contains("data-copy="));
    }

    #[test]
    fn shares_and_severities_are_words() {
        assert_eq!(
            (percent(0.5), percent(0.0012), percent(0.0)),
            ("50 %".into(), "0.12 %".into(), "0 %".into())
        );
        assert_eq!(
            (percent(1.0), percent(0.999_999), percent(0.000_001)),
            ("100 %".into(), "99.99 %".into(), "< 0.01 %".into())
        );
        assert_eq!([80, 60, 35, 0].map(severity_word), ["critical", "high", "medium", "low"]);
    }
}
