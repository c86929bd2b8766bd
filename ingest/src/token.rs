//! Tokens of OAuth for Kafka, from a file that somebody else keeps fresh.
//!
//! librdkafka would fetch them itself with libcurl, which is not built in. It asks for a token when it connects, and again
//! after four fifths of the token's life.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::client::OAuthToken;
use serde::Deserialize;

/// What `sasl.oauthbearer.config` begins with.
const FILE: &str = "token-file=";

/// Bytes of a token, at most: brokers take no larger request before they know who asks.
const TOKEN_BYTES_MAX: usize = 256 << 10;

/// What a token says of itself (RFC 7519, §4.1).
#[derive(Deserialize)]
struct Claims {
    /// Whom it stands for.
    #[serde(default)]
    sub: String,
    /// Until when, seconds of Unix.
    exp: f64,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("no token: name its file by the property sasl.oauthbearer.config={FILE}PATH")]
    Unnamed,
    #[error("no token: cannot read `{file}`: {source}")]
    Read { file: String, source: std::io::Error },
    #[error("no token: `{file}` holds no JSON web token with a time of expiry")]
    Malformed { file: String },
}

/// The token that `config`, the property `sasl.oauthbearer.config`, names.
pub(crate) fn token(config: Option<&str>) -> Result<OAuthToken, TokenError> {
    let file = config.and_then(|config| config.trim().strip_prefix(FILE));
    let file = file.ok_or(TokenError::Unnamed)?;
    let text = fs::read_to_string(Path::new(file))
        .map_err(|source| TokenError::Read { file: file.to_owned(), source })?;
    parse(text.trim()).ok_or_else(|| TokenError::Malformed { file: file.to_owned() })
}

/// A token and what it says of itself; it is the broker's to verify it.
fn parse(token: &str) -> Option<OAuthToken> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let payload = token.split('.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let lifetime_ms = millis(claims.exp)?;
    Some(OAuthToken { token: token.to_owned(), principal_name: claims.sub, lifetime_ms })
}

/// Seconds of Unix as milliseconds; `None` where no clock gets.
#[expect(
    clippy::cast_possible_truncation,
    reason = "bounded, and a fraction of a millisecond is none"
)]
fn millis(seconds: f64) -> Option<i64> {
    (0.0..1e12).contains(&seconds).then_some((seconds * 1e3) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(claims: &str) -> Option<(String, i64)> {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        parse(&token).map(|token| (token.principal_name, token.lifetime_ms))
    }

    #[test]
    fn a_token_says_whom_it_is_for_and_until_when() {
        assert_eq!(
            of(r#"{"sub":"edge","exp":1800000000,"x":[]}"#),
            Some(("edge".into(), 1_800_000_000_000))
        );
        assert_eq!(of(r#"{"exp":1800000000.5}"#), Some((String::new(), 1_800_000_000_500)));
        for claims in [r#"{"sub":"edge"}"#, "", "[]", r#"{"exp":-1}"#, r#"{"exp":1e300}"#] {
            assert_eq!(of(claims), None, "{claims}");
        }
        for text in ["", "no token", "a.b.c", "..", "e30"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let said = |config| token(config).map(|_| ()).unwrap_err().to_string();
        assert!(said(None).contains("sasl.oauthbearer.config=token-file=PATH"));
        assert!(said(Some("scope=x")).contains("token-file=PATH"));
        assert!(said(Some("token-file=/no/such/file")).contains("/no/such/file"));
    }
}
