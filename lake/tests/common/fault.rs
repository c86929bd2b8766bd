//! The tables' store as one process sees it: writes fail as planned, and with the process it is gone. The simulation of
//! groups has it too.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};

/// What a failing write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The write does not happen.
    Before,
    /// The write happens, and the caller is told it did not.
    After,
}

/// A failure to come.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub fault: Fault,
    /// Writes that succeed before it.
    pub after: usize,
    /// Nothing works afterwards.
    pub for_good: bool,
    pub kind: ErrorKind,
}

impl Plan {
    /// As if the process died at its write number `at`.
    pub const fn death(fault: Fault, at: usize) -> Self {
        Self { fault, after: at, for_good: true, kind: ErrorKind::BrokenPipe }
    }

    /// Write number `at` fails, and may be tried again.
    pub const fn stumble(fault: Fault, at: usize) -> Self {
        Self { fault, after: at, for_good: false, kind: ErrorKind::TimedOut }
    }
}

#[derive(Debug, Default)]
struct Course {
    plan: Option<Plan>,
    has_failed: bool,
    dead: Option<ErrorKind>,
}

/// One process's way to a store.
#[derive(Debug)]
pub struct FaultStore {
    inner: Arc<dyn ObjectStore>,
    course: Mutex<Course>,
}

impl FaultStore {
    pub fn of(inner: Arc<dyn ObjectStore>) -> Arc<Self> {
        Arc::new(Self { inner, course: Mutex::default() })
    }

    /// Fails as if the process died at write number `at`.
    pub fn dies(inner: &Arc<InMemory>, fault: Fault, at: usize) -> Arc<Self> {
        Self::planned(inner, Plan::death(fault, at))
    }

    /// Fails once, at write number `at`.
    pub fn stumbles(inner: &Arc<InMemory>, fault: Fault, at: usize) -> Arc<Self> {
        Self::planned(inner, Plan::stumble(fault, at))
    }

    pub fn planned(inner: &Arc<InMemory>, plan: Plan) -> Arc<Self> {
        let store = Self::of(Arc::<InMemory>::clone(inner));
        store.plan(plan);
        store
    }

    /// What comes next; writes are counted from here.
    pub fn plan(&self, plan: Plan) {
        self.course.lock().unwrap().plan = Some(plan);
    }

    /// From now on nothing of this process reaches the store.
    pub fn kill(&self) {
        self.course.lock().unwrap().dead = Some(ErrorKind::BrokenPipe);
    }

    pub fn is_dead(&self) -> bool {
        self.course.lock().unwrap().dead.is_some()
    }

    /// Whether a fault has come.
    pub fn has_failed(&self) -> bool {
        self.course.lock().unwrap().has_failed
    }

    fn alive(&self) -> object_store::Result<()> {
        self.course.lock().unwrap().dead.map_or(Ok(()), |kind| Err(failure(kind)))
    }

    /// The plan that comes true with this write, if any.
    fn next(&self) -> Option<Plan> {
        let mut course = self.course.lock().unwrap();
        let plan = course.plan.as_mut()?;
        if let Some(left) = plan.after.checked_sub(1) {
            plan.after = left;
            return None;
        }
        let plan = course.plan.take()?;
        course.has_failed = true;
        course.dead = plan.for_good.then_some(plan.kind);
        Some(plan)
    }
}

fn failure(kind: ErrorKind) -> object_store::Error {
    let source = Box::new(Error::new(kind, "as planned"));
    object_store::Error::Generic { store: "fault", source }
}

impl fmt::Display for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultStore({})", self.inner)
    }
}

#[async_trait]
impl ObjectStore for FaultStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.alive()?;
        let Some(plan) = self.next() else {
            return self.inner.put_opts(location, payload, options).await;
        };
        if plan.fault == Fault::After {
            self.inner.put_opts(location, payload, options).await?;
        }
        Err(failure(plan.kind))
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
