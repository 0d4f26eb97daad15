//! The folder of a bucket.
//!
//! ```text
//! DATA/BUCKET/objects/     a file for each body, under the name of its key: users/alice/photo~1-2.jpg
//! DATA/BUCKET/uploads/     the parts of uploads that are neither completed nor aborted
//! DATA/BUCKET/incoming/    bodies that are arriving
//! DATA/BUCKET/import/      files that the next start makes objects, if somebody puts them there
//! DATA/BUCKET/index.sqlite what is an object, and which file is its body
//! DATA/BUCKET/lock         locked while a program serves the bucket
//! ```
//!
//! A file is never changed once it is in `objects/` or `uploads/`, and never has the name of another one. It counts
//! only when the index names it. So a crash can leave a file that is not an object, which the next start removes, but
//! never half an object.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::name::{FileId, Place};

const OBJECTS: &str = "objects";
const UPLOADS: &str = "uploads";
const INCOMING: &str = "incoming";
const IMPORT: &str = "import";
/// What becomes `import/` once everything is in it.
const GATHERED: &str = "import~";
const INDEX: &str = "index.sqlite";
/// The files of an index, which are never objects.
pub(crate) const INDEX_FILES: [&str; 4] =
    [INDEX, "index.sqlite-wal", "index.sqlite-shm", "index.sqlite-journal"];
const LOCK: &str = "lock";

/// The folder of one bucket, for one start.
#[derive(Debug)]
pub(crate) struct Files {
    root: PathBuf,
    run: u32,
    next: AtomicU32,
}

/// The file of the current object of a key, if there is one: of the files with the key's name, the last.
pub(crate) fn find(data_dir: &Path, bucket: &str, key: &str) -> Option<PathBuf> {
    let place = Place::of(key);
    let folder = data_dir.join(bucket).join(OBJECTS).join(place.folder());
    let of_the_key = |entry: io::Result<fs::DirEntry>| place.id_of(entry.ok()?.file_name().to_str()?);
    let last = fs::read_dir(&folder).ok()?.filter_map(of_the_key).max()?;
    Some(data_dir.join(bucket).join(OBJECTS).join(place.file(last)))
}

/// The lock of a bucket's folder. It is released when this is dropped, however the program ends.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held, not read")] File);

impl Lock {
    /// `None` if another program holds it.
    pub(crate) fn take(root: &Path) -> io::Result<Option<Self>> {
        let file = File::options().create(true).truncate(false).write(true).open(root.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Creates what is missing, and moves what is not the bucket's into the folder of what is to be imported: a folder
/// that a person filled, or an older version of this program.
pub(crate) fn prepare(root: &Path) -> io::Result<()> {
    fs::create_dir_all(root)?;
    if !root.join(INDEX).try_exists()? {
        let mut others = Vec::new();
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            if entry.file_name() != LOCK && entry.file_name() != GATHERED {
                others.push(entry);
            }
        }
        let gathered = root.join(GATHERED);
        // A folder that has only the folder of what is to be imported is as it should be.
        if gathered.is_dir() || others.iter().any(|entry| entry.file_name() != IMPORT) {
            fs::create_dir_all(&gathered)?;
            for entry in others {
                fs::rename(entry.path(), gathered.join(entry.file_name()))?;
            }
            fs::rename(&gathered, root.join(IMPORT))?;
        }
    }
    fs::create_dir_all(root.join(IMPORT))?;
    for folder in [OBJECTS, UPLOADS, INCOMING] {
        fs::create_dir_all(root.join(folder))?;
    }
    sync_folder(root)?;
    let parent = root.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_folder(parent.unwrap_or(Path::new(".")))
}

/// Whether the bucket has bodies and no index: what is in `objects/` has other names than its keys, so it must not be
/// imported.
pub(crate) fn has_lost_its_index(root: &Path) -> io::Result<bool> {
    if root.join(INDEX).try_exists()? || !root.join(OBJECTS).is_dir() {
        return Ok(false);
    }
    Ok(fs::read_dir(root.join(OBJECTS))?.next().is_some())
}

/// The path of the index in the folder of a bucket.
pub(crate) fn index_of(root: &Path) -> PathBuf {
    root.join(INDEX)
}

impl Files {
    /// The folder for the start with this number.
    pub(crate) fn new(root: &Path, run: u32) -> Self {
        Self { root: root.to_owned(), run, next: AtomicU32::new(0) }
    }

    /// A number that no file of the bucket has had.
    pub(crate) fn id(&self) -> FileId {
        FileId::new(self.run, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// A new file for a body that arrives.
    pub(crate) fn incoming(&self) -> io::Result<(Incoming, File)> {
        let id = self.id();
        let path = self.root.join(INCOMING).join(id.suffix());
        let file = File::options().create_new(true).read(true).write(true).open(&path)?;
        Ok((Incoming { id, path }, file))
    }

    /// The file of a body.
    pub(crate) fn body(&self, path: &str) -> PathBuf {
        self.root.join(OBJECTS).join(path)
    }

    /// The path of the body with this number, as the index stores it.
    pub(crate) fn place(key: &str, id: FileId) -> String {
        Place::of(key).file(id).to_string_lossy().into_owned()
    }

    /// The folder of an upload in parts.
    pub(crate) fn upload(&self, id: &str) -> PathBuf {
        self.root.join(UPLOADS).join(id)
    }

    /// The file of a part.
    pub(crate) fn part(&self, upload: &str, name: &str) -> PathBuf {
        self.upload(upload).join(name)
    }

    /// Removes the empty folders from this one up to the folder of all bodies.
    pub(crate) fn remove_empty(&self, folder: &Path) {
        let objects = self.root.join(OBJECTS);
        for folder in
            folder.ancestors().take_while(|folder| *folder != objects && folder.starts_with(&objects))
        {
            // Fails for the first that is not empty.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }

    /// The folder of what is to be imported.
    pub(crate) fn import(&self) -> PathBuf {
        self.root.join(IMPORT)
    }

    /// Removes the bodies that were arriving when another start ended.
    pub(crate) fn sweep_incoming(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.root.join(INCOMING))? {
            let entry = entry?;
            let id = entry.file_name().to_str().and_then(FileId::of_name);
            if id.is_some_and(|id| id.run() < self.run) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// The folders of uploads, by their ids.
    pub(crate) fn uploads(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(self.root.join(UPLOADS))?;
        Ok(names.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }

    /// Removes each body of an earlier start that is not wanted.
    pub(crate) fn sweep(&self, is_wanted: &mut dyn FnMut(FileId) -> Option<bool>) -> io::Result<()> {
        let mut folders = vec![self.root.join(OBJECTS)];
        while let Some(folder) = folders.pop() {
            let mut is_swept = false;
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                    continue;
                }
                let id = entry.file_name().to_str().and_then(FileId::of_name);
                let Some(id) = id.filter(|id| id.run() < self.run) else { continue };
                match is_wanted(id) {
                    Some(true) => {}
                    Some(false) => {
                        fs::remove_file(entry.path())?;
                        is_swept = true;
                    }
                    // The bucket stops.
                    None => return Ok(()),
                }
            }
            if is_swept {
                self.remove_empty(&folder);
            }
        }
        Ok(())
    }
}

/// A file that is not a body yet. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Incoming {
    id: FileId,
    path: PathBuf,
}

impl Incoming {
    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // It has been moved if it became a body.
        let _ = fs::remove_file(&self.path);
    }
}

/// What changes in the folder together with the index: files that are put in their place before the index is written,
/// and files that are removed after it.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    fresh: Vec<PathBuf>,
    obsolete: Vec<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

/// How many changes there were at a time, to go back to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    fresh: usize,
    obsolete: usize,
}

impl Moves {
    /// Puts a file in its place, where nothing is.
    pub(crate) fn place(&mut self, file: &Incoming, to: &Path) -> io::Result<()> {
        self.make_folder(to)?;
        fs::rename(file.path(), to)?;
        self.fresh.push(to.to_owned());
        Ok(())
    }

    /// Gives a file a second name, so that it stays what it is until the index is written.
    pub(crate) fn link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.make_folder(to)?;
        // Who has another name for the file could change the body. Some file systems have no links.
        let is_shared = fs::metadata(from)?.nlink() > 1;
        if is_shared || fs::hard_link(from, to).is_err() {
            fs::copy(from, to)?;
            File::open(to)?.sync_all()?;
        }
        self.fresh.push(to.to_owned());
        Ok(())
    }

    fn make_folder(&mut self, file: &Path) -> io::Result<()> {
        let Some(folder) = file.parent() else { return Ok(()) };
        let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.is_dir()).collect();
        fs::create_dir_all(folder)?;
        // A new folder is lasting once its parent is written.
        self.folders.extend(missing.iter().filter_map(|folder| folder.parent()).map(Path::to_owned));
        self.folders.insert(folder.to_owned());
        Ok(())
    }

    /// Removes a file, or an empty folder, once the index no longer names it.
    pub(crate) fn remove_later(&mut self, path: PathBuf) {
        self.obsolete.push(path);
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { fresh: self.fresh.len(), obsolete: self.obsolete.len() }
    }

    /// Undoes everything since the mark.
    pub(crate) fn undo(&mut self, mark: Mark) {
        for path in self.fresh.drain(mark.fresh.min(self.fresh.len())..) {
            let _ = fs::remove_file(path);
        }
        self.obsolete.truncate(mark.obsolete);
    }

    /// Writes the folders to the disk, before the index names what is new in them.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        for folder in std::mem::take(&mut self.folders) {
            sync_folder(&folder)?;
        }
        Ok(())
    }

    /// Removes what the index no longer names. What cannot be removed is swept at the next start.
    pub(crate) fn finish(self, files: &Files) {
        for path in self.obsolete {
            let is_removed = match path.is_dir() {
                true => fs::remove_dir(&path),
                false => fs::remove_file(&path),
            };
            if let (Ok(()), Some(folder)) = (is_removed, path.parent()) {
                files.remove_empty(folder);
            }
        }
    }
}

/// Windows does not open folders, and needs no such thing.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder) {
        Ok(folder) => folder.sync_all(),
        Err(error) if cfg!(unix) => Err(error),
        Err(_) => Ok(()),
    }
}
