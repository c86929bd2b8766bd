//! Lines from a terminal, with editing, history and completion.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::complete::Words;
use super::{Line, LineInput};
use crate::error::QueryError;
use crate::session::Session;

/// Statements kept in the history.
const HISTORY_MAX: usize = 1_000;

/// The terminal of the process.
pub struct Terminal {
    editor: Editor<SqlHelper, FileHistory>,
    history: Option<PathBuf>,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal").field("history", &self.history).finish_non_exhaustive()
    }
}

impl Terminal {
    /// Opens the terminal; statements are kept in `history` across sessions where it is given.
    ///
    /// # Errors
    /// [`QueryError::Prompt`] when there is no usable terminal. A history that cannot be read is empty.
    pub fn open(session: &Session, history: Option<PathBuf>) -> Result<Self, QueryError> {
        let failed = |error: ReadlineError| QueryError::Prompt(error.to_string());
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(HISTORY_MAX)
            .map_err(failed)?
            .build();
        let mut editor = Editor::with_config(config).map_err(failed)?;
        editor.set_helper(Some(SqlHelper { words: Words::of(session) }));
        if let Some(path) = &history {
            // A first session has no history yet.
            drop(editor.load_history(path));
        }
        Ok(Self { editor, history })
    }
}

impl LineInput for Terminal {
    fn line(&mut self, prompt: &str) -> Result<Line, QueryError> {
        loop {
            return match self.editor.readline(prompt) {
                Ok(text) => Ok(Line::Text(text)),
                Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
                Err(ReadlineError::Eof) => Ok(Line::End),
                // The window changed its size.
                Err(ReadlineError::Signal(_)) => continue,
                Err(error) => Err(QueryError::Prompt(error.to_string())),
            };
        }
    }

    fn remember(&mut self, statement: &str) {
        let added = self.editor.add_history_entry(statement);
        if let (Ok(true), Some(path)) = (added, &self.history) {
            // A history that cannot be kept does not stop the session.
            drop(self.editor.append_history(path));
        }
    }

    fn columns(&mut self) -> Option<usize> {
        let (columns, _) =
            std::io::stdout().is_terminal().then(|| self.editor.dimensions()).flatten()?;
        Some(usize::from(columns))
    }
}

/// What the editor asks while a line is typed.
struct SqlHelper {
    words: Words,
}

impl Completer for SqlHelper {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _ctx: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.words.candidates(line, pos))
    }
}

impl Hinter for SqlHelper {
    type Hint = String;
}

impl Highlighter for SqlHelper {}

impl Validator for SqlHelper {}

impl Helper for SqlHelper {}
