//! The tables' store as one process sees it: it may fail now and then, and is gone when the process is.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};

/// What the next write comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does not happen, and the process is told so.
    Fails = 1,
    /// It happens, and the process is told it did not.
    FailsAfter = 2,
    /// It does not happen, and the process dies of it.
    Dies = 3,
    /// It happens, and the process dies of it.
    DiesAfter = 4,
}

/// One process's way to the store.
#[derive(Debug)]
pub struct ProcessStore {
    inner: Arc<dyn ObjectStore>,
    dead: AtomicBool,
    fault: AtomicU8,
}

impl ProcessStore {
    pub fn of(inner: Arc<dyn ObjectStore>) -> Arc<Self> {
        Arc::new(Self { inner, dead: AtomicBool::new(false), fault: AtomicU8::new(0) })
    }

    /// From now on nothing of this process reaches the store.
    pub fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub fn plan(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    fn alive(&self) -> object_store::Result<()> {
        if self.is_dead() { Err(failure(ErrorKind::BrokenPipe)) } else { Ok(()) }
    }

    /// The fault that comes with this write, if any, and whether the write happens.
    fn next_fault(&self) -> Option<(ErrorKind, bool)> {
        let planned = self.fault.swap(0, Ordering::SeqCst);
        let is = |fault: Fault| planned == fault as u8;
        let happens = is(Fault::FailsAfter) || is(Fault::DiesAfter);
        if is(Fault::Dies) || is(Fault::DiesAfter) {
            return Some((ErrorKind::BrokenPipe, happens));
        }
        (planned != 0).then_some((ErrorKind::TimedOut, happens))
    }
}

fn failure(kind: ErrorKind) -> object_store::Error {
    object_store::Error::Generic {
        store: "simulated",
        source: Box::new(Error::new(kind, "as planned")),
    }
}

impl fmt::Display for ProcessStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of one process", self.inner)
    }
}

#[async_trait]
impl ObjectStore for ProcessStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.alive()?;
        let Some((kind, happens)) = self.next_fault() else {
            return self.inner.put_opts(location, payload, options).await;
        };
        if happens {
            self.inner.put_opts(location, payload, options).await?;
        }
        if kind == ErrorKind::BrokenPipe {
            self.kill();
        }
        Err(failure(kind))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.alive()?;
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.alive()?;
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        match self.alive() {
            Ok(()) => self.inner.delete_stream(locations),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        match self.alive() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.alive()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        self.alive()?;
        self.inner.copy_opts(from, to, options).await
    }
}
