//! A command of the prompt, given as the query of a command line.

use std::io::Write;

use crate::error::QueryError;
use crate::output::{OutputOptions, write_batch};
use crate::session::Session;

use super::command::{Command, HELP};
use super::{describe, write_lines};

/// Answers `text` where it is a command that tells something: `\d`, `\d NAME`, `\df`, `\df NAME`, `\?`.
///
/// - returns: whether it was a command.
///
/// # Errors
/// [`QueryError::Plan`] for a command that only a prompt has or a name that is none, [`QueryError::Write`].
pub async fn one_shot(
    session: &Session,
    text: &str,
    options: &OutputOptions,
    out: &mut (dyn Write + Send),
) -> Result<bool, QueryError> {
    let text = text.trim();
    if !text.starts_with('\\') || text.contains('\n') {
        return Ok(false);
    }
    let refuse = |message: String| QueryError::Plan { message, hint: None };
    let batch = match Command::parse(text) {
        Some(Ok(Command::Tables)) => describe::tables(session)?,
        Some(Ok(Command::Table(name))) => describe::table(session, &name).await?,
        Some(Ok(Command::Functions(None))) => return say(&describe::own_functions(session), out),
        Some(Ok(Command::Functions(Some(name)))) => {
            let told = describe::function(session, &name).map_err(refuse)?;
            return say(&told, out);
        }
        Some(Ok(Command::Help)) => return say(HELP, out),
        Some(Ok(_)) => {
            return Err(refuse(format!(
                "`{text}` is for the prompt; start it with `floodmark sql`, without a query"
            )));
        }
        Some(Err(message)) => return Err(refuse(message)),
        None => return Ok(false),
    };
    write_batch(&batch, options, out)?;
    Ok(true)
}

fn say(text: &str, out: &mut dyn Write) -> Result<bool, QueryError> {
    match write_lines(out, text.trim()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(QueryError::Write(error))
        }
        _ => Ok(true),
    }
}
