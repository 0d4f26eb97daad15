//! Random ids, in AWS's formats.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

/// The machine cannot give random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system did not give random bytes")]
pub struct RandomError(#[from] getrandom::Error);

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A CloudFront request id: 56 characters of base64url, as in its access logs.
pub(crate) fn cloudfront_request_id() -> Result<String, RandomError> {
    Ok(URL_SAFE.encode(bytes::<40>()?))
}

/// A Lambda request id: a version 4 UUID.
pub(crate) fn lambda_request_id() -> Result<String, RandomError> {
    let id = (u128::from_be_bytes(bytes()?) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    Ok(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        id >> 96,
        (id >> 80) & 0xffff,
        (id >> 64) & 0xffff,
        (id >> 48) & 0xffff,
        id & 0xffff_ffff_ffff
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shapes_of_aws() {
        let id = cloudfront_request_id().unwrap();
        assert_eq!(id.len(), 56);
        assert!(id.ends_with("=="));
        assert_ne!(id, cloudfront_request_id().unwrap());

        let id = lambda_request_id().unwrap();
        let lengths: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
    }
}
