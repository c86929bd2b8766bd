//! A client of HTTP that says and shows every byte.

use std::fmt::Write as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::Server;

/// The server, asked over HTTP.
impl Server {
    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn sql(&self, body: &serde_json::Value) -> Got {
        let json = [("Content-Type", "application/json")];
        self.send("POST", "/api/v1/sql", &json, &body.to_string()).await
    }

    /// One request, with `Host` unless the headers have one.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Got {
        let mut stream = self.connect(method, path, headers, body).await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("an answer");
        Got::read(&bytes)
    }

    /// Sends a request and leaves its answer in the stream.
    pub(crate) async fn connect(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> TcpStream {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nTE: trailers\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            write!(head, "Host: {}\r\n", self.http.at).expect("text");
        }
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").expect("text");
        }
        write!(head, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("text");
        let mut stream = TcpStream::connect(self.http.at).await.expect("a connection");
        stream.write_all(head.as_bytes()).await.expect("a request");
        stream
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// What came behind the body.
    pub(crate) trailers: String,
    /// Whether it came to its end.
    pub(crate) is_whole: bool,
}

impl Got {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let at = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8(bytes[..at].to_vec()).expect("a head of text");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let rest = &bytes[at + 4..];
        if head.to_lowercase().contains("transfer-encoding: chunked") {
            return Self::of_chunks(status, head, rest);
        }
        let (body, trailers) = (rest.to_vec(), String::new());
        Self { status, head, body, trailers, is_whole: true }
    }

    fn of_chunks(status: u16, head: String, mut rest: &[u8]) -> Self {
        let (mut body, mut trailers, mut is_whole) = (Vec::new(), String::new(), false);
        while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
            let size = std::str::from_utf8(&rest[..end]).expect("a size");
            let size = usize::from_str_radix(size, 16).expect("a size");
            rest = &rest[end + 2..];
            if size == 0 {
                is_whole = true;
                trailers = String::from_utf8(rest.to_vec()).expect("trailers of text");
                break;
            }
            let taken = size.min(rest.len());
            body.extend_from_slice(&rest[..taken]);
            rest = rest.get(size + 2..).unwrap_or_default();
        }
        Self { status, head, body, trailers, is_whole }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named =
            |line: &str| line.split_once(':').is_some_and(|(of, _)| of.eq_ignore_ascii_case(name));
        let line = self.head.lines().find(|line| named(line))?;
        line.split_once(':').map(|(_, value)| value.trim())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().expect("a code").to_owned()
    }
}
