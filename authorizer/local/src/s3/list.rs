//! Listing the bucket.
//!
//! `s3s-fs` can list too, but without folder objects, entity tags and `encoding-type`, and with tokens that are keys;
//! and what it lists is not always what it stores under that name.

use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object, ObjectStorageClass,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::key::Key;
use super::page::{Page, Wanted};
use super::store::Store;

/// The largest number of keys on a page.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
const LARGEST_PAGE: i32 = 1_000;

/// The characters that `encoding-type=url` does not encode, besides letters and digits. A space becomes `+`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'*')
    .remove(b'/')
    .remove(b' ');

impl Store {
    pub(super) async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let max_keys = page_size(input.max_keys)?;
        let prefix = input.prefix.unwrap_or_default();
        let after = match &input.continuation_token {
            Some(token) => read_token(token)?,
            None => input.start_after.clone().unwrap_or_default(),
        };
        let keys = self.keys(&prefix).await?;
        let wanted = Wanted {
            prefix: &prefix,
            delimiter: input.delimiter.as_deref(),
            after: &after,
            most: as_usize(max_keys),
        };
        let page = wanted.page(&keys);
        let key_count = i32::try_from(page.len()).map_err(S3Error::internal_error)?;
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            contents: Some(self.contents(&page, encoding).await?),
            common_prefixes: Some(common_prefixes(&page, encoding)),
            key_count: Some(key_count),
            max_keys: Some(max_keys),
            is_truncated: Some(page.last.is_some()),
            next_continuation_token: page.last.map(write_token),
            continuation_token: input.continuation_token,
            start_after: input.start_after.map(|key| encoding.apply(&key)),
            prefix: Some(encoding.apply(&prefix)),
            delimiter: input.delimiter.map(|delimiter| encoding.apply(&delimiter)),
            encoding_type: input.encoding_type,
            ..ListObjectsV2Output::default()
        }))
    }

    /// The older listing, which the same permission grants.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>
    pub(super) async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let input = request.input;
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let max_keys = page_size(input.max_keys)?;
        let (prefix, marker) = (input.prefix.unwrap_or_default(), input.marker.unwrap_or_default());
        let keys = self.keys(&prefix).await?;
        let wanted = Wanted {
            prefix: &prefix,
            delimiter: input.delimiter.as_deref(),
            after: &marker,
            most: as_usize(max_keys),
        };
        let page = wanted.page(&keys);
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            contents: Some(self.contents(&page, encoding).await?),
            common_prefixes: Some(common_prefixes(&page, encoding)),
            max_keys: Some(max_keys),
            is_truncated: Some(page.last.is_some()),
            next_marker: page.last.filter(|_| input.delimiter.is_some()).map(|last| encoding.apply(last)),
            marker: Some(encoding.apply(&marker)),
            prefix: Some(encoding.apply(&prefix)),
            delimiter: input.delimiter.map(|delimiter| encoding.apply(&delimiter)),
            encoding_type: input.encoding_type,
            ..ListObjectsOutput::default()
        }))
    }

    /// The keys that begin with the prefix, sorted by their UTF-8 bytes.
    async fn keys(&self, prefix: &str) -> S3Result<Vec<String>> {
        let (folder, prefix) = (self.layout.folder(), prefix.to_owned());
        let walk = move || {
            let mut keys = Vec::new();
            walk(&folder, "", &prefix, &mut keys).map(|()| keys)
        };
        let mut keys: Vec<String> = tokio::task::spawn_blocking(walk)
            .await
            .map_err(S3Error::internal_error)?
            .map_err(S3Error::internal_error)?;
        // Skips names that cannot be keys, which another program may have created, and names that are too long.
        keys.retain(|key| self.key(key).is_ok());
        keys.sort_unstable();
        Ok(keys)
    }

    async fn contents(&self, page: &Page<'_>, encoding: Encoding) -> S3Result<Vec<Object>> {
        let mut contents = Vec::new();
        for name in &page.keys {
            // Skips a key that was deleted meanwhile.
            if let Some(object) = self.object(&self.key(name)?).await? {
                contents.push(Object {
                    key: Some(encoding.apply(name)),
                    e_tag: object.e_tag,
                    size: object.content_length,
                    last_modified: object.last_modified,
                    storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                    ..Object::default()
                });
            }
        }
        Ok(contents)
    }
}

fn common_prefixes(page: &Page<'_>, encoding: Encoding) -> Vec<CommonPrefix> {
    page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(encoding.apply(prefix)) }).collect()
}

/// Collects the keys below a folder. It follows only names that were read from the disk, so that a prefix cannot
/// lead out of the folder; and only folders that can contain a key with the prefix.
fn walk(folder: &Path, path: &str, prefix: &str, keys: &mut Vec<String>) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let path = format!("{path}{name}/");
            if path.starts_with(prefix) || prefix.starts_with(&path) {
                walk(&entry.path(), &path, prefix, keys)?;
            }
        } else if kind.is_file() {
            let stored = format!("{path}{name}");
            let key = Key::of_stored(&stored);
            if key.starts_with(prefix) {
                keys.push(key.to_owned());
            }
        }
    }
    Ok(())
}

/// How keys are written into the answer.
#[derive(Clone, Copy, Debug)]
enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    fn of(wanted: Option<&EncodingType>) -> S3Result<Self> {
        match wanted.map(EncodingType::as_str) {
            None | Some("") => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Url),
            Some(_) => Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request")),
        }
    }

    fn apply(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => utf8_percent_encode(text, RESERVED).to_string().replace(' ', "+"),
        }
    }
}

fn page_size(max_keys: Option<i32>) -> S3Result<i32> {
    match max_keys {
        Some(negative) if negative < 0 => {
            Err(s3_error!(InvalidArgument, "Argument maxKeys must be an integer between 0 and 2147483647"))
        }
        most => Ok(most.unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE)),
    }
}

fn as_usize(number: i32) -> usize {
    usize::try_from(number).unwrap_or_default()
}

/// A token for the end of the page. It is opaque, as S3's is, so that nobody relies on its content.
fn write_token(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

fn read_token(token: &str) -> S3Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| !bytes.is_empty());
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}
