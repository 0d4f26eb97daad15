//! Where logs come from: files, folders and standard input, plain or gzip, in batches of whole lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use authorizer_backtest::{Layout, Lines, MAX_LINE_BYTES};
use clap::ValueEnum;
use walkdir::WalkDir;

use super::error::BacktestError;
use super::members::Members;

/// The approximate size of a batch of lines, in bytes.
const BATCH_BYTES: u64 = 256 * 1024;

/// RFC 1952 section 2.3.1.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Apache Parquet: the first four bytes of a file.
const PARQUET: [u8; 4] = *b"PAR1";

/// A log and its name.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(super) path: PathBuf,
    name: Arc<str>,
    /// Its size, in bytes. Standard input does not have one.
    pub(super) size: Option<u64>,
}

/// All logs under some arguments, in order. The files of a folder are in the order of their names, without hidden
/// files. The name of a file is its path.
pub(crate) fn logs(arguments: &[PathBuf]) -> Result<Vec<Log>, BacktestError> {
    let mut logs = Vec::new();
    for argument in arguments {
        if argument == Path::new("-") {
            logs.push(Log { path: argument.clone(), name: "-".into(), size: None });
            continue;
        }
        let is_hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
        let entries = WalkDir::new(argument)
            .follow_links(true)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name()));
        for entry in entries {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(argument).to_owned();
                BacktestError::Unreadable { path, source: error.into() }
            })?;
            if entry.file_type().is_dir() {
                continue;
            }
            let size = entry.metadata().ok().filter(std::fs::Metadata::is_file).map(|data| data.len());
            let name = entry.path().to_string_lossy().into();
            logs.push(Log { path: entry.into_path(), name, size });
        }
    }
    Ok(logs)
}

/// What stands between the fields of an access log.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Delimiter {
    /// A tab.
    Tab,
    /// A space.
    Space,
    /// A comma.
    Comma,
    /// A semicolon.
    Semicolon,
    /// A vertical bar (`|`).
    Pipe,
}

impl Delimiter {
    fn as_char(self) -> char {
        match self {
            Self::Tab => '\t',
            Self::Space => ' ',
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Pipe => '|',
        }
    }
}

/// Reads a log to its end, and hands on its lines for as long as they are taken. `read` counts the bytes of the file.
pub(crate) fn read(
    log: &Log,
    delimiter: Option<Delimiter>,
    read: &AtomicU64,
    take: &mut dyn FnMut(Lines) -> bool,
) -> Result<(), BacktestError> {
    let unreadable = |source| BacktestError::Unreadable { path: log.path.clone(), source };
    let input: Box<dyn Read + Send> = match log.path == Path::new("-") {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(&log.path).map_err(unreadable)?),
    };
    let mut input = Counted { input, read };
    let mut start = Vec::new();
    input.by_ref().take(4).read_to_end(&mut start).map_err(unreadable)?;
    if start == PARQUET {
        return Err(BacktestError::Parquet { path: log.path.clone() });
    }
    let is_gzip = start.starts_with(&GZIP);
    let input = BufReader::with_capacity(128 * 1024, Cursor::new(start).chain(input));
    if !is_gzip {
        return read_lines(input, &log.name, delimiter, take).map_err(unreadable);
    }
    let unpacked = BufReader::with_capacity(128 * 1024, Members::new(input));
    read_lines(unpacked, &log.name, delimiter, take)
        .map_err(|source| BacktestError::Damaged { path: log.path.clone(), source })
}

/// Counts what is read.
struct Counted<'r> {
    input: Box<dyn Read + Send>,
    read: &'r AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(out)?;
        self.read.fetch_add(u64::try_from(length).unwrap_or_default(), Ordering::Relaxed);
        Ok(length)
    }
}

fn read_lines(
    mut input: impl BufRead,
    name: &Arc<str>,
    delimiter: Option<Delimiter>,
    take: &mut dyn FnMut(Lines) -> bool,
) -> io::Result<()> {
    let mut next = 1;
    let mut layout: Option<Arc<Layout>> = None;
    loop {
        let mut bytes = Vec::new();
        if input.by_ref().take(BATCH_BYTES).read_to_end(&mut bytes)? == 0 {
            return Ok(());
        }
        if !bytes.ends_with(b"\n") {
            end_line(&mut input, &mut bytes)?;
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            // A comment is its own batch, so that all lines of a batch have the same columns.
            let (lines, after) = rest.split_at_checked(comment_or_lines(rest)).unwrap_or((rest, &[]));
            rest = after;
            let first = next;
            next = number_after(first, lines);
            if lines.starts_with(b"#") {
                let of_fields = std::str::from_utf8(lines).ok().and_then(Layout::parse);
                let of_fields = of_fields.map(|layout| match delimiter {
                    Some(delimiter) => layout.separated_by(delimiter.as_char()),
                    None => layout,
                });
                layout = of_fields.map(Arc::new).or(layout);
                continue;
            }
            let lines = Lines { source: name.clone(), first, layout: layout.clone(), bytes: lines.to_vec() };
            if !take(lines) {
                return Ok(());
            }
        }
    }
}

/// Reads to the end of a line. Of a line that is too long, keeps only enough to show that.
fn end_line(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<()> {
    let one_more = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    input.by_ref().take(one_more).read_until(b'\n', bytes)?;
    while !bytes.ends_with(b"\n") {
        let more = input.fill_buf()?;
        let (length, ends) = match memchr::memchr(b'\n', more) {
            Some(place) => (place.saturating_add(1), true),
            None if more.is_empty() => return Ok(()),
            None => (more.len(), false),
        };
        input.consume(length);
        if ends {
            bytes.push(b'\n');
        }
    }
    Ok(())
}

/// The length of the comment line at the beginning, or of the lines before the next comment.
fn comment_or_lines(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"#") {
        return memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end.saturating_add(1));
    }
    let comment = memchr::memchr_iter(b'#', bytes)
        .find(|place| place.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\n'));
    comment.unwrap_or(bytes.len())
}

/// The number of the line after these.
fn number_after(first: u64, lines: &[u8]) -> u64 {
    let ends = memchr::memchr_iter(b'\n', lines).count();
    first.saturating_add(u64::try_from(ends).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(text: &[u8]) -> Vec<(u64, bool, Vec<u8>)> {
        let mut batches = Vec::new();
        let mut take = |lines: Lines| {
            batches.push((lines.first, lines.layout.is_some(), lines.bytes));
            true
        };
        read_lines(text, &"log".into(), None, &mut take).unwrap();
        batches
    }

    #[test]
    fn the_columns_are_those_of_the_last_fields_line() {
        let text = b"x\n#Version: 1.0\n#Fields: a b\n1#\t2\n3\t4\n#Fields: c\n5\n";
        assert_eq!(
            batches(text),
            [(1, false, b"x\n".to_vec()), (4, true, b"1#\t2\n3\t4\n".to_vec()), (7, true, b"5\n".to_vec())]
        );
    }

    #[test]
    fn a_batch_ends_with_a_line_and_lines_keep_their_numbers() {
        let line = [vec![b'a'; 1000], vec![b'\n']].concat();
        let text = line.repeat(1000);
        let batches = batches(&text);
        assert!(batches.len() > 3);
        let mut next = 1;
        for (first, _, bytes) in &batches {
            assert_eq!((*first, bytes.len() % 1001), (next, 0));
            next += (bytes.len() / 1001) as u64;
        }
        assert_eq!(next, 1001);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_read() {
        let text = [vec![b'a'; MAX_LINE_BYTES * 2], b"\nb\n".to_vec()].concat();
        let batches = batches(&text);
        assert_eq!((batches[0].0, batches[1].0), (1, 2));
        assert!(batches[0].2.len() > MAX_LINE_BYTES && batches[0].2.len() < MAX_LINE_BYTES + 1_000_000);
        assert_eq!(batches[1].2, b"b\n");
    }
}
