//! Where the tables are: a folder, `file://…`, or an object store.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use deltalake::logstore::{LogStoreRef, StorageConfig, logstore_with, object_store_factories};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use url::Url;

use crate::durable::DurableLocal;
use crate::error::{Bottom, Failure, LakeError, bottom};

/// A store whose names are relative to one folder of the location.
pub(crate) type Folder = PrefixStore<Arc<dyn ObjectStore>>;

/// The data location and the store that reaches it.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    /// As given by the user; for messages.
    pub(crate) uri: String,
    url: Url,
    root: Arc<dyn ObjectStore>,
    local: Option<PathBuf>,
}

impl Location {
    /// Understands `uri` and, for a local folder, creates it.
    pub(crate) fn open(uri: &str, sync: bool) -> Result<Self, LakeError> {
        let url = data_url(uri)?;
        let local = (url.scheme() == "file").then(|| url.to_file_path().ok()).flatten();
        if let Some(folder) = &local {
            std::fs::create_dir_all(folder).map_err(|error| LakeError::NotWritable {
                uri: uri.to_owned(),
                source: Box::new(error),
            })?;
            // Links are resolved once, so that every process sees the same table.
            let url = data_url(uri)?;
            let root: Arc<dyn ObjectStore> =
                if sync { Arc::new(DurableLocal::new()) } else { Arc::new(LocalFileSystem::new()) };
            return Ok(Self { uri: uri.to_owned(), url, root, local });
        }
        let root = remote_store(uri, &url)?;
        Ok(Self { uri: uri.to_owned(), url, root, local })
    }

    /// Understands `uri` for reading: no folder is made, and none need be there.
    pub(crate) fn to_read(uri: &str) -> Result<Self, LakeError> {
        let url = data_url(uri)?;
        let local = (url.scheme() == "file").then(|| url.to_file_path().ok()).flatten();
        let root: Arc<dyn ObjectStore> = if local.is_some() {
            Arc::new(LocalFileSystem::new())
        } else {
            remote_store(uri, &url)?
        };
        Ok(Self { uri: uri.to_owned(), url, root, local })
    }

    /// As [`Location::open`], of tables that are there already: no folder is made.
    pub(crate) fn existing(uri: &str, sync: bool) -> Result<Self, LakeError> {
        let folder = data_url(uri)?.to_file_path();
        if folder.is_ok_and(|folder| !folder.exists()) {
            return Err(LakeError::NoTables { uri: uri.to_owned() });
        }
        Self::open(uri, sync)
    }

    /// A location in a store at hand; `url` is where the store would say it is.
    pub(crate) fn on_store(root: Arc<dyn ObjectStore>, url: Url) -> Self {
        Self { uri: url.to_string(), url, root, local: None }
    }

    /// URL of a folder below the location, ending in a slash.
    pub(crate) fn folder_url(&self, name: &str) -> Url {
        folder_url(&self.url, name)
    }

    /// The location as a person would write it, with `name` below it.
    pub(crate) fn display(&self, name: &str) -> String {
        format!("{}/{name}", self.uri.trim_end_matches('/'))
    }

    /// A folder below the location, where that is one of this machine.
    pub(crate) fn local_folder(&self, name: &str) -> Option<PathBuf> {
        self.local.as_ref().map(|folder| folder.join(name))
    }

    /// The store of a folder below the location.
    pub(crate) fn folder(&self, name: &str) -> Result<Folder, LakeError> {
        Ok(PrefixStore::new(Arc::clone(&self.root), self.folder_path(name)?))
    }

    /// Where a folder below the location is in the store.
    pub(crate) fn folder_path(&self, name: &str) -> Result<Path, LakeError> {
        Path::from_url_path(self.folder_url(name).path()).map_err(|error| LakeError::Location {
            uri: self.uri.clone(),
            detail: error.to_string(),
        })
    }

    /// The store that reaches the location.
    pub(crate) fn root(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.root)
    }

    /// Whether it is a folder of this machine.
    pub(crate) const fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// Delta's view of a table's folder, over the same store.
    pub(crate) fn log_store(&self, table: &str) -> Result<LogStoreRef, LakeError> {
        logstore_with(Arc::clone(&self.root), &self.folder_url(table), StorageConfig::default())
            .map_err(|error| self.fail("reach the table", table, error))
    }

    /// Gives an error of a layer below its place, and recognises a full disk.
    pub(crate) fn fail(&self, what: &str, below: &str, failure: impl Into<Failure>) -> LakeError {
        let Failure(source) = failure.into();
        let uri = self.display(below);
        match bottom(source.as_ref()) {
            Bottom::DiskFull => LakeError::DiskFull {
                what: what.to_owned(),
                uri,
                available_bytes: self.local.as_deref().and_then(available_bytes),
                source,
            },
            Bottom::Denied => LakeError::NotWritable { uri, source },
            Bottom::Other => LakeError::Store { what: what.to_owned(), uri, source },
        }
    }
}

#[cfg(unix)]
fn available_bytes(folder: &FilePath) -> Option<u64> {
    rustix::fs::statvfs(folder).ok().map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
fn available_bytes(_folder: &FilePath) -> Option<u64> {
    None
}

fn folder_url(url: &Url, name: &str) -> Url {
    let mut url = url.clone();
    let path = format!("{}/{name}/", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

/// The URL of a data location given as a folder, `file://…` or another scheme.
fn data_url(uri: &str) -> Result<Url, LakeError> {
    let refuse = |detail: String| LakeError::Location { uri: uri.to_owned(), detail };
    if uri.is_empty() {
        return Err(refuse("it is empty; give a folder".into()));
    }
    let path = if let Some((scheme, _)) = uri.split_once("://") {
        let url = Url::parse(uri).map_err(|error| refuse(error.to_string()))?;
        if scheme != "file" {
            return Ok(url);
        }
        url.to_file_path().map_err(|()| refuse("it names no local folder".into()))?
    } else {
        PathBuf::from(uri)
    };
    let path = std::fs::canonicalize(&path)
        .or_else(|_| std::path::absolute(&path))
        .map_err(|error| refuse(error.to_string()))?;
    Url::from_directory_path(&path).map_err(|()| refuse("it names no local folder".into()))
}

/// The store behind a URL that is not a local folder.
fn remote_store(uri: &str, url: &Url) -> Result<Arc<dyn ObjectStore>, LakeError> {
    let refuse = |detail: String| LakeError::Location { uri: uri.to_owned(), detail };
    crate::cloud::register_stores();
    let factory = Url::parse(&format!("{}://", url.scheme()))
        .ok()
        .and_then(|scheme| Some(Arc::clone(object_store_factories().get(&scheme)?.value())));
    let Some(factory) = factory else {
        let known = "give a folder, file://… or s3://…";
        return Err(refuse(format!("`{}://` is not supported; {known}", url.scheme())));
    };
    let (store, _) = factory
        .parse_url_opts(url, &StorageConfig::default())
        .map_err(|error| refuse(error.to_string()))?;
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_its_url_are_the_same_table() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a b");
        let table = |uri: &str| folder_url(&data_url(uri).unwrap(), "requests");
        let by_path = table(data.to_str().unwrap());
        let url = Url::from_directory_path(&data).unwrap();
        assert_eq!(by_path, table(url.as_str()));
        let bucket = Url::parse("s3://bucket/edge/requests/").unwrap();
        assert_eq!(table("s3://bucket/edge"), bucket);
        assert!(by_path.path().ends_with("/a%20b/requests/"), "{by_path}");
    }

    #[test]
    fn a_bucket_is_reached() {
        let location = Location::open("s3://bucket/edge", false).unwrap();
        assert_eq!(location.display("requests"), "s3://bucket/edge/requests");
        let log = location.log_store("requests").unwrap();
        assert_eq!(log.root_url().as_str(), "s3://bucket/edge/requests/");
    }

    #[test]
    fn unknown_places_are_refused_with_a_way_out() {
        let message = |uri: &str| Location::open(uri, false).unwrap_err().to_string();
        expect_test::expect!["cannot use `ftp://host/x` as data location: `ftp://` is not supported; give a folder, file://… or s3://…"]
            .assert_eq(&message("ftp://host/x"));
        expect_test::expect!["cannot use `` as data location: it is empty; give a folder"]
            .assert_eq(&message(""));
    }
}
