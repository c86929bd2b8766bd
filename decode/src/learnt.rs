//! What is learnt of the lines of a partition, and kept with its position.

use serde::{Deserialize, Serialize};

use super::envelope::Envelope;
use super::json::KeySet;
use super::line::Layout;
use super::parts::Parts;

/// What a stream has learnt from its lines, to be kept with its position: a reader that goes on from there without
/// it could judge the next lines otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learnt {
    /// Name of the format.
    pub format: String,
    /// What is around the lines.
    pub envelope: Envelope,
    /// The `#Fields:` header that holds, of W3C files.
    pub header: Option<String>,
    /// What lines of JSON may lack, as bits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lacks: u8,
    /// Whether lines of text have fields behind those of their format.
    #[serde(default, skip_serializing_if = "is_default")]
    pub has_more: bool,
    /// How many values lines of JSON had, those that had the fewest.
    #[serde(default, skip_serializing_if = "is_default")]
    pub says: u32,
    /// The keys that lines of JSON had.
    #[serde(default, skip_serializing_if = "is_default")]
    pub keys: KeySet,
    /// The same of the other formats met, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Self>,
    /// Beginnings that wait for their ends.
    #[serde(default, skip_serializing_if = "Parts::is_default")]
    pub parts: Parts,
    /// What the captured headers of HAProxy's lines are.
    #[serde(default, skip_serializing_if = "Layout::is_default")]
    pub captures: Layout,
    /// Where the next line is read, if there are such beginnings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Where a partition is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Kafka topic, or the name of the file.
    pub topic: String,
    /// Kafka partition; `None` for files.
    pub number: Option<i32>,
    /// The position of the next message or line.
    pub next: i64,
    /// When the last one arrived, microseconds UTC.
    pub arrival_us: i64,
}

fn is_default<V: Default + PartialEq>(value: &V) -> bool {
    *value == V::default()
}

impl Learnt {
    /// Of a stream that has met no line it could read.
    pub(super) fn nothing() -> Self {
        Self {
            format: String::new(),
            envelope: Envelope::None,
            header: None,
            lacks: 0,
            has_more: false,
            says: 0,
            keys: KeySet::default(),
            others: Vec::new(),
            parts: Parts::NONE,
            captures: Layout::default(),
            place: None,
        }
    }
}
