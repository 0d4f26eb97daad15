//! Writing, copying and deleting an object.

use std::fs::File;
use std::sync::Arc;

use authorizer_core::checksum::ChecksumAlgorithm;
use http::HeaderValue;
use s3s::dto::{
    ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult, DeleteObjectInput, DeleteObjectOutput,
    DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error, MetadataDirective, ObjectIdentifier,
    PutObjectInput, PutObjectOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::checksums::{self, Hasher, Promises, hex};
use super::conditions::{Conditions, Tags, WriteConditions};
use super::facts::{Described, Facts, Object, SumKind};
use super::index::broken;
use super::receive::{Received, blocking, copy, receive};
use super::store::{Admission, Asked, Store};
use super::time::{now, timestamp};
use super::versions::Deleted;

/// The largest number of keys that one request may delete.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
const MOST_DELETED: usize = 1_000;

/// The largest body of one request.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html>
const LARGEST_BODY: i64 = 5 * 1024 * 1024 * 1024;

/// Refuses a body that is larger than S3 takes, before it is read.
pub(super) fn check_length(length: Option<i64>) -> S3Result<()> {
    match length.is_some_and(|length| length > LARGEST_BODY) {
        true => Err(s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size")),
        false => Ok(()),
    }
}

impl Store {
    pub(super) async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let asked = Asked::of(&request);
        let input = &mut request.input;
        check_length(input.content_length)?;
        let described = Described::read(
            &request.headers,
            asked.expires.as_ref(),
            input.metadata.as_ref(),
            input.storage_class.as_ref(),
        )?;
        let promises = Promises::read(&request.headers, asked.trailers)?;
        // A write that is already refused does not need its body.
        let admission = self.begin_write(&input.key, asked.conditions.of_write()?)?;
        let hasher = Hasher::new([promises.algorithm().unwrap_or(checksums::DEFAULT)]);
        let received =
            receive(&self.files, input.body.take(), hasher, move |hashed| promises.check(hashed)).await?;
        let facts =
            Facts { described, sums: received.hashed.sums.clone(), kind: SumKind::Full, ..Facts::default() };
        let (object, version) = self.store(&input.key, received, facts, admission).await?;
        let mut response = S3Response::new(PutObjectOutput {
            e_tag: Some(object.e_tag()),
            version_id: version,
            ..PutObjectOutput::default()
        });
        object.facts.sums.tell(&mut response.headers);
        response.headers.insert("x-amz-checksum-type", HeaderValue::from_static(object.facts.kind.name()));
        Ok(response)
    }

    /// Makes a body the object of a key. The object and the version to tell of it.
    async fn store(
        &self,
        key: &str,
        received: Received,
        facts: Facts,
        admission: Admission,
    ) -> S3Result<(Object, Option<String>)> {
        let etag = hex(&received.hashed.md5);
        self.store_as(key, received, etag, facts, admission, |_, _| Ok(())).await
    }

    /// The same with an entity tag of its own, and with a change that belongs to it.
    pub(super) async fn store_as(
        &self,
        key: &str,
        received: Received,
        etag: String,
        facts: Facts,
        admission: Admission,
        more: impl FnOnce(&rusqlite::Connection, &mut super::files::Moves) -> S3Result<()> + Send + 'static,
    ) -> S3Result<(Object, Option<String>)> {
        let (files, versioning) = (Arc::clone(&self.files), self.versioning);
        let key = key.to_owned();
        let change = move |connection: &rusqlite::Connection, moves: &mut super::files::Moves| {
            admission.check(connection, &key)?;
            let id = received.file.id();
            let mut object = Object {
                size: received.size,
                etag,
                modified: now(),
                body: super::files::Files::place(&key, id),
                facts,
                ..Object::default()
            };
            moves.place(&received.file, &files.body(&object.body)).map_err(broken)?;
            object.version = versioning.put(connection, (moves, &files), &key, id, &object)?;
            more(connection, moves)?;
            Ok(object)
        };
        let object = self.index.change(change).await?;
        let version = self.versioning.tell(&object.version);
        Ok((object, version))
    }

    pub(super) async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let asked = Asked::of(&request);
        let input = &request.input;
        let source = self.source(&input.copy_source)?;
        Conditions::of_source(&request.headers).check_source(&source)?;
        let replaces = input
            .metadata_directive
            .as_ref()
            .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        let is_itself = matches!(&input.copy_source, s3s::dto::CopySource::Bucket { key, version_id: None, .. }
            if **key == *input.key);
        if is_itself && !replaces && input.storage_class.is_none() {
            return Err(s3_error!(
                InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing the \
                 object's metadata, storage class, website redirect location or encryption attributes."
            ));
        }
        let described = match replaces {
            true => Described::read(
                &request.headers,
                asked.expires.as_ref(),
                input.metadata.as_ref(),
                input.storage_class.as_ref(),
            )?,
            false => source.facts.described.clone(),
        };
        let admission = self.begin_write(&input.key, asked.conditions.of_write()?)?;
        let wanted = input.checksum_algorithm.as_ref().and_then(|name| checksums::named(name.as_str()));
        let kept = source.facts.sums.algorithms().next().unwrap_or(checksums::DEFAULT);
        let hasher = Hasher::new([wanted.unwrap_or(kept)]);
        let (files, body) = (Arc::clone(&self.files), self.files.body(&source.body));
        let received = blocking(move || copy(&files, File::open(body).map_err(broken)?, hasher)).await?;
        let facts =
            Facts { described, sums: received.hashed.sums.clone(), kind: SumKind::Full, ..Facts::default() };
        let (object, version) = self.store(&input.key, received, facts, admission).await?;
        let sum = |one| object.facts.sums.get(one).map(str::to_owned);
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                checksum_crc32: sum(ChecksumAlgorithm::Crc32),
                checksum_crc32c: sum(ChecksumAlgorithm::Crc32c),
                checksum_crc64nvme: sum(ChecksumAlgorithm::Crc64Nvme),
                checksum_sha1: sum(ChecksumAlgorithm::Sha1),
                checksum_sha256: sum(ChecksumAlgorithm::Sha256),
                checksum_type: Some(ChecksumType::from_static(object.facts.kind.name())),
                e_tag: Some(object.e_tag()),
                last_modified: Some(timestamp(object.modified)),
            }),
            copy_source_version_id: self.versioning.tell(&source.version),
            version_id: version,
            ..CopyObjectOutput::default()
        }))
    }

    pub(super) async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let conditions = Asked::of(&request).conditions.of_write()?;
        let deleted = self.delete(&request.input.key, conditions).await?;
        Ok(S3Response::new(DeleteObjectOutput {
            delete_marker: deleted.marker.is_some().then_some(true),
            version_id: deleted.marker,
            ..DeleteObjectOutput::default()
        }))
    }

    pub(super) async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let wanted = request.input.delete;
        if wanted.objects.is_empty() || wanted.objects.len() > MOST_DELETED {
            return Err(s3_error!(
                MalformedXML,
                "The XML you provided was not well-formed or did not validate against our published schema"
            ));
        }
        let is_quiet = wanted.quiet.unwrap_or(false);
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in wanted.objects {
            match self.delete_one_of_many(&object).await {
                Ok(_) if is_quiet => {}
                Ok(done) => deleted.push(DeletedObject {
                    key: Some(object.key),
                    delete_marker: done.marker.is_some().then_some(true),
                    delete_marker_version_id: done.marker,
                    ..DeletedObject::default()
                }),
                Err(error) => errors.push(Error {
                    code: Some(error.code().as_str().to_owned()),
                    key: Some(object.key),
                    message: error.message().map(str::to_owned),
                    version_id: object.version_id,
                }),
            }
        }
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: Some(deleted),
            errors: Some(errors),
            ..DeleteObjectsOutput::default()
        }))
    }

    async fn delete_one_of_many(&self, object: &ObjectIdentifier) -> S3Result<Deleted> {
        // This needs `s3:DeleteObjectVersion`, which the policy does not grant.
        if object.version_id.is_some() {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        let tags = object.e_tag.as_ref().map(|etag| Tags::one(etag.value()));
        self.delete(&object.key, WriteConditions::matching(tags)).await
    }

    /// Deletes an object. A missing object counts as deleted.
    async fn delete(&self, key: &str, conditions: WriteConditions) -> S3Result<Deleted> {
        let admission = self.begin_write(key, conditions)?;
        let (files, versioning, deletions) =
            (Arc::clone(&self.files), self.versioning, self.deletions.clone());
        let key = key.to_owned();
        let change = move |connection: &rusqlite::Connection, moves: &mut super::files::Moves| {
            admission.check(connection, &key)?;
            let deleted = versioning.delete(connection, (moves, &files), &key, now())?;
            if deleted.was_there {
                deletions.tell(&key);
            }
            Ok(deleted)
        };
        self.index.change(change).await
    }
}
