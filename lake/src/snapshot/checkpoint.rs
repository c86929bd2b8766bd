//! Checkpoints: the actions of all commits before, in Parquet, of which only what is needed is read.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray as _, RecordBatch, StringArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use futures::TryStreamExt as _;
use object_store::ObjectMeta;
use object_store::path::Path;
use parquet::arrow::ProjectionMask;
use serde::Deserialize;

use super::actions::{Actions, AddFile, Metadata, Protocol};
use crate::error::Failure;
use crate::location::Folder;
use crate::log::LOG;
use crate::objects;

/// Columns of a checkpoint that are read; parsed statistics repeat those in JSON.
const COLUMNS: [&str; 12] = [
    "add.path",
    "add.size",
    "add.modificationTime",
    "add.partitionValues",
    "add.stats",
    "add.deletionVector.storageType",
    "metaData.schemaString",
    "metaData.partitionColumns",
    "metaData.configuration",
    "protocol.minReaderVersion",
    "protocol.readerFeatures",
    "sidecar.path",
];

/// The version of the newest checkpoint, as its writer noted it; only a hint where to begin.
pub(super) async fn hint(folder: &Folder) -> Option<u64> {
    #[derive(Deserialize)]
    struct Last {
        version: u64,
    }
    let path = Path::from_iter([LOG, "_last_checkpoint"]);
    let (_, bytes) = objects::get(folder, &path).await.ok()??;
    serde_json::from_slice::<Last>(&bytes).ok().map(|last| last.version)
}

/// The actions of one file of a checkpoint and of those it names, or `None` when it vanished.
pub(super) async fn read(folder: &Folder, file: &ObjectMeta) -> Result<Option<Actions>, Failure> {
    let Some(mut actions) = read_one(folder, &file.location).await? else { return Ok(None) };
    for sidecar in std::mem::take(&mut actions.sidecars) {
        let path = Path::from_iter([LOG, "_sidecars", &sidecar]);
        match read_one(folder, &path).await? {
            Some(more) => actions.extend(more),
            None => return Ok(None),
        }
    }
    Ok(Some(actions))
}

async fn read_one(folder: &Folder, path: &Path) -> Result<Option<Actions>, Failure> {
    if path.extension() == Some("json") {
        let found = objects::get(folder, path).await?;
        return found.map(|(_, bytes)| Ok(Actions::parse(&bytes)?)).transpose();
    }
    let Some(builder) = objects::parquet(folder, path).await? else { return Ok(None) };
    let mask = ProjectionMask::columns(builder.parquet_schema(), COLUMNS);
    let mut batches = builder.with_projection(mask).build()?;
    let mut actions = Actions::default();
    while let Some(batch) = batches.try_next().await? {
        collect(&batch, &mut actions);
    }
    Ok(Some(actions))
}

fn collect(batch: &RecordBatch, actions: &mut Actions) {
    if let Some(of) = fields(batch, "add") {
        adds(of, &mut actions.adds);
    }
    if let Some(of) = fields(batch, "metaData") {
        let schemas = texts(of, "schemaString");
        for row in (0..of.len()).filter(|row| of.is_valid(*row)) {
            let Some(schema_string) = text(schemas.as_ref(), row) else { continue };
            actions.metadata = Some(Metadata {
                schema_string,
                partition_columns: list(of, "partitionColumns", row).unwrap_or_default(),
                configuration: map(of, "configuration", row),
            });
        }
    }
    if let Some(of) = fields(batch, "protocol") {
        let versions = of.column_by_name("minReaderVersion");
        let versions = versions.and_then(|of| of.as_primitive_opt::<Int32Type>());
        for row in (0..of.len()).filter(|row| of.is_valid(*row)) {
            let Some(versions) = versions else { continue };
            actions.protocol = Some(Protocol {
                min_reader_version: versions.value(row),
                reader_features: list(of, "readerFeatures", row),
            });
        }
    }
    if let Some(of) = fields(batch, "sidecar") {
        let paths = texts(of, "path");
        let rows = (0..of.len()).filter(|row| of.is_valid(*row));
        actions.sidecars.extend(rows.filter_map(|row| text(paths.as_ref(), row)));
    }
}

fn adds(of: &StructArray, adds: &mut Vec<AddFile>) {
    let (paths, stats) = (texts(of, "path"), texts(of, "stats"));
    let long = |name: &str| {
        of.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>()).cloned()
    };
    let (sizes, times) = (long("size"), long("modificationTime"));
    let at = |column: &Option<arrow::array::Int64Array>, row: usize| {
        column.as_ref().filter(|column| column.is_valid(row)).map(|column| column.value(row))
    };
    let vectors = of.column_by_name("deletionVector");
    for row in (0..of.len()).filter(|row| of.is_valid(*row)) {
        let Some(path) = text(paths.as_ref(), row) else { continue };
        adds.push(AddFile {
            path,
            size: at(&sizes, row).unwrap_or_default(),
            modification_time: at(&times, row).unwrap_or_default(),
            partition_values: map(of, "partitionValues", row),
            stats: text(stats.as_ref(), row),
            deletion_vector: vectors
                .filter(|vectors| vectors.is_valid(row))
                .map(|_| serde::de::IgnoredAny),
        });
    }
}

fn fields<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StructArray> {
    batch.column_by_name(name)?.as_struct_opt()
}

fn strings(column: &dyn Array) -> Option<StringArray> {
    cast(column, &DataType::Utf8).ok()?.as_string_opt::<i32>().cloned()
}

fn texts(of: &StructArray, name: &str) -> Option<StringArray> {
    strings(of.column_by_name(name)?.as_ref())
}

fn text(of: Option<&StringArray>, row: usize) -> Option<String> {
    of.filter(|of| of.is_valid(row)).map(|of| of.value(row).to_owned())
}

fn list(of: &StructArray, name: &str, row: usize) -> Option<Vec<String>> {
    let lists = of.column_by_name(name)?.as_list_opt::<i32>()?;
    if lists.is_null(row) {
        return None;
    }
    let values = strings(lists.value(row).as_ref())?;
    Some(values.iter().flatten().map(str::to_owned).collect())
}

fn map(of: &StructArray, name: &str, row: usize) -> BTreeMap<String, Option<String>> {
    let Some(maps) = of.column_by_name(name).and_then(|column| column.as_map_opt()) else {
        return BTreeMap::new();
    };
    if maps.is_null(row) {
        return BTreeMap::new();
    }
    let entries = maps.value(row);
    let (Some(keys), Some(values)) =
        (strings(entries.column(0).as_ref()), strings(entries.column(1).as_ref()))
    else {
        return BTreeMap::new();
    };
    keys.iter()
        .zip(values.iter())
        .filter_map(|(key, value)| Some((key?.to_owned(), value.map(str::to_owned))))
        .collect()
}
