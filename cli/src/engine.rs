//! Where queries are planned and run: they go down a level for each term of an expression, and a list of blocked addresses
//! has thousands.

use std::thread;
use std::time::Duration;

use anyhow::Context;
use thread_priority::{ThreadPriority, set_current_thread_priority};
use tokio::runtime::{Builder, Runtime};

/// Stack of the threads that plan and run queries. Only what is reached of it takes memory.
const STACK_BYTES: usize = 64 << 20;

/// How long threads are waited for that are busy when all is over.
const END_TIME: Duration = Duration::from_secs(1);

/// Does something on a thread that may plan queries, and waits for it.
///
/// # Errors
/// What it fails with, or when the thread cannot be started.
pub fn on_deep_stack<T: Send>(
    work: impl FnOnce() -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    thread::scope(|scope| {
        thread::Builder::new()
            .name("sql".into())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .context("cannot start the thread that plans queries")?
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The runtime that queries run on.
///
/// # Errors
/// When its threads cannot be started.
pub fn runtime() -> anyhow::Result<Runtime> {
    builder().build().context("cannot start the query engine")
}

/// The same beside a pipeline: its threads give way to those that read and judge.
///
/// # Errors
/// When its threads cannot be started.
pub fn yielding_runtime() -> anyhow::Result<Runtime> {
    let give_way = || {
        if let Err(error) = set_current_thread_priority(ThreadPriority::Min) {
            tracing::debug!(?error, "queries run at the priority of everything else");
        }
    };
    builder().on_thread_start(give_way).build().context("cannot start the query engine")
}

/// Ends a runtime: its threads leave what they do at the next rest. A cancelled query may be deep in a product of tables, and
/// nobody waits for it long.
///
/// Not at once: in one of some thousand runs of `sql` a thread that was let go while it ended crashed in `pthread_detach` of
/// glibc 2.36.
pub fn end(runtime: Runtime) {
    runtime.shutdown_timeout(END_TIME);
}

fn builder() -> Builder {
    let mut builder = Builder::new_multi_thread();
    builder.enable_all().thread_name("query").thread_stack_size(STACK_BYTES);
    builder
}
