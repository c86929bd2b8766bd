//! Statements: what they give, and their rows.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::sql::{ActionCreatePreparedStatementResult, DoPutPreparedStatementResult};
use arrow_flight::{FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, Ticket};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use prost::Message as _;
use query::postgres::Kind;
use query::{Described, Dialect};
use tonic::Status;

use super::Desk;
use super::handed::{as_told, handed};
use super::handle::{Handle, as_message};
use super::status::of_arrow;
use super::values::Values;
use crate::answers::{Fault, Question, Reply};

/// Rows on their way.
pub(super) type Rows = BoxStream<'static, Result<FlightData, Status>>;

/// How long a client may take to send the values of a statement.
const PATIENCE: Duration = Duration::from_secs(10);

/// Nobody knows yet.
const UNKNOWN: i64 = -1;

impl Desk {
    /// Prepares a statement. Question marks are its placeholders unless it has numbered ones.
    pub(super) async fn prepare(
        &self,
        text: &str,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let handle = Handle::of(query::statements::numbered(text));
        let Described { params, schema } = self.describe(&handle.text, Vec::new()).await?;
        let value = |(at, of): (usize, &u32)| {
            Field::new(format!("${}", at + 1), Kind::taken(*of).unwrap_or(DataType::Utf8), true)
        };
        let values = Schema::new(params.iter().enumerate().map(value).collect::<Vec<_>>());
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: handle.encode_to_vec().into(),
            dataset_schema: as_message(&handed(&schema))?,
            parameter_schema: as_message(&values)?,
        })
    }

    /// Binds values to a prepared statement: a handle that has them.
    pub(super) async fn bind(
        &self,
        handle: Handle,
        messages: impl Stream<Item = Result<FlightData, Status>>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let taken = tokio::time::timeout(PATIENCE, Values::take(messages)).await;
        let values =
            taken.map_err(|_| Status::deadline_exceeded("the values did not come in time"))??;
        // What cannot be read is told to whoever sent it, not to whoever runs the statement.
        Values::read(values.clone()).await?;
        let handle = handle.with_values(values).encode_to_vec().into();
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(handle) })
    }

    /// Columns of a statement.
    pub(super) async fn columns(&self, handle: &Handle) -> Result<SchemaRef, Status> {
        let values = Values::read(handle.values.clone()).await?;
        Ok(handed(&self.describe(&handle.text, values.types()).await?.schema))
    }

    /// Where the rows of a statement are: here, for the ticket that is told.
    pub(super) async fn info(
        &self,
        handle: Handle,
        descriptor: FlightDescriptor,
    ) -> Result<FlightInfo, Status> {
        let columns = self.columns(&handle).await?;
        let ticket = Ticket::new(handle.named(&columns)?.into_ticket());
        info(&columns, ticket, descriptor)
    }

    /// Rows of a statement.
    pub(super) async fn rows(&self, handle: Handle) -> Result<Rows, Status> {
        let told = handle.columns()?;
        let (id, values) = (handle.id(), Values::read(handle.values).await?);
        let mut question = Question::asked(handle.text).in_dialect(Dialect::Postgres);
        question.params = values.params()?;
        let named = id.map(|id| Question { id, ..question.clone() });
        let reply = match named {
            Some(named) => match self.answers.rows(named).await {
                // A ticket may be used again while it is in use; it is told to stop by the first.
                Err(Fault::SameId) => self.answers.rows(question).await?,
                reply => reply?,
            },
            None => self.answers.rows(question).await?,
        };
        let told = told.unwrap_or_else(|| handed(reply.schema()));
        if told.fields().len() != reply.schema().fields().len() {
            return Err(Status::failed_precondition(
                "the tables have other columns by now; ask anew",
            ));
        }
        Ok(encoded(Arc::clone(&told), in_order(reply, told)))
    }

    async fn describe(&self, text: &str, given: Vec<u32>) -> Result<Described, Status> {
        let question = Question::asked(text).in_dialect(Dialect::Postgres);
        Ok(self.answers.describe(question, given).await?)
    }
}

/// What a client is told before it asks for rows.
pub(super) fn info(
    columns: &Schema,
    ticket: Ticket,
    descriptor: FlightDescriptor,
) -> Result<FlightInfo, Status> {
    let told = FlightInfo::new()
        .try_with_schema(columns)
        .map_err(|error| Status::internal(error.to_string()))?;
    // An endpoint without a place is this server.
    let endpoint = FlightEndpoint::new().with_ticket(ticket);
    Ok(told
        .with_endpoint(endpoint)
        .with_descriptor(descriptor)
        .with_total_records(UNKNOWN)
        .with_total_bytes(UNKNOWN))
}

/// Rows as messages.
pub(super) fn encoded(
    columns: SchemaRef,
    rows: impl Stream<Item = Result<RecordBatch, Status>> + Send + 'static,
) -> Rows {
    let rows = rows.map_err(FlightError::from);
    let messages = FlightDataEncoderBuilder::new().with_schema(columns).build(rows);
    messages.map_err(Status::from).boxed()
}

/// The rows of a reply, then how it ended where that was early.
fn in_order(
    reply: Reply<RecordBatch>,
    told: SchemaRef,
) -> impl Stream<Item = Result<RecordBatch, Status>> + Send {
    stream::try_unfold(Some(reply), move |reply| {
        let told = Arc::clone(&told);
        async move {
            let Some(mut reply) = reply else { return Ok(None) };
            if let Some(batch) = reply.next().await {
                let batch = as_told(&batch, &told).map_err(|error| of_arrow(&error))?;
                return Ok(Some((batch, Some(reply))));
            }
            match reply.end().await?.cut {
                Some(cut) => Err(cut.into()),
                None => Ok(None),
            }
        }
    })
}
