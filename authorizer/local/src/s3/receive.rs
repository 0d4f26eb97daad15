//! Bodies that arrive: hashed, written to a file, and on the disk before anything is said of them.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use futures_util::StreamExt;
use http::StatusCode;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, s3_error};

use super::checksums::{Hashed, Hasher};
use super::files::{Files, Incoming};
use super::index::broken;

/// What is held of a body before it is written. A body that is not larger is one step for the disk.
const HELD: usize = 256 * 1024;

/// A body that is on the disk, and not yet an object.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) file: Incoming,
    pub(crate) size: u64,
    pub(crate) hashed: Hashed,
}

/// The state of a body between two steps.
struct Arriving {
    files: std::sync::Arc<Files>,
    hasher: Hasher,
    size: u64,
    open: Option<(Incoming, File)>,
}

impl Arriving {
    /// Takes what was held. Blocks.
    fn take(&mut self, held: &[u8]) -> io::Result<()> {
        self.hasher.update(held);
        self.size = self.size.saturating_add(u64::try_from(held.len()).unwrap_or(u64::MAX));
        let (_, file) = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(self.files.incoming()?),
        };
        file.write_all(held)
    }

    /// Writes the last, and waits for the disk. Blocks.
    fn finish(mut self, held: &[u8], check: impl FnOnce(&Hashed) -> S3Result<()>) -> S3Result<Received> {
        self.take(held).map_err(broken)?;
        let hashed = self.hasher.finish();
        check(&hashed)?;
        let (file, open) = self.open.ok_or_else(|| s3_error!(InternalError))?;
        open.sync_data().map_err(broken)?;
        Ok(Received { file, size: self.size, hashed })
    }
}

/// Receives a body, and checks it before the disk is waited for.
pub(crate) async fn receive(
    files: &std::sync::Arc<Files>,
    body: Option<StreamingBlob>,
    hasher: Hasher,
    check: impl FnOnce(&Hashed) -> S3Result<()> + Send + 'static,
) -> S3Result<Received> {
    let mut arriving = Arriving { files: std::sync::Arc::clone(files), hasher, size: 0, open: None };
    let mut held = Vec::new();
    let mut body = body;
    while let Some(bytes) = match &mut body {
        Some(body) => body.next().await,
        None => None,
    } {
        held.extend_from_slice(&bytes.map_err(|error| refusal(&error))?);
        if held.len() >= HELD {
            let full = std::mem::take(&mut held);
            (arriving, held) = blocking(move || {
                arriving.take(&full).map_err(broken)?;
                let mut emptied = full;
                emptied.clear();
                Ok((arriving, emptied))
            })
            .await?;
        }
    }
    blocking(move || arriving.finish(&held, check)).await
}

/// Copies a part of a file, or all of it. Blocks.
pub(crate) fn copy(files: &Files, from: impl Read, mut hasher: Hasher) -> S3Result<Received> {
    let (file, mut to) = files.incoming().map_err(broken)?;
    let mut from = from;
    let mut held = vec![0; HELD];
    let mut size = 0_u64;
    loop {
        let length = from.read(&mut held).map_err(broken)?;
        let Some(bytes) = held.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        to.write_all(bytes).map_err(broken)?;
        size = size.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
    }
    to.sync_data().map_err(broken)?;
    Ok(Received { file, size, hashed: hasher.finish() })
}

/// Joins files to one. Blocks. The system copies, where it can without reading.
pub(crate) fn join<'a>(files: &Files, parts: impl Iterator<Item = &'a Path>) -> S3Result<Incoming> {
    let (file, mut to) = files.incoming().map_err(broken)?;
    for part in parts {
        let mut from = File::open(part).map_err(broken)?;
        io::copy(&mut from, &mut to).map_err(broken)?;
    }
    to.sync_data().map_err(broken)?;
    Ok(file)
}

/// Runs what waits for the disk where nobody else waits. It is not cancelled if its caller is.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> S3Result<T> + Send + 'static,
) -> S3Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(broken(error)))
}

/// S3's answer if the body itself is wrong. `s3s` verifies signatures and digests of a body as it reads; only the text
/// of its error distinguishes them.
fn refusal(error: &StdError) -> S3Error {
    let text = format!("{error} {error:?}");
    if text.contains("Sha256Mismatch") {
        let code = S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into());
        let mut mismatch = S3Error::with_message(
            code,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        );
        mismatch.set_status_code(StatusCode::BAD_REQUEST);
        return mismatch;
    }
    if text.contains("SignatureMismatch") {
        return s3_error!(
            SignatureDoesNotMatch,
            "The request signature we calculated does not match the signature you provided."
        );
    }
    s3_error!(
        IncompleteBody,
        "You did not provide the number of bytes specified by the Content-Length HTTP header"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures_util::stream;
    use std::sync::Arc;

    fn folder() -> (tempfile::TempDir, Arc<Files>) {
        let folder = tempfile::tempdir().unwrap();
        super::super::files::prepare(folder.path()).unwrap();
        let files = Arc::new(Files::new(folder.path(), 1));
        (folder, files)
    }

    fn body(chunks: Vec<io::Result<Bytes>>) -> Option<StreamingBlob> {
        Some(StreamingBlob::wrap(stream::iter(chunks)))
    }

    #[tokio::test]
    async fn a_body_is_in_its_file_when_it_was_received_and_nowhere_when_it_was_refused() {
        let (folder, files) = folder();
        let incoming = || std::fs::read_dir(folder.path().join("incoming")).unwrap().count();
        for size in [0, 1, HELD, HELD * 3 + 1] {
            let bytes = vec![b'x'; size];
            let chunks = bytes.chunks(100_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
            let received = receive(&files, body(chunks), Hasher::new([]), |_| Ok(())).await.unwrap();
            assert_eq!(received.size, size as u64);
            assert_eq!(std::fs::read(received.file.path()).unwrap(), bytes);
        }
        assert_eq!(incoming(), 0, "dropped");
        let chunks = vec![Ok(Bytes::from(vec![0; HELD * 2])), Err(io::Error::other("gone"))];
        let error = receive(&files, body(chunks), Hasher::new([]), |_| Ok(())).await.unwrap_err();
        assert_eq!(error.code(), &S3ErrorCode::IncompleteBody);
        let chunks = vec![Ok(Bytes::from_static(b"x"))];
        let refuse = |_: &Hashed| Err(s3_error!(BadDigest));
        assert!(receive(&files, body(chunks), Hasher::new([]), refuse).await.is_err());
        assert_eq!(incoming(), 0);
    }
}
