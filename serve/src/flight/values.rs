//! Values for the placeholders of a statement, as columns with one row.

use arrow::array::{Array as _, ArrayRef, RecordBatch};
use arrow::ipc::root_as_message;
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use prost::Message as _;
use query::Params;
use query::postgres::Kind;
use tonic::Status;

/// Bytes of the values of one statement, at most: a choice; a list of a hundred thousand addresses.
pub(super) const BYTES_MAX: usize = 1 << 20;

/// Values for `$1`, `$2`, ….
#[derive(Debug, Default)]
pub(super) struct Values(Vec<ArrayRef>);

impl Values {
    /// Takes the messages of a client, as far as they hold values, for [`Values::read`].
    pub(super) async fn take(
        messages: impl Stream<Item = Result<FlightData, Status>>,
    ) -> Result<Vec<FlightData>, Status> {
        let (mut taken, mut bytes) = (Vec::new(), 0);
        let mut messages = std::pin::pin!(messages);
        while let Some(message) = messages.next().await {
            let FlightData { data_header, data_body, .. } = message?;
            if data_header.is_empty() {
                continue;
            }
            let message = FlightData::new().with_data_header(data_header).with_data_body(data_body);
            bytes += message.encoded_len();
            if bytes > BYTES_MAX {
                let told = format!(
                    "the values have more than {BYTES_MAX} bytes; join with a table of your own instead"
                );
                return Err(Status::invalid_argument(told));
            }
            taken.push(message);
        }
        Ok(taken)
    }

    /// Reads them. Their bytes are anybody's: what a message says of itself is checked before it is believed.
    pub(super) async fn read(messages: Vec<FlightData>) -> Result<Self, Status> {
        if messages.is_empty() {
            return Ok(Self::default());
        }
        if messages.iter().any(|message| is_compressed(&message.data_header)) {
            return Err(Status::unimplemented(
                "values that are compressed are not taken; send them plain",
            ));
        }
        let batches = FlightRecordBatchStream::new_from_flight_data(stream::iter(
            messages.into_iter().map(Ok::<_, FlightError>),
        ));
        // The reader of such messages may panic at some that it does not expect.
        let read = tokio::spawn(batches.try_collect::<Vec<RecordBatch>>()).await;
        let batches = read
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| Status::invalid_argument("the values cannot be read"))?;
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        match batches.into_iter().find(|batch| batch.num_rows() > 0) {
            Some(batch) if rows == 1 => Ok(Self(batch.columns().to_vec())),
            None => Ok(Self::default()),
            Some(_) => {
                let told = format!(
                    "a statement takes one row of values, and these are {rows}; ask once for each, or join with VALUES"
                );
                Err(Status::unimplemented(told))
            }
        }
    }

    /// Numbers of their types, as PostgreSQL numbers them.
    pub(super) fn types(&self) -> Vec<u32> {
        self.0.iter().map(|value| Kind::of(value.data_type()).oid).collect()
    }

    /// For the engine; `None` where there are none.
    pub(super) fn params(&self) -> Result<Option<Params>, Status> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let params = Params::of_arrays(&self.0);
        params.map(Some).map_err(|error| Status::invalid_argument(error.to_string()))
    }
}

/// Whether a message says that it is compressed: how large it becomes would be believed.
fn is_compressed(header: &[u8]) -> bool {
    let Ok(message) = root_as_message(header) else { return false };
    let of_dictionary = || message.header_as_dictionary_batch().and_then(|batch| batch.data());
    let batch = message.header_as_record_batch().or_else(of_dictionary);
    batch.is_some_and(|batch| batch.compression().is_some())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::ipc::CompressionType;
    use arrow::ipc::writer::IpcWriteOptions;
    use arrow_flight::encode::FlightDataEncoderBuilder;

    use super::*;

    async fn messages(rows: usize, compression: Option<CompressionType>) -> Vec<FlightData> {
        let batch = RecordBatch::try_from_iter([
            ("0", Arc::new(Int64Array::from(vec![7; rows])) as ArrayRef),
            ("1", Arc::new(StringArray::from(vec!["x"; rows]))),
        ])
        .unwrap();
        let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
        let encoder =
            FlightDataEncoderBuilder::new().with_options(options).build(stream::iter([Ok(batch)]));
        encoder.try_collect().await.unwrap()
    }

    #[tokio::test]
    async fn one_row_is_taken_and_no_more() {
        let one = Values::read(messages(1, None).await).await.unwrap();
        assert_eq!((one.types(), one.params().unwrap().is_some()), (vec![20, 25], true));
        let none = Values::read(messages(0, None).await).await.unwrap();
        assert!(none.params().unwrap().is_none());
        let two = Values::read(messages(2, None).await).await.unwrap_err();
        assert!(two.message().contains("these are 2"), "{two}");
    }

    #[tokio::test]
    async fn what_is_compressed_or_broken_or_long_is_refused() {
        let packed =
            Values::read(messages(1, Some(CompressionType::LZ4_FRAME)).await).await.unwrap_err();
        assert!(packed.message().contains("compressed"), "{packed}");
        // Each byte of each message, changed: an error at most.
        let whole = messages(1, None).await;
        for (at, message) in whole.iter().enumerate() {
            for byte in 0..message.data_header.len() {
                let mut header = message.data_header.to_vec();
                header[byte] ^= 0xff;
                let mut broken = whole.clone();
                broken[at].data_header = header.into();
                drop(Values::read(broken).await);
            }
        }
        let long = FlightData::new().with_data_header(vec![0; BYTES_MAX]);
        let long = Values::take(stream::iter([Ok(long)])).await.unwrap_err();
        assert!(long.message().contains("more than"), "{long}");
    }
}
