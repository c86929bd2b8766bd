//! Reading compressed files: gzip, Zstandard, xz and bzip2, recognised by their first bytes. Archives, which hold files
//! of their own, are refused.

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
    /// bzip2, one stream or many.
    Bzip2,
}

/// Bytes of a packed file that are unpacked to see whether it is an archive: as far as the mark of a tar goes.
const HEAD_BYTES: usize = 262;

/// A file that holds files: which of them is a log, and in what order they belong, nobody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Archive {
    /// A tar, packed or not.
    #[error("it is a tar archive; unpack it first, or: tar -xOf FILE | floodmark scan -")]
    Tar,
    /// A zip.
    #[error("it is a zip archive; unpack it first, or: unzip -p FILE | floodmark scan -")]
    Zip,
    /// A 7z.
    #[error("it is a 7z archive; unpack it first, or: 7z x -so FILE | floodmark scan -")]
    SevenZip,
    /// A rar.
    #[error("it is a rar archive; unpack it first, or: unrar p -inul FILE | floodmark scan -")]
    Rar,
}

impl Archive {
    /// Recognises an archive by its first bytes.
    ///
    /// # Source
    /// POSIX.1-2017, `pax`, ustar interchange format: `ustar` at byte 257; PKWARE APPNOTE.TXT 4.3; 7-Zip, 7zFormat.txt;
    /// RAR 5.0 archive format.
    pub fn detect(head: &[u8]) -> Option<Self> {
        match head {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Some(Self::SevenZip),
            [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => Some(Self::Rar),
            _ if head.get(257..HEAD_BYTES) == Some(b"ustar") => Some(Self::Tar),
            _ => None,
        }
    }

    /// As the reason why a file cannot be read.
    fn refuse(head: &[u8]) -> io::Result<()> {
        match Self::detect(head) {
            Some(archive) => Err(io::Error::new(io::ErrorKind::Unsupported, archive)),
            None => Ok(()),
        }
    }
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
            // A block, or the end of an empty stream, follows the size.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => Self::Bzip2,
            _ => Self::None,
        }
    }
}

/// A reader of the plain bytes of `reader`, whatever they are packed with.
///
/// The bytes taken from `reader` are added to `taken`, for progress bars.
///
/// # Errors
/// Those of the first read, which decides the format; an `Archive` is refused.
pub fn decompress<R: Read + Send + 'static>(
    reader: R,
    taken: Arc<AtomicU64>,
) -> io::Result<Box<dyn Read + Send>> {
    let mut input = BufReader::with_capacity(INPUT_BUFFER_BYTES, Counted { reader, taken });
    let head = peek(&mut input)?;
    Archive::refuse(head)?;
    let packed: Box<dyn Read + Send> = match Compression::detect(head) {
        Compression::None => return Ok(Box::new(input)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
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
    };
    refuse_packed_archive(packed)
}

/// The same reader, unless what it unpacks is an archive. A file that cannot be unpacked so far fails where it is read,
/// behind what could be.
fn refuse_packed_archive(mut packed: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let bytes = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
    let read = packed.by_ref().take(bytes).read_to_end(&mut head);
    Archive::refuse(&head)?;
    let head = io::Cursor::new(head);
    Ok(match read {
        Ok(_) => Box::new(head.chain(packed)),
        Err(error) => Box::new(head.chain(Failed(Some(error)))),
    })
}

/// Fails, once as it did before.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.take().unwrap_or_else(|| io::ErrorKind::InvalidData.into()))
    }
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

    fn bzip2(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn tar(bytes: &[u8]) -> Vec<u8> {
        let mut archive = vec![0; 512];
        archive[..10].copy_from_slice(b"access.log");
        archive[257..262].copy_from_slice(b"ustar");
        archive.extend_from_slice(bytes);
        archive
    }

    #[test]
    fn archives_are_refused_with_a_way_out() {
        let archives: [(Vec<u8>, Archive); 7] = [
            (tar(b"a\n"), Archive::Tar),
            (gzip(&tar(b"a\n")), Archive::Tar),
            (xz(&tar(b"a\n")), Archive::Tar),
            (bzip2(&tar(b"a\n")), Archive::Tar),
            (b"PK\x03\x04\x14\0".to_vec(), Archive::Zip),
            (b"7z\xbc\xaf\x27\x1c\0\x04".to_vec(), Archive::SevenZip),
            (b"Rar!\x1a\x07\x01\0".to_vec(), Archive::Rar),
        ];
        for (packed, archive) in archives {
            let error = plain(packed).unwrap_err();
            assert_eq!(error.to_string(), archive.to_string());
            assert!(error.to_string().contains("| floodmark scan -"), "{error}");
        }
        for text in ["PK", "BZh9 is how bzip2 begins", "7z", &"x".repeat(600)] {
            assert_eq!(plain(text.as_bytes().to_vec()).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn every_format_is_recognised_and_its_members_are_joined() {
        let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
        for pack in [&gzip as &dyn Fn(&[u8]) -> Vec<u8>, &zstd, &xz, &bzip2, &<[u8]>::to_vec] {
            let packed = [pack(b"first\n"), pack(b"second\n")].concat();
            assert_eq!(plain(packed).unwrap(), b"first\nsecond\n");
        }
        assert_eq!(plain(Vec::new()).unwrap(), b"");
    }

    #[test]
    fn a_truncated_file_is_an_error() {
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let zstd = zstd::encode_all(&bytes[..], 1).unwrap();
        for mut packed in [gzip(&bytes), zstd, xz(&bytes), bzip2(&bytes)] {
            packed.truncate(packed.len() / 2);
            assert!(plain(packed).is_err());
        }
    }
}
