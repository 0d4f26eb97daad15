//! Listing the bucket.

use std::ops::ControlFlow;

use authorizer_core::checksum::ChecksumAlgorithm;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::Connection;
use s3s::dto::{
    self, CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, ObjectStorageClass, Owner,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::facts::Object;
use super::index;
use super::page::{Keys, Page, Wanted};
use super::store::Store;
use super::time::timestamp;

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
        let wanted = Wanted {
            prefix: &prefix,
            delimiter: input.delimiter.as_deref(),
            after: &after,
            most: as_usize(max_keys),
        };
        let page = self.page(&wanted)?;
        let key_count = i32::try_from(page.len()).map_err(S3Error::internal_error)?;
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            contents: Some(contents(&page, encoding, input.fetch_owner == Some(true))),
            common_prefixes: Some(common_prefixes(&page, encoding)),
            key_count: Some(key_count),
            max_keys: Some(max_keys),
            is_truncated: Some(page.last.is_some()),
            next_continuation_token: page.last.as_deref().map(write_token),
            continuation_token: input.continuation_token,
            start_after: input.start_after.map(|key| encoding.apply(&key)),
            prefix: Some(encoding.apply(&prefix)),
            delimiter: told_delimiter(input.delimiter, encoding),
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
        let wanted = Wanted {
            prefix: &prefix,
            delimiter: input.delimiter.as_deref(),
            after: &marker,
            most: as_usize(max_keys),
        };
        let page = self.page(&wanted)?;
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            contents: Some(contents(&page, encoding, true)),
            common_prefixes: Some(common_prefixes(&page, encoding)),
            max_keys: Some(max_keys),
            is_truncated: Some(page.last.is_some()),
            next_marker: page
                .last
                .filter(|_| input.delimiter.as_ref().is_some_and(|text| !text.is_empty()))
                .map(|last| encoding.apply(&last)),
            marker: Some(encoding.apply(&marker)),
            prefix: Some(encoding.apply(&prefix)),
            delimiter: told_delimiter(input.delimiter, encoding),
            encoding_type: input.encoding_type,
            ..ListObjectsOutput::default()
        }))
    }

    fn page(&self, wanted: &Wanted<'_>) -> S3Result<Page<Object>> {
        self.index.read(|connection| wanted.page(&mut Rows(connection)))
    }
}

/// The objects in the index.
struct Rows<'a>(&'a Connection);

impl Keys<Object> for Rows<'_> {
    type Error = rusqlite::Error;

    fn scan(
        &mut self,
        from: &[u8],
        each: &mut dyn FnMut(String, Object) -> ControlFlow<()>,
    ) -> rusqlite::Result<()> {
        let query = "SELECT key, version, size, etag, modified, body, facts FROM objects WHERE key >= ?1 ORDER BY key";
        let mut query = self.0.prepare_cached(query)?;
        let mut rows = query.query([from])?;
        while let Some(row) = rows.next()? {
            let key = String::from_utf8_lossy(row.get_ref(0)?.as_blob()?).into_owned();
            if each(key, index::object(row, 1)?).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn contents(page: &Page<Object>, encoding: Encoding, tells_owner: bool) -> Vec<dto::Object> {
    let listed = |(key, object): &(String, Object)| {
        let algorithms: Vec<_> = object
            .facts
            .sums
            .algorithms()
            .map(ChecksumAlgorithm::name)
            .map(dto::ChecksumAlgorithm::from_static)
            .collect();
        dto::Object {
            key: Some(encoding.apply(key)),
            e_tag: Some(object.e_tag()),
            size: i64::try_from(object.size).ok(),
            last_modified: Some(timestamp(object.modified)),
            storage_class: Some(ObjectStorageClass::from(object.facts.described.storage_class().to_owned())),
            owner: tells_owner.then(owner),
            checksum_type: (!algorithms.is_empty())
                .then(|| dto::ChecksumType::from_static(object.facts.kind.name())),
            checksum_algorithm: (!algorithms.is_empty()).then_some(algorithms),
            ..dto::Object::default()
        }
    };
    page.entries.iter().map(listed).collect()
}

/// The owner of everything: the bucket's, as S3 has it where ACLs are off.
fn owner() -> Owner {
    Owner { id: Some("0".repeat(64)), ..Owner::default() }
}

fn common_prefixes(page: &Page<Object>, encoding: Encoding) -> Vec<CommonPrefix> {
    page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(encoding.apply(prefix)) }).collect()
}

/// The delimiter in the answer. An empty one is the same as none.
fn told_delimiter(delimiter: Option<String>, encoding: Encoding) -> Option<String> {
    delimiter.filter(|delimiter| !delimiter.is_empty()).map(|delimiter| encoding.apply(&delimiter))
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

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use super::*;
    use crate::s3::options::BucketOptions;
    use rusqlite::params;

    /// Puts so many keys into the index, ten in each folder, and lists them page by page, whole and by folders.
    async fn list_all(count: usize) {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), "files", &BucketOptions::default()).unwrap();
        let insert = move |connection: &Connection, _: &mut crate::s3::files::Moves| {
            let row = "INSERT INTO objects VALUES (?1, ?2, 'null', 1, '0cc175b9c0f1b6a831c399e269772661', 0, 'a', '{}')";
            let mut row = connection.prepare(row).unwrap();
            for number in 0..count {
                let key = format!("folder/{:06}/{number:07}.jpg", number / 10);
                let id = i64::try_from(number).unwrap();
                row.execute(params![key.as_bytes(), id]).unwrap();
            }
            Ok(())
        };
        store.index.change(insert).await.unwrap();
        for (prefix, delimiter, expected) in
            [("", None, count), ("folder/", Some("/"), count / 10), ("", Some("/"), 1)]
        {
            let (mut after, mut seen, mut pages) = (String::new(), 0, 0);
            let started = std::time::Instant::now();
            loop {
                let page = store.page(&Wanted { prefix, delimiter, after: &after, most: 1_000 }).unwrap();
                seen += page.len();
                pages += 1;
                match page.last {
                    Some(last) => after = last,
                    None => break,
                }
            }
            assert_eq!(seen, expected, "{prefix} {delimiter:?}");
            eprintln!("{seen} entries on {pages} pages: {:?} a page", started.elapsed() / pages);
        }
        store.close();
    }

    #[tokio::test]
    async fn a_large_bucket_is_listed_page_by_page() {
        list_all(20_000).await;
    }

    #[tokio::test]
    #[ignore = "a minute; `cargo test --release -p authorizer-local --lib -- --ignored --nocapture`"]
    async fn a_million_objects_are_listed_page_by_page() {
        list_all(1_000_000).await;
    }
}
