//! Request lines and request targets taken apart.

use super::lanes::{LANES, is, mask};
use super::prefix::without_colours;
use super::search;

/// A request line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// Method as sent; empty when unreadable.
    pub method: &'a str,
    /// Target as sent; the whole text when unreadable.
    pub target: &'a str,
    /// Protocol as sent; empty in HTTP/0.9 and when unreadable.
    pub protocol: &'a str,
    /// The line does not follow the grammar of a request.
    pub malformed: bool,
}

/// Longest method that is taken for one.
const METHOD_BYTES_MAX: usize = 32;

/// Longest scheme of an absolute URL.
const SCHEME_BYTES_MAX: usize = 8;

/// Whether `text` is a method: a token (RFC 9110 §5.6.2) of reasonable length, known or not.
pub fn is_method(text: &str) -> bool {
    // Nearly all, at a glance.
    matches!(text, "GET" | "POST" | "HEAD" | "OPTIONS") || is_token_of_letters(text)
}

fn is_token_of_letters(text: &str) -> bool {
    (1..=METHOD_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Takes a request line apart (RFC 9112 §3): `method SP target [SP protocol]`.
///
/// Blanks inside the target are kept. A line that is no request has its whole text as target, so that a scanner's
/// binary greeting can still be read.
pub fn split_request(line: &str) -> RequestLine<'_> {
    let unreadable = RequestLine { target: line, malformed: true, ..RequestLine::default() };
    let Some((method, rest)) = divide(line, search::byte(line.as_bytes(), b' ')) else {
        return unreadable;
    };
    let (target, protocol) = match divide(rest, last_blank(rest)) {
        Some((target, protocol)) if is_protocol(protocol) => (target.trim_ascii_start(), protocol),
        _ if is_protocol(rest) => ("", rest),
        _ => (rest.trim_ascii_start(), ""),
    };
    if !is_method(method) {
        // Werkzeug colours its requests.
        let plain = line.strip_prefix('\u{1b}').map(|_| without_colours(line));
        let plain =
            plain.filter(|plain| plain.starts_with(|first: char| first.is_ascii_uppercase()));
        return plain.map_or(unreadable, split_request);
    }
    if protocol.is_empty()
        && let Some((bare, version)) = bare_version(target)
        && is_target(method, bare)
    {
        return RequestLine { method, target: bare, protocol: version, malformed: true };
    }
    let well_formed = is_target(method, target);
    match (well_formed, protocol.is_empty()) {
        (true, false) => RequestLine { method, target, protocol, malformed: false },
        // HTTP/0.9 knows neither protocol nor blanks; anything else lost its tail.
        (true, true) => RequestLine { method, target, protocol, malformed: target.contains(' ') },
        (false, false) => RequestLine { method, target, protocol, malformed: true },
        (false, true) => unreadable,
    }
}

/// What is before and behind the byte at `at`.
fn divide(text: &str, at: Option<usize>) -> Option<(&str, &str)> {
    Some((text.get(..at?)?, text.get(at? + 1..)?))
}

/// Where the last blank is, in front of the protocol as a rule.
#[inline]
fn last_blank(rest: &str) -> Option<usize> {
    if let Some((front, end)) = rest.as_bytes().split_last_chunk::<LANES>()
        && let Some(last) = mask(end, is(b' ')).checked_ilog2()
    {
        return Some(front.len() + last as usize);
    }
    memchr::memrchr(b' ', rest.as_bytes())
}

/// Target and version of a request whose version stands alone, as Hypercorn writes it: no client may send it so.
#[cold]
fn bare_version(rest: &str) -> Option<(&str, &str)> {
    let (target, version) = rest.rsplit_once(' ')?;
    matches!(version, "1.0" | "1.1" | "2").then_some((target.trim_ascii_end(), version))
}

fn is_protocol(text: &str) -> bool {
    text.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("http/"))
}

/// Whether `target` has one of the four forms of RFC 9112 §3.2.
pub fn is_target(method: &str, target: &str) -> bool {
    target.starts_with('/')
        || target == "*"
        || target.starts_with('?')
        || absolute(target).is_some()
        || (method.eq_ignore_ascii_case("connect") && target.contains(':') && !target.contains('/'))
}

/// The parts of a request target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Target<'a> {
    /// Scheme, of an absolute URL.
    pub scheme: Option<&'a str>,
    /// Authority, of an absolute URL or a CONNECT request.
    pub host: Option<&'a str>,
    /// Path without query.
    pub path: Option<&'a str>,
    /// Query without `?`; `None` when there is none or an empty one.
    pub query: Option<&'a str>,
}

/// Takes a request target apart.
#[inline]
pub fn split_target<'a>(method: &str, target: &'a str) -> Target<'a> {
    if target.starts_with('/') {
        return origin(target);
    }
    if let Some((scheme, rest)) = absolute(target) {
        let end = memchr::memchr3(b'/', b'?', b'#', rest.as_bytes()).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let user = memchr::memrchr(b'@', authority.as_bytes());
        let host = user.map_or(Some(authority), |user| authority.get(user + 1..));
        let parts = origin(target);
        let path = parts.path.filter(|path| !path.is_empty()).or(Some("/"));
        return Target { scheme: Some(scheme), host, path, ..parts };
    }
    if method.eq_ignore_ascii_case("connect") && !target.contains('/') && !target.is_empty() {
        return Target { host: Some(target), ..Target::default() };
    }
    origin(target)
}

fn origin(target: &str) -> Target<'_> {
    let (path, query) = match search::byte(target.as_bytes(), b'?') {
        Some(at) => (target.get(..at), target.get(at + 1..)),
        None => (Some(target), None),
    };
    Target {
        path: path.filter(|path| !path.is_empty()),
        query: query.filter(|query| !query.is_empty()),
        ..Target::default()
    }
}

/// Scheme and the rest after `://`.
fn absolute(target: &str) -> Option<(&str, &str)> {
    if let Some(rest) = target.strip_prefix("https://").filter(|rest| !rest.is_empty()) {
        return Some(("https", rest));
    }
    let colon = target.bytes().take(SCHEME_BYTES_MAX + 1).position(|byte| byte == b':')?;
    let (scheme, rest) = target.split_at_checked(colon)?;
    let rest = rest.strip_prefix("://")?;
    let is_scheme = scheme.len() >= 2
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !rest.is_empty();
    is_scheme.then_some((scheme, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines() {
        for (line, method, target, protocol, malformed) in [
            ("GET / HTTP/1.1", "GET", "/", "HTTP/1.1", false),
            ("BREW /pot HTTP/2.0", "BREW", "/pot", "HTTP/2.0", false),
            ("GET /a b c HTTP/1.0", "GET", "/a b c", "HTTP/1.0", false),
            ("GET  /two ends  HTTP/1.0", "GET", "/two ends ", "HTTP/1.0", false),
            ("GET /", "GET", "/", "", false),
            ("OPTIONS * HTTP/1.1", "OPTIONS", "*", "HTTP/1.1", false),
            ("CONNECT a.example:443 HTTP/1.1", "CONNECT", "a.example:443", "HTTP/1.1", false),
            ("GET http://a.example/x HTTP/1.1", "GET", "http://a.example/x", "HTTP/1.1", false),
            ("GET  HTTP/1.1", "GET", "", "HTTP/1.1", true),
            ("GET\0 / HTTP/1.1", "", "GET\0 / HTTP/1.1", "", true),
            ("GET HTTP/1.1", "GET", "", "HTTP/1.1", true),
            ("GET nonsense HTTP/1.1", "GET", "nonsense", "HTTP/1.1", true),
            ("GET /cut off", "GET", "/cut off", "", true),
            ("GET /t 1.1", "GET", "/t", "1.1", true),
            ("GET /t 1.1 HTTP/1.1", "GET", "/t 1.1", "HTTP/1.1", false),
            ("GET /t 7", "GET", "/t 7", "", true),
            ("GET 1.1", "", "GET 1.1", "", true),
            (r"\x16\x03\x01 /", "", r"\x16\x03\x01 /", "", true),
            (r"GET /\xFF\xFE HTTP/1.1", "GET", r"/\xFF\xFE", "HTTP/1.1", false),
            ("x", "", "x", "", true),
            ("", "", "", "", true),
        ] {
            let expected = RequestLine { method, target, protocol, malformed };
            assert_eq!(split_request(line), expected, "{line}");
        }
    }

    #[test]
    fn targets() {
        let check = |method, target, expected| assert_eq!(split_target(method, target), expected);
        let path = |path, query| Target { path, query, ..Target::default() };
        check("GET", "/a?b=c?d", path(Some("/a"), Some("b=c?d")));
        check("GET", "/a?", path(Some("/a"), None));
        check("OPTIONS", "*", path(Some("*"), None));
        check("GET", "?x", path(None, Some("x")));
        check("CONNECT", "h:443", Target { host: Some("h:443"), ..Target::default() });
        check(
            "GET",
            "https://u:p@H:8443?q",
            Target {
                scheme: Some("https"),
                host: Some("H:8443"),
                path: Some("/"),
                query: Some("q"),
            },
        );
    }
}
