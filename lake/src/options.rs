//! What can be tuned about the files the lake writes.

/// How rows are cut into files, and how much is held in memory meanwhile.
#[derive(Debug, Clone)]
pub struct LakeOptions {
    /// Rows of one Parquet row group, at most.
    pub row_group_rows: usize,
    /// Encoded bytes of one Parquet row group, at most (approximately).
    pub row_group_bytes: usize,
    /// Zstandard level of the Parquet pages, 1–22.
    pub zstd_level: i32,
    /// A file is closed and uploaded when it reaches this size, without waiting for the commit.
    pub target_file_bytes: usize,
    /// Bytes of closed files that may wait for their upload before `append` waits for them.
    pub upload_bytes_max: usize,
    /// Bytes of files that the store has and no commit names yet that are kept, to write them again if somebody deletes
    /// them.
    pub kept_bytes_max: usize,
    /// Days that may be written at the same time; rows of further days wait, sorted, in memory.
    pub open_days_max: usize,
    /// Bytes of rows that may wait for a file of their day.
    pub waiting_bytes_max: usize,
    /// Commits of a table between two checkpoints of its log.
    pub checkpoint_interval: u64,
    /// Days after which tables that are created now forget how far the detector of a scan had come that wrote nothing
    /// since. What was read stays known.
    pub scan_days: u32,
    /// Whether files on a local disk are synced before they are referred to: a power cut then cannot tear a table.
    pub sync: bool,
    /// Whether large states of the detector are made and written beside the commits; else each is waited for, so that one
    /// run is like the other.
    pub keeps_states_beside: bool,
}

impl Default for LakeOptions {
    fn default() -> Self {
        Self {
            row_group_rows: 1 << 20,
            row_group_bytes: 64 << 20,
            zstd_level: 1,
            target_file_bytes: 128 << 20,
            upload_bytes_max: 256 << 20,
            kept_bytes_max: 128 << 20,
            open_days_max: 4,
            waiting_bytes_max: 32 << 20,
            checkpoint_interval: 50,
            scan_days: 30,
            sync: true,
            keeps_states_beside: true,
        }
    }
}
