//! Rows of some files, written anew in another order.
//!
//! Rows are read file after file and put in order in portions that fit in memory, so that a file is a few sorted runs,
//! each of whole row groups: for a reader that skips row groups as good as one run, at a bounded price.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, new_null_array};
use arrow::compute::{cast, interleave_record_batch};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use deltalake::kernel::Add;
use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use parquet::file::properties::WriterProperties;
use schemas::Table;

use super::Undone;
use super::files::{LiveFile, MERGED, SORTED, time_column};
use super::lease::Lease;
use super::plan::Layout;
use super::watch::{Pace, Watch, pause};
use crate::encode::{Encoder, encoder, sorted_properties, writer_properties};
use crate::error::{Failure, LakeError};
use crate::location::{Folder, Location};
use crate::options::LakeOptions;
use crate::ranges::RangeReader;
use crate::writer::{Encoded, encoded, put};

/// Bytes of rows that are put in order at a time.
const RUN_BYTES: usize = 256 << 20;

/// Rows written at a time.
const PIECE_ROWS: usize = 32 << 10;

/// What is written anew, where, and how.
pub(super) struct Rewrite<'a> {
    pub(super) location: &'a Location,
    pub(super) folder: &'a Folder,
    pub(super) table: &'static Table,
    pub(super) options: &'a LakeOptions,
    pub(super) aim: u64,
    pub(super) watch: &'a dyn Watch,
    pub(super) lease: &'a Lease<'a>,
}

impl Rewrite<'_> {
    /// Waits for as long as the watch says so, and keeps the lease meanwhile.
    async fn breathe(&self) -> Result<(), Undone> {
        while pause(self.watch).await? == Pace::Wait {
            self.lease.keep().await?;
        }
        self.lease.keep().await
    }

    /// Writes the rows of `files`, all of one partition, into new files of the same partition; `written` says which, also
    /// where it comes to nothing.
    pub(super) async fn write(
        &self,
        files: &[&LiveFile],
        layout: Layout,
        written: &mut Vec<Add>,
    ) -> Result<u64, Undone> {
        let date = files.first().and_then(|file| file.date.clone());
        let mut output = Output::new(self, layout, date, written);
        for file in files {
            let path = file.path.clone();
            let fail = |failure: Failure| {
                self.location.fail(&format!("read {}", file.path), self.table.name, failure)
            };
            let mut found = self.folder.head(&path).await.map_err(|error| fail(error.into()))?;
            // The store answers with a name that is not relative to the folder.
            found.location = path;
            let reader = RangeReader::new(self.folder.clone(), found);
            let opened = ParquetRecordBatchStreamBuilder::new(reader).await;
            let builder = opened.map_err(|error| fail(error.into()))?;
            let mut batches = builder.build().map_err(|error| fail(error.into()))?;
            while let Some(rows) = batches.try_next().await.map_err(|error| fail(error.into()))? {
                self.breathe().await?;
                let rows = conform(&rows, &output.schema).map_err(|error| self.encode(error))?;
                output.take(rows).await?;
            }
        }
        let rows = output.finish().await?;
        let expected: u64 = files.iter().filter_map(|file| file.rows).sum();
        if rows != expected {
            return Err(Undone::Failed(self.location.fail(
                &format!("write {expected} rows anew, {rows} were read"),
                self.table.name,
                "files of the table are not what its log says; run `floodmark check`".to_owned(),
            )));
        }
        Ok(rows)
    }

    fn encode(&self, error: impl Into<crate::error::Cause>) -> Undone {
        Undone::Failed(LakeError::Encode { table: self.table.name, source: error.into() })
    }
}

struct Output<'a> {
    of: &'a Rewrite<'a>,
    layout: Layout,
    date: Option<String>,
    schema: SchemaRef,
    keys: Keys,
    properties: WriterProperties,
    run: Vec<RecordBatch>,
    run_bytes: usize,
    encoder: Option<Encoder>,
    rows: u64,
    written: &'a mut Vec<Add>,
}

impl<'a> Output<'a> {
    fn new(
        of: &'a Rewrite<'a>,
        layout: Layout,
        date: Option<String>,
        written: &'a mut Vec<Add>,
    ) -> Self {
        let keys = Keys::of(of.table, layout);
        let properties = match layout {
            Layout::Merged => writer_properties(of.table, of.options),
            Layout::Sorted => sorted_properties(of.table, of.options, &keys.names()),
        };
        Self {
            of,
            layout,
            date,
            schema: of.table.row_schema(),
            keys,
            properties,
            run: Vec::new(),
            run_bytes: 0,
            encoder: None,
            rows: 0,
            written,
        }
    }

    async fn take(&mut self, rows: RecordBatch) -> Result<(), Undone> {
        self.run_bytes += rows.get_array_memory_size();
        self.run.push(rows);
        if self.run_bytes >= RUN_BYTES { self.write_run().await } else { Ok(()) }
    }

    /// Puts the rows in memory in order and writes them.
    async fn write_run(&mut self) -> Result<(), Undone> {
        let order = self.keys.order(&self.run);
        let run: Vec<&RecordBatch> = self.run.iter().collect();
        for piece in order.chunks(PIECE_ROWS) {
            let rows =
                interleave_record_batch(&run, piece).map_err(|error| self.of.encode(error))?;
            let encoder = match &mut self.encoder {
                Some(encoder) => encoder,
                none => none.insert(
                    encoder(self.of.table, &self.properties)
                        .map_err(|error| self.of.encode(error))?,
                ),
            };
            encoder.write(&rows).map_err(|error| self.of.encode(error))?;
            self.of.breathe().await?;
        }
        self.run.clear();
        self.run_bytes = 0;
        if let Some(encoder) = &mut self.encoder {
            // A row group belongs to one run, so that it is in order.
            encoder.flush().map_err(|error| self.of.encode(error))?;
            if encoder.bytes_written() as u64 >= self.of.aim {
                self.close().await?;
            }
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<(), Undone> {
        let Some(encoder) = self.encoder.take() else { return Ok(()) };
        let kind = match self.layout {
            Layout::Merged => MERGED,
            Layout::Sorted => SORTED,
        };
        let Encoded { mut add, rows, bytes } =
            encoded(encoder, kind, self.date.clone()).map_err(|error| self.of.encode(error))?;
        // The rows were there before: readers of changes are not told of them again.
        add.data_change = false;
        self.rows += rows;
        let path = Path::from(add.path.as_str());
        put(self.of.folder, &path, bytes).await.map_err(|error| {
            self.of.location.fail(&format!("write {path}"), self.of.table.name, error)
        })?;
        self.of.watch.rewrote(rows);
        self.written.push(add);
        Ok(())
    }

    async fn finish(mut self) -> Result<u64, Undone> {
        if !self.run.is_empty() {
            self.write_run().await?;
        }
        self.close().await?;
        Ok(self.rows)
    }
}

/// What rows are put in order by.
#[derive(Debug, Clone, Copy)]
struct Keys {
    /// A text, before time.
    text: Option<&'static str>,
    time: Option<&'static str>,
}

impl Keys {
    fn of(table: &'static Table, layout: Layout) -> Self {
        let is_key = |column: &&schemas::Column| matches!(column.name, "host" | "source");
        let text = table.row_columns().find(is_key).map(|column| column.name);
        Self { text: text.filter(|_| layout == Layout::Sorted), time: time_column(table) }
    }

    fn names(self) -> Vec<&'static str> {
        self.text.into_iter().chain(self.time).collect()
    }

    /// Places of all rows, (batch, row), in order; rows that are equal keep theirs.
    fn order(self, run: &[RecordBatch]) -> Vec<(usize, usize)> {
        let text =
            |rows: &RecordBatch| self.text.and_then(|name| rows.column_by_name(name)).cloned();
        let time =
            |rows: &RecordBatch| self.time.and_then(|name| rows.column_by_name(name)).cloned();
        let columns: Vec<(Option<ArrayRef>, Option<ArrayRef>)> =
            run.iter().map(|rows| (text(rows), time(rows))).collect();
        let mut places: Vec<(i64, (usize, usize))> = Vec::new();
        for (batch, (rows, (_, times))) in run.iter().zip(&columns).enumerate() {
            let times = times
                .as_ref()
                .and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
            let at = |row: usize| times.and_then(|times| times.values().get(row)).copied();
            places.extend(
                (0..rows.num_rows()).map(|row| (at(row).unwrap_or_default(), (batch, row))),
            );
        }
        let text_at = |(batch, row): (usize, usize)| {
            let texts = columns.get(batch)?.0.as_ref()?.as_string_opt::<i32>()?;
            texts.is_valid(row).then(|| texts.value(row))
        };
        if self.text.is_some() {
            places.sort_by(|(time, place), (other_time, other)| {
                match text_at(*place).cmp(&text_at(*other)) {
                    Ordering::Equal => time.cmp(other_time),
                    order => order,
                }
            });
        } else {
            places.sort_by_key(|(time, _)| *time);
        }
        places.into_iter().map(|(_, place)| place).collect()
    }
}

/// The rows with the columns of `schema`: those that an older file lacks are null.
fn conform(
    rows: &RecordBatch,
    schema: &SchemaRef,
) -> Result<RecordBatch, arrow::error::ArrowError> {
    let columns = schema.fields().iter().map(|field| match rows.column_by_name(field.name()) {
        Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
        Some(column) => cast(column, field.data_type()),
        None => Ok(new_null_array(field.data_type(), rows.num_rows())),
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, _>>()?)
}
