//! What a start does with the files that it finds: it takes in those that a person put there, and removes those that a
//! crash has left.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, OptionalExtension};
use s3s::{S3Error, S3Result};

use super::checksums::{self, Hasher, hex};
use super::facts::{Facts, Object};
use super::files::{Files, INDEX_FILES, Moves};
use super::index::{Index, broken};
use super::name::FileId;
use super::time::seconds;
use super::versions::Versioning;

/// The longest key.
const LONGEST_KEY: usize = 1_024;

/// How many files are taken in at once.
const BATCH: usize = 500;

/// The name that older versions of this program gave to the file of `folder/` in `folder`.
const FOLDER_OBJECT: &str = "\u{1}";

/// Makes an object of every file in the folder of what is to be imported; its key is its path there. A file that cannot
/// be one stays where it is, and is named in the result.
pub(crate) fn import(
    connection: &Connection,
    files: &Files,
    versioning: Versioning,
) -> S3Result<Vec<String>> {
    let root = files.import();
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    walk(&root, "", &mut found, &mut notes);
    take_all(connection, files, versioning, &found, &mut notes)?;
    remove_empty(&root);
    // Where a person sees it.
    fs::create_dir_all(&root).map_err(broken)?;
    Ok(notes)
}

/// The files below a folder, with their keys. A link leads elsewhere, and is not followed.
fn walk(folder: &Path, path: &str, found: &mut Vec<(PathBuf, String)>, notes: &mut Vec<String>) {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return notes.push(said(folder, &error)),
        Ok(entries) => entries,
    };
    for entry in entries {
        let kind = entry.and_then(|entry| Ok((entry.file_type()?, entry)));
        let (kind, entry) = match kind {
            Ok(entry) => entry,
            Err(error) => {
                notes.push(said(folder, &error));
                continue;
            }
        };
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            notes.push(said(&entry.path(), &"its name is not UTF-8"));
            continue;
        };
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}{name}/"), found, notes);
        } else if kind.is_file() {
            if path.is_empty() && INDEX_FILES.contains(&name) {
                notes.push(said(&entry.path(), &"it is the index of a bucket"));
                continue;
            }
            let name = if name == FOLDER_OBJECT && !path.is_empty() { "" } else { name };
            let key = format!("{path}{name}");
            if key.len() <= LONGEST_KEY {
                found.push((entry.path(), key));
            } else {
                notes.push(said(&entry.path(), &"its key is longer than 1,024 bytes"));
            }
        }
    }
}

fn said(path: &Path, why: &dyn std::fmt::Display) -> String {
    format!("`{}`: {why}", path.display())
}

fn take_all(
    connection: &Connection,
    files: &Files,
    versioning: Versioning,
    found: &[(PathBuf, String)],
    notes: &mut Vec<String>,
) -> S3Result<()> {
    for batch in found.chunks(BATCH) {
        let mut moves = Moves::default();
        connection.execute_batch("BEGIN IMMEDIATE").map_err(broken)?;
        let mut taken = Vec::new();
        let all = batch.iter().try_for_each(|(path, key)| {
            let id = files.id();
            match body(files, &mut moves, path, key, id) {
                Ok(object) => {
                    versioning.put(connection, (&mut moves, files), key, id, &object)?;
                    taken.push(path);
                }
                Err(error) => notes.push(said(path, &error)),
            }
            Ok(())
        });
        let written = all
            .and_then(|()| moves.sync().map_err(broken))
            .and_then(|()| connection.execute_batch("COMMIT").map_err(broken));
        if let Err(error) = written {
            let _ = connection.execute_batch("ROLLBACK");
            moves.undo(Moves::default().mark());
            return Err(error);
        }
        moves.finish(files);
        for path in taken {
            // It has another name by now. Otherwise it is taken in once more by the next start.
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

/// Reads a file, and makes it the body of an object.
fn body(files: &Files, moves: &mut Moves, path: &Path, key: &str, id: FileId) -> io::Result<Object> {
    let mut file = File::open(path)?;
    let modified = file.metadata().and_then(|file| file.modified()).map_or(0, seconds);
    let mut hasher = Hasher::new([checksums::DEFAULT]);
    let (mut held, mut size) = (vec![0; 256 * 1024], 0_u64);
    loop {
        let length = file.read(&mut held)?;
        let Some(bytes) = held.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        size = size.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
    }
    file.sync_data()?;
    let hashed = hasher.finish();
    let object = Object {
        size,
        etag: hex(&hashed.md5),
        modified,
        body: Files::place(key, id),
        facts: Facts { sums: hashed.sums, ..Facts::default() },
        ..Object::default()
    };
    moves.link(path, &files.body(&object.body))?;
    Ok(object)
}

/// Removes the empty folders below a folder, and it.
fn remove_empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&entry.path());
        }
    }
    // Fails if it is not empty.
    let _ = fs::remove_dir(folder);
}

/// Removes the parts that no upload has.
pub(crate) fn sweep_uploads(connection: &Connection, files: &Files) -> S3Result<()> {
    for id in files.uploads().map_err(broken)? {
        let known = "SELECT 1 FROM uploads WHERE id = ?1";
        let is_known = connection.query_row(known, [&id], |_| Ok(())).optional().map_err(broken)?.is_some();
        let folder = files.upload(&id);
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder).map_err(broken)? {
            let entry = entry.map_err(broken)?;
            let name = entry.file_name();
            let named = "SELECT 1 FROM parts WHERE upload = ?1 AND file = ?2";
            let is_wanted = is_known
                && connection
                    .query_row(named, [id.as_str(), &name.to_string_lossy()], |_| Ok(()))
                    .optional()
                    .map_err(broken)?
                    .is_some();
            if !is_wanted {
                fs::remove_file(entry.path()).map_err(broken)?;
            }
        }
        if !is_known {
            fs::remove_dir(&folder).map_err(broken)?;
        }
    }
    Ok(())
}

/// Removes the bodies of earlier starts that the index does not name, while the bucket serves.
pub(crate) fn sweep_bodies(index: &Index, files: &Files, stop: &AtomicBool) {
    let mut is_wanted = |id: FileId| {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let query = "SELECT 1 FROM objects WHERE id = ?1 UNION ALL SELECT 1 FROM versions WHERE id = ?1";
        let named: Result<bool, S3Error> = index.read(|connection| {
            connection
                .prepare_cached(query)?
                .query_row([id.stored()], |_| Ok(()))
                .optional()
                .map(|row| row.is_some())
        });
        named.ok()
    };
    // What cannot be read or removed stays until the next start.
    let _ = files.sweep(&mut is_wanted);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::files::prepare;

    #[test]
    fn a_file_that_cannot_be_read_is_left_out_and_told() {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path()).unwrap();
        let (_index, connection, run) = Index::open(&folder.path().join("index.sqlite")).unwrap();
        let files = Files::new(folder.path(), run);
        let versioning = Versioning::open(&connection, false).unwrap();
        let import = files.import();
        fs::write(import.join("a"), "a").unwrap();
        let found = ["gone", "a"].map(|name| (import.join(name), name.to_owned()));
        let mut notes = Vec::new();
        take_all(&connection, &files, versioning, &found, &mut notes).unwrap();
        assert!(notes.len() == 1 && notes[0].contains("gone"), "{notes:?}");
        let count: u32 = connection.query_row("SELECT count(*) FROM objects", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 1);
        assert!(!import.join("a").exists());
    }

    #[test]
    fn a_file_with_another_name_elsewhere_is_copied_and_an_index_stays() {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path()).unwrap();
        let (_index, connection, run) = Index::open(&folder.path().join("index.sqlite")).unwrap();
        let files = Files::new(folder.path(), run);
        let versioning = Versioning::open(&connection, false).unwrap();
        let outside = folder.path().join("outside");
        fs::write(&outside, "as it was").unwrap();
        fs::hard_link(&outside, files.import().join("a")).unwrap();
        fs::write(files.import().join("index.sqlite-wal"), "x").unwrap();
        let notes = super::import(&connection, &files, versioning).unwrap();
        assert!(notes.len() == 1 && notes[0].contains("index.sqlite-wal"), "{notes:?}");
        fs::write(&outside, "changed").unwrap();
        let body: String = connection.query_row("SELECT body FROM objects", [], |row| row.get(0)).unwrap();
        assert_eq!(fs::read(files.body(&body)).unwrap(), b"as it was");
    }
}
