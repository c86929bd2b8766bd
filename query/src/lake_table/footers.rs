//! Footers of Parquet files, read once a session as far as its cache holds them.

use std::sync::Arc;

use chrono::DateTime;
use datafusion::catalog::Session as EngineSession;
use datafusion::common::Result;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use futures::{StreamExt as _, TryStreamExt as _};
use lake::DataFile;
use object_store::ObjectMeta;

/// Footers that are read at the same time.
const READS: usize = 16;

/// Bytes at the end of a file that are read first: the footer of most files, and their page index.
pub(super) const TAIL_BYTES: usize = 64 << 10;

/// How the store knows a file; the log says when it was written.
pub(super) fn object(file: &DataFile) -> ObjectMeta {
    ObjectMeta {
        location: file.path.clone(),
        last_modified: DateTime::from_timestamp_millis(file.written_ms).unwrap_or_default(),
        size: file.size,
        e_tag: None,
        version: None,
    }
}

/// The footers of `files`, with their page indexes, in their order.
pub(super) async fn read(
    files: &[Arc<DataFile>],
    store: &ObjectStoreUrl,
    state: &dyn EngineSession,
) -> Result<Vec<Arc<ParquetMetaData>>> {
    let environment = state.runtime_env();
    let store = environment.object_store(store)?;
    let cache = environment.cache_manager.get_file_metadata_cache();
    let mut reads = Vec::with_capacity(files.len());
    for file in files {
        let (store, cache, object) = (Arc::clone(&store), Arc::clone(&cache), object(file));
        reads.push(async move {
            DFParquetMetadata::new(store.as_ref(), &object)
                .with_file_metadata_cache(Some(cache))
                .with_metadata_size_hint(Some(TAIL_BYTES))
                .with_page_index_policy(Some(PageIndexPolicy::Optional))
                .fetch_metadata()
                .await
        });
    }
    futures::stream::iter(reads).buffered(READS).try_collect().await
}
