//! Why a bucket does not start.

use std::io;
use std::path::PathBuf;

/// Why the bucket could not be started.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedS3Error {
    /// S3 does not allow the name.
    #[error(
        "`{0}` is not a bucket name: use 3 to 63 lower-case letters, digits, dots and hyphens, \
         beginning and ending with a letter or digit"
    )]
    BucketName(String),
    /// The folder of the bucket cannot be created or written.
    #[error("cannot write to the data folder `{path}`: {error}", path = path.display())]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// Another program serves the bucket.
    #[error("another program serves the bucket in `{path}`: stop it, or name another folder", path = .0.display())]
    InUse(PathBuf),
    /// The index of the bucket is missing.
    #[error(
        "the bucket in `{path}` has `objects/` and no `index.sqlite`: put the index back; if these files are to be \
         imported, move `objects` into `{path}/import/`",
        path = .0.display()
    )]
    NoIndex(PathBuf),
    /// The index of the bucket cannot be read or written.
    #[error("cannot use the bucket's index `{path}`: {reason}", path = path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// No loopback port.
    #[error("cannot listen on a loopback port for the bucket: {0}")]
    Listen(io::Error),
}
