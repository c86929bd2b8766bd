//! Rows of a batch as events.

use arrow_array::{
    Array, BooleanArray, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use schemas::RequestBatch;

use crate::math::hash::Hasher;
use crate::record::event::{Event, country_code, flag, query_key};
use crate::record::names::cut;
use crate::record::source::Source;
use crate::record::words::{Classes, is_command};

/// The columns that the detector reads, taken from a batch once.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    ts: &'a TimestampMicrosecondArray,
    host: &'a StringArray,
    path: &'a StringArray,
    query: &'a StringArray,
    user_agent: &'a StringArray,
    ja4: &'a StringArray,
    method: &'a StringArray,
    client_ip: &'a StringArray,
    referer: &'a StringArray,
    cache_status: &'a StringArray,
    client_country: &'a StringArray,
    client_asn: &'a Int64Array,
    response_bytes: &'a Int64Array,
    duration_us: &'a Int64Array,
    status: &'a Int32Array,
    aborted: &'a BooleanArray,
}

/// The texts of one record that may have to be shown, borrowed from its batch and [`cut`]; absent ones are empty.
/// Nothing behind the cut is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    /// Host.
    pub host: &'a str,
    /// Path.
    pub path: &'a str,
    /// Query.
    pub query: &'a str,
    /// User agent.
    pub user_agent: &'a str,
    /// JA4 fingerprint.
    pub ja4: &'a str,
    /// Method.
    pub method: &'a str,
    /// Client address.
    pub client_ip: &'a str,
}

/// End of the year 9999, µs: what a log claims beyond, or before 1970, is as implausible there as anywhere.
const TS_MAX: i64 = 253_402_300_799_999_999;

impl<'a> Columns<'a> {
    /// Columns of a batch.
    pub fn of(batch: &'a RequestBatch) -> Self {
        Self {
            ts: batch.ts(),
            host: batch.host(),
            path: batch.path(),
            query: batch.query(),
            user_agent: batch.user_agent(),
            ja4: batch.ja4(),
            method: batch.method(),
            client_ip: batch.client_ip(),
            referer: batch.referer(),
            cache_status: batch.cache_status(),
            client_country: batch.client_country(),
            client_asn: batch.client_asn(),
            response_bytes: batch.response_bytes(),
            duration_us: batch.duration_us(),
            status: batch.status(),
            aborted: batch.aborted(),
        }
    }

    /// Texts of a row.
    pub fn texts(&self, row: usize) -> Texts<'a> {
        Texts {
            host: cut(text(self.host, row)),
            path: cut(text(self.path, row)),
            query: cut(text(self.query, row)),
            user_agent: cut(text(self.user_agent, row)),
            ja4: cut(text(self.ja4, row)),
            method: cut(text(self.method, row)),
            client_ip: cut(text(self.client_ip, row)),
        }
    }

    /// The event of a row, at its own time.
    pub fn event(
        &self,
        row: usize,
        texts: &Texts<'_>,
        hasher: &Hasher,
        classes: &mut Classes,
    ) -> Event {
        let hash = |text: &str| if text.is_empty() { 0 } else { hasher.text(text) };
        let hash_path = |text: &str| if text.is_empty() { 0 } else { hasher.path(text) };
        let (user_agent, path, query) =
            (hash(texts.user_agent), hash_path(texts.path), hash(texts.query));
        let status = self.status(row);
        let (of_path, shape, folders) = classes.of_path(path, texts.path, hasher);
        let (of_agent, program) = classes.of_user_agent(user_agent, texts.user_agent, hasher);
        let mut said = of_path | classes.of_query(query, texts.query);
        // What has a server run something hands over no credentials, whatever words it has besides.
        if said & flag::COMMAND != 0 {
            said &= !(flag::AUTH | flag::TOKEN);
        }
        let mut flags = self.flags(row, texts);
        if flags & flag::WRITE == 0 {
            let form = if said & flag::AUTH == 0 { 0 } else { flag::FORM };
            said = said & !(flag::AUTH | flag::TOKEN) | form;
        }
        if self.is_aborted(row, status, texts) {
            flags |= flag::ABORTED;
        }
        flags |= of_agent | said;
        Event {
            ts: self.ts.value(row).clamp(0, TS_MAX),
            source: Source::parse(texts.client_ip, || hasher.text(texts.client_ip)),
            host: hash(texts.host),
            user_agent,
            path,
            query,
            ja4: hash(texts.ja4),
            query_key: hash(query_key(texts.query)),
            folders,
            bytes: saturated(long(self.response_bytes, row)),
            duration_ms: saturated(long(self.duration_us, row) / 1_000),
            asn: saturated(long(self.client_asn, row)),
            country: country_code(text(self.client_country, row)),
            status,
            flags,
            program,
            shape,
            method: if texts.method.is_empty() { 0 } else { hasher.short(texts.method.as_bytes()) },
        }
    }

    /// Status; what a log cannot mean is a status of its own.
    fn status(&self, row: usize) -> u16 {
        if self.status.is_null(row) {
            return 0;
        }
        u16::try_from(self.status.value(row)).ok().filter(|status| *status > 0).unwrap_or(u16::MAX)
    }

    /// Whether a request ended before any answer: its status is 408 (the client sent nothing in time), 499 (nginx: the
    /// client left) or 460 (a load balancer of AWS: the same), or it is none and the log says that it was broken off or
    /// has no request. Who leaves a download midway had an answer.
    fn is_aborted(&self, row: usize, status: u16, texts: &Texts<'_>) -> bool {
        let is_told = self.aborted.is_valid(row) && self.aborted.value(row);
        matches!(status, 408 | 460 | 499) || status == 0 && (is_told || texts.method.is_empty())
    }

    fn flags(&self, row: usize, texts: &Texts<'_>) -> u32 {
        let mut flags = 0;
        let mut set = |on: bool, bit: u32| {
            if on {
                flags |= bit;
            }
        };
        let write = matches!(texts.method, "POST" | "PUT" | "PATCH");
        let referer = text(self.referer, row);
        set(write, flag::WRITE);
        set(referer.is_empty() || referer == "-", flag::REFERER_NONE);
        let is_own = !texts.host.is_empty() && is_on(referer, texts.host);
        set(is_own, flag::REFERER_OWN);
        let from_page = || page_of(referer).is_some_and(|page| page != texts.path);
        set(write && (is_own || texts.host.is_empty()) && from_page(), flag::FROM_PAGE);
        set(is_command(referer), flag::HOSTILE | flag::COMMAND);
        let cache = text(self.cache_status, row);
        set(matches!(cache, "miss" | "expired" | "bypass"), flag::CACHE_MISS);
        set(matches!(cache, "hit" | "revalidated" | "stale" | "updating"), flag::CACHE_HIT);
        flags
    }
}

fn text(array: &StringArray, row: usize) -> &str {
    if array.is_null(row) { "" } else { array.value(row) }
}

fn long(array: &Int64Array, row: usize) -> i64 {
    if array.is_null(row) { 0 } else { array.value(row) }
}

fn saturated(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

/// Whether the host of a URL is this one.
fn is_on(url: &str, host: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest.and_then(|rest| rest.strip_prefix(host)) else { return false };
    let ends = |byte: &u8| matches!(byte, b'/' | b'?' | b':');
    rest.as_bytes().first().is_none_or(ends) && !host.as_bytes().iter().any(ends)
}

/// The path of a URL; `None` where it is none.
fn page_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    path.split(['?', '#']).next()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, RecordBatch, new_null_array};
    use schemas::tables::REQUESTS;

    use super::*;

    #[test]
    fn a_referer_has_a_host() {
        for own in ["https://shop.example/a?b", "http://shop.example", "https://shop.example:8443"]
        {
            assert!(is_on(own, "shop.example"), "{own}");
        }
        for other in ["-", "", "https://shop.example.net/", "ftp://shop.example/", "https://shop"] {
            assert!(!is_on(other, "shop.example"), "{other}");
        }
        assert!(!is_on("https://[2001:db8::1]/", "[2001:db8::1]"), "a host ends at a colon");
    }

    #[test]
    fn a_referer_is_a_page() {
        for (url, page) in [
            ("https://shop.example/a/b?c=d", Some("/a/b")),
            ("http://shop.example", Some("/")),
            ("https://shop.example/#top", Some("/")),
            ("-", None),
            ("android-app://com.example", None),
        ] {
            assert_eq!(page_of(url), page, "{url}");
        }
    }

    #[test]
    fn a_request_without_an_answer_is_broken_off_where_the_log_says_so() {
        let rows = [
            (None, None, false),
            (None, Some(false), false),
            (None, Some(true), true),
            (Some(499), Some(true), true),
            (Some(499), None, true),
            (Some(200), Some(true), false),
            (Some(200), Some(false), false),
        ];
        let schema = REQUESTS.row_schema();
        let columns = schema.fields().iter().map(|field| -> ArrayRef {
            match field.name().as_str() {
                "ts" => {
                    let ts = TimestampMicrosecondArray::from(vec![0; rows.len()]);
                    Arc::new(ts.with_timezone("UTC"))
                }
                "method" => Arc::new(StringArray::from(vec!["GET"; rows.len()])),
                "status" => Arc::new(rows.iter().map(|row| row.0).collect::<Int32Array>()),
                "aborted" => Arc::new(rows.iter().map(|row| row.1).collect::<BooleanArray>()),
                "malformed" => Arc::new(BooleanArray::from(vec![false; rows.len()])),
                "record_index" => Arc::new(Int32Array::from(vec![0; rows.len()])),
                _ => new_null_array(field.data_type(), rows.len()),
            }
        });
        let columns = columns.collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
        let batch = RequestBatch::try_new(batch).unwrap();
        let columns = Columns::of(&batch);
        for (row, (status, told, aborted)) in rows.into_iter().enumerate() {
            let found = columns.is_aborted(row, columns.status(row), &columns.texts(row));
            assert_eq!(found, aborted, "{status:?} {told:?}");
        }
    }
}
