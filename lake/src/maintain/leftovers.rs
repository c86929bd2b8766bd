//! What writers that were killed have left on a local disk: files under the name they had while they were written,
//! `name#digits`, which listings of tables hide.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::sweep::Swept;

/// Folders below a table: that of its log or of a day, and one more for tools that nest them.
const DEPTH_MAX: usize = 4;

/// Deletes those below `folder` that were last written before `before`.
pub(super) fn delete(folder: &Path, before: SystemTime) -> io::Result<Swept> {
    let mut swept = Swept::default();
    for (path, bytes) in find(folder, before, DEPTH_MAX)? {
        match fs::remove_file(path) {
            Ok(()) => {
                swept.files += 1;
                swept.bytes += bytes;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(swept)
}

fn find(folder: &Path, before: SystemTime, depth: usize) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Of the entry itself: nothing behind a link is ours.
        let meta = match entry.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            meta => meta?,
        };
        if meta.is_dir() && depth > 0 {
            found.extend(find(&entry.path(), before, depth - 1)?);
        } else if meta.is_file()
            && is_aside(&entry.file_name().to_string_lossy())
            && meta.modified()? < before
        {
            found.push((entry.path(), meta.len()));
        }
    }
    Ok(found)
}

/// Whether a file has the name of one that was being written.
fn is_aside(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(name, digits)| {
        !name.is_empty() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_old_files_that_were_being_written_go() {
        let folder = tempfile::tempdir().unwrap();
        let day = folder.path().join("date=2026-01-01");
        fs::create_dir(&day).unwrap();
        let names = ["part.parquet", "part.parquet#123", "part#12a", "#5", "part#"];
        for name in names {
            fs::write(day.join(name), b"1234").unwrap();
        }
        fs::write(folder.path().join("00.json#7"), b"12").unwrap();
        let now = SystemTime::now();
        let hour = Duration::from_hours(1);
        assert_eq!(delete(folder.path(), now - hour).unwrap(), Swept::default(), "they are fresh");
        let swept = delete(folder.path(), now + hour).unwrap();
        assert_eq!(swept, Swept { files: 2, bytes: 6 });
        let mut left: Vec<_> =
            fs::read_dir(&day).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["#5", "part#", "part#12a", "part.parquet"]);
    }
}
