//! Writing, copying and deleting an object.

use s3s::dto::{
    Checksum, CopyObjectInput, CopyObjectOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
    DeleteObjectsOutput, DeletedObject, ETagCondition, Error, MetadataDirective, ObjectIdentifier,
    PutObjectInput, PutObjectOutput,
};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};

use super::arrival::watch;
use super::conditions::{WriteConditions, no_such_key};
use super::key::Key;
use super::layout::remove;
use super::promises::Promises;
use super::store::{Store, own_request};

/// The largest number of keys that one request may delete.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
const MOST_DELETED: usize = 1_000;

impl Store {
    pub(super) async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = &mut request.input;
        let key = self.key(&input.key)?;
        let conditions = WriteConditions::take(&mut input.if_match, &mut input.if_none_match)?;
        let expected = Checksum {
            checksum_crc32: input.checksum_crc32.clone(),
            checksum_crc32c: input.checksum_crc32c.clone(),
            checksum_crc64nvme: input.checksum_crc64nvme.clone(),
            checksum_sha1: input.checksum_sha1.clone(),
            checksum_sha256: input.checksum_sha256.clone(),
            checksum_type: None,
        };
        let promises = Promises::new(
            input.content_md5.take().as_deref(),
            expected,
            input.checksum_algorithm.as_ref(),
            request.trailing_headers.clone(),
        )?;
        // A write that is already refused does not need its body.
        self.check(&key, &conditions).await?;
        self.layout.make_room(&key).await?;

        let body = input.body.take().ok_or_else(|| s3_error!(IncompleteBody))?;
        let (body, arrival) = watch(body, promises);
        input.body = Some(body);
        key.stored().clone_into(&mut input.key);
        let admission = async {
            let Some(admission) = arrival.arrived().await? else { return Ok(None) };
            let writing = self.locks.of(&key).write_owned().await;
            self.check(&key, &conditions).await?;
            self.layout.make_room(&key).await?;
            admission.admit();
            Ok::<_, S3Error>(Some(writing))
        };
        // The lock is held until the object and its headers are stored.
        let (stored, writing) = tokio::join!(S3::put_object(&self.files, request), admission);
        let _writing = writing?;
        stored
    }

    pub(super) async fn copy_object(
        &self,
        mut request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = &mut request.input;
        let key = self.key(&input.key)?;
        let source = self.source(&mut input.copy_source)?;
        key.stored().clone_into(&mut input.key);
        let keeps_headers = input
            .metadata_directive
            .as_ref()
            .is_none_or(|directive| directive.as_str() != MetadataDirective::REPLACE);

        let lock = self.locks.of(&key);
        let _writing = lock.write().await;
        if !self.layout.has_object(&source).await {
            return Err(no_such_key());
        }
        self.layout.make_room(&key).await?;
        let copied = S3::copy_object(&self.files, request).await?;
        // A file that was not uploaded does not have stored headers.
        if keeps_headers && !tokio::fs::try_exists(self.layout.headers(&source)).await.unwrap_or(false) {
            remove(&self.layout.headers(&key)).await?;
        }
        Ok(copied)
    }

    pub(super) async fn delete_object(
        &self,
        mut request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let key = self.key(&request.input.key)?;
        self.delete(&key, &WriteConditions::matching(request.input.if_match.take())).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    pub(super) async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let wanted = request.input.delete;
        if wanted.objects.len() > MOST_DELETED {
            return Err(s3_error!(MalformedXML, "At most {MOST_DELETED} objects can be deleted at once"));
        }
        let is_quiet = wanted.quiet.unwrap_or(false);
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in wanted.objects {
            match self.delete_one_of_many(&object).await {
                Ok(()) if is_quiet => {}
                Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() }),
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

    async fn delete_one_of_many(&self, object: &ObjectIdentifier) -> S3Result<()> {
        // This needs `s3:DeleteObjectVersion`, which the policy does not grant.
        if object.version_id.is_some() {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        let etag = object.e_tag.clone().map(|etag| match etag.value() {
            "*" => ETagCondition::Any,
            _ => ETagCondition::ETag(etag),
        });
        self.delete(&self.key(&object.key)?, &WriteConditions::matching(etag)).await
    }

    /// Deletes an object and its metadata. A missing object counts as deleted.
    async fn delete(&self, key: &Key, conditions: &WriteConditions) -> S3Result<()> {
        let lock = self.locks.of(key);
        let _writing = lock.write().await;
        self.check(key, conditions).await?;
        if self.layout.has_object(key).await {
            let input = DeleteObjectInput {
                bucket: self.layout.bucket().to_owned(),
                key: key.stored().to_owned(),
                ..DeleteObjectInput::default()
            };
            S3::delete_object(&self.files, own_request(input)).await?;
        }
        self.layout.forget(key).await
    }
}
