//! The tables in Delta: creation, and the checks before a table of someone else's making is appended to.

use deltalake::kernel::transaction::{CommitProperties, TransactionError};
use deltalake::kernel::{ArrayType, DataType, StructField};
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::SaveMode;
use deltalake::{BlindDeltaTable, DeltaTable, DeltaTableError};
use futures::StreamExt as _;
use object_store::ObjectStore as _;
use object_store::path::Path;
use schemas::limits::SCHEMA_VERSION;
use schemas::{Column, ColumnType, Table};

use crate::error::LakeError;
use crate::location::Location;
use crate::log::LOG;
use crate::options::LakeOptions;

/// Table property that carries the version of the layout.
pub(crate) const SCHEMA_VERSION_PROPERTY: &str = "floodmark.schemaVersion";

/// Writer features that an append of new files satisfies without doing anything.
const HARMLESS_FEATURES: [&str; 7] = [
    "appendOnly",
    "deletionVectors",
    "domainMetadata",
    "invariants",
    "timestampNtz",
    "v2Checkpoint",
    "vacuumProtocolCheck",
];

/// Opens `table`, checks it and adds the columns that came since it was made; or creates it.
pub(crate) async fn open_or_create(
    location: &Location,
    table: &'static Table,
    options: &LakeOptions,
) -> Result<(), LakeError> {
    if let Some(found) = find(location, table).await? {
        let lacking = lacking(&found, table);
        if !lacking.is_empty() {
            widen(location, table, lacking).await?;
        }
        return Ok(());
    }
    refuse_foreign_files(location, table).await?;
    create(location, table, options).await?;
    check(location, table).await.map(|_| ())
}

/// Whether the table exists; an existing table of another layout is an error. Writes nothing.
pub(crate) async fn check(location: &Location, table: &'static Table) -> Result<bool, LakeError> {
    Ok(find(location, table).await?.is_some())
}

/// The table, if it exists; an existing table of another layout is an error.
async fn find(
    location: &Location,
    table: &'static Table,
) -> Result<Option<BlindDeltaTable>, LakeError> {
    if first_file(location, table, Some(&Path::from(LOG))).await?.is_none() {
        return Ok(None);
    }
    let log_store = location.log_store(table.name)?;
    let found = match BlindDeltaTable::try_new_with_log_store(log_store).await {
        Ok(found) => found,
        Err(DeltaTableError::NotATable(_)) => return Ok(None),
        Err(error) => return Err(location.fail("read the log", table.name, error)),
    };
    let uri = location.display(table.name);
    let version = found.metadata().configuration().get(SCHEMA_VERSION_PROPERTY);
    if version != Some(&SCHEMA_VERSION.to_string()) {
        let found = version.cloned().unwrap_or_else(|| "none".into());
        return Err(LakeError::SchemaVersion { uri, found, expected: SCHEMA_VERSION });
    }
    match difference(&found, table) {
        Some(detail) => Err(LakeError::Schema { uri, detail }),
        None => Ok(Some(found)),
    }
}

/// Columns that rows may lack and that came after the table was made.
fn lacking(found: &BlindDeltaTable, table: &'static Table) -> Vec<&'static Column> {
    let schema = found.schema();
    let is_new = |column: &&Column| column.nullable && schema.field(column.name).is_none();
    table.columns.iter().filter(is_new).collect()
}

/// Adds columns to a table of an earlier program. Its rows have none of them, and the earlier program writes on without.
async fn widen(
    location: &Location,
    table: &'static Table,
    lacking: Vec<&'static Column>,
) -> Result<(), LakeError> {
    let names: Vec<&str> = lacking.iter().map(|column| column.name).collect();
    let fields: Vec<StructField> = lacking.iter().map(|column| field(column)).collect();
    let mut found = DeltaTable::new(location.log_store(table.name)?);
    let widened = match found.load().await {
        Ok(()) => found.add_columns().with_fields(fields).await.map(|_| ()),
        Err(error) => Err(error),
    };
    match widened {
        Ok(()) => tracing::info!(table = table.name, columns = ?names, "added columns"),
        // Another process may have done the same at the same time.
        Err(error) => {
            let again = BlindDeltaTable::try_new_with_log_store(location.log_store(table.name)?)
                .await
                .map_err(|error| location.fail("read the log", table.name, error))?;
            if !self::lacking(&again, table).is_empty() {
                return Err(location.fail("add columns to the table", table.name, error));
            }
        }
    }
    Ok(())
}

/// The first reason why rows of `table` cannot be appended to `found`.
fn difference(found: &BlindDeltaTable, table: &'static Table) -> Option<String> {
    let schema = found.schema();
    for column in table.columns {
        let Some(field) = schema.field(column.name) else {
            if column.nullable {
                continue;
            }
            return Some(format!("column `{}` is missing", column.name));
        };
        let expected = delta_type(column.data_type);
        if *field.data_type() != expected {
            return Some(format!(
                "column `{}` is {}, expected {expected}",
                column.name,
                field.data_type()
            ));
        }
        if column.nullable && !field.is_nullable() {
            return Some(format!("column `{}` refuses nulls", column.name));
        }
    }
    for field in schema.fields() {
        let known = table.columns.iter().any(|column| column.name == field.name());
        if !known && !field.is_nullable() {
            return Some(format!("unknown column `{}` refuses nulls", field.name()));
        }
    }
    if found.metadata().partition_columns() != table.partition_by {
        return Some(format!("it is not partitioned by {:?}", table.partition_by));
    }
    unsupported(found)
}

/// A feature of the table that a plain append would break.
fn unsupported(found: &BlindDeltaTable) -> Option<String> {
    let protocol = found.protocol();
    match protocol.min_writer_version() {
        ..=2 => None,
        7 => protocol
            .writer_features()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .find(|feature| !HARMLESS_FEATURES.contains(&feature.as_str()))
            .map(|feature| format!("it uses the Delta feature `{feature}`")),
        version => Some(format!("it needs Delta writer version {version}")),
    }
}

async fn refuse_foreign_files(location: &Location, table: &Table) -> Result<(), LakeError> {
    match first_file(location, table, None).await? {
        None => Ok(()),
        // Another process is making the table at this moment.
        Some(found) if found.prefix_matches(&Path::from(LOG)) => Ok(()),
        Some(found) => Err(LakeError::NotATable {
            uri: location.display(table.name),
            detail: format!("it has no Delta log, but holds `{found}`"),
        }),
    }
}

/// Any file below a folder of the table.
async fn first_file(
    location: &Location,
    table: &Table,
    below: Option<&Path>,
) -> Result<Option<Path>, LakeError> {
    match location.folder(table.name)?.list(below).next().await {
        None | Some(Err(object_store::Error::NotFound { .. })) => Ok(None),
        Some(Ok(found)) => Ok(Some(found.location)),
        Some(Err(error)) => Err(location.fail("list the folder", table.name, error)),
    }
}

/// Creates the table; an other process that does so at the same time wins.
async fn create(
    location: &Location,
    table: &'static Table,
    options: &LakeOptions,
) -> Result<(), LakeError> {
    let created = CreateBuilder::new()
        .with_log_store(location.log_store(table.name)?)
        .with_table_name(table.name)
        .with_comment(table.doc)
        .with_columns(table.columns.iter().map(field))
        .with_partition_columns(table.partition_by.iter().copied())
        .with_configuration([
            (SCHEMA_VERSION_PROPERTY, Some(SCHEMA_VERSION.to_string())),
            ("delta.checkpointInterval", Some(options.checkpoint_interval.to_string())),
            // Commits come every few tens of seconds; a log of 30 days would slow every reader down.
            ("delta.logRetentionDuration", Some("interval 2 days".to_owned())),
            // Of transactions that say when they were made: see `Ids::transaction`.
            (
                "delta.setTransactionRetentionDuration",
                Some(format!("interval {} days", options.scan_days)),
            ),
        ])
        .with_raise_if_key_not_exists(false)
        .with_save_mode(SaveMode::ErrorIfExists)
        // Without retries a second creation cannot follow the first one as version 1.
        .with_commit_properties(CommitProperties::default().with_max_retries(0))
        .await;
    match created {
        Ok(_)
        | Err(
            DeltaTableError::VersionAlreadyExists(_)
            | DeltaTableError::Transaction { source: TransactionError::MaxCommitAttempts(_) },
        ) => Ok(()),
        // Another process may have been faster between the look and the leap.
        Err(_) if check(location, table).await? => Ok(()),
        Err(error) => Err(location.fail("create the table", table.name, error)),
    }
}

fn field(column: &Column) -> StructField {
    StructField::new(column.name, delta_type(column.data_type), column.nullable)
        .with_metadata([("comment", column.doc)])
}

fn delta_type(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Date => DataType::DATE,
        ColumnType::Timestamp => DataType::TIMESTAMP,
        ColumnType::Boolean => DataType::BOOLEAN,
        ColumnType::Int => DataType::INTEGER,
        ColumnType::Long => DataType::LONG,
        ColumnType::Double => DataType::DOUBLE,
        ColumnType::String => DataType::STRING,
        ColumnType::StringList => ArrayType::new(DataType::STRING, true).into(),
        ColumnType::Binary => DataType::BINARY,
    }
}
