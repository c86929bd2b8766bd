//! Cuts a stream of bytes into blocks of whole lines.

use std::io::{self, Read};

/// Reads `reader` in blocks that end with a line.
///
/// A line longer than a block makes the block longer, in time and memory linear in the line. A line
/// longer than `line_bytes_max` is cut there, and each piece counts as a line.
pub(crate) struct LineBlocks<R> {
    reader: R,
    limits: BlockLimits,
    /// What was read and not handed over: no line end is in it.
    rest: Vec<u8>,
    scratch: Vec<u8>,
    ended: bool,
    failure: Option<io::Error>,
}

/// How large blocks and lines may get.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockLimits {
    /// Bytes of a block, about.
    pub block_bytes: usize,
    /// Bytes of a line.
    pub line_bytes_max: usize,
    /// Wait until a block is full. Otherwise it holds what one read gave: for pipes, whose writer may
    /// take its time.
    pub fill: bool,
}

/// Whole lines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LineBlock {
    /// The lines with their line ends.
    pub bytes: Vec<u8>,
    /// How many.
    pub lines: i64,
    /// False for the last line of a stream that ends without a line end: it is alone in its block.
    pub terminated: bool,
}

/// Bytes asked for in one read of a pipe: what a Linux pipe holds.
const SCRATCH_BYTES: usize = 64 << 10;

impl<R: Read> LineBlocks<R> {
    pub(crate) const fn new(reader: R, limits: BlockLimits) -> Self {
        Self { reader, limits, rest: Vec::new(), scratch: Vec::new(), ended: false, failure: None }
    }

    /// The next block, or `None` at the end.
    ///
    /// # Errors
    /// Those of the reader, after all whole lines before the failure were handed over.
    pub(crate) fn next_block(&mut self) -> io::Result<Option<LineBlock>> {
        let mut searched = 0;
        loop {
            let unsearched = self.rest.get(searched..).unwrap_or_default();
            if let Some(end) = memchr::memrchr(b'\n', unsearched) {
                return Ok(Some(self.take(searched + end + 1, true)));
            }
            searched = self.rest.len();
            if searched >= self.limits.line_bytes_max {
                return Ok(Some(self.take(self.limits.line_bytes_max, true)));
            }
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if self.ended {
                let last = (searched > 0).then(|| self.take(searched, false));
                return Ok(last);
            }
            self.read();
        }
    }

    /// Splits the first `end` bytes off.
    fn take(&mut self, end: usize, terminated: bool) -> LineBlock {
        let tail = self.rest.get(end..).unwrap_or_default();
        let mut rest = Vec::with_capacity(tail.len() + self.limits.block_bytes);
        rest.extend_from_slice(tail);
        self.rest.truncate(end);
        let bytes = std::mem::replace(&mut self.rest, rest);
        let line_ends = memchr::memchr_iter(b'\n', &bytes).count();
        let open_line = usize::from(bytes.last() != Some(&b'\n'));
        LineBlock {
            bytes,
            lines: i64::try_from(line_ends + open_line).unwrap_or(i64::MAX),
            terminated,
        }
    }

    /// Appends to `rest`; keeps a failure for later.
    fn read(&mut self) {
        let read = if self.limits.fill { self.read_block() } else { self.read_once() };
        match read {
            Ok(0) => self.ended = true,
            Ok(_) => {}
            Err(failure) => {
                self.failure = Some(failure);
                self.ended = true;
            }
        }
    }

    fn read_block(&mut self) -> io::Result<usize> {
        let wanted = self.limits.block_bytes;
        self.rest.reserve(wanted);
        self.reader.by_ref().take(wanted as u64).read_to_end(&mut self.rest)
    }

    fn read_once(&mut self) -> io::Result<usize> {
        self.scratch.resize(SCRATCH_BYTES, 0);
        loop {
            match self.reader.read(&mut self.scratch) {
                Ok(read) => {
                    self.rest.extend_from_slice(self.scratch.get(..read).unwrap_or_default());
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Where line `lines + 1` of `bytes` begins.
pub(super) fn after_lines(bytes: &[u8], lines: i64) -> usize {
    let Ok(lines) = usize::try_from(lines) else { return 0 };
    match lines.checked_sub(1) {
        None => 0,
        Some(nth) => memchr::memchr_iter(b'\n', bytes).nth(nth).map_or(bytes.len(), |end| end + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BlockLimits = BlockLimits { block_bytes: 8, line_bytes_max: 20, fill: true };

    fn blocks(limits: BlockLimits, bytes: &[u8]) -> Vec<(String, i64, bool)> {
        let mut blocks = LineBlocks::new(bytes, limits);
        std::iter::from_fn(|| blocks.next_block().unwrap())
            .map(|b| (String::from_utf8(b.bytes).unwrap(), b.lines, b.terminated))
            .collect()
    }

    #[test]
    fn blocks_hold_whole_lines_and_lose_nothing() {
        assert_eq!(
            blocks(LIMITS, b"a\nbb\n\nccccccccccc\nd"),
            [
                ("a\nbb\n\n".to_owned(), 3, true),
                ("ccccccccccc\n".to_owned(), 1, true),
                ("d".to_owned(), 1, false)
            ]
        );
        assert!(blocks(LIMITS, b"").is_empty());
        assert_eq!(blocks(BlockLimits { fill: false, ..LIMITS }, b"a\nb\nc\n").len(), 1);
    }

    /// Reads in pieces of any size.
    struct Pieces<'a> {
        bytes: &'a [u8],
        sizes: std::iter::Cycle<std::slice::Iter<'a, usize>>,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.sizes.next().map_or(1, |size| (*size).min(buffer.len()));
            self.bytes.read(&mut buffer[..size])
        }
    }

    proptest::proptest! {
        #[test]
        fn cuts_change_nothing(
            text in "[ab\n]{0,200}",
            sizes in proptest::collection::vec(1_usize..40, 1..8),
            block_bytes in 1_usize..64,
            fill: bool,
        ) {
            let limits = BlockLimits { block_bytes, line_bytes_max: 1 << 20, fill };
            let pieces = Pieces { bytes: text.as_bytes(), sizes: sizes.iter().cycle() };
            let mut blocks = LineBlocks::new(pieces, limits);
            let (mut joined, mut lines) = (Vec::new(), 0);
            while let Some(block) = blocks.next_block().unwrap() {
                proptest::prop_assert_eq!(block.terminated, block.bytes.ends_with(b"\n"));
                let counted = block.bytes.split_inclusive(|byte| *byte == b'\n').count();
                proptest::prop_assert_eq!(block.lines, i64::try_from(counted).unwrap());
                lines += counted;
                joined.extend(block.bytes);
            }
            proptest::prop_assert_eq!(lines, text.lines().count());
            proptest::prop_assert_eq!(joined, text.into_bytes());
        }

        #[test]
        fn the_rest_of_a_block_begins_after_its_lines(text in "[ab\n]{0,60}", lines in 0_i64..10) {
            let at = after_lines(text.as_bytes(), lines);
            let counted = text[..at].split_inclusive('\n').count();
            proptest::prop_assert_eq!(counted, text.lines().count().min(usize::try_from(lines).unwrap()));
        }
    }

    #[test]
    fn an_endless_line_is_cut() {
        let blocks = blocks(LIMITS, &[b'x'; 45]);
        let sizes: Vec<_> = blocks.iter().map(|(text, lines, _)| (text.len(), *lines)).collect();
        assert_eq!(sizes, [(20, 1), (20, 1), (5, 1)]);
    }

    #[test]
    fn a_failure_comes_after_the_lines_before_it() {
        struct Failing(bool);
        impl Read for Failing {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::Error::other("torn"));
                }
                let bytes = b"a\nb\nhalf";
                buffer[..bytes.len()].copy_from_slice(bytes);
                Ok(bytes.len())
            }
        }
        let limits = BlockLimits { block_bytes: 64, ..LIMITS };
        let mut blocks = LineBlocks::new(Failing(false), limits);
        assert_eq!(blocks.next_block().unwrap().unwrap().bytes, b"a\nb\n");
        assert_eq!(blocks.next_block().unwrap_err().to_string(), "torn");
    }

    #[test]
    fn lines_are_counted_from_the_start_of_a_block() {
        assert_eq!(after_lines(b"a\nbb\nc", 0), 0);
        assert_eq!(after_lines(b"a\nbb\nc", 2), 5);
        assert_eq!(after_lines(b"a\nbb\nc", 3), 6);
    }
}
