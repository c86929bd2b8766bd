//! What clients send: messages of protocol 3.0 and 3.2 (PostgreSQL manual, "Message Formats"), taken apart with care, for
//! anybody may send anything.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadHalf, WriteHalf};

/// Bytes of a message before the client is known: a name, a password, a few settings. As PostgreSQL has it.
pub(super) const GREETING_BYTES: usize = 10_000;

/// Bytes of a message, at most, as PostgreSQL has it: what says more is no message.
const SENSIBLE_BYTES: usize = 1 << 30;

/// Bytes read at once.
const READ_BYTES: usize = 16 << 10;

/// A statement or a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Statement,
    Portal,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Binary,
}

/// Values for the placeholders of a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bind {
    pub(super) portal: String,
    pub(super) statement: String,
    pub(super) forms: Vec<Form>,
    pub(super) values: Vec<Option<Bytes>>,
    pub(super) wanted: Vec<Form>,
}

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Query(String),
    Parse {
        name: String,
        text: String,
        types: Vec<u32>,
    },
    Bind(Bind),
    Describe(Target, String),
    Execute {
        portal: String,
        rows: u32,
    },
    Close(Target, String),
    Flush,
    Sync,
    Terminate,
    /// A password, or what stands for one.
    Password(Bytes),
    /// A message of so many bytes was passed over.
    TooLong {
        is_extended: bool,
        bytes: usize,
    },
    /// A call of a function by its number.
    Call,
    /// One that is not answered here.
    Other,
}

/// What was sent is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was sent is no message of the protocol")]
pub(super) struct Broken;

/// Why nothing was heard.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unheard {
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Bytes of a message, from its front.
struct Body(Bytes);

impl Body {
    fn take(&mut self, bytes: usize) -> Result<Bytes, Broken> {
        if self.0.len() < bytes { Err(Broken) } else { Ok(self.0.split_to(bytes)) }
    }

    fn u8(&mut self) -> Result<u8, Broken> {
        self.take(1).map(|mut bytes| bytes.get_u8())
    }

    fn u16(&mut self) -> Result<u16, Broken> {
        self.take(2).map(|mut bytes| bytes.get_u16())
    }

    fn i32(&mut self) -> Result<i32, Broken> {
        self.take(4).map(|mut bytes| bytes.get_i32())
    }

    /// A text that ends with a zero.
    fn text(&mut self) -> Result<String, Broken> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(Broken)?;
        let text = self.take(end)?;
        self.0.advance(1);
        String::from_utf8(text.into()).map_err(|_| Broken)
    }

    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Result<T, Broken>) -> Result<Vec<T>, Broken> {
        let count = self.u16()?;
        (0..count).map(|_| one(self)).collect()
    }

    fn form(&mut self) -> Result<Form, Broken> {
        match self.u16()? {
            0 => Ok(Form::Text),
            1 => Ok(Form::Binary),
            _ => Err(Broken),
        }
    }

    fn value(&mut self) -> Result<Option<Bytes>, Broken> {
        match self.i32()? {
            -1 => Ok(None),
            length => self.take(usize::try_from(length).map_err(|_| Broken)?).map(Some),
        }
    }

    fn target(&mut self) -> Result<(Target, String), Broken> {
        let target = match self.u8()? {
            b'S' => Target::Statement,
            b'P' => Target::Portal,
            _ => return Err(Broken),
        };
        Ok((target, self.text()?))
    }

    fn bind(&mut self) -> Result<Bind, Broken> {
        Ok(Bind {
            portal: self.text()?,
            statement: self.text()?,
            forms: self.list(Self::form)?,
            values: self.list(Self::value)?,
            wanted: self.list(Self::form)?,
        })
    }

    fn message(mut self, kind: u8) -> Result<Message, Broken> {
        Ok(match kind {
            b'Q' => Message::Query(self.text()?),
            b'P' => {
                let (name, text) = (self.text()?, self.text()?);
                let types = self.list(|body| Ok(body.i32()?.cast_unsigned()))?;
                Message::Parse { name, text, types }
            }
            b'B' => Message::Bind(self.bind()?),
            b'D' => {
                let (target, name) = self.target()?;
                Message::Describe(target, name)
            }
            b'C' => {
                let (target, name) = self.target()?;
                Message::Close(target, name)
            }
            b'E' => {
                let portal = self.text()?;
                // None, and less, is all.
                Message::Execute { portal, rows: u32::try_from(self.i32()?).unwrap_or(0) }
            }
            b'H' => Message::Flush,
            b'S' => Message::Sync,
            b'X' => Message::Terminate,
            b'p' => Message::Password(self.0),
            b'F' => Message::Call,
            b'c' | b'd' | b'f' => Message::Other,
            _ => return Err(Broken),
        })
    }
}

/// Hears messages.
#[derive(Debug)]
pub(super) struct Hearing<S> {
    stream: S,
    buffer: BytesMut,
    /// Bytes of a message that are taken in: one that is longer is passed over.
    bytes_max: usize,
}

impl<S: AsyncRead + Unpin> Hearing<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, buffer: BytesMut::new(), bytes_max: GREETING_BYTES }
    }

    /// Bytes heard and not taken yet.
    pub(super) fn is_ahead(&self) -> bool {
        !self.buffer.is_empty()
    }

    pub(super) fn into_stream(self) -> S {
        self.stream
    }

    /// Where answers go while nobody else writes there.
    pub(super) const fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Takes in messages of up to `bytes_max` from now on, from one half of the stream; gives the other away.
    pub(super) fn split(self, bytes_max: usize) -> (Hearing<ReadHalf<S>>, WriteHalf<S>)
    where
        S: AsyncWrite,
    {
        let (stream, other) = tokio::io::split(self.stream);
        (Hearing { stream, buffer: self.buffer, bytes_max }, other)
    }

    async fn more(&mut self) -> io::Result<()> {
        self.buffer.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    async fn until(&mut self, bytes: usize) -> io::Result<()> {
        while self.buffer.len() < bytes {
            self.more().await?;
        }
        Ok(())
    }

    /// The length that is said behind `skip` bytes, itself included.
    fn length(&self, skip: usize) -> Result<usize, Broken> {
        let mut said = self.buffer.get(skip..skip + 4).ok_or(Broken)?;
        let length = usize::try_from(said.get_i32()).map_err(|_| Broken)?;
        if (4..=SENSIBLE_BYTES).contains(&length) { Ok(length) } else { Err(Broken) }
    }

    /// The first message, which has no kind.
    pub(super) async fn first(&mut self) -> Result<Bytes, Unheard> {
        self.until(4).await?;
        let length = self.length(0)?;
        if length > GREETING_BYTES {
            return Err(Broken.into());
        }
        self.until(length).await?;
        Ok(self.buffer.split_to(length).freeze().slice(4..))
    }

    /// The next message.
    pub(super) async fn next(&mut self) -> Result<Message, Unheard> {
        self.until(5).await?;
        let length = self.length(1)?;
        let kind = self.buffer.first().copied().ok_or(Broken)?;
        let bytes = 1 + length;
        if length > self.bytes_max {
            let mut left = bytes;
            loop {
                let passed = left.min(self.buffer.len());
                self.buffer.advance(passed);
                left -= passed;
                if left == 0 {
                    let is_extended = matches!(kind, b'P' | b'B' | b'D' | b'E' | b'C');
                    return Ok(Message::TooLong { is_extended, bytes: length });
                }
                self.more().await?;
            }
        }
        self.until(bytes).await?;
        let body = self.buffer.split_to(bytes).freeze().slice(5..);
        Ok(Body(body).message(kind)?)
    }
}

/// Texts of a first message: names and values by turns.
pub(super) fn texts(body: Bytes) -> Result<Vec<(String, String)>, Broken> {
    let mut body = Body(body);
    let mut pairs = Vec::new();
    loop {
        let name = body.text()?;
        if name.is_empty() {
            return Ok(pairs);
        }
        pairs.push((name, body.text()?));
    }
}

/// Name of a mechanism and what goes with it.
pub(super) fn mechanism(body: Bytes) -> Result<(String, Bytes), Broken> {
    let mut body = Body(body);
    let name = body.text()?;
    Ok((name, body.value()?.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard(mut bytes: &[u8], bytes_max: usize) -> Vec<Result<Message, Unheard>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut hearing = Hearing::new(&mut bytes);
        hearing.bytes_max = bytes_max;
        let mut all = Vec::new();
        loop {
            let next = runtime.block_on(hearing.next());
            let is_end = next.is_err();
            all.push(next);
            if is_end {
                return all;
            }
        }
    }

    #[test]
    fn messages_are_taken_apart() {
        let bytes = b"Q\0\0\0\x0dSELECT 1\0S\0\0\0\x04E\0\0\0\x0bpq\0\0\0\0\x05";
        let all: Vec<_> = heard(bytes, 100).into_iter().filter_map(Result::ok).collect();
        let execute = Message::Execute { portal: "pq".into(), rows: 5 };
        assert_eq!(all, [Message::Query("SELECT 1".into()), Message::Sync, execute]);
    }

    #[test]
    fn a_long_message_is_passed_over_and_what_follows_is_heard() {
        let all: Vec<_> = heard(b"Q\0\0\0\x0dSELECT 1\0S\0\0\0\x04", 12).into_iter().collect();
        assert!(matches!(all[0], Ok(Message::TooLong { is_extended: false, bytes: 13 })));
        assert!(matches!(all[1], Ok(Message::Sync)));
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_heard_or_refused(
            kind in prop::sample::select(b"QPBDECHSXpFcdf?".to_vec()),
            mut body in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut bytes = vec![kind];
            bytes.extend((u32::try_from(body.len()).unwrap() + 4).to_be_bytes());
            bytes.append(&mut body);
            prop_assert!(!heard(&bytes, 1_000).is_empty());
        }
    }
}
