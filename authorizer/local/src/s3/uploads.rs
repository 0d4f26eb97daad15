//! Uploads in parts.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use authorizer_core::checksum::ChecksumAlgorithm;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue};
use rusqlite::{Connection, OptionalExtension, params};
use s3s::dto::{
    self, AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CopyPartResult, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, ListPartsInput, ListPartsOutput, Part, StorageClass,
    UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::checksums::{self, Hasher, Promises, bad_digest, hex, joined, md5};
use super::conditions::{Conditions, WriteConditions};
use super::facts::{Described, Facts, Object, PartOf, SumKind, Sums};
use super::files::Moves;
use super::index::{self, broken, json, to_json};
use super::range::ByteRange;
use super::receive::{Received, blocking, copy, join, receive};
use super::store::{Asked, Store};
use super::time::{now, timestamp};
use super::writes::check_length;
use crate::random;

/// The smallest size of a part, except for the last.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const SMALLEST_PART: u64 = 5 * 1024 * 1024;

/// The highest number of a part.
const LAST_PART: i32 = 10_000;

/// The largest number of parts in a list.
const LARGEST_PAGE: i32 = 1_000;

/// An upload that was begun for a key and is not completed or aborted.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Upload {
    described: Described,
    /// The word of the checksum that the object gets.
    algorithm: String,
    kind: SumKind,
    /// Whether the upload named the algorithm, so that its parts must use it.
    is_named: bool,
}

impl Upload {
    fn algorithm(&self) -> ChecksumAlgorithm {
        ChecksumAlgorithm::parse(&self.algorithm).unwrap_or(checksums::DEFAULT)
    }

    /// Whether each part must have a checksum.
    fn wants_sums(&self) -> bool {
        self.is_named && self.kind == SumKind::Composite
    }
}

/// A part that has been uploaded.
#[derive(Clone, Debug)]
struct UploadedPart {
    number: i32,
    etag: String,
    size: u64,
    modified: i64,
    file: String,
    sums: Sums,
}

impl Store {
    pub(super) async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let asked = Asked::of(&request);
        let input = request.input;
        let described = Described::read(
            &request.headers,
            asked.expires.as_ref(),
            input.metadata.as_ref(),
            input.storage_class.as_ref(),
        )?;
        let upload = begun(&request.headers, described)?;
        let id = random::lambda_request_id().map_err(broken)?;
        let (key, facts, new) = (input.key.clone(), to_json(&upload)?, id.clone());
        let change = move |connection: &Connection, _: &mut Moves| {
            let insert = "INSERT INTO uploads (id, key, facts) VALUES (?1, ?2, ?3)";
            connection.execute(insert, params![new, key.as_bytes(), facts]).map(|_| ()).map_err(broken)
        };
        self.index.change(change).await?;
        let mut response = S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        });
        if upload.is_named {
            let name = HeaderValue::from_static(upload.algorithm().name());
            response.headers.insert("x-amz-checksum-algorithm", name);
            response.headers.insert("x-amz-checksum-type", HeaderValue::from_static(upload.kind.name()));
        }
        Ok(response)
    }

    pub(super) async fn upload_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let asked = Asked::of(&request);
        let input = &mut request.input;
        let number = part_number(input.part_number)?;
        check_length(input.content_length)?;
        let promises = Promises::read(&request.headers, asked.trailers)?;
        let upload = self.upload(&input.key, &input.upload_id)?;
        check_part_sum(&upload, promises.algorithm())?;
        let promised = promises.algorithm();
        let hasher = Hasher::new(promised.into_iter().chain([upload.algorithm()]));
        let received =
            receive(&self.files, input.body.take(), hasher, move |hashed| promises.check(hashed)).await?;
        let part = self.add_part(&input.key, &input.upload_id, number, received).await?;
        let mut response = S3Response::new(UploadPartOutput {
            e_tag: Some(ETag::Strong(part.etag)),
            ..UploadPartOutput::default()
        });
        part.sums.only(promised.unwrap_or(upload.algorithm())).tell(&mut response.headers);
        Ok(response)
    }

    pub(super) async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let input = request.input;
        let number = part_number(input.part_number)?;
        let upload = self.upload(&input.key, &input.upload_id)?;
        let source = self.source(&input.copy_source)?;
        Conditions::of_source(&request.headers).check_source(&source)?;
        let span = match input.copy_source_range.as_deref() {
            None => 0..source.size,
            // S3 takes only a range with both ends, within the object.
            Some(text) => match ByteRange::read(text) {
                Some(range @ ByteRange::From(_, Some(last))) if last < source.size => range.of(source.size)?,
                Some(_) | None => {
                    return Err(s3_error!(
                        InvalidArgument,
                        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last \
                         are the zero-based offsets of the first and last bytes to copy"
                    ));
                }
            },
        };
        let (files, body) = (Arc::clone(&self.files), self.files.body(&source.body));
        let hasher = Hasher::new([upload.algorithm()]);
        let received = blocking(move || {
            let mut file = File::open(body).map_err(broken)?;
            file.seek(SeekFrom::Start(span.start)).map_err(broken)?;
            copy(&files, file.take(span.end.saturating_sub(span.start)), hasher)
        })
        .await?;
        let part = self.add_part(&input.key, &input.upload_id, number, received).await?;
        // Only an upload that named its checksum is told of it.
        let sum = |one| part.sums.get(one).filter(|_| upload.is_named).map(str::to_owned);
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(CopyPartResult {
                checksum_crc32: sum(ChecksumAlgorithm::Crc32),
                checksum_crc32c: sum(ChecksumAlgorithm::Crc32c),
                checksum_crc64nvme: sum(ChecksumAlgorithm::Crc64Nvme),
                checksum_sha1: sum(ChecksumAlgorithm::Sha1),
                checksum_sha256: sum(ChecksumAlgorithm::Sha256),
                e_tag: Some(ETag::Strong(part.etag)),
                last_modified: Some(timestamp(part.modified)),
            }),
            copy_source_version_id: self.versioning.tell(&source.version),
            ..UploadPartCopyOutput::default()
        }))
    }

    /// Makes a body a part of an upload, in the place of the one with the same number.
    async fn add_part(
        &self,
        key: &str,
        upload: &str,
        number: i32,
        received: Received,
    ) -> S3Result<UploadedPart> {
        let files = Arc::clone(&self.files);
        let (key, upload) = (key.to_owned(), upload.to_owned());
        let change = move |connection: &Connection, moves: &mut Moves| {
            // It may have been completed or aborted meanwhile.
            find_upload(connection, &key, &upload).map_err(broken)?.ok_or_else(no_such_upload)?;
            let part = UploadedPart {
                number,
                etag: hex(&received.hashed.md5),
                size: received.size,
                modified: now(),
                file: format!("{number}{}", received.file.id().suffix()),
                sums: received.hashed.sums.clone(),
            };
            moves.place(&received.file, &files.part(&upload, &part.file)).map_err(broken)?;
            let before = "SELECT file FROM parts WHERE upload = ?1 AND number = ?2";
            let before: Option<String> = connection
                .query_row(before, params![upload, number], |row| row.get(0))
                .optional()
                .map_err(broken)?;
            if let Some(before) = before {
                moves.remove_later(files.part(&upload, &before));
            }
            let insert = "INSERT OR REPLACE INTO parts (upload, number, size, etag, modified, file, sums)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let size = i64::try_from(part.size).map_err(broken)?;
            let sums = to_json(&part.sums)?;
            let values = params![upload, number, size, part.etag, part.modified, part.file, sums];
            connection.execute(insert, values).map_err(broken)?;
            Ok(part)
        };
        self.index.change(change).await
    }

    pub(super) async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let upload = self.upload(&input.key, &input.upload_id)?;
        let (most, after) = (input.max_parts.unwrap_or(LARGEST_PAGE), input.part_number_marker.unwrap_or(0));
        if most < 0 || after < 0 {
            return Err(s3_error!(InvalidArgument, "max-parts and part-number-marker must not be negative"));
        }
        let most = most.min(LARGEST_PAGE);
        let mut parts = self.index.read(|connection| parts(connection, &input.upload_id))?;
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
            storage_class: Some(StorageClass::from(upload.described.storage_class().to_owned())),
            checksum_algorithm: upload
                .is_named
                .then(|| dto::ChecksumAlgorithm::from_static(upload.algorithm().name())),
            checksum_type: upload.is_named.then(|| dto::ChecksumType::from_static(upload.kind.name())),
            parts: Some(parts.into_iter().map(|part| listed(part, upload.algorithm())).collect()),
            ..ListPartsOutput::default()
        }))
    }

    /// Joins the parts. It goes on if the client disconnects, as at S3.
    pub(super) async fn complete_multipart_upload(
        self: &Arc<Self>,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let store = Arc::clone(self);
        let completion = tokio::spawn(async move {
            let (key, id) = (request.input.key.clone(), request.input.upload_id.clone());
            let named = request.input.multipart_upload.as_ref().and_then(|list| list.parts.clone());
            let conditions = Asked::of(&request).conditions.of_write();
            match store.complete(request).await {
                Err(error) if *error.code() == S3ErrorCode::NoSuchUpload => {
                    let completed = store.completed(&key, &id, &named.unwrap_or_default(), &conditions?)?;
                    completed.map(|object| store.told(key, object)).ok_or(error)
                }
                result => result,
            }
        });
        completion.await.unwrap_or_else(|error| Err(broken(error)))
    }

    async fn complete(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let asked = Asked::of(&request);
        let mut input = request.input;
        let upload = self.upload(&input.key, &input.upload_id)?;
        let wanted = input.multipart_upload.take().and_then(|list| list.parts).unwrap_or_default();
        let uploaded = self.index.read(|connection| parts(connection, &input.upload_id))?;
        let chosen = choose(&upload, &wanted, &uploaded, input.mpu_object_size)?;
        let sums = whole_sum(&upload, &chosen, &request.headers)?;
        let admission = self.begin_write(&input.key, asked.conditions.of_write()?)?;

        let etag = whole_etag(chosen.iter().map(|part| &*part.etag));
        let facts = Facts {
            described: upload.described.clone(),
            sums,
            kind: upload.kind,
            parts: chosen.iter().map(|part| of_object(part, upload.algorithm())).collect(),
            upload: Some(input.upload_id.clone()),
        };
        let paths: Vec<PathBuf> =
            chosen.iter().map(|part| self.files.part(&input.upload_id, &part.file)).collect();
        let files = Arc::clone(&self.files);
        let file = blocking(move || join(&files, paths.iter().map(PathBuf::as_path))).await?;
        let size = chosen.iter().map(|part| part.size).fold(0, u64::saturating_add);
        let received = Received { file, size, hashed: checksums::Hashed::default() };

        let (files, key, id) = (Arc::clone(&self.files), input.key.clone(), input.upload_id.clone());
        let finish = move |connection: &Connection, moves: &mut Moves| {
            find_upload(connection, &key, &id).map_err(broken)?.ok_or_else(no_such_upload)?;
            let now = parts(connection, &id).map_err(broken)?;
            let is_there = |part: &UploadedPart| now.iter().any(|other| other.file == part.file);
            if !chosen.iter().all(is_there) {
                return Err(invalid_part());
            }
            remove(connection, (moves, &files), &id, &now)
        };
        let (object, _) = self.store_as(&input.key, received, etag, facts, admission, finish).await?;
        Ok(self.told(input.key, object))
    }

    /// The answer to a completion.
    fn told(&self, key: String, object: Object) -> S3Response<CompleteMultipartUploadOutput> {
        let sum = |algorithm| object.facts.sums.get(algorithm).map(str::to_owned);
        S3Response::new(CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{key}", self.bucket)),
            bucket: Some(self.bucket.clone()),
            key: Some(key),
            e_tag: Some(object.e_tag()),
            version_id: self.versioning.tell(&object.version),
            checksum_crc32: sum(ChecksumAlgorithm::Crc32),
            checksum_crc32c: sum(ChecksumAlgorithm::Crc32c),
            checksum_crc64nvme: sum(ChecksumAlgorithm::Crc64Nvme),
            checksum_sha1: sum(ChecksumAlgorithm::Sha1),
            checksum_sha256: sum(ChecksumAlgorithm::Sha256),
            checksum_type: Some(dto::ChecksumType::from_static(object.facts.kind.name())),
            ..CompleteMultipartUploadOutput::default()
        })
    }

    /// The current object, if a completion with these parts has made it. A client that did not get the answer asks again, and
    /// S3 gives it once more, although its documentation names only `NoSuchUpload`. That the object must still be the
    /// current one, and that the conditions are of it, is a guess.
    fn completed(
        &self,
        key: &str,
        upload: &str,
        named: &[CompletedPart],
        conditions: &WriteConditions,
    ) -> S3Result<Option<Object>> {
        let current = self.index.read(|connection| index::current(connection, key))?;
        let Some(made) = current.filter(|object| object.facts.upload.as_deref() == Some(upload)) else {
            return Ok(None);
        };
        let numbers = named.iter().map(|part| part.part_number);
        let tags: Option<Vec<&str>> = named.iter().map(|part| Some(part.e_tag.as_ref()?.value())).collect();
        let is_same = numbers.eq(made.facts.parts.iter().map(|part| Some(part.number)))
            && tags.is_some_and(|tags| whole_etag(tags.into_iter()) == made.etag);
        if !is_same {
            return Ok(None);
        }
        conditions.check(Some(&made.etag))?;
        Ok(Some(made))
    }

    pub(super) async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let (key, id) = (request.input.key, request.input.upload_id);
        let files = Arc::clone(&self.files);
        let change = move |connection: &Connection, moves: &mut Moves| {
            find_upload(connection, &key, &id).map_err(broken)?.ok_or_else(no_such_upload)?;
            let parts = parts(connection, &id).map_err(broken)?;
            remove(connection, (moves, &files), &id, &parts)
        };
        self.index.change(change).await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    /// The upload with this id, if it was begun for this key.
    fn upload(&self, key: &str, id: &str) -> S3Result<Upload> {
        self.index.read(|connection| find_upload(connection, key, id))?.ok_or_else(no_such_upload)
    }
}

/// Reads the checksum that an upload in parts is to have.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>
///
/// That a CRC is of the whole object or of the parts, CRC64NVME only of the whole, and a SHA only of the parts, is S3's.
/// That the newer ones are only of the parts is a choice: no such checksum follows from those of its parts.
fn begun(headers: &HeaderMap, described: Described) -> S3Result<Upload> {
    use ChecksumAlgorithm::{
        Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256, Sha512, Xxhash3, Xxhash64, Xxhash128,
    };
    let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let kind = match text("x-amz-checksum-type").as_deref() {
        None => None,
        Some("FULL_OBJECT") => Some(SumKind::Full),
        Some("COMPOSITE") => Some(SumKind::Composite),
        Some(_) => {
            return Err(s3_error!(InvalidRequest, "Value for x-amz-checksum-type header is invalid."));
        }
    };
    let Some(name) = text("x-amz-checksum-algorithm") else {
        if kind.is_some() {
            return Err(s3_error!(
                InvalidRequest,
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            ));
        }
        let algorithm = checksums::DEFAULT.word().to_owned();
        return Ok(Upload { described, algorithm, kind: SumKind::Full, is_named: false });
    };
    let Some(algorithm) = checksums::named(&name.to_ascii_uppercase()) else {
        let known = ChecksumAlgorithm::ALL.map(ChecksumAlgorithm::name).join(", ");
        return Err(s3_error!(
            InvalidRequest,
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{known}]"
        ));
    };
    let (default, other) = match algorithm {
        Crc64Nvme => (SumKind::Full, None),
        Crc32 | Crc32c => (SumKind::Composite, Some(SumKind::Full)),
        Md5 | Sha1 | Sha256 | Sha512 | Xxhash3 | Xxhash64 | Xxhash128 => (SumKind::Composite, None),
    };
    let kind = kind.unwrap_or(default);
    if kind != default && Some(kind) != other {
        return Err(s3_error!(
            InvalidRequest,
            "The {} checksum type cannot be used with the {algorithm} checksum algorithm.",
            kind.name()
        ));
    }
    Ok(Upload { described, algorithm: algorithm.word().to_owned(), kind, is_named: true })
}

fn check_part_sum(upload: &Upload, given: Option<ChecksumAlgorithm>) -> S3Result<()> {
    let expected = upload.algorithm();
    let is_right = match given {
        Some(given) => !upload.is_named || given == expected,
        None => !upload.wants_sums(),
    };
    if is_right {
        return Ok(());
    }
    let given = given.map_or("null", ChecksumAlgorithm::word);
    Err(s3_error!(
        InvalidRequest,
        "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {given}"
    ))
}

fn find_upload(connection: &Connection, key: &str, id: &str) -> rusqlite::Result<Option<Upload>> {
    let query = "SELECT facts FROM uploads WHERE id = ?1 AND key = ?2";
    let facts: Option<String> = connection
        .prepare_cached(query)?
        .query_row(params![id, key.as_bytes()], |row| row.get(0))
        .optional()?;
    facts.map(|facts| json(0, &facts)).transpose()
}

/// The parts that have been uploaded, in the order of their numbers.
fn parts(connection: &Connection, upload: &str) -> rusqlite::Result<Vec<UploadedPart>> {
    let query =
        "SELECT number, etag, size, modified, file, sums FROM parts WHERE upload = ?1 ORDER BY number";
    let mut query = connection.prepare_cached(query)?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(UploadedPart {
            number: row.get(0)?,
            etag: row.get(1)?,
            size: row.get::<_, i64>(2)?.try_into().unwrap_or_default(),
            modified: row.get(3)?,
            file: row.get(4)?,
            sums: json(5, &row.get::<_, String>(5)?)?,
        })
    };
    query.query_map([upload], read)?.collect()
}

/// Removes an upload and its parts.
fn remove(
    connection: &Connection,
    (moves, files): (&mut Moves, &super::files::Files),
    id: &str,
    parts: &[UploadedPart],
) -> S3Result<()> {
    connection.execute("DELETE FROM parts WHERE upload = ?1", [id]).map_err(broken)?;
    connection.execute("DELETE FROM uploads WHERE id = ?1", [id]).map_err(broken)?;
    for part in parts {
        moves.remove_later(files.part(id, &part.file));
    }
    moves.remove_later(files.upload(id));
    Ok(())
}

fn of_object(part: &UploadedPart, algorithm: ChecksumAlgorithm) -> PartOf {
    PartOf { number: part.number, size: part.size, sums: part.sums.only(algorithm) }
}

fn listed(part: UploadedPart, algorithm: ChecksumAlgorithm) -> Part {
    let sum = |one| part.sums.get(one).filter(|_| one == algorithm).map(str::to_owned);
    Part {
        checksum_crc32: sum(ChecksumAlgorithm::Crc32),
        checksum_crc32c: sum(ChecksumAlgorithm::Crc32c),
        checksum_crc64nvme: sum(ChecksumAlgorithm::Crc64Nvme),
        checksum_sha1: sum(ChecksumAlgorithm::Sha1),
        checksum_sha256: sum(ChecksumAlgorithm::Sha256),
        part_number: Some(part.number),
        size: i64::try_from(part.size).ok(),
        last_modified: Some(timestamp(part.modified)),
        e_tag: Some(ETag::Strong(part.etag)),
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

/// The checksums that a completion names for a part, as far as `s3s` reads them.
fn sums_of(part: &CompletedPart) -> [(ChecksumAlgorithm, Option<&String>); 5] {
    [
        (ChecksumAlgorithm::Crc32, part.checksum_crc32.as_ref()),
        (ChecksumAlgorithm::Crc32c, part.checksum_crc32c.as_ref()),
        (ChecksumAlgorithm::Crc64Nvme, part.checksum_crc64nvme.as_ref()),
        (ChecksumAlgorithm::Sha1, part.checksum_sha1.as_ref()),
        (ChecksumAlgorithm::Sha256, part.checksum_sha256.as_ref()),
    ]
}

/// The parts of the object, if the request names valid ones.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
fn choose(
    upload: &Upload,
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
        let found = numbered(uploaded, number).filter(|found| found.etag == etag.value());
        let found = found.ok_or_else(invalid_part)?;
        for (algorithm, sum) in sums_of(part) {
            let is_wanted = upload.wants_sums() && algorithm == upload.algorithm();
            match (sum, found.sums.get(algorithm)) {
                (Some(sum), Some(known)) if sum != known => return Err(invalid_part()),
                (None, _) if is_wanted => {
                    return Err(s3_error!(
                        InvalidRequest,
                        "The upload was created using a {algorithm} checksum. The complete request must include the \
                         checksum for each part. It was missing for part {number} in the request."
                    ));
                }
                (Some(_) | None, _) => {}
            }
        }
        chosen.push(found.clone());
    }
    let Some((_, all_but_the_last)) = chosen.split_last() else { return Err(malformed()) };
    if all_but_the_last.iter().any(|part| part.size < SMALLEST_PART) {
        return Err(s3_error!(
            EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size"
        ));
    }
    let size = chosen.iter().map(|part| part.size).fold(0, u64::saturating_add);
    if object_size.is_some_and(|promised| u64::try_from(promised) != Ok(size)) {
        return Err(s3_error!(
            InvalidRequest,
            "The provided 'x-amz-mp-object-size' header does not match what was computed."
        ));
    }
    Ok(chosen)
}

/// The checksum of the object, compared with the one that the request promises.
fn whole_sum(upload: &Upload, chosen: &[UploadedPart], headers: &HeaderMap) -> S3Result<Sums> {
    let algorithm = upload.algorithm();
    let parts: Vec<(u64, Option<&str>)> =
        chosen.iter().map(|part| (part.size, part.sums.get(algorithm))).collect();
    let mut sums = Sums::default();
    if let Some(sum) = joined(algorithm, upload.kind, &parts) {
        sums.insert(algorithm, sum);
    }
    if headers.get("x-amz-checksum-type").is_some_and(|kind| kind.as_bytes() != upload.kind.name().as_bytes())
    {
        return Err(s3_error!(
            InvalidRequest,
            "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
            upload.kind.name()
        ));
    }
    if let Some((given, promised)) = checksums::told(headers)? {
        if given != algorithm {
            return Err(s3_error!(
                InvalidRequest,
                "Checksum Type mismatch occurred, expected checksum Type: {algorithm}, actual checksum Type: {given}"
            ));
        }
        // A checksum of the parts may come without their number.
        let is_it =
            |sum: &str| sum == promised || sum.rsplit_once('-').is_some_and(|(sum, _)| sum == promised);
        let is_base64 = promised.split('-').next().is_some_and(|sum| STANDARD.decode(sum).is_ok());
        if !is_base64 {
            return Err(s3_error!(InvalidRequest, "Value for {} header is invalid.", algorithm.header()));
        }
        if !sums.get(algorithm).is_some_and(is_it) {
            return Err(bad_digest(algorithm));
        }
    }
    Ok(sums)
}

/// The entity tag of an object that was uploaded in parts.
fn whole_etag<'a>(parts: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = parts.len();
    let digests: Vec<u8> = parts.flat_map(unhex).collect();
    format!("{}-{count}", hex(&md5(&digests)))
}

/// The bytes of an entity tag.
fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = text.as_bytes().iter().filter_map(digit).collect();
    digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte: u8, digit| byte << 4 | digit)).collect()
}

fn no_such_upload() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
         completed."
    )
}

fn invalid_part() -> S3Error {
    s3_error!(
        InvalidPart,
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified \
         entity tag may not match the part's entity tag."
    )
}

fn malformed() -> S3Error {
    s3_error!(
        MalformedXML,
        "The XML you provided was not well-formed or did not validate against our published schema"
    )
}
