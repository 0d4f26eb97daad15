//! Where events come from: files, folders, JSON Lines and standard input, in batches.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::mem::take;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde_json::Value;
use walkdir::WalkDir;

use super::error::ReplayError;
use super::texts::Texts;
use crate::in_order::Hand;

/// The longest event, in bytes. CloudFront's are far smaller: 20 KB of headers, 40 KB of body.
pub(super) const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// The number of bytes that shows that an event is too long.
const ONE_MORE: u64 = 1024 * 1024 + 1;

/// What some editors and shells write before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What stands before each text of a sequence of JSON texts (RFC 7464).
const RECORD_SEPARATOR: u8 = 0x1E;

/// The number of bytes that are read and handed on at once.
const BATCH_BYTES: usize = 128 * 1024;

/// How much of the end of a file is looked at, at once.
const WINDOW: u64 = 64 * 1024;

/// The number of files of one event that are handed on at once.
const BATCH_FILES: usize = 64;

/// Events that are replayed one after the other.
#[derive(Debug)]
pub(super) enum Batch {
    /// Lines with their ends, each with an event, or several, unless it is blank.
    Lines {
        /// The file, to show.
        source: Arc<str>,
        /// The file.
        path: Arc<Path>,
        /// The number of the first line, from 1.
        first: u64,
        /// The lines.
        bytes: Vec<u8>,
    },
    /// Files of one event each: their paths and names.
    Files(Vec<(PathBuf, String)>),
    /// A JSON text on several lines.
    Text {
        /// The file, to show.
        source: Arc<str>,
        /// The number of its first line, from 1.
        first: u64,
        /// The text.
        bytes: Vec<u8>,
    },
    /// The whole of standard input.
    One(Vec<u8>),
    /// An error. Nothing comes after it.
    Unusable(ReplayError),
}

/// Hands on all events under some arguments, in order; the files of a folder by name. The source of an event is the
/// argument itself, or the path below it.
pub(super) fn read(arguments: &[PathBuf], hand: Hand<'_, Batch>) {
    let mut reader = Reader::new(hand);
    let all = arguments.iter().all(|argument| reader.read(argument));
    // If no more events are wanted, these are not wanted either.
    if all {
        reader.hand_files();
    }
}

/// Hands on the events of a recording, under a name of their own: those whose lines are whole, up to this length.
pub(super) fn read_recorded(path: &Path, source: &str, length: u64, hand: Hand<'_, Batch>) {
    let mut reader = Reader::new(hand);
    match File::open(path) {
        Ok(file) => {
            let whole = BufReader::with_capacity(BATCH_BYTES, file.take(length));
            reader.read_lines(path, source.to_owned(), whole);
        }
        Err(error) => {
            reader.fail(ReplayError::Unreadable { path: path.to_owned(), source: error });
        }
    }
}

/// The bytes of the whole lines of a file, and whether there is more after them: a line that was not written to its end.
pub(super) fn whole_lines(path: &Path) -> Result<(u64, bool), ReplayError> {
    let length = || {
        let mut file = File::open(path)?;
        let length = file.seek(SeekFrom::End(0))?;
        let mut end = length;
        let mut bytes = Vec::new();
        while end > 0 {
            let start = end.saturating_sub(WINDOW);
            file.seek(SeekFrom::Start(start))?;
            bytes.clear();
            (&mut file).take(end.saturating_sub(start)).read_to_end(&mut bytes)?;
            if let Some(place) = memchr::memrchr(b'\n', &bytes) {
                let whole = start.saturating_add(place as u64).saturating_add(1);
                return Ok((whole, whole < length));
            }
            end = start;
        }
        Ok((0, length > 0))
    };
    length().map_err(|source| ReplayError::Unreadable { path: path.to_owned(), source })
}

/// Reads one event: the bytes of a file, or of standard input.
pub(crate) fn one_event(path: &Path) -> Result<Vec<u8>, ReplayError> {
    let bytes = if path == Path::new("-") {
        read_to_limit(io::stdin())
    } else {
        File::open(path).and_then(read_to_limit)
    };
    match bytes {
        Ok(Some(mut bytes)) => {
            without_separators(&mut bytes);
            Ok(bytes)
        }
        Ok(None) => Err(ReplayError::TooLong { path: path.to_owned() }),
        Err(source) => Err(ReplayError::Unreadable { path: path.to_owned(), source }),
    }
}

/// Reads the event of a command that takes one.
pub(crate) fn only_event(path: &Path) -> Result<Vec<u8>, ReplayError> {
    let bytes = one_event(path)?;
    let texts = serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>();
    let texts: Vec<Value> = texts.map_while(Result::ok).collect();
    let events = match texts.as_slice() {
        [Value::Array(events)] => events.len(),
        texts => texts.len(),
    };
    match events {
        // A text that is not an event is refused, as at the edge.
        0 | 1 => Ok(bytes),
        events => Err(ReplayError::Several { path: path.to_owned(), events }),
    }
}

/// Puts a space in the place of each record separator at the beginning of a line (RFC 7464: a sequence of JSON texts, as
/// `jq --seq` writes it). No JSON text has one there.
fn without_separators(bytes: &mut [u8]) {
    if memchr::memchr(RECORD_SEPARATOR, bytes).is_none() {
        return;
    }
    let mut is_start = true;
    for byte in bytes {
        if is_start && *byte == RECORD_SEPARATOR {
            *byte = b' ';
        }
        is_start = *byte == b'\n';
    }
}

/// Reads all bytes, or nothing if there are more than an event can have.
fn read_to_limit(reader: impl io::Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(ONE_MORE).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= MAX_EVENT_BYTES).then_some(bytes))
}

/// Reads events. Its methods return false when nothing more must be read.
pub(super) struct Reader<'h> {
    hand: Hand<'h, Batch>,
    /// Files of one event that are not handed on yet.
    files: Vec<(PathBuf, String)>,
}

impl<'h> Reader<'h> {
    pub(super) fn new(hand: Hand<'h, Batch>) -> Self {
        Self { hand, files: Vec::new() }
    }

    fn read(&mut self, argument: &Path) -> bool {
        if argument == Path::new("-") {
            return self.read_stdin();
        }
        if argument.is_dir() {
            return self.read_folder(argument);
        }
        self.read_file(argument, argument.to_string_lossy().into_owned())
    }

    fn read_folder(&mut self, folder: &Path) -> bool {
        for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
            let goes_on = match entry {
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_owned();
                    self.fail(ReplayError::Unreadable { path, source: error.into() })
                }
                Ok(entry) if entry.file_type().is_file() && is_event_file(entry.path()) => {
                    let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path());
                    self.read_file(entry.path(), relative.to_string_lossy().into_owned())
                }
                Ok(_) => true,
            };
            if !goes_on {
                return false;
            }
        }
        true
    }

    fn read_file(&mut self, path: &Path, source: String) -> bool {
        if !is_lines(path) {
            self.files.push((path.to_owned(), source));
            return self.files.len() < BATCH_FILES || self.hand_files();
        }
        match File::open(path) {
            Ok(file) => self.read_lines(path, source, BufReader::with_capacity(BATCH_BYTES, file)),
            Err(error) => self.fail(ReplayError::Unreadable { path: path.to_owned(), source: error }),
        }
    }

    /// Reads one text if the whole input is one JSON value. Otherwise reads lines, however long the stream is.
    fn read_stdin(&mut self) -> bool {
        let mut reader = BufReader::with_capacity(BATCH_BYTES, io::stdin());
        let path = Path::new("-");
        let unreadable = |source| ReplayError::Unreadable { path: path.to_owned(), source };
        let mut start = Vec::new();
        while start.trim_ascii().is_empty() {
            match reader.by_ref().take(ONE_MORE).read_until(b'\n', &mut start) {
                Ok(0) => break,
                Ok(_) => {}
                Err(source) => return self.fail(unreadable(source)),
            }
        }
        if let Some(rest) = start.strip_prefix(BYTE_ORDER_MARK) {
            start = rest.to_vec();
        }
        without_separators(&mut start);
        if !is_json(&start) {
            if let Err(source) = reader.by_ref().take(ONE_MORE).read_to_end(&mut start) {
                return self.fail(unreadable(source));
            }
            if is_json(&start) {
                return self.hand_files() && (self.hand)(Batch::One(start));
            }
        }
        self.read_lines(path, "-".to_owned(), Cursor::new(start).chain(reader))
    }

    /// Hands on the lines as they come: always all complete ones, but for the last text if it goes on in the next line. So
    /// a sender that waits for the result of a line gets it, and a file of any length takes the memory of a few batches.
    pub(super) fn read_lines(&mut self, path: &Path, source: String, mut reader: impl BufRead) -> bool {
        if !self.hand_files() {
            return false;
        }
        let mut texts = Texts::new(path, source);
        // A mark of the encoding belongs to the file, not to its first event.
        if reader.fill_buf().is_ok_and(|start| start.starts_with(BYTE_ORDER_MARK)) {
            reader.consume(BYTE_ORDER_MARK.len());
        }
        // The beginning of a line without its end.
        let mut bytes = Vec::new();
        loop {
            let more = match reader.fill_buf() {
                Ok(more) => more,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(source) => {
                    return self.fail(ReplayError::Unreadable { path: path.to_path_buf(), source });
                }
            };
            let length = more.len();
            if length == 0 {
                without_separators(&mut bytes);
                return texts.add(bytes, self.hand) && texts.finish(self.hand);
            }
            let ends = memchr::memrchr(b'\n', more).map_or(0, |place| place.saturating_add(1));
            let (whole, rest) = more.split_at_checked(ends).unwrap_or((more, &[]));
            if ends > 0 {
                bytes.extend_from_slice(whole);
                without_separators(&mut bytes);
                if !texts.add(take(&mut bytes), self.hand) {
                    return false;
                }
            }
            bytes.extend_from_slice(rest);
            reader.consume(length);
            // A line that is too long is not read further.
            if bytes.len() > MAX_EVENT_BYTES {
                return self.fail(ReplayError::TooLong { path: path.to_path_buf() });
            }
        }
    }

    fn hand_files(&mut self) -> bool {
        self.files.is_empty() || (self.hand)(Batch::Files(take(&mut self.files)))
    }

    fn fail(&mut self, error: ReplayError) -> bool {
        if self.hand_files() {
            (self.hand)(Batch::Unusable(error));
        }
        false
    }
}

fn is_event_file(path: &Path) -> bool {
    is_lines(path) || path.extension().is_some_and(|extension| extension == "json")
}

fn is_lines(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jsonl" || extension == "ndjson")
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}
