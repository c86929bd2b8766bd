//! Style, script and icon: in the binary, under names that change with their content.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};

/// A file that pages load.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) path: String,
    kind: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    fn new(name: &str, end: &str, kind: &'static str, bytes: &'static [u8]) -> Self {
        Self { path: format!("/assets/{name}-{:016x}.{end}", fnv(bytes)), kind, bytes }
    }

    fn respond(&self) -> Response {
        let headers =
            [(CONTENT_TYPE, self.kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
        (headers, self.bytes).into_response()
    }
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
const fn fnv(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        hash ^= *byte as u64;
        hash = u64::wrapping_mul(hash, 0x0100_0000_01b3);
        rest = after;
    }
    hash
}

pub(super) static CSS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("console", "css", "text/css; charset=utf-8", include_bytes!("assets/console.css"))
});

pub(super) static JS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("assets/console.js"),
    )
});

pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_bytes!("assets/icon.svg")));

/// The file of that path.
pub(super) fn find(path: &str) -> Option<Response> {
    let all = [&*CSS, &*JS, &*ICON];
    all.into_iter().find(|asset| asset.path == path).map(Asset::respond)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a page loads stays small, before any compression.
    const BYTES_MAX: usize = 150 << 10;

    #[test]
    fn the_console_is_small_and_names_its_files_by_content() {
        let all = [&*CSS, &*JS, &*ICON];
        assert!(all.iter().map(|asset| asset.bytes.len()).sum::<usize>() < BYTES_MAX);
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert!(find(&CSS.path).is_some() && find("/assets/console.css").is_none());
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for asset in [&*CSS, &*JS] {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            for far in ["http:", "https:", "@import", "eval(", "innerHTML"] {
                assert!(!text.contains(far), "{}: {far}", asset.path);
            }
        }
    }
}
