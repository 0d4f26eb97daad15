//! Uploads in parts.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>
//!
//! `s3s-fs` stores the parts and joins them. Before it does, this module compares the request with the stored parts,
//! because a join that fails half-way loses the upload.

use std::io;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, Checksum, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedMultipartUpload, CompletedPart, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, ListPartsInput, ListPartsOutput, Part, StorageClass, Timestamp,
    UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};
use tokio::fs;

use super::arrival::watch;
use super::conditions::{WriteConditions, no_such_key};
use super::layout::{Layout, Upload, remove};
use super::promises::Promises;
use super::store::Store;

/// The smallest size of a part, except for the last.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const SMALLEST_PART: i64 = 5 * 1024 * 1024;

/// The highest number of a part.
const LAST_PART: i32 = 10_000;

/// The largest number of parts in a list.
const LARGEST_PAGE: i32 = 1_000;

/// A part that has been uploaded.
#[derive(Clone, Debug)]
struct UploadedPart {
    number: i32,
    etag: String,
    size: i64,
    last_modified: Option<Timestamp>,
}

impl Store {
    pub(super) async fn create_multipart_upload(
        &self,
        mut request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let name = request.input.key.clone();
        let key = self.key(&name)?;
        key.fits_upload(self.layout.bucket())?;
        self.layout.make_room(&key).await?;
        key.stored().clone_into(&mut request.input.key);
        // An upload belongs to the bucket owner, whichever credentials this start of the bucket has.
        request.credentials = None;
        let mut created = S3::create_multipart_upload(&self.files, request).await?;
        created.output.key = Some(name);
        Ok(created)
    }

    pub(super) async fn upload_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = &mut request.input;
        let key = self.key(&input.key)?;
        let number = part_number(input.part_number)?;
        let upload = self.layout.upload(&key, &input.upload_id).await?;
        let sums = Checksum {
            checksum_crc32: input.checksum_crc32.clone(),
            checksum_crc32c: input.checksum_crc32c.clone(),
            checksum_crc64nvme: input.checksum_crc64nvme.clone(),
            checksum_sha1: input.checksum_sha1.clone(),
            checksum_sha256: input.checksum_sha256.clone(),
            checksum_type: None,
        };
        let promises = Promises::new(
            input.content_md5.take().as_deref(),
            sums.clone(),
            input.checksum_algorithm.as_ref(),
            request.trailing_headers.clone(),
        )?;
        let body = input.body.take().ok_or_else(|| s3_error!(IncompleteBody))?;
        let (body, arrival) = watch(body, promises);
        input.body = Some(body);
        request.credentials = None;
        let admission = async {
            let Some(admission) = arrival.arrived().await? else { return Ok(None) };
            let writing = self.locks.of(&key).write_owned().await;
            // The upload may have been completed or aborted meanwhile.
            self.layout.upload(&key, upload.id()).await?;
            admission.admit();
            Ok::<_, S3Error>(Some(writing))
        };
        // The lock is held until the part and its entity tag are stored.
        let (stored, writing) = tokio::join!(S3::upload_part(&self.files, request), admission);
        let _writing = writing?;
        let mut stored = stored?;
        self.remember(&upload, number, stored.output.e_tag.as_ref()).await?;
        stored.output.checksum_crc32 = sums.checksum_crc32;
        stored.output.checksum_crc32c = sums.checksum_crc32c;
        stored.output.checksum_crc64nvme = sums.checksum_crc64nvme;
        stored.output.checksum_sha1 = sums.checksum_sha1;
        stored.output.checksum_sha256 = sums.checksum_sha256;
        Ok(stored)
    }

    pub(super) async fn upload_part_copy(
        &self,
        mut request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let input = &mut request.input;
        let key = self.key(&input.key)?;
        let number = part_number(input.part_number)?;
        let source = self.source(&mut input.copy_source)?;
        request.credentials = None;
        let lock = self.locks.of(&key);
        let _writing = lock.write().await;
        let upload = self.layout.upload(&key, &request.input.upload_id).await?;
        if !self.layout.has_object(&source).await {
            return Err(no_such_key());
        }
        let copied = S3::upload_part_copy(&self.files, request).await?;
        let etag = copied.output.copy_part_result.as_ref().and_then(|part| part.e_tag.as_ref());
        self.remember(&upload, number, etag).await?;
        Ok(copied)
    }

    pub(super) async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let upload = self.layout.upload(&self.key(&input.key)?, &input.upload_id).await?;
        let (most, after) = (input.max_parts.unwrap_or(LARGEST_PAGE), input.part_number_marker.unwrap_or(0));
        if most < 0 || after < 0 {
            return Err(s3_error!(InvalidArgument, "max-parts and part-number-marker must not be negative"));
        }
        let most = most.min(LARGEST_PAGE);
        let mut parts = self.parts(&upload).await?;
        parts.retain(|part| part.number > after);
        let is_truncated = most > 0 && parts.len() > usize::try_from(most).unwrap_or_default();
        parts.truncate(usize::try_from(most).unwrap_or_default());
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            max_parts: Some(most),
            part_number_marker: Some(after),
            next_part_number_marker: parts.last().filter(|_| is_truncated).map(|part| part.number),
            is_truncated: Some(is_truncated),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            parts: Some(parts.into_iter().map(listed).collect()),
            ..ListPartsOutput::default()
        }))
    }

    pub(super) async fn complete_multipart_upload(
        &self,
        mut request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = &mut request.input;
        let name = input.key.clone();
        let key = self.key(&name)?;
        let conditions = WriteConditions::take(&mut input.if_match, &mut input.if_none_match)?;
        let lock = self.locks.of(&key);
        let _writing = lock.write().await;
        let upload = self.layout.upload(&key, &input.upload_id).await?;
        let wanted = input.multipart_upload.take().and_then(|list| list.parts).unwrap_or_default();
        let uploaded = self.parts(&upload).await?;
        let chosen = choose(&wanted, &uploaded, input.mpu_object_size)?;
        self.check(&key, &conditions).await?;
        self.layout.make_room(&key).await?;

        // `s3s-fs` joins the parts 1, 2, 3 and so on, but S3 accepts any ascending numbers.
        for part in &uploaded {
            remove(&self.layout.part_tag(&upload, part.number)).await?;
            if numbered(&chosen, part.number).is_none() {
                remove(&self.layout.part(&upload, part.number)).await?;
            }
        }
        let mut parts = Vec::new();
        for (part, number) in chosen.iter().zip(1..) {
            let (from, to) = (self.layout.part(&upload, part.number), self.layout.part(&upload, number));
            fs::rename(from, to).await.map_err(S3Error::internal_error)?;
            parts.push(CompletedPart { part_number: Some(number), ..CompletedPart::default() });
        }
        // The previous object had its own checksums.
        remove(&self.layout.checksums(&key)).await?;
        input.multipart_upload = Some(CompletedMultipartUpload { parts: Some(parts) });
        let bucket = input.bucket.clone();
        key.stored().clone_into(&mut input.key);
        request.credentials = None;
        let mut output = S3::complete_multipart_upload(&self.files, request).await?.output;
        if let Some(rest) = output.future.take() {
            output = rest.await?;
        }
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(bucket),
            key: Some(name),
            e_tag: output.e_tag,
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    pub(super) async fn abort_multipart_upload(
        &self,
        mut request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let key = self.key(&request.input.key)?;
        let lock = self.locks.of(&key);
        let _writing = lock.write().await;
        self.layout.upload(&key, &request.input.upload_id).await?;
        key.stored().clone_into(&mut request.input.key);
        request.credentials = None;
        S3::abort_multipart_upload(&self.files, request).await
    }

    /// Stores the entity tag of a part, because `s3s-fs` returns it once and does not store it.
    async fn remember(&self, upload: &Upload, number: i32, etag: Option<&ETag>) -> S3Result<()> {
        let etag = etag.map(ETag::value).unwrap_or_default();
        fs::write(self.layout.part_tag(upload, number), etag).await.map_err(S3Error::internal_error)
    }

    /// The parts that have been uploaded, in the order of their numbers.
    async fn parts(&self, upload: &Upload) -> S3Result<Vec<UploadedPart>> {
        let prefix = Layout::part_prefix(upload);
        let mut entries = fs::read_dir(self.layout.root()).await.map_err(S3Error::internal_error)?;
        let mut parts = Vec::new();
        while let Some(entry) = entries.next_entry().await.map_err(S3Error::internal_error)? {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.parse().ok());
            let Some(number) = number else { continue };
            if let Some(part) = self.part(upload, number).await.map_err(S3Error::internal_error)? {
                parts.push(part);
            }
        }
        parts.sort_unstable_by_key(|part| part.number);
        Ok(parts)
    }

    async fn part(&self, upload: &Upload, number: i32) -> io::Result<Option<UploadedPart>> {
        let (file, etag) = tokio::join!(
            fs::metadata(self.layout.part(upload, number)),
            fs::read_to_string(self.layout.part_tag(upload, number)),
        );
        // A part without an entity tag is still being written.
        let (Ok(file), Ok(etag)) = (file, etag) else { return Ok(None) };
        let size = i64::try_from(file.len()).map_err(io::Error::other)?;
        Ok(Some(UploadedPart {
            number,
            etag,
            size,
            last_modified: file.modified().ok().map(Timestamp::from),
        }))
    }
}

fn listed(part: UploadedPart) -> Part {
    Part {
        part_number: Some(part.number),
        e_tag: Some(ETag::Strong(part.etag)),
        size: Some(part.size),
        last_modified: part.last_modified,
        ..Part::default()
    }
}

fn part_number(number: i32) -> S3Result<i32> {
    if (1..=LAST_PART).contains(&number) {
        Ok(number)
    } else {
        Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and {LAST_PART}, inclusive"))
    }
}

/// The part with this number, among parts in the order of their numbers.
fn numbered(parts: &[UploadedPart], number: i32) -> Option<&UploadedPart> {
    let at = parts.binary_search_by_key(&number, |part| part.number).ok()?;
    parts.get(at)
}

/// The parts of the object, if the request names valid ones.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
fn choose(
    wanted: &[CompletedPart],
    uploaded: &[UploadedPart],
    object_size: Option<i64>,
) -> S3Result<Vec<UploadedPart>> {
    let mut chosen: Vec<UploadedPart> = Vec::new();
    for part in wanted {
        let (Some(number), Some(etag)) = (part.part_number, &part.e_tag) else {
            return Err(malformed());
        };
        if chosen.last().is_some_and(|before| before.number >= number) {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order. Parts must be ordered by part number."
            ));
        }
        let found = numbered(uploaded, number).filter(|part| part.etag == etag.value());
        let found = found.ok_or_else(|| {
            s3_error!(
                InvalidPart,
                "One or more of the specified parts could not be found. The part may not have been uploaded, \
                 or the specified entity tag may not match the part's entity tag."
            )
        })?;
        chosen.push(found.clone());
    }
    let Some((_, all_but_the_last)) = chosen.split_last() else { return Err(malformed()) };
    if all_but_the_last.iter().any(|part| part.size < SMALLEST_PART) {
        return Err(s3_error!(
            EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size"
        ));
    }
    let size = chosen.iter().map(|part| part.size).fold(0, i64::saturating_add);
    if object_size.is_some_and(|promised| promised != size) {
        return Err(s3_error!(
            InvalidRequest,
            "The provided 'x-amz-mp-object-size' header does not match what was computed."
        ));
    }
    Ok(chosen)
}

fn malformed() -> S3Error {
    s3_error!(
        MalformedXML,
        "The XML you provided was not well-formed or did not validate against our published schema"
    )
}
