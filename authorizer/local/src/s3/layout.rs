//! The layout of the data folder: the objects, and the files of `s3s-fs` beside the bucket's folder.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::{S3Error, S3Result, s3_error};
use tokio::fs;

use super::key::Key;

/// The data folder of one bucket.
///
/// The names of the files beside it are those of `s3s-fs`, whose version is pinned: it does not have a function that
/// says whether an upload belongs to a key, or that removes the metadata of a deleted object.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
    bucket: String,
}

/// An upload in parts that was begun for a key and is not completed or aborted.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    id: String,
}

impl Upload {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl Layout {
    pub(crate) fn new(root: &Path, bucket: &str) -> Self {
        Self { root: root.to_owned(), bucket: bucket.to_owned() }
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The bucket's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.root.join(&self.bucket)
    }

    /// Whether the key has an object. A folder that leads to other keys is not an object.
    pub(crate) async fn has_object(&self, key: &Key) -> bool {
        fs::metadata(self.object(key)).await.is_ok_and(|file| file.is_file())
    }

    fn object(&self, key: &Key) -> PathBuf {
        self.folder().join(key.stored())
    }

    /// The file of an object's headers.
    pub(crate) fn headers(&self, key: &Key) -> PathBuf {
        self.beside(key, ".metadata.json")
    }

    /// The file of an object's entity tag and checksums.
    pub(crate) fn checksums(&self, key: &Key) -> PathBuf {
        self.beside(key, ".internal.json")
    }

    fn beside(&self, key: &Key, ending: &str) -> PathBuf {
        let [bucket, key] = [&self.bucket, key.stored()].map(|name| URL_SAFE_NO_PAD.encode(name));
        self.root.join(format!(".bucket-{bucket}.object-{key}{ending}"))
    }

    /// The upload with this id, if it was begun for this key: its headers are stored under both names.
    pub(crate) async fn upload(&self, key: &Key, id: &str) -> S3Result<Upload> {
        // Refuses everything that could be a path: an id is a UUID as `s3s-fs` prints it.
        let is_id = id.len() == 36 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
        let headers = self.beside(key, &format!(".upload-{id}.metadata.json"));
        if is_id && fs::try_exists(headers).await.unwrap_or(false) {
            Ok(Upload { id: id.to_owned() })
        } else {
            Err(s3_error!(
                NoSuchUpload,
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have \
                 been aborted or completed."
            ))
        }
    }

    /// The file of a part.
    pub(crate) fn part(&self, upload: &Upload, number: i32) -> PathBuf {
        self.root.join(format!("{}{number}", Self::part_prefix(upload)))
    }

    /// The file of a part's entity tag, which is our own: its ending differs from all parts', and its beginning is
    /// the same, so that it is removed with them when the upload is aborted.
    pub(crate) fn part_tag(&self, upload: &Upload, number: i32) -> PathBuf {
        self.root.join(format!("{}{number}.etag", Self::part_prefix(upload)))
    }

    /// The beginning of the names of an upload's parts, before their number.
    pub(crate) fn part_prefix(upload: &Upload) -> String {
        format!(".upload_id-{}.part-", upload.id)
    }

    /// Removes the metadata of an object, so that the next object of that key begins without it.
    pub(crate) async fn forget(&self, key: &Key) -> S3Result<()> {
        for file in [self.headers(key), self.checksums(key)] {
            remove(&file).await?;
        }
        Ok(())
    }

    /// Checks that an object of this key can be stored: a folder can store `a` or `a/b`, but not both. Empty folders
    /// are removed.
    pub(crate) async fn make_room(&self, key: &Key) -> S3Result<()> {
        let (folder, path) = (self.folder(), self.object(key));
        for ancestor in path.ancestors().skip(1).take_while(|ancestor| *ancestor != folder) {
            if fs::metadata(ancestor).await.is_ok_and(|file| !file.is_dir()) {
                return Err(in_the_way());
            }
        }
        if fs::metadata(&path).await.is_ok_and(|file| file.is_dir()) {
            let emptied = tokio::task::spawn_blocking(move || remove_empty(&path)).await;
            if !matches!(emptied, Ok(Ok(()))) {
                return Err(in_the_way());
            }
        }
        Ok(())
    }
}

/// Removes a file that may not be there.
pub(crate) async fn remove(file: &Path) -> S3Result<()> {
    match fs::remove_file(file).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(S3Error::internal_error(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes a folder that contains only empty folders; fails for any other.
fn remove_empty(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        remove_empty(&entry?.path())?;
    }
    std::fs::remove_dir(folder)
}

fn in_the_way() -> S3Error {
    s3_error!(InvalidURI, "This S3 is a folder and cannot store a key beside one that continues it with `/`")
}
