//! From a new connection to a conversation: encryption, who it is, and what is told at first.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes};
use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;

use super::Desk;
use super::complaint::Complaint;
use super::conversation::Conversation;
use super::message::{Broken, Hearing, Message, Unheard, mechanism, texts};
use super::phrase::told;
use super::scram::{self, Unproven};
use super::speech::{Speech, put_text};
use super::timeout::Timeout;
use crate::doors::patient::Patient;
use crate::doors::{Fault, Stream, Visitor, WRITE_PATIENCE};

/// How long a client may take until it is known.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a first message may be, by the number at its front.
const CANCEL: i32 = 80_877_102;
const SSL: i32 = 80_877_103;
const GSS: i32 = 80_877_104;

/// The first byte of TLS that begins without asking.
const TLS_RECORD: u8 = 0x16;

/// The major version that is spoken, and the greatest minor one.
const MAJOR: i32 = 3;
const MINOR: i32 = 2;

/// Steps of proving who one is.
const OK: i32 = 0;
const SASL: i32 = 10;
const SASL_CONTINUE: i32 = 11;
const SASL_FINAL: i32 = 12;

/// Converses with a client until it goes.
pub(super) async fn greet(desk: Arc<Desk>, visitor: Visitor) -> Result<(), Fault> {
    let Visitor { client, asker, .. } = visitor;
    client.set_nodelay(true)?;
    let late = || io::Error::from(io::ErrorKind::TimedOut);
    let mut first = [0];
    let until = Instant::now() + PATIENCE;
    let seen =
        tokio::time::timeout_at(until, client.peek(&mut first)).await.map_err(|_| late())??;
    if seen == 0 {
        return Ok(());
    }
    let client = Patient::new(client, WRITE_PATIENCE);
    let greeted = tokio::time::timeout_at(until, async {
        match desk.tls.clone() {
            Some(tls) if first == [TLS_RECORD] => encrypted(&desk, tls.accept(client).await?).await,
            _ => plain(&desk, client).await,
        }
    });
    match greeted.await.map_err(|_| late())?? {
        Some(conversation) => {
            asker.know();
            conversation.await
        }
        None => Ok(()),
    }
}

/// What comes after the greeting, unless that was all.
type Next = Option<futures::future::BoxFuture<'static, Result<(), Fault>>>;

/// One who has not asked for encryption yet.
async fn plain<S: Stream>(desk: &Arc<Desk>, client: S) -> Result<Next, Fault> {
    let mut hearing = Hearing::new(client);
    // Each kind of encryption may be asked for once.
    for _ in 0..3 {
        let first = hearing.first().await?;
        match (first.as_ref().get(..4), &desk.tls) {
            (Some(code), Some(tls)) if code == SSL.to_be_bytes() => {
                if hearing.is_ahead() {
                    // What was sent before could be taken for what was sent within (CVE-2021-23214).
                    return Err(Broken.into());
                }
                let mut client = hearing.into_stream();
                client.write_all(b"S").await?;
                client.flush().await?;
                return encrypted(desk, tls.accept(client).await?).await;
            }
            (Some(code), _) if code == SSL.to_be_bytes() || code == GSS.to_be_bytes() => {
                hearing.stream().write_all(b"N").await?;
                hearing.stream().flush().await?;
            }
            _ => return named(desk, hearing, first, desk.tls.is_none()).await,
        }
    }
    Err(Broken.into())
}

async fn encrypted<S: Stream>(desk: &Arc<Desk>, client: S) -> Result<Next, Fault> {
    let mut hearing = Hearing::new(client);
    let first = hearing.first().await?;
    named(desk, hearing, first, true).await
}

/// One who says what it is about.
async fn named<S: Stream>(
    desk: &Arc<Desk>,
    mut hearing: Hearing<S>,
    mut first: Bytes,
    is_private: bool,
) -> Result<Next, Fault> {
    if first.len() < 4 {
        return Err(Broken.into());
    }
    let code = first.get_i32();
    if code == CANCEL {
        cancel(desk, first);
        return Ok(None);
    }
    let mut speech = Speech::default();
    let (minor, timeout) =
        match introduce(desk, &mut hearing, &mut speech, (code, first), is_private).await {
            Ok(known) => known,
            Err(Refusal::Told(complaint)) => {
                complaint.tell(&mut speech);
                hearing.stream().write_all(&speech.bytes).await?;
                hearing.stream().shutdown().await?;
                return Ok(None);
            }
            Err(Refusal::Silent(fault)) => return Err(fault),
        };
    let ticket = desk.cancels.enter(minor >= MINOR);
    speech.say(b'K', |body| {
        body.put_i32(ticket.number);
        body.put_slice(&ticket.secret);
    });
    let conversation = Conversation::new(Arc::clone(desk), hearing, speech, (ticket, timeout));
    Ok(Some(Box::pin(conversation.run())))
}

/// Stops the query of another connection. Nothing is said about whether it did.
fn cancel(desk: &Desk, mut named: Bytes) {
    if named.len() > 4 {
        let number = named.get_i32();
        if let Some(query) = desk.cancels.query(number, &named) {
            desk.answers.cancel(query);
        }
    }
}

/// Why there is no conversation.
enum Refusal {
    Told(Complaint),
    Silent(Fault),
}

impl From<Complaint> for Refusal {
    fn from(complaint: Complaint) -> Self {
        Self::Told(complaint)
    }
}

impl From<Broken> for Refusal {
    fn from(broken: Broken) -> Self {
        Self::Told(broken.into())
    }
}

impl From<Unheard> for Refusal {
    fn from(unheard: Unheard) -> Self {
        match unheard {
            Unheard::Broken(broken) => broken.into(),
            Unheard::Io(error) => Self::Silent(error.into()),
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Silent(error.into())
    }
}

/// Who it is, what it speaks, and what it is told.
///
/// - returns: the minor version that is spoken, and how long a statement may take where that was said.
async fn introduce<S: Stream>(
    desk: &Desk,
    hearing: &mut Hearing<S>,
    speech: &mut Speech,
    (version, rest): (i32, Bytes),
    is_private: bool,
) -> Result<(i32, Timeout), Refusal> {
    if version >> 16 != MAJOR {
        return Err(Complaint::fatal("0A000", "protocol 3 is spoken here").into());
    }
    let said = texts(rest)?;
    if !is_private {
        let told = "this server is spoken to over TLS; ask for it with sslmode=require or stricter";
        return Err(Complaint::fatal("28000", told).into());
    }
    let named =
        |name: &str| said.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str());
    let Some(user) = named("user").filter(|user| !user.is_empty()) else {
        return Err(Complaint::fatal("28000", "say a name of a user: any will do").into());
    };
    if named("replication").is_some_and(|of| !["false", "off", "no", "0"].contains(&of)) {
        return Err(Complaint::fatal("0A000", "there is nothing to replicate here").into());
    }
    let asked = version & 0xffff;
    let minor = asked.min(MINOR);
    let unknown: Vec<&String> =
        said.iter().map(|(name, _)| name).filter(|name| name.starts_with("_pq_.")).collect();
    if asked > MINOR || !unknown.is_empty() {
        speech.say(b'v', |body| {
            body.put_i32(MAJOR << 16 | minor);
            body.put_i32(i32::try_from(unknown.len()).unwrap_or(i32::MAX));
            for name in &unknown {
                put_text(body, name);
            }
        });
    }
    prove(desk, hearing, speech).await?;
    speech.authentication(OK, &[]);
    for (name, value) in told() {
        speech.status(name, value);
    }
    speech.status("application_name", named("application_name").unwrap_or_default());
    speech.status("session_authorization", user);
    Ok((minor, Timeout::of_greeting(&said)))
}

/// Lets those go on who know the token.
async fn prove<S: Stream>(
    desk: &Desk,
    hearing: &mut Hearing<S>,
    speech: &mut Speech,
) -> Result<(), Refusal> {
    let Some(verifier) = &desk.verifier else { return Ok(()) };
    let wrong = |_: Unproven| {
        Complaint::fatal("28P01", "this is not the password, which is the token of the server")
    };
    let unproven = || Refusal::Told(wrong(Unproven));
    // A list, which an empty name ends.
    speech.authentication(SASL, format!("{}\0\0", scram::NAME).as_bytes());
    send(hearing, speech).await?;
    let Message::Password(body) = hearing.next().await? else { return Err(unproven()) };
    let (name, first) = mechanism(body)?;
    if name != scram::NAME {
        return Err(unproven());
    }
    let challenge = verifier.challenge(&first).map_err(wrong)?;
    speech.authentication(SASL_CONTINUE, challenge.said.as_bytes());
    send(hearing, speech).await?;
    let Message::Password(last) = hearing.next().await? else { return Err(unproven()) };
    let proof = challenge.check(&last).map_err(wrong)?;
    speech.authentication(SASL_FINAL, proof.as_bytes());
    Ok(())
}

async fn send<S: Stream>(hearing: &mut Hearing<S>, speech: &mut Speech) -> io::Result<()> {
    hearing.stream().write_all(&speech.bytes).await?;
    speech.bytes.clear();
    hearing.stream().flush().await
}
