//! A zip whose bytes depend on its entries alone: their order, names, modes and bytes. It does not contain the time,
//! the owner, the path or the host system.

use std::io::{Cursor, Write as _};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

/// The last level of zlib's scale.
const BEST_ZLIB: i64 = 9;

/// Five rounds of zopfli. On the function's binary it saves 1.4 % over zlib's best, at one to two seconds a
/// megabyte; fifteen rounds save another 0.01 %.
const FIVE_ROUNDS_OF_ZOPFLI: i64 = BEST_ZLIB.saturating_add(5);

/// Above this zopfli would take longer than a person waits.
const MAX_ZOPFLI_BYTES: usize = 8_000_000;

/// One file of the zip.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'e> {
    pub(super) name: &'static str,
    pub(super) mode: u32,
    pub(super) bytes: &'e [u8],
}

/// A complete zip.
#[derive(Debug)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    sizes: Vec<Sizes>,
}

/// The sizes of an entry.
#[derive(Debug, schemars::JsonSchema, serde::Serialize)]
pub(super) struct Sizes {
    /// The name of the file in the package.
    pub(super) name: String,
    /// The bytes of the file.
    pub(super) bytes: u64,
    /// Its bytes in the package.
    pub(super) compressed_bytes: u64,
}

impl Archive {
    pub(super) fn write(entries: &[Entry<'_>]) -> Result<Self, ZipError> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for entry in entries {
            let level = if entry.bytes.len() > MAX_ZOPFLI_BYTES { BEST_ZLIB } else { FIVE_ROUNDS_OF_ZOPFLI };
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .compression_level(Some(level))
                // 1980-01-01, the first day that a zip can have.
                .last_modified_time(DateTime::DEFAULT)
                .system(System::Unix)
                .unix_permissions(entry.mode);
            writer.start_file(entry.name, options)?;
            writer.write_all(entry.bytes)?;
        }
        let bytes = writer.finish()?.into_inner();
        let sizes = sizes(&bytes)?;
        Ok(Self { bytes, sizes })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn sizes(&self) -> &[Sizes] {
        &self.sizes
    }
}

/// The sizes that the directory of the zip has.
fn sizes(zip: &[u8]) -> Result<Vec<Sizes>, ZipError> {
    let mut archive = ZipArchive::new(Cursor::new(zip))?;
    (0..archive.len())
        .map(|index| {
            let file = archive.by_index_raw(index)?;
            Ok(Sizes {
                name: file.name()?.into_owned(),
                bytes: file.size(),
                compressed_bytes: file.compressed_size(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    const ENTRIES: [Entry<'_>; 2] = [
        Entry { name: "second-by-name", mode: 0o755, bytes: b"first by order" },
        Entry { name: "first-by-name", mode: 0o644, bytes: b"" },
    ];

    #[test]
    fn entries_keep_their_order_modes_and_bytes_and_have_no_time_and_no_extra_field() {
        let archive = Archive::write(&ENTRIES).unwrap();
        let mut zip = ZipArchive::new(Cursor::new(archive.bytes())).unwrap();
        assert_eq!(zip.len(), ENTRIES.len());
        for (index, entry) in ENTRIES.iter().enumerate() {
            let mut file = zip.by_index(index).unwrap();
            assert_eq!(file.name().unwrap(), entry.name);
            assert_eq!(file.unix_mode(), Some(0o100_000 | entry.mode));
            assert_eq!(file.last_modified(), Some(DateTime::DEFAULT));
            assert_eq!(file.extra_data().unwrap_or_default(), b"");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, entry.bytes);
        }
    }

    #[test]
    fn the_first_entry_stands_in_the_bytes_as_the_format_says() {
        // APPNOTE.TXT 4.3.7, so that a change of the `zip` crate's mind is noticed.
        let bytes = Archive::write(&ENTRIES).unwrap().bytes;
        assert_eq!(bytes[..4], *b"PK\x03\x04");
        assert_eq!(bytes[10..14], [0, 0, 0x21, 0], "time and date are 1980-01-01 00:00");
        assert_eq!(bytes[28..30], [0, 0], "no extra field");
    }

    #[test]
    fn an_entry_too_large_for_zopfli_is_compressed_all_the_same() {
        let bytes = vec![b'x'; MAX_ZOPFLI_BYTES.saturating_add(1)];
        let archive = Archive::write(&[Entry { name: "large", mode: 0o644, bytes: &bytes }]).unwrap();
        assert_eq!(archive.sizes()[0].bytes, u64::try_from(bytes.len()).unwrap());
        assert!(archive.bytes().len() < 100_000);
    }
}
