//! Reading an object.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use s3s::dto::{
    ChecksumMode, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
    HeadObjectOutput, StreamingBlob, Timestamp, TimestampFormat,
};
use s3s::{Body, S3Error, S3Request, S3Response, S3Result, s3_error};

use super::facts::{Object, Sums};
use super::index::broken;
use super::store::{Asked, Store};

/// What is read of a body at once. A body that is not larger is read in the thread of its request: it comes from the
/// system's cache, sooner than another thread would start.
const CHUNK: u64 = 256 * 1024;

/// How often a read looks again for a body that was replaced between the index and the file.
const TRIES: usize = 16;

/// The status of a HEAD with a range, which `s3s` does not have: the entry of the bucket sets it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Partial;

/// What a GET or a HEAD asks for, besides its key.
struct Wanted {
    version: Option<String>,
    part: Option<i32>,
    tells_checksums: bool,
    overrides: Vec<(HeaderName, HeaderValue)>,
    asked: Asked,
}

/// What is answered.
struct Found {
    object: Object,
    headers: HeaderMap,
    span: Range<u64>,
    /// Whether it is a part of the object or a range.
    is_part: bool,
}

/// What the input of a GET or a HEAD asks for: s3s has a type for each, with the same members.
macro_rules! wanted {
    ($input:ident, $asked:ident) => {
        Wanted {
            version: $input.version_id.take(),
            part: $input.part_number,
            tells_checksums: is_enabled($input.checksum_mode.as_ref()),
            overrides: overrides([
                (header::CONTENT_TYPE, $input.response_content_type.take()),
                (header::CONTENT_LANGUAGE, $input.response_content_language.take()),
                (header::CACHE_CONTROL, $input.response_cache_control.take()),
                (header::CONTENT_DISPOSITION, $input.response_content_disposition.take()),
                (header::CONTENT_ENCODING, $input.response_content_encoding.take()),
                (header::EXPIRES, $input.response_expires.take().and_then(http_date)),
            ])?,
            asked: $asked,
        }
    };
}

impl Store {
    pub(super) async fn get_object(
        &self,
        mut request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let asked = Asked::of(&request);
        let input = &mut request.input;
        let wanted = wanted!(input, asked);
        for _ in 0..TRIES {
            let found = self.find(&input.key, &wanted)?;
            let path = self.files.body(&found.object.body);
            let body = match body(File::open(path), &found.span) {
                Ok(body) => body,
                // It was replaced or deleted after the index was asked.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(broken(error)),
            };
            let mut response = S3Response::new(GetObjectOutput {
                body: Some(body),
                content_length: length(&found.span),
                content_range: content_range(&found),
                metadata: found.object.facts.described.metadata(),
                ..GetObjectOutput::default()
            });
            response.headers = found.headers;
            return Ok(response);
        }
        Err(s3_error!(InternalError, "The file of this object is missing."))
    }

    pub(super) async fn head_object(
        &self,
        mut request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let asked = Asked::of(&request);
        let input = &mut request.input;
        let wanted = wanted!(input, asked);
        let found = self.find(&input.key, &wanted)?;
        let range = content_range(&found);
        let mut response = S3Response::new(HeadObjectOutput {
            content_length: length(&found.span),
            metadata: found.object.facts.described.metadata(),
            ..HeadObjectOutput::default()
        });
        response.headers = found.headers;
        if let Some(range) = range.and_then(|range| HeaderValue::from_str(&range).ok()) {
            response.headers.insert(header::CONTENT_RANGE, range);
            response.extensions.insert(Partial);
        }
        Ok(response)
    }

    pub(super) async fn head_bucket(
        &self,
        _: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    fn find(&self, key: &str, wanted: &Wanted) -> S3Result<Found> {
        let object = self.object(key, wanted.version.as_deref())?;
        wanted.asked.conditions.check_read(&object)?;
        let mut headers = object.headers();
        let version = self.told_version(&object, wanted.version.is_some());
        if let Some(version) = version.and_then(|version| HeaderValue::from_str(&version).ok()) {
            headers.insert("x-amz-version-id", version);
        }
        for (name, value) in &wanted.overrides {
            headers.insert(name, value.clone());
        }
        let (span, sums) = match wanted.part {
            Some(_) if wanted.asked.conditions.has_range() => {
                return Err(s3_error!(
                    InvalidRequest,
                    "Cannot specify both Range header and partNumber query parameter"
                ));
            }
            Some(number) => {
                if !object.facts.parts.is_empty() {
                    headers.insert("x-amz-mp-parts-count", HeaderValue::from(object.facts.parts.len()));
                }
                let (span, sums) = part(&object, number)?;
                (Some(span), Some(sums))
            }
            None => match wanted.asked.conditions.range(&object) {
                Some(range) => (Some(range.of(object.size)?), None),
                None => (None, Some(object.facts.sums.clone())),
            },
        };
        if let Some(sums) = sums.filter(|_| wanted.tells_checksums) {
            sums.tell(&mut headers);
            let kind = HeaderValue::from_static(object.facts.kind.name());
            headers.insert("x-amz-checksum-type", kind);
        }
        let is_part = span.is_some();
        Ok(Found { span: span.unwrap_or(0..object.size), is_part, headers, object })
    }
}

/// The bytes of a part, and its checksums. An object that was uploaded whole is its only part.
fn part(object: &Object, number: i32) -> S3Result<(Range<u64>, Sums)> {
    let mut at = 0_u64;
    for part in &object.facts.parts {
        let end = at.saturating_add(part.size);
        if part.number == number {
            return Ok((at..end, part.sums.clone()));
        }
        at = end;
    }
    if object.facts.parts.is_empty() && number == 1 {
        return Ok((0..object.size, object.facts.sums.clone()));
    }
    let code = s3s::S3ErrorCode::Custom("InvalidPartNumber".into());
    let mut error = S3Error::with_message(code, "The requested partnumber is not satisfiable");
    error.set_status_code(StatusCode::RANGE_NOT_SATISFIABLE);
    Err(error)
}

/// The headers that a signed request may replace in its answer.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
fn overrides<const N: usize>(
    wanted: [(HeaderName, Option<String>); N],
) -> S3Result<Vec<(HeaderName, HeaderValue)>> {
    let mut overrides = Vec::new();
    for (name, value) in wanted {
        let Some(value) = value else { continue };
        let value = HeaderValue::try_from(value)
            .map_err(|error| s3_error!(error, InvalidArgument, "Invalid response header override"))?;
        overrides.push((name, value));
    }
    Ok(overrides)
}

fn http_date(instant: Timestamp) -> Option<String> {
    let mut text = Vec::new();
    instant.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

fn length(span: &Range<u64>) -> Option<i64> {
    i64::try_from(span.end.saturating_sub(span.start)).ok()
}

/// The header of an answer with a part. An empty object has no bytes that it could name.
fn content_range(found: &Found) -> Option<String> {
    let last = found.span.end.checked_sub(1).filter(|last| found.is_part && *last >= found.span.start)?;
    Some(format!("bytes {}-{last}/{}", found.span.start, found.object.size))
}

/// Whether to send the checksums: S3 sends them only on request.
fn is_enabled(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

/// The bytes of a file. What is open stays what it is, even if it is deleted meanwhile.
fn body(file: io::Result<File>, span: &Range<u64>) -> io::Result<StreamingBlob> {
    let mut file = file?;
    if span.start > 0 {
        file.seek(SeekFrom::Start(span.start))?;
    }
    let left = span.end.saturating_sub(span.start);
    if left <= CHUNK {
        return Ok(StreamingBlob::from(Body::from(Bytes::from(read(&mut file, left)?))));
    }
    let chunks = stream::unfold(Some((file, left)), |state| async move {
        let (mut file, left) = state.filter(|(_, left)| *left > 0)?;
        let next = left.min(CHUNK);
        let chunk = tokio::task::spawn_blocking(move || {
            let bytes = read(&mut file, next)?;
            Ok::<_, io::Error>((bytes, file))
        });
        match chunk.await.map_err(io::Error::other).flatten() {
            Ok((bytes, file)) => Some((Ok(Bytes::from(bytes)), Some((file, left.saturating_sub(next))))),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(StreamingBlob::wrap(SyncStream(std::sync::Mutex::new(Box::pin(chunks)))))
}

/// Exactly so many bytes.
fn read(file: &mut File, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

type Chunks = std::pin::Pin<Box<dyn futures_util::Stream<Item = io::Result<Bytes>> + Send>>;

/// `s3s` asks for a stream that threads could share. Nobody does.
struct SyncStream(std::sync::Mutex<Chunks>);

impl futures_util::Stream for SyncStream {
    type Item = io::Result<Bytes>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let chunks = self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        chunks.as_mut().poll_next(context)
    }
}
