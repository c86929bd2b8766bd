//! A client of HTTP that takes a whole answer: status line and body.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// The answer to `GET path`.
pub fn get(address: &str, path: &str) -> (String, String) {
    send(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))
}

/// The answer to `POST path` with a JSON `body`, in no chunks: as of HTTP/1.0.
pub fn post(address: &str, path: &str, body: &str) -> (String, String) {
    send(
        address,
        &format!(
            "POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
}

/// Sends a request after whose answer the connection ends.
fn send(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("a server");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer of text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.lines().next().expect("a status").to_owned(), body.to_owned())
}
