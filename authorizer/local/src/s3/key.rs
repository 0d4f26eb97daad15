//! Object keys as files: which keys a folder can store, and under which names.

use s3s::{S3Error, s3_error};

/// The name of the file for the object `folder/`, inside the folder `folder`. No accepted key has it as a segment.
const FOLDER_OBJECT: &str = "\u{1}";

/// The longest name of a file on the file systems of Linux and macOS.
const LONGEST_NAME: usize = 255;

/// A key that has its own file.
///
/// INVARIANT: no segment of `stored` is empty, `.` or `..`, so that the path stays in the bucket's folder
/// and no other key has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Key {
    stored: String,
}

/// Why a key cannot have a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyError {
    /// It would share its file with another key, or lead out of the folder.
    Unkeepable,
    /// The file's name would be too long.
    TooLong,
}

impl Key {
    /// The key, decoded, as S3 reads it: `folder/` and `folder` are different keys.
    pub(crate) fn parse(bucket: &str, key: &str) -> Result<Self, KeyError> {
        let segments = key.strip_suffix('/').unwrap_or(key);
        let is_lost =
            |segment: &str| matches!(segment, "" | "." | ".." | FOLDER_OBJECT) || segment.contains('\0');
        if segments.split('/').any(is_lost) {
            return Err(KeyError::Unkeepable);
        }
        let stored = if key.ends_with('/') { format!("{key}{FOLDER_OBJECT}") } else { key.to_owned() };
        let is_long = |segment: &str| segment.len() > LONGEST_NAME;
        if segments.split('/').any(is_long) || name_beside(bucket, &stored, 0) > LONGEST_NAME {
            return Err(KeyError::TooLong);
        }
        Ok(Self { stored })
    }

    /// The path below the bucket's folder, which is the key for `s3s-fs`.
    pub(crate) fn stored(&self) -> &str {
        &self.stored
    }

    /// The key that is stored under this path.
    pub(crate) fn of_stored(stored: &str) -> &str {
        stored.strip_suffix(FOLDER_OBJECT).filter(|key| key.ends_with('/')).unwrap_or(stored)
    }

    /// Whether the file names of an upload in parts are short enough.
    pub(crate) fn fits_upload(&self, bucket: &str) -> Result<(), KeyError> {
        const UPLOAD: usize = ".upload-00000000-0000-0000-0000-000000000000".len();
        if name_beside(bucket, &self.stored, UPLOAD) > LONGEST_NAME {
            return Err(KeyError::TooLong);
        }
        Ok(())
    }
}

/// The length of the name of the file in which `s3s-fs` stores an object's metadata: the name contains the bucket
/// and the key in Base64.
fn name_beside(bucket: &str, stored: &str, more: usize) -> usize {
    const REST: usize = ".bucket-.object-.metadata.json".len();
    let base64 = |text: &str| text.len().saturating_mul(4).div_ceil(3);
    [base64(bucket), base64(stored), more].into_iter().fold(REST, usize::saturating_add)
}

impl From<KeyError> for S3Error {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unkeepable => {
                s3_error!(InvalidURI, "This S3 is a folder and cannot distinguish this key from others")
            }
            KeyError::TooLong => {
                s3_error!(KeyTooLongError, "This S3 is a folder and cannot store such a long key")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_its_path_lead_to_each_other() {
        for (key, stored) in [
            ("a", "a"),
            ("a/b", "a/b"),
            ("a/", "a/\u{1}"),
            ("a/b/", "a/b/\u{1}"),
            ("a\u{1}", "a\u{1}"),
            ("...", "..."),
            ("é/ ", "é/ "),
        ] {
            assert_eq!(Key::parse("files", key).unwrap().stored(), stored);
            assert_eq!(Key::of_stored(stored), key);
        }
    }

    #[test]
    fn a_key_without_a_path_of_its_own_is_refused() {
        for key in ["", "/", "//", "/a", "a//b", "a//", ".", "../a", "a/./b", "a/..", "a/../", "a\0", "\u{1}"]
        {
            assert_eq!(Key::parse("files", key), Err(KeyError::Unkeepable), "{key:?}");
        }
        for key in ["a/\u{1}", "a/\u{1}/", "\u{1}/b"] {
            assert_eq!(Key::parse("files", key), Err(KeyError::Unkeepable), "{key:?}");
        }
    }

    #[test]
    fn a_key_is_as_long_as_the_names_of_its_files_allow() {
        assert!(Key::parse("files", &"a".repeat(163)).is_ok());
        assert_eq!(Key::parse("files", &"a".repeat(164)), Err(KeyError::TooLong));
        let key = |length| Key::parse("files", &"a".repeat(length)).unwrap();
        assert_eq!(key(130).fits_upload("files"), Ok(()));
        assert_eq!(key(131).fits_upload("files"), Err(KeyError::TooLong));
    }
}
