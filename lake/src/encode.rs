//! How each column is encoded: what its values are like decides dictionary, encoding and statistics.

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::schema::types::ColumnPath;
use schemas::{Column, ColumnType, Table};

use crate::options::LakeOptions;

/// Bytes of one data page before compression.
const PAGE_BYTES: usize = 1 << 20;

/// Rows of one data page: the grain in which a reader can skip by the page index.
const PAGE_ROWS: usize = 64 << 10;

/// Bytes of a dictionary at which a column chunk falls back to plain values.
const DICTIONARY_BYTES: usize = 1 << 20;

/// Bytes of a text kept in statistics.
const STATISTICS_TEXT_BYTES: usize = 64;

/// Values a column is fed at a time.
const WRITE_BATCH_ROWS: usize = 8 << 10;

/// What the values of a column are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Times and positions, nearly sorted: small differences; pages can be skipped by them.
    Ordered,
    /// Numbers of many values.
    Measure,
    /// Few values, often repeated.
    Label,
    /// Texts of many values that repeat: a dictionary as long as it is small.
    Text,
    /// Texts that never repeat: lengths and bytes apart compress best and cost half.
    Unique,
}

fn shape(column: &Column) -> Shape {
    match (column.name, column.data_type) {
        ("request_id" | "raw" | "incident_id", _) => Shape::Unique,
        ("topic_offset" | "revision_ts", _) | (_, ColumnType::Timestamp) => Shape::Ordered,
        ("client_asn", _) | (_, ColumnType::Int | ColumnType::Boolean | ColumnType::Date) => {
            Shape::Label
        }
        (_, ColumnType::Long | ColumnType::Double) => Shape::Measure,
        (
            "edge" | "client_country" | "method" | "scheme" | "protocol" | "host" | "cache_status"
            | "topic",
            _,
        ) => Shape::Label,
        (_, ColumnType::String | ColumnType::StringList | ColumnType::Binary) => Shape::Text,
    }
}

/// Properties of the Parquet files of `table`.
pub(crate) fn writer_properties(table: &Table, options: &LakeOptions) -> WriterProperties {
    let level = ZstdLevel::try_new(options.zstd_level.clamp(1, 22)).unwrap_or_default();
    let builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("floodmark ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(options.row_group_rows.max(1)))
        .set_max_row_group_bytes(Some(options.row_group_bytes.max(1)))
        .set_data_page_size_limit(PAGE_BYTES)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_write_batch_size(WRITE_BATCH_ROWS)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_statistics_truncate_length(Some(STATISTICS_TEXT_BYTES))
        .set_column_index_truncate_length(Some(STATISTICS_TEXT_BYTES));
    let columns = table.columns.iter().filter(|column| !table.partition_by.contains(&column.name));
    columns.fold(builder, shaped).build()
}

/// Texts whose bounds can tell that a file has nothing to offer. Elsewhere a file spans the whole alphabet, and
/// comparing every value costs a tenth of all encoding.
const BOUNDED_TEXTS: [&str; 2] = ["host", "source"];

fn shaped(builder: WriterPropertiesBuilder, column: &Column) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(column.name);
    let is_text = matches!(
        column.data_type,
        ColumnType::String | ColumnType::StringList | ColumnType::Binary
    );
    let statistics = if shape(column) == Shape::Ordered {
        EnabledStatistics::Page
    } else if is_text && !BOUNDED_TEXTS.contains(&column.name) {
        EnabledStatistics::None
    } else {
        EnabledStatistics::Chunk
    };
    let dictionary = matches!(shape(column), Shape::Label | Shape::Text);
    let encoding = match (shape(column), column.data_type) {
        (Shape::Label | Shape::Text, _) | (_, ColumnType::Double) => None,
        (Shape::Unique, _) => Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
        (Shape::Ordered | Shape::Measure, _) => Some(Encoding::DELTA_BINARY_PACKED),
    };
    let builder = builder
        .set_column_statistics_enabled(path.clone(), statistics)
        .set_column_dictionary_enabled(path.clone(), dictionary);
    match encoding {
        Some(encoding) => builder.set_column_encoding(path, encoding),
        None => builder,
    }
}

/// Rows of one row group of a sorted file: a host's rows lie together, and what is skipped is a whole group.
const SORTED_GROUP_ROWS: usize = 128 << 10;

/// Rows of one data page of a sorted file.
const SORTED_PAGE_ROWS: usize = 8 << 10;

/// Columns of which one value is asked for, in a sorted file that is written once and read often.
const BLOOM_COLUMNS: [&str; 3] = ["client_ip", "request_id", "source"];

/// Share of row groups that a Bloom filter opens in vain.
const BLOOM_FALSE_SHARE: f64 = 0.01;

/// Properties of files whose rows are in the order of `keys`, nulls first; see [`writer_properties`].
pub(crate) fn sorted_properties(
    table: &Table,
    options: &LakeOptions,
    keys: &[&str],
) -> WriterProperties {
    let index_of = |key: &&str| table.row_columns().position(|column| column.name == *key);
    let order = keys.iter().filter_map(index_of).filter_map(|index| i32::try_from(index).ok());
    let order =
        order.map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: true });
    let builder = writer_properties(table, options)
        .into_builder()
        .set_sorting_columns(Some(order.collect()))
        .set_max_row_group_row_count(Some(SORTED_GROUP_ROWS.min(options.row_group_rows).max(1)))
        .set_data_page_row_count_limit(SORTED_PAGE_ROWS);
    let builder = keys.iter().fold(builder, |builder, key| {
        builder.set_column_statistics_enabled(ColumnPath::from(*key), EnabledStatistics::Page)
    });
    let blooms = table.row_columns().filter(|column| BLOOM_COLUMNS.contains(&column.name));
    let blooms = blooms.fold(builder, |builder, column| {
        let path = ColumnPath::from(column.name);
        builder
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_fpp(path.clone(), BLOOM_FALSE_SHARE)
            .set_column_bloom_filter_max_ndv(path, SORTED_GROUP_ROWS as u64)
    });
    blooms.build()
}

/// A Parquet file under construction, in memory.
pub(crate) type Encoder = ArrowWriter<Vec<u8>>;

/// Starts a file of `table`.
pub(crate) fn encoder(
    table: &Table,
    properties: &WriterProperties,
) -> Result<Encoder, ParquetError> {
    let options = ArrowWriterOptions::new()
        .with_properties(properties.clone())
        .with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(Vec::new(), table.row_schema(), options)
}
