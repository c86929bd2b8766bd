//! What went wrong, in the words of gRPC.

use arrow::error::ArrowError;
use query::QueryError;
use tonic::{Code, Status};

use crate::answers::{Cut, Fault};

/// Bytes of a message: it travels as a header, with three bytes for one that is not ASCII, and clients take 8 KiB of these.
const MESSAGE_BYTES: usize = 2_000;

/// The code of a fault (gRPC's list of status codes): whether asking again helps is what programs take from it.
const fn code(fault: &Fault) -> Code {
    match fault {
        Fault::Query(error) => match error {
            QueryError::ReadOnly { .. } => Code::PermissionDenied,
            QueryError::TooLarge { .. } | QueryError::OutOfMemory { .. } => Code::ResourceExhausted,
            QueryError::Vanished { .. } => Code::Aborted,
            QueryError::Syntax { .. }
            | QueryError::Plan { .. }
            | QueryError::Params { .. }
            | QueryError::OneResult { .. }
            | QueryError::Execute { .. }
            | QueryError::Format { .. } => Code::InvalidArgument,
            _ => Code::Internal,
        },
        Fault::TooLong { .. } => Code::ResourceExhausted,
        Fault::Busy { .. } | Fault::Stopping => Code::Unavailable,
        Fault::TooSlow { .. } => Code::DeadlineExceeded,
        Fault::Cancelled | Fault::Gone => Code::Cancelled,
        Fault::SameId => Code::AlreadyExists,
        Fault::Broken => Code::Internal,
    }
}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        told(code(&fault), &fault.to_string())
    }
}

/// An answer that was cut is none: nobody is to take a part for the whole.
impl From<Cut> for Status {
    fn from(cut: Cut) -> Self {
        told(Code::ResourceExhausted, &cut.to_string())
    }
}

/// A value that does not fit the type that was told.
pub(super) fn of_arrow(error: &ArrowError) -> Status {
    told(Code::InvalidArgument, &error.to_string())
}

fn told(code: Code, message: &str) -> Status {
    let (told, left_out) = message.split_at(message.floor_char_boundary(MESSAGE_BYTES));
    let more = if left_out.is_empty() { "" } else { "…" };
    Status::new(code, format!("{told}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_fit_into_a_header() {
        let fault = Fault::from(QueryError::Syntax { message: "ä".repeat(9_000) });
        let status = Status::from(fault);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().len() <= MESSAGE_BYTES + 4);
        assert_eq!(Status::from(Fault::Cancelled).code(), Code::Cancelled);
    }
}
