//! Reading compressed files: gzip, Zstandard and xz, recognised by their first bytes.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes read ahead of a decompressor.
const INPUT_BUFFER_BYTES: usize = 128 << 10;

/// Largest Zstandard window accepted, as a power of two: 128 MiB, what `zstd --long` writes.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Memory an xz stream may ask for, bytes: enough for `xz -9`.
const XZ_MEMORY_BYTES_MAX: u64 = 256 << 20;

/// How the bytes of a file are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, one member or many.
    Gzip,
    /// RFC 8878, one frame or many.
    Zstd,
    /// The .xz format, one stream or many.
    Xz,
}

impl Compression {
    /// Recognises a format by the first bytes of a file; the name of the file plays no part.
    ///
    /// # Example
    /// ```
    /// # use ingest::Compression;
    /// assert_eq!(Compression::detect(b"\x1f\x8b\x08\x00"), Compression::Gzip);
    /// assert_eq!(Compression::detect(b"203.0.113.7 - -"), Compression::None);
    /// ```
    pub fn detect(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            _ => Self::None,
        }
    }
}

/// A reader of the plain bytes of `reader`, whatever they are packed with.
///
/// The bytes taken from `reader` are added to `taken`, for progress bars.
///
/// # Errors
/// Those of the first read, which decides the format.
pub fn decompress<R: Read + Send + 'static>(
    reader: R,
    taken: Arc<AtomicU64>,
) -> io::Result<Box<dyn Read + Send>> {
    let mut input = BufReader::with_capacity(INPUT_BUFFER_BYTES, Counted { reader, taken });
    let compression = Compression::detect(peek(&mut input)?);
    Ok(match compression {
        Compression::None => Box::new(input),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(
                XZ_MEMORY_BYTES_MAX,
                liblzma::stream::CONCATENATED,
            )?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(input, stream))
        }
    })
}

/// The bytes that one read returns, left in the buffer: a file gives more than any magic number has.
fn peek<R: BufRead>(input: &mut R) -> io::Result<&[u8]> {
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    input.fill_buf()
}

/// Counts what passes.
struct Counted<R> {
    reader: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn plain(packed: Vec<u8>) -> io::Result<Vec<u8>> {
        let taken = Arc::new(AtomicU64::new(0));
        let length = packed.len() as u64;
        let mut bytes = Vec::new();
        decompress(io::Cursor::new(packed), Arc::clone(&taken))?.read_to_end(&mut bytes)?;
        assert_eq!(taken.load(Ordering::Relaxed), length);
        Ok(bytes)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn xz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_format_is_recognised_and_its_members_are_joined() {
        let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
        for pack in [&gzip as &dyn Fn(&[u8]) -> Vec<u8>, &zstd, &xz, &<[u8]>::to_vec] {
            let packed = [pack(b"first\n"), pack(b"second\n")].concat();
            assert_eq!(plain(packed).unwrap(), b"first\nsecond\n");
        }
        assert_eq!(plain(Vec::new()).unwrap(), b"");
    }

    #[test]
    fn a_truncated_file_is_an_error() {
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        for mut packed in [gzip(&bytes), zstd::encode_all(&bytes[..], 1).unwrap(), xz(&bytes)] {
            packed.truncate(packed.len() / 2);
            assert!(plain(packed).is_err());
        }
    }
}
