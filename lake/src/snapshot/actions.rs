//! The actions of a log that say what a table consists of.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What one commit, or one file of a checkpoint, does.
#[derive(Debug, Default)]
pub(super) struct Actions {
    pub(super) adds: Vec<AddFile>,
    pub(super) removes: Vec<String>,
    pub(super) metadata: Option<Metadata>,
    pub(super) protocol: Option<Protocol>,
    /// Files of a checkpoint that hold the rest of it.
    pub(super) sidecars: Vec<String>,
}

/// A file that the table consists of from now on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddFile {
    pub(super) path: String,
    pub(super) size: i64,
    #[serde(default)]
    pub(super) modification_time: i64,
    #[serde(default)]
    pub(super) partition_values: BTreeMap<String, Option<String>>,
    pub(super) stats: Option<String>,
    pub(super) deletion_vector: Option<serde::de::IgnoredAny>,
}

/// Columns and properties of the table from now on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) schema_string: String,
    #[serde(default)]
    pub(super) partition_columns: Vec<String>,
    #[serde(default)]
    pub(super) configuration: BTreeMap<String, Option<String>>,
}

/// What a reader must know.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Protocol {
    pub(super) min_reader_version: i32,
    pub(super) reader_features: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct FilePath {
    path: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    add: Option<AddFile>,
    remove: Option<FilePath>,
    #[serde(rename = "metaData")]
    metadata: Option<Metadata>,
    protocol: Option<Protocol>,
    sidecar: Option<FilePath>,
}

impl Actions {
    /// Reads lines of JSON.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let mut actions = Self::default();
        for line in serde_json::Deserializer::from_slice(bytes).into_iter::<Line>() {
            let line = line?;
            actions.adds.extend(line.add);
            actions.removes.extend(line.remove.map(|remove| remove.path));
            actions.metadata = line.metadata.or(actions.metadata);
            actions.protocol = line.protocol.or(actions.protocol);
            actions.sidecars.extend(line.sidecar.map(|sidecar| sidecar.path));
        }
        Ok(actions)
    }

    /// Adds what another file of the same checkpoint says.
    pub(super) fn extend(&mut self, other: Self) {
        self.adds.extend(other.adds);
        self.removes.extend(other.removes);
        self.metadata = other.metadata.or(self.metadata.take());
        self.protocol = other.protocol.or(self.protocol.take());
        self.sidecars.extend(other.sidecars);
    }
}
