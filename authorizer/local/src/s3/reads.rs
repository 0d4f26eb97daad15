//! Reading an object.

use http::HeaderValue;
use s3s::dto::{
    ChecksumMode, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
    HeadObjectOutput, Range,
};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use super::conditions::ReadConditions;
use super::store::{Store, check_version, missing};

/// The type of an object that was stored without one.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const DEFAULT_TYPE: &str = "binary/octet-stream";

impl Store {
    pub(super) async fn get_object(
        &self,
        mut request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let key = self.key(&request.input.key)?;
        let version = request.input.version_id.take();
        check_version(version.as_deref())?;
        let conditions = ReadConditions::of_get(&mut request.input);
        let lock = self.locks.of(&key);
        let _reading = lock.read().await;
        let object = self.object(&key).await?.ok_or_else(|| missing(version.as_deref()))?;
        conditions.check(&object)?;
        request.input.range = satisfiable(request.input.range, object.content_length)?;
        let tells_checksums = is_enabled(request.input.checksum_mode.as_ref());
        key.stored().clone_into(&mut request.input.key);
        let mut response = S3::get_object(&self.files, request).await?;
        let output = &mut response.output;
        output.accept_ranges = Some("bytes".to_owned());
        output.version_id = version;
        output.content_type.get_or_insert_with(|| DEFAULT_TYPE.to_owned());
        if !tells_checksums {
            output.checksum_crc32 = None;
            output.checksum_crc32c = None;
            output.checksum_crc64nvme = None;
            output.checksum_sha1 = None;
            output.checksum_sha256 = None;
        }
        Ok(response)
    }

    pub(super) async fn head_object(
        &self,
        mut request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = &mut request.input;
        let key = self.key(&input.key)?;
        let version = input.version_id.take();
        check_version(version.as_deref())?;
        let conditions = ReadConditions::of_head(input);
        let lock = self.locks.of(&key);
        let _reading = lock.read().await;
        let mut output = self.object(&key).await?.ok_or_else(|| missing(version.as_deref()))?;
        conditions.check(&output)?;
        output.accept_ranges = Some("bytes".to_owned());
        output.version_id = version;
        output.content_type.get_or_insert_with(|| DEFAULT_TYPE.to_owned());
        if !is_enabled(input.checksum_mode.as_ref()) {
            output.checksum_crc32 = None;
            output.checksum_crc32c = None;
            output.checksum_crc64nvme = None;
            output.checksum_sha1 = None;
            output.checksum_sha256 = None;
        }
        // `s3s` overrides the headers of a GET, but not those of a HEAD.
        for (header, wanted) in [
            (&mut output.content_type, input.response_content_type.take()),
            (&mut output.content_language, input.response_content_language.take()),
            (&mut output.cache_control, input.response_cache_control.take()),
            (&mut output.content_disposition, input.response_content_disposition.take()),
            (&mut output.content_encoding, input.response_content_encoding.take()),
        ] {
            if let Some(value) = wanted {
                HeaderValue::try_from(&value)
                    .map_err(|error| s3_error!(error, InvalidArgument, "Invalid response header override"))?;
                *header = Some(value);
            }
        }
        if let Some(expires) = input.response_expires.take() {
            output.expires = Some(expires);
        }
        Ok(S3Response::new(output))
    }

    pub(super) async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        S3::head_bucket(&self.files, request).await
    }
}

/// Whether to send the checksums: S3 sends them only on request.
fn is_enabled(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

/// Checks a suffix range. A suffix longer than the object is the whole object; an empty object cannot satisfy one
/// (RFC 9110 section 14.1.2). `s3s-fs` would seek to before the beginning.
fn satisfiable(range: Option<Range>, length: Option<i64>) -> S3Result<Option<Range>> {
    let length = length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
    match range {
        Some(Range::Suffix { length: wanted }) if wanted > 0 && length == 0 => {
            Err(s3_error!(InvalidRange, "The requested range is not satisfiable"))
        }
        Some(Range::Suffix { length: wanted }) => Ok(Some(Range::Suffix { length: wanted.min(length) })),
        Some(Range::Int { .. }) | None => Ok(range),
    }
}
