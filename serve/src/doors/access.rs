//! Who may ask: the name under which the server was asked, the token, and where a browser's request comes from.

use std::net::SocketAddr;

use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderMap, Uri};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use subtle::ConstantTimeEq as _;

/// Bytes of a token, at least: 16 random characters of 64 are 96 bits, which nobody guesses over a network.
const TOKEN_BYTES_MIN: usize = 16;

/// Browsers fill up what they send with `=`, clients of Flight in Go do not.
const CREDENTIALS: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What those who ask must know.
#[derive(Clone)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// A token, as it is in a file: space around it is none of it.
    ///
    /// # Errors
    /// What is wrong with it, and how to make a good one.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() < TOKEN_BYTES_MIN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!(
                "a token has {TOKEN_BYTES_MIN} or more visible ASCII characters; make one with `openssl rand -hex 32`"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The token itself, as what passwords are made of.
    pub(crate) const fn secret(&self) -> &str {
        self.0.as_str()
    }

    fn is(&self, given: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(given).into()
    }

    /// Whether the headers hold it: as a bearer token, or as the password of a browser that was asked for one.
    fn is_in(&self, headers: &HeaderMap) -> bool {
        let Some(given) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        let Some((scheme, given)) = given.split_once(' ') else { return false };
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.is(given.trim().as_bytes());
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return false;
        }
        let Ok(pair) = CREDENTIALS.decode(given.trim()) else { return false };
        let at = pair.iter().position(|byte| *byte == b':');
        at.and_then(|at| pair.get(at + 1..)).is_some_and(|password| self.is(password))
    }
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It names another server.
    #[error("this server is asked by the name localhost or by its address, and by no other name")]
    Name,
    /// A page of somebody else sent it.
    #[error("this server does not answer pages of others")]
    Origin,
    /// It comes without the token, or with a wrong one.
    #[error("send the token, as `Authorization: Bearer …`, or as the password of any name")]
    Token,
}

/// Refuses a request that names this server as it is not named, where only this machine may ask.
pub(crate) fn check_name(headers: &HeaderMap, uri: &Uri, at: SocketAddr) -> Result<(), Refused> {
    let is_ours = !at.ip().is_loopback() || is_named_locally(headers, uri, at);
    if is_ours { Ok(()) } else { Err(Refused::Name) }
}

/// Refuses a request without the token, where there is one.
pub(crate) fn check_token(token: Option<&Token>, headers: &HeaderMap) -> Result<(), Refused> {
    let is_known = token.is_none_or(|token| token.is_in(headers));
    if is_known { Ok(()) } else { Err(Refused::Token) }
}

/// Whether a request names this server as one that listens on the loopback address is named. A page of somebody else's
/// whose name was made to point here (DNS rebinding) names itself.
fn is_named_locally(headers: &HeaderMap, uri: &Uri, at: SocketAddr) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let named = match (uri.authority(), hosts.next(), hosts.next()) {
        (_, _, Some(_)) | (None, None, None) => return false,
        (Some(of_uri), _, None) => Some(of_uri.as_str()),
        (None, Some(of_header), None) => of_header.to_str().ok(),
    };
    named.is_some_and(|named| {
        let host = without_port(named).to_ascii_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host);
        host == "localhost"
            || host.ends_with(".localhost")
            || host.trim_matches(['[', ']']).parse() == Ok(at.ip())
    })
}

fn without_port(authority: &str) -> &str {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) && (!host.contains(':') || host.ends_with(']')) => host,
        _ => authority,
    }
}

/// Where a request comes from, as its browser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From a page of this server, from the address bar, or from no browser.
    Own,
    /// From a page of somebody else.
    Foreign,
}

/// Where a request comes from: browsers say so in `Sec-Fetch-Site` (Fetch Metadata, W3C), older ones in `Origin`.
pub(crate) fn origin(headers: &HeaderMap) -> Origin {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text("sec-fetch-site"), text("origin")) {
        (Some("same-origin" | "none"), _) | (None, None) => Origin::Own,
        (Some(_), _) => Origin::Foreign,
        (None, Some(origin)) => {
            let of = origin.split_once("://").map(|(_, authority)| authority);
            if of.is_some() && of == text("host") { Origin::Own } else { Origin::Foreign }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn names_of_this_machine_are_known_and_no_others() {
        let at: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        let named =
            |host: &str| is_named_locally(&headers(&[("host", host)]), &Uri::from_static("/"), at);
        for host in
            ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "x.localhost", "localhost."]
        {
            assert!(named(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "127.0.0.2",
            "",
            "[::1]",
            "localhost.x",
        ] {
            assert!(!named(host), "{host}");
        }
        let v6: SocketAddr = "[::1]:8080".parse().unwrap();
        assert!(is_named_locally(&headers(&[("host", "[::1]:8080")]), &Uri::from_static("/"), v6));
        let two = headers(&[("host", "localhost"), ("host", "evil.example")]);
        assert!(!is_named_locally(&two, &Uri::from_static("/"), at));
        assert!(!is_named_locally(&headers(&[]), &Uri::from_static("/"), at));
        let absolute = Uri::from_static("http://evil.example/");
        assert!(!is_named_locally(&headers(&[("host", "localhost")]), &absolute, at));
    }

    #[test]
    fn a_token_is_known_as_bearer_and_as_password() {
        let token = Token::new(" 0123456789abcdef\n").unwrap();
        let given = |value: &str| token.is_in(&headers(&[("authorization", value)]));
        assert!(given("Bearer 0123456789abcdef") && given("bearer 0123456789abcdef"));
        let pair = CREDENTIALS.encode("anyone:0123456789abcdef");
        assert!(given(&format!("Basic {pair}")) && pair.ends_with('='));
        assert!(given(&format!("Basic {}", pair.trim_end_matches('='))));
        for wrong in [
            "Bearer 0123456789abcdeg",
            "Bearer 0123456789abcde",
            "Bearer",
            "0123456789abcdef",
            "Basic x",
            "Digest x",
        ] {
            assert!(!given(wrong), "{wrong}");
        }
        assert!(!token.is_in(&HeaderMap::new()));
        assert!(Token::new("short").is_err() && Token::new("0123456789 abcdef").is_err());
        assert!(!format!("{token:?}").contains("0123"));
    }

    #[test]
    fn pages_of_others_are_foreign() {
        assert_eq!(origin(&headers(&[])), Origin::Own);
        assert_eq!(origin(&headers(&[("sec-fetch-site", "same-origin")])), Origin::Own);
        assert_eq!(origin(&headers(&[("sec-fetch-site", "none")])), Origin::Own);
        assert_eq!(origin(&headers(&[("sec-fetch-site", "cross-site")])), Origin::Foreign);
        assert_eq!(origin(&headers(&[("sec-fetch-site", "same-site")])), Origin::Foreign);
        let local = ("host", "127.0.0.1:1");
        assert_eq!(origin(&headers(&[local, ("origin", "http://127.0.0.1:1")])), Origin::Own);
        assert_eq!(origin(&headers(&[local, ("origin", "http://127.0.0.1:2")])), Origin::Foreign);
        assert_eq!(origin(&headers(&[local, ("origin", "null")])), Origin::Foreign);
    }
}
