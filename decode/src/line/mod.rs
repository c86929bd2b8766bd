//! Text lines → values, by a plan compiled once from a format string.
//!
//! ```text
//! `$remote_addr - …` (nginx)  ─┐
//! `%h %l %u %t "%r"` (Apache) ─┼▶ tokens ─▶ Plan ─ decode ─▶ Record
//! `%START_TIME%` and others   ─┘
//! ```

mod bars;
mod captures;
mod compile;
mod ends;
mod loose;
mod notations;
mod pieces;
mod plan;
pub(crate) mod sound;
mod step;
mod variables;
mod w3c;
mod written;

pub use captures::{Captured, Layout};
pub use notations::Notation;
pub use plan::{Fit, Optional, Plan};
pub use variables::FormatError;
pub use w3c::{
    CLOUDFRONT_FIELDS, CLOUDFRONT_REALTIME_FIELDS, Dialect, IIS_FIELDS, IIS_FORWARDED_FIELDS,
    IIS_OTHER_FIELDS, W3cPlan, fields_shown, may_follow,
};

use crate::json::FieldMap;
use notations::{envoy_tokens, haproxy_tokens, logpush_tokens};
use variables::{apache_tokens, nginx_tokens};
use written::format_string;

impl Plan {
    /// Compiles a format string, in whichever [`Notation`] it is; `logpush` says what the fields of a template are.
    ///
    /// Variables without a column are skipped over.
    ///
    /// # Errors
    /// [`FormatError`] when the string has no variables, a broken one, two without text between them, or no time.
    pub fn compile(format: &str, logpush: &FieldMap) -> Result<Self, FormatError> {
        let format = &*format_string(format);
        let notation = Notation::of(format).ok_or(FormatError::NoVariables)?;
        let tokens = match notation {
            Notation::Nginx => nginx_tokens(format)?,
            Notation::Apache => apache_tokens(format)?,
            Notation::Envoy => envoy_tokens(format)?,
            Notation::Haproxy => haproxy_tokens(format)?,
            Notation::Logpush => logpush_tokens(format, logpush)?,
        };
        let plan = Self::from_tokens(tokens)?;
        // Envoy writes the quotes that clients send as they are.
        Ok(if notation == Notation::Envoy { plan.with_raw_quotes() } else { plan })
    }
}
