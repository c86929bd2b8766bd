//! Object stores: Amazon S3 and what speaks like it.
//!
//! S3 is configured by the usual `AWS_…` variables of the environment (`AWS_ACCESS_KEY_ID`, `AWS_REGION`,
//! `AWS_ENDPOINT_URL`, …). A commit needs conditional writes, which S3, R2 and `MinIO` have.

use std::sync::Arc;

use deltalake::DeltaResult;
use deltalake::logstore::{
    LogStore, LogStoreFactory, ObjectStoreFactory, ObjectStoreRef, StorageConfig, default_logstore,
    logstore_factories, object_store_factories,
};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use url::Url;

/// Schemes under which S3 is known.
const SCHEMES: [&str; 2] = ["s3://", "s3a://"];

#[derive(Debug)]
struct S3;

/// Makes the schemes of S3 known to Delta; may be called any number of times.
///
/// A location whose URL is not a local folder does so before it asks for its store.
pub(crate) fn register_stores() {
    for scheme in SCHEMES.iter().filter_map(|scheme| Url::parse(scheme).ok()) {
        object_store_factories().entry(scheme.clone()).or_insert_with(|| Arc::new(S3));
        logstore_factories().entry(scheme).or_insert_with(|| Arc::new(S3));
    }
}

impl ObjectStoreFactory for S3 {
    fn parse_url_opts(
        &self,
        url: &Url,
        config: &StorageConfig,
    ) -> DeltaResult<(ObjectStoreRef, Path)> {
        let given = config.raw().filter_map(|(key, value)| Some((key.parse().ok()?, value)));
        let builder = given.fold(AmazonS3Builder::from_env(), |builder, (key, value)| {
            builder.with_config(key, value)
        });
        let store = builder.with_url(url.as_str()).build()?;
        Ok((Arc::new(store), Path::from_url_path(url.path())?))
    }
}

impl LogStoreFactory for S3 {
    fn with_options(
        &self,
        prefixed_store: ObjectStoreRef,
        root_store: ObjectStoreRef,
        location: &Url,
        options: &StorageConfig,
    ) -> DeltaResult<Arc<dyn LogStore>> {
        Ok(default_logstore(prefixed_store, root_store, location, options))
    }
}
