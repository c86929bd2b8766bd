//! Values of a few words in one spelling.

use super::address::lower;

/// Cache outcome in lower case; yes and no, as flag or number, as `hit` and `miss`.
pub(super) fn canonical_cache<'a>(outcome: &'a str, scratch: &'a mut String) -> &'a str {
    match outcome {
        "0" | "false" => "miss",
        "1" | "2" | "3" | "true" => "hit",
        other => lower(other, scratch),
    }
}

/// A scheme in lower case; that of what a flag of encryption tells.
pub(super) fn canonical_scheme<'a>(scheme: &'a str, scratch: &'a mut String) -> &'a str {
    match scheme {
        "https" | "h2" | "h3" | "wss" | "grpcs" | "HTTPS" | "true" | "on" | "1" => "https",
        "http" | "ws" | "HTTP" | "false" | "off" | "0" => "http",
        other => lower(other, scratch),
    }
}

/// A country code of two characters in upper case.
pub(super) fn canonical_country<'a>(country: &'a str, scratch: &'a mut String) -> Option<&'a str> {
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    if country.bytes().any(|byte| byte.is_ascii_lowercase()) {
        scratch.clear();
        scratch.push_str(country);
        scratch.make_ascii_uppercase();
        return Some(scratch);
    }
    Some(country)
}
