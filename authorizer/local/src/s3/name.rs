//! The names of files: a body has the name of its key, so that a person finds it and can open it.
//!
//! The index knows which file an object has. The name is only for people, so a part that a file system could not
//! take is encoded or shortened. Each name ends, before its extension, with a number that no other file of the bucket
//! ever has: names never collide, and no file is ever overwritten.

use std::path::{Path, PathBuf};

/// The longest segment, well below the 255 bytes that file systems take.
const LONGEST_SEGMENT: usize = 120;

/// The longest path of folders, and the most folders, well below what systems take.
const LONGEST_PATH: usize = 700;
const MOST_FOLDERS: usize = 24;

/// The longest extension that is kept.
const LONGEST_EXTENSION: usize = 16;

/// The number of a file: of which start of the bucket it is, and which of that start's. Later files have higher ones.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct FileId(u64);

impl FileId {
    pub(crate) fn new(run: u32, number: u32) -> Self {
        Self(u64::from(run) << 32 | u64::from(number))
    }

    /// Which start of the bucket it is of.
    pub(crate) fn run(self) -> u32 {
        u32::try_from(self.0 >> 32).unwrap_or(u32::MAX)
    }

    fn number(self) -> u32 {
        u32::try_from(self.0 & u64::from(u32::MAX)).unwrap_or(u32::MAX)
    }

    /// As the index stores it.
    pub(crate) fn stored(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The number in a file's name; `None` if the file is not one of the bucket's.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let (_, rest) = name.rsplit_once('~')?;
        let id = rest.split_once('.').map_or(rest, |(id, _)| id);
        let (run, number) = id.split_once('-')?;
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let read = |text: &str| u32::from_str_radix(text, 16).ok().filter(|_| is_hex(text));
        Some(Self::new(read(run)?, read(number)?))
    }

    /// The end of a name.
    pub(crate) fn suffix(self) -> String {
        format!("~{:x}-{:x}", self.run(), self.number())
    }
}

/// Where the files of a key are: a folder, and how their names begin and end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    folder: PathBuf,
    stem: String,
    extension: String,
}

impl Place {
    pub(crate) fn of(key: &str) -> Self {
        let (folders, last) = key.rsplit_once('/').map_or((None, key), |(before, last)| (Some(before), last));
        let mut folder = PathBuf::new();
        let mut length = 0_usize;
        for segment in folders.into_iter().flat_map(|folders| folders.split('/')).take(MOST_FOLDERS) {
            let name = readable(segment);
            length = length.saturating_add(name.len()).saturating_add(1);
            if length > LONGEST_PATH {
                break;
            }
            folder.push(if name.is_empty() { "%" } else { &name });
        }
        let (stem, extension) = match last.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() && is_extension(extension) => {
                (stem, format!(".{extension}"))
            }
            Some(_) | None => (last, String::new()),
        };
        Self { folder, stem: readable(stem), extension }
    }

    /// The folder, below that of all bodies.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of the file with this number, below the folder of all bodies.
    pub(crate) fn file(&self, id: FileId) -> PathBuf {
        self.folder.join(format!("{}{}{}", self.stem, id.suffix(), self.extension))
    }

    /// The number in a name, if a file of this key could have the name.
    pub(crate) fn id_of(&self, name: &str) -> Option<FileId> {
        let id = FileId::of_name(name)?;
        (self.file(id).file_name()? == name).then_some(id)
    }
}

fn is_extension(text: &str) -> bool {
    (1..=LONGEST_EXTENSION).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The segment with everything encoded that a file system or a shell would take for something else, and shortened.
fn readable(segment: &str) -> String {
    let is_dots = !segment.is_empty() && segment.bytes().all(|byte| byte == b'.');
    let mut name = String::new();
    for character in segment.chars() {
        let mut utf8 = [0; 4];
        let is_odd = character.is_control() || matches!(character, '%' | '~' | '\\' | ':');
        let is_plain = !is_odd && !is_dots;
        let bytes = character.encode_utf8(&mut utf8);
        let text = match is_plain {
            true => bytes.to_owned(),
            false => bytes.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        };
        // The lone `%` says that the key goes on.
        if name.len().saturating_add(text.len()) >= LONGEST_SEGMENT {
            name.push('%');
            break;
        }
        name.push_str(&text);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(key: &str) -> String {
        Place::of(key).file(FileId::new(2, 31)).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_file_has_the_name_of_its_key_and_can_be_opened_by_its_extension() {
        for (key, file) in [
            ("a", "a~2-1f"),
            ("users/alice/photo.jpg", "users/alice/photo~2-1f.jpg"),
            ("a.tar.gz", "a.tar~2-1f.gz"),
            ("folder/", "folder/~2-1f"),
            ("folder", "folder~2-1f"),
            ("//a", "%/%/a~2-1f"),
            ("../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd~2-1f"),
            ("./..", "%2E/%2E%2E~2-1f"),
            (".hidden", ".hidden~2-1f"),
            ("\u{e9} x+y/<b>.txt", "\u{e9} x+y/<b>~2-1f.txt"),
            ("a~1-2.txt", "a%7E1-2~2-1f.txt"),
            ("100%\u{0}\n", "100%25%00%0A~2-1f"),
        ] {
            assert_eq!(name(key), file, "{key:?}");
        }
    }

    #[test]
    fn a_long_key_has_a_short_name() {
        let long = format!("{}/{}.txt", "\u{1f600}".repeat(60), "b".repeat(300));
        assert!(name(&long).ends_with("b%~2-1f.txt"), "{}", name(&long));
        let deep = "a/".repeat(511);
        assert_eq!(Place::of(&deep).folder().components().count(), MOST_FOLDERS);
    }

    proptest! {
        #[test]
        fn every_name_stays_in_its_folder_and_tells_its_number(key in "\\PC{1,80}|[./~%a]{1,40}|\\PC{1000}", run: u32, number: u32) {
            let id = FileId::new(run & 0x7fff_ffff, number);
            let place = Place::of(&key);
            let path = place.file(id);
            prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
            prop_assert!(path.to_str().unwrap().len() < 1_024);
            prop_assert!(path.components().all(|part| part.as_os_str().len() < 200));
            let name = path.file_name().unwrap().to_str().unwrap();
            prop_assert_eq!(FileId::of_name(name), Some(id));
            prop_assert_eq!(place.id_of(name), Some(id));
        }
    }
}
