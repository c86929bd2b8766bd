//! Objects of a folder that others may delete meanwhile: each function answers `None` when it is gone.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt as _};
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;

use crate::error::Failure;
use crate::location::Folder;
use crate::ranges::RangeReader;

/// Size, time and tag of an object.
pub(crate) async fn head(folder: &Folder, path: &Path) -> Result<Option<ObjectMeta>, Failure> {
    present(folder.head(path).await)
}

/// An object with its content.
pub(crate) async fn get(
    folder: &Folder,
    path: &Path,
) -> Result<Option<(ObjectMeta, Bytes)>, Failure> {
    let Some(found) = present(folder.get(path).await)? else { return Ok(None) };
    let file = found.meta.clone();
    Ok(Some((file, found.bytes().await?)))
}

/// A Parquet file, of which nothing but the footer is read yet.
pub(crate) async fn parquet(
    folder: &Folder,
    path: &Path,
) -> Result<Option<ParquetRecordBatchStreamBuilder<RangeReader>>, Failure> {
    let Some(mut file) = head(folder, path).await? else { return Ok(None) };
    // The store answers with a name that is not relative to the folder.
    file.location = path.clone();
    let reader = RangeReader::new(folder.clone(), file);
    Ok(Some(ParquetRecordBatchStreamBuilder::new(reader).await?))
}

fn present<T>(found: object_store::Result<T>) -> Result<Option<T>, Failure> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
