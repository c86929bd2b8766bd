//! Local files that survive a power cut: written aside, synced, then given their name.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

/// [`LocalFileSystem`] whose `put` syncs the file and its folder before it returns.
///
/// `object_store` itself never calls `fsync`: after a power cut a table could then refer to files that are empty.
#[derive(Debug, Clone)]
pub(crate) struct DurableLocal {
    inner: Arc<LocalFileSystem>,
}

impl DurableLocal {
    pub(crate) fn new() -> Self {
        Self { inner: Arc::new(LocalFileSystem::new()) }
    }
}

impl fmt::Display for DurableLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Durable{}", self.inner)
    }
}

fn failed(path: &FilePath, source: io::Error) -> object_store::Error {
    let path_text = path.display().to_string();
    match source.kind() {
        ErrorKind::AlreadyExists => {
            object_store::Error::AlreadyExists { path: path_text, source: Box::new(source) }
        }
        ErrorKind::PermissionDenied => {
            object_store::Error::PermissionDenied { path: path_text, source: Box::new(source) }
        }
        _ => object_store::Error::Generic { store: "local file", source: Box::new(source) },
    }
}

/// Creates `folder` and its parents, syncing each folder that got a new entry.
fn create_folders(folder: &FilePath) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_folders(parent)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => folder.parent().map_or(Ok(()), sync_folder),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &FilePath) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &FilePath) -> io::Result<()> {
    Ok(())
}

/// Opens a file beside `path` whose name listings of `object_store` hide (`name#digits`).
fn open_aside(path: &FilePath) -> io::Result<(File, PathBuf)> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!("#{}", uuid::Uuid::new_v4().as_u128()));
    let aside = PathBuf::from(aside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    match options.open(&aside) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                create_folders(folder)?;
            }
            Ok((options.open(&aside)?, aside))
        }
        opened => Ok((opened?, aside)),
    }
}

fn put(path: &FilePath, payload: &PutPayload, create: bool) -> io::Result<()> {
    let (mut file, aside) = open_aside(path)?;
    let written = payload.iter().try_for_each(|bytes| file.write_all(bytes));
    let named = written
        .and_then(|()| file.sync_all())
        .and_then(|()| if create { fs::hard_link(&aside, path) } else { fs::rename(&aside, path) });
    if create || named.is_err() {
        // What stays behind is hidden from listings and harmless.
        let _ = fs::remove_file(&aside);
    }
    named?;
    path.parent().map_or(Ok(()), sync_folder)
}

#[async_trait]
impl ObjectStore for DurableLocal {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let create = match opts.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => return self.inner.put_opts(location, payload, opts).await,
        };
        let path = self.inner.path_to_filesystem(location)?;
        tokio::task::spawn_blocking(move || {
            put(&path, &payload, create).map_err(|error| failed(&path, error))
        })
        .await??;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt as _;

    use super::*;

    #[tokio::test]
    async fn a_name_is_given_once() {
        let folder = tempfile::tempdir().unwrap();
        let folder_path = Path::from_absolute_path(folder.path()).unwrap();
        let path = Path::from(format!("{folder_path}/a/b/0.json"));
        let store = DurableLocal::new();
        let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        store.put_opts(&path, "first".into(), create.clone()).await.unwrap();
        let error = store.put_opts(&path, "second".into(), create).await.unwrap_err();
        assert!(matches!(error, object_store::Error::AlreadyExists { .. }), "{error}");
        let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(bytes, "first");
        store.put(&path, "third".into()).await.unwrap();
        let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(bytes, "third");
        let names = fs::read_dir(folder.path().join("a/b")).unwrap().count();
        assert_eq!(names, 1, "nothing is left aside");
    }
}
