//! The index: what is an object, what is known of it, and which file is its body.
//!
//! It is SQLite. Looked at besides: `redb`, also one file and fast, but after a write that failed it reads nothing more
//! until it is opened again, and a full disk must not take away what is there; a log of our own with everything in
//! memory, which is code to write and a start that reads it all. SQLite rolls such a write back and reads on, is
//! the best tested there is, and a person can ask it with `sqlite3`.
//!
//! One thread writes, a batch of changes in one transaction, so that many uploads share the wait for the disk. Reads
//! have connections of their own, which never wait for a write (`journal_mode=WAL`).

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use s3s::{S3Error, S3Result, s3_error};
use tokio::sync::oneshot;

use super::facts::Object;
use super::files::{Files, Moves};

/// The version of the tables. A bucket of another version is refused.
const SCHEMA: i64 = 1;

/// Keys are bytes, so that they have the order of their UTF-8, which is S3's.
const TABLES: &str = "
    CREATE TABLE objects (
        key BLOB NOT NULL PRIMARY KEY, id INTEGER NOT NULL, version TEXT NOT NULL, size INTEGER NOT NULL,
        etag TEXT NOT NULL, modified INTEGER NOT NULL, body TEXT NOT NULL, facts TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX objects_id ON objects (id);
    CREATE TABLE versions (
        key BLOB NOT NULL, id INTEGER NOT NULL, version TEXT NOT NULL, size INTEGER NOT NULL,
        etag TEXT NOT NULL, modified INTEGER NOT NULL, body TEXT, facts TEXT NOT NULL,
        PRIMARY KEY (key, id)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX versions_id ON versions (id);
    CREATE TABLE uploads (
        id TEXT NOT NULL PRIMARY KEY, key BLOB NOT NULL, facts TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE parts (
        upload TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        modified INTEGER NOT NULL, file TEXT NOT NULL, sums TEXT NOT NULL,
        PRIMARY KEY (upload, number)
    ) WITHOUT ROWID;
    CREATE TABLE settings (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
";

/// Statements that are kept compiled, for each connection.
const KEPT_STATEMENTS: usize = 32;

/// How many changes are written at once.
const LARGEST_BATCH: usize = 256;

/// How long a connection waits for another, which happens only while SQLite recovers from a crash.
const PATIENCE: Duration = Duration::from_secs(10);

/// A change of the index. It tells its caller when it is known whether it was written.
type Change = Box<dyn FnOnce(&Connection, &mut Moves) -> Told + Send>;
type Told = Box<dyn FnOnce(bool) + Send>;

/// The index of one bucket.
pub(crate) struct Index {
    path: std::path::PathBuf,
    readers: Mutex<Vec<Connection>>,
    changes: Mutex<Option<Sender<Change>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// Why the index cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(
        "the bucket was written by another version of this program (its index has version {0}, and this one {SCHEMA})"
    )]
    Version(i64),
}

/// The answer to a failure of the index or of the disk. Nothing was changed.
pub(crate) fn broken(error: impl std::error::Error + Send + Sync + 'static) -> S3Error {
    let is_full = error.to_string().contains("full") || error.to_string().contains("No space left");
    match is_full {
        true => s3_error!(error, InternalError, "The disk of this bucket is full."),
        false => s3_error!(error, InternalError, "We encountered an internal error. Please try again."),
    }
}

impl Index {
    /// Opens the index, creates it if it is missing, and counts the start: the second is its number.
    pub(crate) fn open(path: &Path) -> Result<(Self, Connection, u32), OpenError> {
        let connection = Connection::open(path)?;
        set_up(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        match version {
            0 => connection
                .execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {SCHEMA}; COMMIT;"))?,
            SCHEMA => {}
            other => return Err(OpenError::Version(other)),
        }
        let run = "INSERT INTO settings VALUES ('run', 1) ON CONFLICT DO UPDATE SET value = value + 1 RETURNING value";
        let run: u32 = connection.query_row(run, [], |row| row.get(0))?;
        let index = Self {
            path: path.to_owned(),
            readers: Mutex::new(Vec::new()),
            changes: Mutex::new(None),
            writer: Mutex::new(None),
        };
        Ok((index, connection, run))
    }

    /// Starts the thread that writes.
    pub(crate) fn start(&self, connection: Connection, files: Arc<Files>) -> std::io::Result<()> {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new().name("bucket-index".to_owned());
        let thread = thread.spawn(move || write(&connection, &files, &receiver))?;
        *lock(&self.changes) = Some(sender);
        *lock(&self.writer) = Some(thread);
        Ok(())
    }

    /// Writes what was asked for until now, and ends. May block for as long as the disk does.
    pub(crate) fn stop(&self) {
        drop(lock(&self.changes).take());
        let writer = lock(&self.writer).take();
        if let Some(writer) = writer {
            let _ = writer.join();
        }
        lock(&self.readers).clear();
    }

    /// Reads. It is a few microseconds and no reason to leave the thread.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> S3Result<T> {
        let kept = lock(&self.readers).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.reader().map_err(broken)?,
        };
        let result = read(&connection).map_err(broken);
        lock(&self.readers).push(connection);
        result
    }

    fn reader(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        set_up(&connection)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }

    /// Changes the index and the files, both or neither. When it returns, the change is on the disk.
    ///
    /// The change is made even if nobody waits for it any more.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection, &mut Moves) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let (answer, hears) = oneshot::channel();
        let change: Change = Box::new(move |connection, moves| {
            let result = apart(connection, moves, change);
            let told = move |is_written: bool| {
                let result = match is_written {
                    true => result,
                    // A refusal is one whether or not other changes could be written.
                    false => result.and_then(|_| Err(unwritten())),
                };
                // Nobody hears it if the client has gone.
                let _ = answer.send(result);
            };
            Box::new(told)
        });
        let is_sent = lock(&self.changes).as_ref().is_some_and(|changes| changes.send(change).is_ok());
        if !is_sent {
            return Err(s3_error!(ServiceUnavailable, "The bucket is stopping."));
        }
        hears.await.unwrap_or_else(|_| Err(unwritten()))
    }
}

fn unwritten() -> S3Error {
    s3_error!(InternalError, "The bucket cannot write to its disk. Nothing was changed.")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(KEPT_STATEMENTS);
    connection.busy_timeout(PATIENCE)?;
    // Each transaction is on the disk when it ends.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // On macOS, `fsync` alone leaves it in the disk's own memory. Elsewhere, this changes nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "cache_size", -8_000)
}

/// Writes the changes as they come, those that wait in one transaction.
fn write(connection: &Connection, files: &Files, changes: &Receiver<Change>) {
    while let Ok(first) = changes.recv() {
        let mut moves = Moves::default();
        let mut told = Vec::new();
        let is_written = batch(connection, first, changes, &mut moves, &mut told);
        match is_written {
            true => moves.finish(files),
            false => {
                moves.undo(Moves::default().mark());
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
        for tell in told {
            tell(is_written);
        }
    }
}

fn batch(
    connection: &Connection,
    first: Change,
    changes: &Receiver<Change>,
    moves: &mut Moves,
    told: &mut Vec<Told>,
) -> bool {
    if connection.execute_batch("BEGIN IMMEDIATE").is_err() {
        // The change must still hear that nothing came of it.
        drop(first);
        return false;
    }
    let mut next = Some(first);
    while let Some(change) = next {
        told.push(change(connection, moves));
        // SQLite ends a transaction by itself when the disk is full. What comes after must not be written without the
        // rest, so all of the batch hear that nothing was changed.
        if connection.is_autocommit() {
            return false;
        }
        next = if told.len() < LARGEST_BATCH { changes.try_recv().ok() } else { None };
    }
    moves.sync().is_ok() && connection.execute_batch("COMMIT").is_ok()
}

/// Makes a part of a transaction a whole of its own: if it fails, nothing of it stays.
fn apart<T>(
    connection: &Connection,
    moves: &mut Moves,
    change: impl FnOnce(&Connection, &mut Moves) -> S3Result<T>,
) -> S3Result<T> {
    let mark = moves.mark();
    connection.execute_batch("SAVEPOINT apart").map_err(broken)?;
    let result = change(connection, moves);
    if result.is_ok() {
        connection.execute_batch("RELEASE apart").map_err(broken)?;
    } else {
        moves.undo(mark);
        // A full disk may already have ended the whole transaction, which `batch` then sees.
        let _ = connection.execute_batch("ROLLBACK TO apart; RELEASE apart");
    }
    result
}

/// Reads an object from a row with `version, size, etag, modified, body, facts` from this column on.
pub(crate) fn object(row: &Row<'_>, at: usize) -> rusqlite::Result<Object> {
    let column = |more: usize| at.saturating_add(more);
    let facts: String = row.get(column(5))?;
    Ok(Object {
        version: row.get(column(0))?,
        size: row.get::<_, i64>(column(1))?.try_into().unwrap_or_default(),
        etag: row.get(column(2))?,
        modified: row.get(column(3))?,
        body: row.get::<_, Option<String>>(column(4))?.unwrap_or_default(),
        facts: json(column(5), &facts)?,
    })
}

/// Reads what is stored as JSON.
pub(crate) fn json<T: serde::de::DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

/// Writes what is stored as JSON.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> S3Result<String> {
    serde_json::to_string(value).map_err(broken)
}

/// The current object of a key.
pub(crate) fn current(connection: &Connection, key: &str) -> rusqlite::Result<Option<Object>> {
    let mut query = connection
        .prepare_cached("SELECT version, size, etag, modified, body, facts FROM objects WHERE key = ?1")?;
    query.query_row([key.as_bytes()], |row| object(row, 0)).optional()
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use super::*;
    use crate::s3::files;
    use rusqlite::params;

    fn put(key: &'static str, size: usize) -> impl FnOnce(&Connection, &mut Moves) -> S3Result<()> + Send {
        move |connection, _| {
            let row = "INSERT INTO uploads (id, key, facts) VALUES (?1, x'00', ?2)";
            connection.execute(row, params![key, "x".repeat(size)]).map(|_| ()).map_err(broken)
        }
    }

    fn count(index: &Index) -> i64 {
        index
            .read(|connection| connection.query_row("SELECT count(*) FROM uploads", [], |row| row.get(0)))
            .unwrap()
    }

    #[tokio::test]
    async fn a_full_disk_changes_nothing_and_what_was_there_is_still_read() {
        let folder = tempfile::tempdir().unwrap();
        files::prepare(folder.path()).unwrap();
        let (index, connection, run) = Index::open(&files::index_of(folder.path())).unwrap();
        let files = Arc::new(Files::new(folder.path(), run));
        index.start(connection, Arc::clone(&files)).unwrap();
        index.change(put("before", 10)).await.unwrap();
        // As SQLite sees a disk that has no more room.
        let limit = |pages: i64| {
            move |connection: &Connection, _: &mut Moves| {
                let query = format!("PRAGMA max_page_count = {pages}");
                connection.query_row(&query, [], |_| Ok(())).map_err(broken)
            }
        };
        index.change(limit(1)).await.unwrap();
        let (incoming, _) = files.incoming().unwrap();
        let place = files.body("a/b~1-1.txt");
        let placed = place.clone();
        let full = index.change(move |connection, moves| {
            moves.place(&incoming, &placed).map_err(broken)?;
            assert!(placed.exists());
            put("too large", 1_000_000)(connection, moves)
        });
        let error = full.await.unwrap_err();
        assert_eq!(error.message(), Some("The disk of this bucket is full."));
        assert!(!place.exists(), "the file is taken back");
        assert_eq!(count(&index), 1);
        // Of a batch in which one finds the disk full, none is made that was not told so.
        let (small, large, later) = tokio::join!(
            index.change(put("small", 1)),
            index.change(put("large", 1_000_000)),
            index.change(put("later", 1)),
        );
        assert!(large.is_err());
        let made = [&small, &later].iter().filter(|change| change.is_ok()).count();
        assert_eq!(count(&index), 1 + i64::try_from(made).unwrap());
        index.change(put("alone", 1)).await.unwrap();
        index.change(limit(1_000_000)).await.unwrap();
        index.change(put("after", 1_000_000)).await.unwrap();
        assert_eq!(count(&index), 3 + i64::try_from(made).unwrap());
        index.stop();
        assert!(index.change(put("late", 1)).await.is_err());
    }

    #[tokio::test]
    async fn a_change_is_made_even_if_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        files::prepare(folder.path()).unwrap();
        let (index, connection, run) = Index::open(&files::index_of(folder.path())).unwrap();
        index.start(connection, Arc::new(Files::new(folder.path(), run))).unwrap();
        {
            let mut change = std::pin::pin!(index.change(put("a", 1)));
            let waker = std::task::Waker::noop();
            let _ = std::future::Future::poll(change.as_mut(), &mut std::task::Context::from_waker(waker));
        }
        index.stop();
        let (_, connection, run) = Index::open(&files::index_of(folder.path())).unwrap();
        assert_eq!(
            connection.query_row("SELECT count(*) FROM uploads", [], |row| row.get::<_, i64>(0)),
            Ok(1)
        );
        assert_eq!(run, 2);
    }

    #[test]
    fn an_index_of_another_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite");
        drop(Index::open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
        let error = Index::open(&path).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("another version of this program"), "{error}");
    }
}
