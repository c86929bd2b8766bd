//! Text lines → values, by a plan compiled once from a format string.
//!
//! ```text
//! `$remote_addr - …` (nginx)  ─┐
//! `%h %l %u %t "%r"` (Apache) ─┴▶ tokens ─▶ Plan ─ decode ─▶ Record
//! ```

mod captures;
mod compile;
mod ends;
mod loose;
mod plan;
pub(crate) mod sound;
mod variables;
mod w3c;

pub use captures::{Captured, Layout};
pub use plan::{Fit, Optional, Plan};
pub use variables::FormatError;
pub use w3c::{
    CLOUDFRONT_FIELDS, CLOUDFRONT_REALTIME_FIELDS, Dialect, IIS_FIELDS, IIS_FORWARDED_FIELDS,
    IIS_OTHER_FIELDS, W3cPlan,
};

use variables::{apache_tokens, nginx_tokens};

impl Plan {
    /// Compiles a format string: nginx's `log_format` when it has a `$`, Apache's `LogFormat` when it has a `%`.
    ///
    /// Variables without a column are skipped over.
    ///
    /// # Errors
    /// [`FormatError`] when the string has no variables, a broken one, two without text between them, or no time.
    pub fn compile(format: &str) -> Result<Self, FormatError> {
        let tokens = match (format.contains('$'), format.contains('%')) {
            (true, _) => nginx_tokens(format)?,
            (false, true) => apache_tokens(format)?,
            (false, false) => return Err(FormatError::NoVariables),
        };
        Self::from_tokens(tokens)
    }
}
