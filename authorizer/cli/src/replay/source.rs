//! Where events come from: files, folders, JSON Lines and standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use serde::de::IgnoredAny;
use thiserror::Error;
use walkdir::WalkDir;

/// The longest event, in bytes. CloudFront's are far smaller: 20 KB of headers, 40 KB of body.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// As many bytes as show that an event is too long.
const ONE_MORE: u64 = 1024 * 1024 + 1;

/// Why events cannot be replayed. An event that is malformed is none of these: it is refused, as at the
/// edge.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum ReplayError {
    /// A file or folder cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    #[diagnostic(help("name a file or folder that exists and that you may read"))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing to replay: that is not the same as nothing refused.
    #[error("there is no event in what was named")]
    #[diagnostic(help("name files that hold events, or a folder with .json, .jsonl or .ndjson files"))]
    NoEvents,
    /// Longer than an event can be.
    #[error("`{path}` holds an event of more than 1 MiB")]
    #[diagnostic(help(
        "an event is one JSON object; `replay` takes many, one a line, from a file named .jsonl"
    ))]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// A file for `--expect` that `replay` did not write.
    #[error("`{path}`, line {line}: this is no recorded outcome, or the second for one event")]
    #[diagnostic(help("record outcomes with `authorizer replay --format json`"))]
    Expectation {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// The bytes of one event, and where they were found.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) bytes: Vec<u8>,
    pub(super) source: String,
    pub(super) line: Option<u64>,
}

type Events<'a> = Box<dyn Iterator<Item = Result<Event, ReplayError>> + 'a>;

/// All events under some arguments, in order; the files of a folder by name. The source of an event is the
/// argument itself, or the path below it.
pub(super) fn events(arguments: &[PathBuf]) -> impl Iterator<Item = Result<Event, ReplayError>> {
    arguments.iter().flat_map(|argument| -> Events<'_> {
        if argument == Path::new("-") {
            return from_stdin();
        }
        if argument.is_dir() {
            return from_folder(argument);
        }
        from_file(argument, argument.to_string_lossy().into_owned())
    })
}

/// The bytes of a file, or of standard input, that is one event.
pub(crate) fn one_event(path: &Path) -> Result<Vec<u8>, ReplayError> {
    let unreadable = |source| ReplayError::Unreadable { path: path.to_owned(), source };
    let bytes = if path == Path::new("-") {
        read_to_limit(BufReader::new(io::stdin()))
    } else {
        File::open(path).and_then(|file| read_to_limit(BufReader::new(file)))
    };
    bytes.map_err(unreadable)?.ok_or_else(|| ReplayError::TooLong { path: path.to_owned() })
}

fn from_folder(folder: &Path) -> Events<'_> {
    let files = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    Box::new(files.flat_map(move |entry| -> Events<'_> {
        match entry {
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                fail(ReplayError::Unreadable { path, source: error.into() })
            }
            Ok(entry) if entry.file_type().is_file() && is_event_file(entry.path()) => {
                let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path());
                let name = relative.to_string_lossy().into_owned();
                from_file(entry.path(), name)
            }
            Ok(_) => Box::new(std::iter::empty()),
        }
    }))
}

fn is_event_file(path: &Path) -> bool {
    is_lines(path) || path.extension().is_some_and(|extension| extension == "json")
}

fn is_lines(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jsonl" || extension == "ndjson")
}

fn from_file(path: &Path, source: String) -> Events<'static> {
    let path = path.to_owned();
    let file = match File::open(&path) {
        Ok(file) => BufReader::new(file),
        Err(error) => return fail(ReplayError::Unreadable { path, source: error }),
    };
    if is_lines(&path) {
        return Box::new(Lines { reader: file, path, source, number: 0, done: false });
    }
    match read_to_limit(file) {
        Ok(Some(bytes)) => Box::new(std::iter::once(Ok(Event { bytes, source, line: None }))),
        Ok(None) => fail(ReplayError::TooLong { path }),
        Err(error) => fail(ReplayError::Unreadable { path, source: error }),
    }
}

/// One event, when all of the input is one JSON value, so that a pretty-printed file can be piped in; else one
/// event a line. A stream of lines is read line by line, however long it is.
fn from_stdin() -> Events<'static> {
    let mut reader = BufReader::new(io::stdin());
    let path = PathBuf::from("-");
    let mut start = Vec::new();
    while start.trim_ascii().is_empty() {
        match reader.by_ref().take(ONE_MORE).read_until(b'\n', &mut start) {
            Ok(0) => break,
            Ok(_) => {}
            Err(source) => return fail(ReplayError::Unreadable { path, source }),
        }
    }
    if !is_json(&start) {
        if let Err(source) = reader.by_ref().take(ONE_MORE).read_to_end(&mut start) {
            return fail(ReplayError::Unreadable { path, source });
        }
        if is_json(&start) {
            return Box::new(std::iter::once(Ok(Event { bytes: start, source: "-".into(), line: None })));
        }
    }
    let reader = io::Cursor::new(start).chain(reader);
    Box::new(Lines { reader, path, source: "-".into(), number: 0, done: false })
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

fn fail(error: ReplayError) -> Events<'static> {
    Box::new(std::iter::once(Err(error)))
}

/// Reads all, or nothing when it is longer than an event can be.
fn read_to_limit(reader: impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(ONE_MORE).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= MAX_EVENT_BYTES).then_some(bytes))
}

/// The events of JSON Lines, one at a time, so that the longest file takes the memory of one line.
struct Lines<R> {
    reader: R,
    path: PathBuf,
    source: String,
    number: u64,
    done: bool,
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Event, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            let mut bytes = Vec::new();
            match self.reader.by_ref().take(ONE_MORE).read_until(b'\n', &mut bytes) {
                Ok(0) => self.done = true,
                Ok(_) if bytes.len() > MAX_EVENT_BYTES => {
                    self.done = true;
                    return Some(Err(ReplayError::TooLong { path: self.path.clone() }));
                }
                Ok(_) => {
                    self.number = self.number.saturating_add(1);
                    if bytes.trim_ascii().is_empty() {
                        continue;
                    }
                    return Some(Ok(Event { bytes, source: self.source.clone(), line: Some(self.number) }));
                }
                Err(source) => {
                    self.done = true;
                    return Some(Err(ReplayError::Unreadable { path: self.path.clone(), source }));
                }
            }
        }
        None
    }
}
