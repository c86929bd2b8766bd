//! What a table is after the actions that were applied.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use deltalake::arrow::datatypes::{Schema, SchemaRef};
use deltalake::kernel::StructType;
use deltalake::kernel::engine::arrow_conversion::TryIntoArrow as _;
use object_store::ObjectMeta;
use object_store::path::Path;
use percent_encoding::percent_decode_str;
use schemas::Table;
use schemas::limits::SCHEMA_VERSION;

use super::Snapshot;
use super::actions::{Actions, AddFile, Metadata, Protocol};
use super::file::DataFile;
use crate::error::LakeError;
use crate::tables::SCHEMA_VERSION_PROPERTY;

/// Reader features that ask nothing of who reads the files named in the log. Files with deletion vectors are told by
/// themselves.
const HARMLESS_FEATURES: [&str; 4] =
    ["deletionVectors", "timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"];

/// Columns and properties of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// All columns in their order, partition columns included.
    pub schema: SchemaRef,
    /// Columns whose values the log holds, not the files.
    pub partition_columns: Vec<String>,
}

/// What tells the file of a commit from another of the same name: a table that was deleted and made anew counts from 0 again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    modified: DateTime<Utc>,
    size: u64,
    tag: Option<String>,
}

impl Mark {
    pub(super) fn of(file: &ObjectMeta) -> Self {
        Self { modified: file.last_modified, size: file.size, tag: file.e_tag.clone() }
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) version: u64,
    /// The file of its last commit, once it was seen: a checkpoint is read without it.
    pub(super) last: Option<Mark>,
    root: Path,
    files: BTreeMap<String, Arc<DataFile>>,
    metadata: Option<Metadata>,
    protocol: Option<Protocol>,
    definition: Option<Arc<Definition>>,
    snapshot: Option<Snapshot>,
}

impl State {
    pub(super) const fn new(root: Path) -> Self {
        Self {
            version: 0,
            last: None,
            root,
            files: BTreeMap::new(),
            metadata: None,
            protocol: None,
            definition: None,
            snapshot: None,
        }
    }

    /// Moves on to `version`.
    pub(super) fn apply(&mut self, version: u64, actions: Actions) {
        // A file whose deletion vector changes goes out and comes in with one commit.
        for path in actions.removes {
            self.files.remove(&path);
        }
        for add in actions.adds {
            let file = Arc::new(data_file(&self.root, &add));
            self.files.insert(add.path, file);
        }
        if let Some(metadata) = actions.metadata {
            self.metadata = Some(metadata);
            self.definition = None;
        }
        if let Some(protocol) = actions.protocol {
            self.protocol = Some(protocol);
            self.definition = None;
        }
        self.version = version;
        self.snapshot = None;
    }

    /// Refuses what would be read wrongly; `uri` is where the table is.
    pub(super) fn check(&mut self, table: &'static Table, uri: &str) -> Result<(), LakeError> {
        if self.definition.is_some() {
            return Ok(());
        }
        let unreadable = |detail: String| LakeError::Unreadable { uri: uri.to_owned(), detail };
        let (Some(metadata), Some(protocol)) = (&self.metadata, &self.protocol) else {
            return Err(unreadable("its log does not say what its columns are".to_owned()));
        };
        if let Some(detail) = unknown_feature(metadata, protocol) {
            return Err(unreadable(detail));
        }
        let version = metadata.configuration.get(SCHEMA_VERSION_PROPERTY).cloned().flatten();
        if let Some(found) = version.filter(|found| *found != SCHEMA_VERSION.to_string()) {
            let uri = uri.to_owned();
            return Err(LakeError::SchemaVersion { uri, found, expected: SCHEMA_VERSION });
        }
        if metadata
            .partition_columns
            .iter()
            .any(|column| !table.partition_by.contains(&column.as_str()))
        {
            return Err(unreadable(format!(
                "it is partitioned by {:?}",
                metadata.partition_columns
            )));
        }
        let schema = serde_json::from_str::<StructType>(&metadata.schema_string)
            .map_err(|error| error.to_string())
            .and_then(|columns| -> Result<Schema, String> {
                (&columns).try_into_arrow().map_err(|error| error.to_string())
            })
            .map_err(|error| unreadable(format!("its columns cannot be read: {error}")))?;
        let partition_columns = metadata.partition_columns.clone();
        self.definition =
            Some(Arc::new(Definition { schema: Arc::new(schema), partition_columns }));
        Ok(())
    }

    pub(super) fn snapshot(&mut self) -> Snapshot {
        let made = self.snapshot.get_or_insert_with(|| Snapshot {
            version: self.version,
            definition: self.definition.clone().unwrap_or_else(|| {
                let schema = Arc::new(Schema::empty());
                Arc::new(Definition { schema, partition_columns: Vec::new() })
            }),
            files: self.files.values().cloned().collect(),
        });
        made.clone()
    }
}

/// What a reader of the table would have to know and does not.
fn unknown_feature(metadata: &Metadata, protocol: &Protocol) -> Option<String> {
    let property = |name: &str| metadata.configuration.get(name).cloned().flatten();
    if property("delta.columnMapping.mode").is_some_and(|mode| mode != "none") {
        return Some("its columns are renamed (Delta column mapping)".to_owned());
    }
    match protocol.min_reader_version {
        ..=2 => None,
        3 => protocol
            .reader_features
            .iter()
            .flatten()
            .find(|feature| !HARMLESS_FEATURES.contains(&feature.as_str()))
            .map(|feature| format!("it uses the Delta feature `{feature}`")),
        version => Some(format!("it needs Delta reader version {version}")),
    }
}

fn data_file(root: &Path, add: &AddFile) -> DataFile {
    let decoded = percent_decode_str(&add.path).decode_utf8_lossy();
    let below = Path::parse(decoded.as_ref()).unwrap_or_else(|_| Path::from(decoded.as_ref()));
    let path: Path = root.parts().chain(below.parts()).collect();
    DataFile::new(
        path,
        u64::try_from(add.size).unwrap_or_default(),
        add.modification_time,
        add.partition_values.get("date").cloned().flatten(),
        add.deletion_vector.is_some(),
        add.stats.as_deref().map(Into::into),
    )
}
