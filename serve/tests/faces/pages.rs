//! Pages: whole without a script, and text from traffic only ever text.

use schemas::tables::{REJECTS, TARGET_WINDOWS};
use serde_json::json;
use serve::answers::Limits;
use serve::doors::DoorOptions;
use tempfile::TempDir;

use crate::client::Got;
use crate::lake::{self, HOSTILE};
use crate::server::Server;

/// A lake with windows of its minutes, too.
async fn start() -> (TempDir, Server) {
    let folder = lake::lake().await;
    let window = |minute: u32| {
        let requests = if minute == 10 { 900 } else { 60 };
        let end = minute + 1;
        json!({
            "date": "2026-03-01", "window_start": format!("2026-03-01T00:{minute:02}:00Z"),
            "window_end": format!("2026-03-01T00:{end:02}:00Z"), "host": "shop.example", "requests": requests,
            "late_requests": 0, "implausible_requests": 0, "corrected_requests": 0, "response_bytes": 0,
            "errors_4xx": 0, "errors_5xx": 0, "distinct_sources": 3, "distinct_paths": 3, "distinct_user_agents": 3,
            "baseline_requests": 80.0, "score": 0.0,
        })
    };
    let windows: Vec<_> = (0..17).map(window).collect();
    lake::append(folder.path(), &TARGET_WINDOWS, &windows).await;
    let reject = json!({
        "ts": "2026-03-01T00:05:00Z", "topic_offset": 1, "record_index": 0, "reason": HOSTILE, "raw": "00",
    });
    lake::append(folder.path(), &REJECTS, &[reject]).await;
    let server = Server::start(folder.path(), Limits::default(), DoorOptions::default()).await;
    (folder, server)
}

/// The text of a page that is whole and that no query of it failed.
async fn page(server: &Server, path: &str) -> String {
    let got = server.get(path).await;
    assert_eq!((got.status, got.is_whole), (200, true), "{path}: {}", got.text());
    check(path, &got);
    got.text().to_owned()
}

/// What holds for every page.
fn check(path: &str, got: &Got) {
    let text = got.text();
    assert!(text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>\n"), "{path}");
    assert!(!text.contains("class=\"fault\""), "{path}: {text}");
    for forbidden in ["<script>", "style=", "onclick", "javascript:", "</td><script", "\u{202e}"] {
        assert!(!text.contains(forbidden), "{path}: {forbidden} in {text}");
    }
    assert_eq!(got.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(got.header("content-security-policy").is_some(), "{path}");
    // Every element that is opened is closed.
    for element in ["html", "body", "main", "section", "table", "tr", "td", "details", "ul", "form"]
    {
        let opened = text.matches(&format!("<{element}>")).count()
            + text.matches(&format!("<{element} ")).count();
        assert_eq!(opened, text.matches(&format!("</{element}>")).count(), "{path}: {element}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_leads_to_its_incident_its_requests_their_source_and_sql() {
    let (_lake, server) = start().await;
    let now = page(&server, "/").await;
    for part in [
        "Open incidents",
        "/incident/a1",
        "shop.example",
        "critical 80",
        "SELECT ",
        "&lt;script&gt;",
    ] {
        assert!(now.contains(part), "{part} in {now}");
    }
    let incident = page(&server, "/incident/a1").await;
    for part in [
        "HTTP flood on shop.example",
        "path = &#39;/search&#39;",
        "203.0.113.7",
        "203.0.113.0/24",
        "O: opened",
        "Exactly these requests",
        "100 %",
        "\\u{202e}",
        "With what",
    ] {
        let part = part.replace("&#39;", "'");
        assert!(incident.contains(&part), "{part} in {incident}");
    }
    let source = page(&server, "/source?q=203.0.113.7").await;
    assert!(source.contains("/incident/a1"), "by its network: {source}");
    assert!(source.contains("/search") && source.contains("<dd>30</dd>"), "{source}");
    for other in ["203.0.113.0/24", "AS64500", "t13d1516h2_8daaf6152771", ""] {
        page(&server, &format!("/source?q={}", other.replace('/', "%2F"))).await;
    }
    let sql = page(&server, "/sql?q=SELECT+path,+user_agent,+query+FROM+requests").await;
    assert!(sql.contains("cut at 500 rows") && sql.contains("null"), "{sql}");
    assert!(sql.contains("\\u{202e}"), "{sql}");
    let file = server.get("/sql/download?format=csv&q=SELECT+path+FROM+requests").await;
    assert_eq!(file.text().lines().count(), 1_001);
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"answer.csv\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_cannot_say_what_was_asked_says_why() {
    let (_lake, server) = start().await;
    let said = async |path: &str| server.get(path).await.text().to_owned();
    assert!(said("/source?q=%3Cb%3E").await.contains("`&lt;b&gt;` is no address"));
    assert!(said("/sql?q=SELEC").await.contains("syntax error"));
    assert!(said("/sql?q=SET+a+%3D+1").await.contains("is refused"));
    assert_eq!(server.get("/incident/zz").await.status, 404);
    assert_eq!(server.get("/?kind=x").await.status, 400);
    assert_eq!(server.get("/assets/none.css").await.status, 404);
    // A link of somebody else shows a statement and does not run it.
    let foreign = [("Sec-Fetch-Site", "cross-site")];
    let got = server.send("GET", "/sql?q=SELECT+41%2B1+AS+n", &foreign, "").await;
    assert!(got.text().contains("Read it before you run it") && !got.text().contains(">42<"));
    assert_eq!(server.send("GET", "/sql/download?q=SELECT+1", &foreign, "").await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sql_of_a_page_is_shown_whole_and_can_be_asked() {
    let (_lake, server) = start().await;
    let explore = page(&server, "/explore?by=malformed&is=malformed:false&not=path:x").await;
    // The longest of ours, to its last word.
    assert!(explore.contains("ORDER BY surprise DESC, attribute, value LIMIT 15"), "{explore}");
    assert!(explore.contains("<option selected>malformed</option>"), "{explore}");
    let link = explore.split("href=\"").filter_map(|part| part.split('"').next());
    let links: Vec<&str> = link.filter(|link| link.starts_with("/sql?q=")).collect();
    assert!(links.len() >= 4, "{links:?}");
    for link in links {
        page(&server, link).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_no_address_holds_is_not_linked() {
    let (lake, server) = start().await;
    let long = format!("/{}", "é".repeat(20_000));
    let request = lake::request(900, "192.0.2.1", &long);
    lake::append(lake.path(), &schemas::tables::REQUESTS, &[request]).await;
    let explore = page(&server, "/explore?by=path").await;
    assert!(explore.contains("too long for an address"), "{explore}");
    let links = explore.split("href=\"/").skip(1).filter_map(|part| part.split('"').next());
    for link in links.map(|link| format!("/{link}")) {
        let link = link.replace("&amp;", "&");
        assert_eq!(server.get(&link).await.status, 200, "{link}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_of_one_name_keep_their_values() {
    let (_lake, server) = start().await;
    let text = "SELECT * FROM (SELECT 41 AS n) a JOIN (SELECT 42 AS n) b ON a.n < b.n";
    let link = format!("/sql?q={}", text.replace(' ', "+").replace('<', "%3C"));
    let shown = page(&server, &link).await;
    let at = |cell: &str| shown.find(&format!("<td class=\"number\">{cell}</td>"));
    assert!(at("41").is_some() && at("41") < at("42"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_that_is_none_is_refused() {
    let (_lake, server) = start().await;
    for query in ["from=yesterday", "to=2026-13-01", "from=2026-03-02&to=2026-03-01"] {
        for path in ["/?", "/explore?", "/source?q=192.0.2.1&"] {
            let got = server.get(&format!("{path}{query}")).await;
            assert_eq!((got.status, &*got.code()), (400, "request"), "{path}{query}");
        }
    }
    for query in ["from=&to=", "from=1970-01-01&to=2199-12-31", "from=2150-01-01"] {
        for path in ["/?", "/explore?", "/source?q=192.0.2.1&"] {
            page(&server, &format!("{path}{query}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_page_loads_is_there_and_kept() {
    let (_lake, server) = start().await;
    let now = page(&server, "/").await;
    let mut loaded = 0;
    for part in now.split("\"/assets/").skip(1) {
        let name = part.split('"').next().expect("a name");
        let got = server.get(&format!("/assets/{name}")).await;
        assert_eq!(got.status, 200, "{name}");
        assert!(got.header("cache-control").is_some_and(|value| value.contains("immutable")));
        loaded += 1;
    }
    assert_eq!(loaded, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_without_a_row_make_pages_too() {
    let folder = TempDir::new().expect("a folder");
    lake::append(folder.path(), &REJECTS, &[json!({
        "ts": "2026-03-01T00:05:00Z", "topic_offset": 1, "record_index": 0, "reason": "x", "raw": "00",
    })])
    .await;
    let server = Server::start(folder.path(), Limits::default(), DoorOptions::default()).await;
    for path in ["/", "/source?q=192.0.2.1", "/sql", "/?host=x&hours=1"] {
        page(&server, path).await;
    }
}
