//! What a ticket or a prepared statement stands for, written into itself: nothing is kept for it here.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow_flight::sql::{
    CommandPreparedStatementQuery, ProstMessageExt as _, TicketStatementQuery,
};
use arrow_flight::{FlightData, IpcMessage, SchemaAsIpc};
use bytes::Bytes;
use prost::Message as _;
use tonic::Status;

use crate::answers::QueryId;

/// A statement with its values, the name of its query and the columns that were told.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Handle {
    /// The statement.
    #[prost(string, tag = "1")]
    pub(super) text: String,
    /// Values for its placeholders, as they came.
    #[prost(message, repeated, tag = "2")]
    pub(super) values: Vec<FlightData>,
    /// Name of its query; empty before there is one.
    #[prost(string, tag = "3")]
    id: String,
    /// Columns that were told, as a message of Arrow; empty before some were.
    #[prost(bytes = "bytes", tag = "4")]
    columns: Bytes,
}

impl Handle {
    /// A statement.
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Reads one.
    pub(super) fn read(bytes: &Bytes) -> Result<Self, Status> {
        Self::decode(bytes.clone()).map_err(|_| {
            Status::invalid_argument(
                "this handle is none of this server; prepare the statement anew",
            )
        })
    }

    /// The same with those values.
    pub(super) fn with_values(self, values: Vec<FlightData>) -> Self {
        Self { values, ..self }
    }

    /// The same for a query of its own, whose columns are told.
    pub(super) fn named(self, schema: &Schema) -> Result<Self, Status> {
        Ok(Self { id: QueryId::random().to_string(), columns: as_message(schema)?, ..self })
    }

    /// Name of its query.
    pub(super) fn id(&self) -> Option<QueryId> {
        self.id.parse().ok()
    }

    /// Columns that were told.
    pub(super) fn columns(&self) -> Result<Option<SchemaRef>, Status> {
        if self.columns.is_empty() {
            return Ok(None);
        }
        let read = Schema::try_from(IpcMessage(self.columns.clone()));
        let schema = read
            .map_err(|_| Status::invalid_argument("the columns in this ticket cannot be read"))?;
        Ok(Some(Arc::new(schema)))
    }

    /// As the ticket that rows are asked for with.
    pub(super) fn into_ticket(self) -> Bytes {
        let statement_handle = self.encode_to_vec().into();
        TicketStatementQuery { statement_handle }.as_any().encode_to_vec().into()
    }

    /// What a ticket stands for, where it is one of a statement.
    pub(super) fn of_ticket(ticket: &Bytes) -> Option<Self> {
        let any = arrow_flight::sql::Any::decode(ticket.clone()).ok()?;
        let of_statement =
            any.unpack::<TicketStatementQuery>().ok()?.map(|ticket| ticket.statement_handle);
        let of_prepared = any
            .unpack::<CommandPreparedStatementQuery>()
            .ok()?
            .map(|command| command.prepared_statement_handle);
        Self::read(&of_statement.or(of_prepared)?).ok()
    }
}

/// Columns as a message of Arrow's own format.
pub(super) fn as_message(schema: &Schema) -> Result<Bytes, Status> {
    let options = arrow::ipc::writer::IpcWriteOptions::default();
    let message: IpcMessage = SchemaAsIpc::new(schema, &options)
        .try_into()
        .map_err(|error: arrow::error::ArrowError| Status::internal(error.to_string()))?;
    Ok(message.0)
}
