//! A small HTTP server for those who watch a run: three paths, read only, one answer a connection.
//!
//! It has threads of its own, at most [`CONNECTIONS_MAX`], and each gives its client five seconds: a client that is slow or
//! means harm costs other watchers their answer at worst, the pipeline nothing.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::metrics;
use super::reading::Board;

/// Connections answered at the same time; further ones are closed at once. A monitor opens one.
const CONNECTIONS_MAX: usize = 16;

/// How long a client may take to ask and to read the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of a request, at most; a monitor sends some hundred.
const REQUEST_MAX: usize = 8 << 10;

/// Header lines of a request, at most.
const HEADERS_MAX: usize = 64;

/// Pause after a connection could not be taken, as when the process has no file descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

const PLAIN: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

struct Answer {
    status: &'static str,
    kind: &'static str,
    body: String,
}

impl Answer {
    fn plain(status: &'static str, body: impl Into<String>) -> Self {
        Self { status, kind: PLAIN, body: body.into() + "\n" }
    }

    /// `ok`, or why not.
    fn health(fault: Option<String>) -> Self {
        match fault {
            None => Self::plain("200 OK", "ok"),
            Some(fault) => Self::plain("503 Service Unavailable", fault),
        }
    }

    fn to(path: &str, board: &Arc<Board>) -> Self {
        match path.split('?').next().unwrap_or_default() {
            "/metrics" => match metrics::text(board) {
                Ok(body) => Self { status: "200 OK", kind: OPEN_METRICS, body },
                Err(_) => Self::plain("500 Internal Server Error", "the metrics cannot be written"),
            },
            "/healthz" => Self::health(board.hung()),
            "/readyz" => Self::health(board.unready()),
            _ => Self::plain("404 Not Found", "here are /metrics, /healthz and /readyz"),
        }
    }

    fn write(&self, out: &mut impl Write, with_body: bool) -> io::Result<()> {
        let Self { status, kind, body } = self;
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\
             X-Content-Type-Options: nosniff\r\n\r\n",
            body.len()
        );
        out.write_all(head.as_bytes())?;
        if with_body { out.write_all(body.as_bytes()) } else { Ok(()) }
    }
}

/// Answers at `address` about `board` from now on, until the process ends; returns the address, whose port the system
/// chooses where it is 0.
///
/// # Errors
/// When the address cannot be listened at.
pub fn serve(address: SocketAddr, board: Arc<Board>) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(address)
        .with_context(|| format!("cannot listen at {address}; choose another with --listen"))?;
    let at = listener.local_addr()?;
    thread::Builder::new()
        .name("http".into())
        .spawn(move || accept(&listener, &board))
        .context("cannot start the thread that answers HTTP")?;
    Ok(at)
}

fn accept(listener: &TcpListener, board: &Arc<Board>) {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok((client, _)) = listener.accept() else {
            // Nothing will come: this waits.
            let _ = crossbeam_channel::never::<()>().recv_timeout(PAUSE);
            continue;
        };
        let place = Place::take(&open);
        let Some(place) = place else { continue };
        let board = Arc::clone(board);
        let answer = move || {
            let _place = place;
            // Whoever asks badly or leaves early has no use for a reason.
            let _ = converse(&client, &board);
        };
        // Without a thread the client goes without an answer.
        let _ = thread::Builder::new().name("http client".into()).spawn(answer);
    }
}

/// A place among the connections; given back when it is dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(open));
        (open.fetch_add(1, Ordering::AcqRel) < CONNECTIONS_MAX).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A stream that fails when its time is over, however its bytes trickle.
struct Limited<'a> {
    stream: &'a TcpStream,
    until: Instant,
}

impl Limited<'_> {
    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Limited<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(bytes)
    }
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn converse(client: &TcpStream, board: &Arc<Board>) -> io::Result<()> {
    let mut stream = Limited { stream: client, until: Instant::now() + PATIENCE };
    let asked = ask(&mut stream)?;
    let (answer, with_body) = match asked {
        Asked::Get(path) => (Answer::to(&path, board), true),
        Asked::Head(path) => (Answer::to(&path, board), false),
        Asked::Other => (Answer::plain("405 Method Not Allowed", "only GET and HEAD"), true),
        Asked::Nonsense => (Answer::plain("400 Bad Request", "this is no HTTP request"), true),
    };
    answer.write(&mut stream, with_body)?;
    client.shutdown(Shutdown::Both)
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Get(String),
    Head(String),
    Other,
    Nonsense,
}

/// Reads the head of a request.
fn ask(stream: &mut impl Read) -> io::Result<Asked> {
    let mut bytes = Vec::new();
    let mut part = [0; 1024];
    while bytes.len() < REQUEST_MAX {
        let count = stream.read(&mut part)?;
        bytes.extend_from_slice(part.get(..count).unwrap_or_default());
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&bytes) {
            Ok(httparse::Status::Complete(_)) => {
                let path = request.path.unwrap_or_default().to_owned();
                return Ok(match request.method {
                    Some("GET") => Asked::Get(path),
                    Some("HEAD") => Asked::Head(path),
                    _ => Asked::Other,
                });
            }
            Ok(httparse::Status::Partial) if count > 0 => {}
            _ => return Ok(Asked::Nonsense),
        }
    }
    Ok(Asked::Nonsense)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> SocketAddr {
        let board = Arc::new(Board::new(Duration::from_secs(30)));
        serve("127.0.0.1:0".parse().unwrap(), board).unwrap()
    }

    fn talk(at: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(at).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn three_paths_are_answered_and_nothing_else() {
        let at = start();
        let get =
            |path: &str| talk(at, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        let metrics = get("/metrics");
        assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n"), "{metrics}");
        assert!(metrics.contains("\nfloodmark_requests_total 0"), "{metrics}");
        assert!(get("/healthz").ends_with("\r\n\r\nok\n"));
        let unready = get("/readyz?now");
        assert!(unready.starts_with("HTTP/1.1 503 ") && unready.ends_with("no broker answers\n"));
        assert!(get("/").starts_with("HTTP/1.1 404 "));
        let post = talk(at, b"POST /metrics HTTP/1.1\r\n\r\n");
        assert!(post.starts_with("HTTP/1.1 405 "), "{post}");
        let head = talk(at, b"HEAD /healthz HTTP/1.1\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(talk(at, b"\x16\x03\x01\0\0\r\n\r\n").starts_with("HTTP/1.1 400 "));
    }

    #[test]
    fn a_request_is_bounded() {
        let endless = "GET / HTTP/1.1\r\nX: ".to_owned() + &"y".repeat(2 * REQUEST_MAX);
        assert_eq!(ask(&mut endless.as_bytes()).unwrap(), Asked::Nonsense);
        let torn = &b"GET /metrics HT"[..];
        assert_eq!(ask(&mut { torn }).unwrap(), Asked::Nonsense);
        let many = "GET / HTTP/1.1\r\n".to_owned() + &"A: b\r\n".repeat(HEADERS_MAX + 1) + "\r\n";
        assert_eq!(ask(&mut many.as_bytes()).unwrap(), Asked::Nonsense);
    }

    #[test]
    fn those_who_say_nothing_take_their_places_alone() {
        let at = start();
        let silent: Vec<TcpStream> =
            (0..CONNECTIONS_MAX).map(|_| TcpStream::connect(at).unwrap()).collect();
        // One too many is closed without a word, soon or once it has spoken.
        let mut refused = TcpStream::connect(at).unwrap();
        let mut answer = Vec::new();
        let _ = refused.write_all(b"GET /healthz HTTP/1.1\r\n\r\n");
        let _ = refused.read_to_end(&mut answer);
        assert_eq!(answer, b"");
        drop(silent);
        // Those who have gone give their places back.
        let deadline = Instant::now() + 4 * PATIENCE;
        while !talk_or_nothing(at).starts_with("HTTP/1.1 200 ") {
            assert!(Instant::now() < deadline, "no place is given back");
        }
    }

    fn talk_or_nothing(at: SocketAddr) -> String {
        let mut answer = String::new();
        let Ok(mut stream) = TcpStream::connect(at) else { return answer };
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\n\r\n");
        let _ = stream.read_to_string(&mut answer);
        answer
    }
}
