//! An answer as the body of a response: streamed, with its failures in it.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, TRAILER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures::Stream;
use http_body::Frame;
use http_body_util::StreamBody;
use query::Format;
use serde_json::json;

use super::failure::Failure;
use crate::answers::{Cut, Fault, Reply, Summary};

/// Name of the query.
pub(super) const QUERY_ID: HeaderName = HeaderName::from_static("x-floodmark-query-id");

/// Rows, bytes, seconds, as JSON: a header where they are known in time, else a trailer.
const SUMMARY: HeaderName = HeaderName::from_static("x-floodmark-summary");

/// Bytes of an answer that are awaited before its head is sent: a short answer then has its whole story in the head.
const HEAD_BYTES: usize = 64 << 10;

/// How long they are awaited, from the first piece on.
const HEAD_PATIENCE: Duration = Duration::from_millis(20);

/// How long the last line of an answer that is broken off is given to leave: whatever has not left by then is lost with the
/// connection. A choice: a client that reads takes a few milliseconds, one that was busy gets to read meanwhile.
const LAST_WORDS: Duration = Duration::from_millis(500);

type Ended = Result<Summary, Fault>;

/// What is known of an answer before its head is sent.
struct Begun {
    pieces: Vec<Bytes>,
    /// The rest, or how it ended.
    rest: Result<Reply<Bytes>, Ended>,
}

async fn begin(mut reply: Reply<Bytes>) -> Begun {
    let Some(first) = reply.next().await else {
        return Begun { pieces: Vec::new(), rest: Err(reply.end().await) };
    };
    let (mut bytes, mut pieces) = (first.len(), vec![first]);
    let patience = tokio::time::sleep(HEAD_PATIENCE);
    tokio::pin!(patience);
    while bytes < HEAD_BYTES {
        let next = tokio::select! {
            next = reply.next() => next,
            () = &mut patience => break,
        };
        let Some(piece) = next else {
            return Begun { pieces, rest: Err(reply.end().await) };
        };
        bytes += piece.len();
        pieces.push(piece);
    }
    Begun { pieces, rest: Ok(reply) }
}

/// The response that hands out `reply`.
///
/// Whatever ends early, by a fault or by a cap of the server, is broken off, so that nobody takes it for whole; text
/// formats say why in their last line, where the client reads on.
pub(crate) async fn respond(reply: Reply<Bytes>, format: Format) -> Response {
    let id = reply.id().to_string();
    let mut response = match begin(reply).await {
        Begun { rest: Err(Err(fault)), .. } => {
            return with_id(axum::response::IntoResponse::into_response(Failure::from(fault)), &id);
        }
        Begun { pieces, rest: Err(Ok(summary)) } if !is_cut_short(&summary) => {
            let mut response = Response::new(Body::from(pieces.concat()));
            response.headers_mut().insert(SUMMARY, summary_header(&summary));
            response
        }
        Begun { pieces, rest } => {
            let body = Body::new(StreamBody::new(frames(pieces, rest, format)));
            let mut response = Response::new(body);
            response.headers_mut().insert(TRAILER, HeaderValue::from_name(SUMMARY));
            response
        }
    };
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type(format)));
    with_id(response, &id)
}

fn with_id(mut response: Response, id: &str) -> Response {
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(QUERY_ID, id);
    }
    response
}

/// The media type of a format.
pub(super) const fn content_type(format: Format) -> &'static str {
    match format {
        Format::Table => "text/plain; charset=utf-8",
        Format::Csv => "text/csv; charset=utf-8",
        Format::Json => "application/json",
        Format::Ndjson => "application/x-ndjson",
        Format::Arrow => "application/vnd.apache.arrow.stream",
        Format::Parquet => "application/vnd.apache.parquet",
    }
}

const fn is_cut_short(summary: &Summary) -> bool {
    matches!(summary.cut, Some(Cut::Rows(_) | Cut::Bytes(_)))
}

fn summary_json(summary: &Summary) -> String {
    json!({
        "rows": summary.rows,
        "bytes": summary.bytes,
        "seconds": summary.time.as_secs_f64(),
        "cut": summary.cut.map(|cut| cut.to_string()),
    })
    .to_string()
}

fn summary_header(summary: &Summary) -> HeaderValue {
    HeaderValue::from_str(&summary_json(summary)).unwrap_or(HeaderValue::from_static("{}"))
}

/// Where the sending of an answer is.
enum Sending {
    Pieces(std::vec::IntoIter<Bytes>, Result<Reply<Bytes>, Ended>),
    Ended(Ended),
    BrokenOff(String),
    Over,
}

fn frames(
    pieces: Vec<Bytes>,
    rest: Result<Reply<Bytes>, Ended>,
    format: Format,
) -> impl Stream<Item = io::Result<Frame<Bytes>>> + Send {
    let first = Sending::Pieces(pieces.into_iter(), rest);
    futures::stream::unfold(first, move |mut at| async move {
        loop {
            at = match at {
                Sending::Pieces(mut early, mut rest) => {
                    if let Some(piece) = early.next() {
                        return Some((Ok(Frame::data(piece)), Sending::Pieces(early, rest)));
                    }
                    if let Ok(reply) = &mut rest
                        && let Some(piece) = reply.next().await
                    {
                        return Some((Ok(Frame::data(piece)), Sending::Pieces(early, rest)));
                    }
                    Sending::Ended(match rest {
                        Ok(reply) => reply.end().await,
                        Err(ended) => ended,
                    })
                }
                Sending::Ended(Ok(summary)) if !is_cut_short(&summary) => {
                    let trailers = HeaderMap::from_iter([(SUMMARY, summary_header(&summary))]);
                    return Some((Ok(Frame::trailers(trailers)), Sending::Over));
                }
                Sending::Ended(ended) => {
                    let (code, why) = why(&ended);
                    let line = last_line(format, code, &why);
                    return Some((Ok(Frame::data(line)), Sending::BrokenOff(why)));
                }
                Sending::BrokenOff(why) => {
                    // What was sent before gets on its way first, where the client reads on.
                    tokio::time::sleep(LAST_WORDS).await;
                    return Some((Err(io::Error::other(why)), Sending::Over));
                }
                Sending::Over => return None,
            };
        }
    })
}

fn why(ended: &Ended) -> (&'static str, String) {
    match ended {
        Ok(summary) => ("cut", summary.cut.map(|cut| cut.to_string()).unwrap_or_default()),
        Err(fault) => (fault.code(), fault.to_string()),
    }
}

fn last_line(format: Format, code: &str, message: &str) -> Bytes {
    match format {
        Format::Arrow | Format::Parquet => Bytes::new(),
        Format::Table | Format::Csv | Format::Json | Format::Ndjson => {
            let line = json!({"error": {"code": code, "message": message}});
            format!("\n{line}\n").into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::{StreamExt as _, poll};

    use super::*;

    #[tokio::test]
    async fn the_last_line_has_time_to_leave_before_the_connection_goes() {
        let ended = Err(Err(Fault::Cancelled));
        let mut frames = pin!(frames(Vec::new(), ended, Format::Csv));
        let line = frames.next().await.unwrap().unwrap().into_data().unwrap();
        assert!(line.starts_with(b"\n{\"error\":{\"code\":\"cancelled\""));
        let mut end = pin!(frames.next());
        // The connection writes out what it holds as often as there is nothing new to send.
        for _ in 0..8 {
            assert!(poll!(&mut end).is_pending());
        }
        assert!(end.await.unwrap().is_err());
    }

    #[test]
    fn binary_formats_get_no_line() {
        assert!(last_line(Format::Parquet, "cut", "x").is_empty());
        let line = last_line(Format::Csv, "cut", "a \"b\"\n");
        assert_eq!(&line[..], b"\n{\"error\":{\"code\":\"cut\",\"message\":\"a \\\"b\\\"\\n\"}}\n");
    }
}
