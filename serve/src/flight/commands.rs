//! The commands of Flight SQL: what each is answered with.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::sql::{Any, Command};
use arrow_flight::{FlightData, FlightDescriptor, FlightInfo, PutResult, Ticket};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use prost::Message as _;
use tonic::{Status, Streaming};

use super::handle::Handle;
use super::statement::{Rows, encoded, info};
use super::{Desk, catalogue, facts, types};

/// What a command asks for.
enum Asked {
    /// The rows of a statement.
    Statement(Handle),
    /// What is known anyway.
    Known(RecordBatch),
}

impl Desk {
    /// Reads a command.
    async fn asked(&self, bytes: &Bytes) -> Result<Asked, Status> {
        let any = Any::decode(bytes.clone()).map_err(|error| {
            Status::invalid_argument(format!("this is no command of Flight SQL: {error}"))
        })?;
        let command =
            Command::try_from(any).map_err(|error| Status::invalid_argument(error.to_string()))?;
        Ok(Asked::Known(match command {
            Command::CommandStatementQuery(command) => {
                return Ok(Asked::Statement(Handle::of(command.query)));
            }
            Command::CommandPreparedStatementQuery(command) => {
                return Handle::read(&command.prepared_statement_handle).map(Asked::Statement);
            }
            Command::TicketStatementQuery(ticket) => {
                return Handle::read(&ticket.statement_handle).map(Asked::Statement);
            }
            Command::CommandGetCatalogs(command) => catalogue::catalogs(command)?,
            Command::CommandGetDbSchemas(command) => catalogue::schemas(command)?,
            Command::CommandGetTables(command) => self.tables(command).await?,
            Command::CommandGetTableTypes(command) => catalogue::table_types(command)?,
            Command::CommandGetPrimaryKeys(_) => RecordBatch::new_empty(catalogue::primary_keys()),
            Command::CommandGetExportedKeys(_)
            | Command::CommandGetImportedKeys(_)
            | Command::CommandGetCrossReference(_) => {
                RecordBatch::new_empty(catalogue::foreign_keys())
            }
            Command::CommandGetSqlInfo(command) => {
                let facts = facts::facts(self.answers.limits())?;
                command.into_builder(&facts).build().map_err(|error| of_builder(&error))?
            }
            Command::CommandGetXdbcTypeInfo(command) => {
                let types = types::types()?;
                command.into_builder(&types).build().map_err(|error| of_builder(&error))?
            }
            other => return Err(only_reads(other.type_url())),
        }))
    }

    /// Where the rows of a command are.
    pub(super) async fn flight_info(
        &self,
        descriptor: FlightDescriptor,
    ) -> Result<FlightInfo, Status> {
        match self.asked(&descriptor.cmd).await? {
            Asked::Statement(handle) => self.info(handle, descriptor).await,
            Asked::Known(rows) => {
                let ticket = Ticket::new(descriptor.cmd.clone());
                info(&rows.schema(), ticket, descriptor)
            }
        }
    }

    /// Columns of the rows of a command.
    pub(super) async fn columns_asked(
        &self,
        descriptor: &FlightDescriptor,
    ) -> Result<SchemaRef, Status> {
        match self.asked(&descriptor.cmd).await? {
            Asked::Statement(handle) => self.columns(&handle).await,
            Asked::Known(rows) => Ok(rows.schema()),
        }
    }

    /// The rows of a ticket.
    pub(super) async fn flight(&self, ticket: Ticket) -> Result<Rows, Status> {
        match self.asked(&ticket.ticket).await? {
            Asked::Statement(handle) => self.rows(handle).await,
            Asked::Known(rows) => Ok(encoded(rows.schema(), stream::iter([Ok(rows)]))),
        }
    }

    /// Takes the values of a prepared statement, which is all that is ever put here.
    pub(super) async fn put(
        &self,
        mut messages: Streaming<FlightData>,
    ) -> Result<PutResult, Status> {
        let first =
            messages.message().await?.ok_or_else(|| Status::invalid_argument("nothing was put"))?;
        let command = first
            .flight_descriptor
            .as_ref()
            .map(|descriptor| descriptor.cmd.clone())
            .unwrap_or_default();
        let any = Any::decode(command)
            .map_err(|_| Status::invalid_argument("what was put has no command"))?;
        match Command::try_from(any).map_err(|error| Status::invalid_argument(error.to_string()))? {
            Command::CommandPreparedStatementQuery(command) => {
                let handle = Handle::read(&command.prepared_statement_handle)?;
                let bound = self.bind(handle, stream::iter([Ok(first)]).chain(messages)).await?;
                Ok(PutResult { app_metadata: bound.encode_to_vec().into() })
            }
            other => Err(only_reads(other.type_url())),
        }
    }
}

fn only_reads(command: &str) -> Status {
    let name = command.rsplit('.').next().unwrap_or_default();
    let shown: String = name.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    Status::unimplemented(format!("this server only reads, and {shown} would not"))
}

fn of_builder(error: &arrow_flight::error::FlightError) -> Status {
    Status::internal(error.to_string())
}
