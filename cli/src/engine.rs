//! Where queries are planned and run: they go down a level for each term of an expression, and a list of blocked addresses
//! has thousands.

use std::thread;

use anyhow::Context;
use tokio::runtime::Runtime;

/// Stack of the threads that plan and run queries. Only what is reached of it takes memory.
const STACK_BYTES: usize = 64 << 20;

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
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("query")
        .thread_stack_size(STACK_BYTES)
        .build()
        .context("cannot start the query engine")
}
