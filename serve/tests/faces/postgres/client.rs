//! A client of PostgreSQL that says and shows every byte.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::Server;

/// The server, spoken to as PostgreSQL.
impl Server {
    /// A connection that is ready to be asked.
    pub(crate) async fn open(&self) -> Client {
        let mut client = self.dial().await;
        client.send(&hello()).await;
        let told = client.until(b"Z").await;
        let key = told.iter().find(|message| message.kind == b'K').expect("a key");
        client.key = key.body.clone();
        client
    }

    /// A connection on which nothing was said.
    pub(crate) async fn dial(&self) -> Client {
        let stream = TcpStream::connect(self.postgres.at).await.expect("a connection");
        Client { stream, key: Vec::new() }
    }
}

/// The first message.
pub(crate) fn hello() -> Vec<u8> {
    let body = b"\0\x03\0\0user\0anybody\0\0";
    let length = u32::try_from(body.len() + 4).expect("a short message");
    [&length.to_be_bytes()[..], body].concat()
}

/// A message of `kind`.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a short message");
    [&[kind], &length.to_be_bytes()[..], body].concat()
}

/// A statement without values.
pub(crate) fn query(text: &str) -> Vec<u8> {
    message(b'Q', &[text.as_bytes(), b"\0"].concat())
}

/// A statement to be prepared, bound to nothing, and asked for so many rows.
pub(crate) fn extended(text: &str, rows: u32) -> Vec<u8> {
    let parse = message(b'P', &[b"\0", text.as_bytes(), b"\0\0\0"].concat());
    let bind = message(b'B', &[0; 8]);
    [parse, bind, message(b'D', b"P\0"), execute(rows)].concat()
}

/// The next rows of the portal without a name.
pub(crate) fn execute(rows: u32) -> Vec<u8> {
    message(b'E', &[&b"\0"[..], &rows.to_be_bytes()].concat())
}

/// What was said.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) kind: u8,
    pub(crate) body: Vec<u8>,
}

impl Said {
    /// The field of an error that begins with `name`.
    pub(crate) fn field(&self, name: u8) -> Option<String> {
        let parts = self.body.split(|byte| *byte == 0);
        let found = parts.into_iter().find(|part| part.first() == Some(&name))?;
        Some(String::from_utf8_lossy(&found[1..]).into_owned())
    }

    /// All of it as text, without zeros.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).replace('\0', "")
    }
}

/// One connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    /// Number and secret, by which it can be cancelled.
    pub(crate) key: Vec<u8>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("somebody who listens");
    }

    /// The next message; `None` when the other side has gone.
    pub(crate) async fn next(&mut self) -> Option<Said> {
        let kind = self.stream.read_u8().await.ok()?;
        let length = self.stream.read_u32().await.ok()?;
        let mut body = vec![0; length as usize - 4];
        self.stream.read_exact(&mut body).await.ok()?;
        Some(Said { kind, body })
    }

    /// Messages up to one of `kinds`, or to the end.
    pub(crate) async fn until(&mut self, kinds: &[u8]) -> Vec<Said> {
        let mut all = Vec::new();
        while let Some(said) = self.next().await {
            let is_last = kinds.contains(&said.kind);
            all.push(said);
            if is_last {
                break;
            }
        }
        all
    }

    /// Asks, and takes all that is answered.
    pub(crate) async fn ask(&mut self, text: &str) -> Vec<Said> {
        self.send(&query(text)).await;
        self.until(b"Z").await
    }
}

/// Kinds of messages, in order, each once in a row.
pub(crate) fn kinds(said: &[Said]) -> String {
    let mut kinds: Vec<u8> = said.iter().map(|of| of.kind).collect();
    kinds.dedup();
    String::from_utf8(kinds).expect("letters")
}

/// How many messages are of a kind.
pub(crate) fn count(said: &[Said], kind: u8) -> usize {
    said.iter().filter(|of| of.kind == kind).count()
}

/// Code of the error among what was said.
pub(crate) fn code(said: &[Said]) -> Option<String> {
    said.iter().find(|of| of.kind == b'E')?.field(b'C')
}
