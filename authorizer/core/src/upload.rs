//! What a request says about its upload: the facts that a rule's limits are checked against.

use std::collections::BTreeMap;

use crate::checksum::ChecksumHeader;
use crate::event::{AddedHeader, CloudFrontHeader, CloudFrontHeaders};
use crate::header::{Fate, fate};
use crate::media_type::MediaType;
use crate::operation::S3Operation;

/// What the headers of an upload say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Upload {
    /// `Content-Length`, in bytes; `None` if it is absent, malformed or repeated, or if the body is sent in
    /// chunks.
    pub length: Option<u64>,
    /// `x-amz-mp-object-size`: the length of the whole object, in bytes. CompleteMultipartUpload may send it, and S3
    /// then checks it.
    pub object_size: Option<u64>,
    /// `Content-Type`; `None` if it is absent, malformed or repeated.
    pub media_type: Option<MediaType>,
    /// `x-amz-meta-NAME`, by NAME.
    pub metadata: BTreeMap<String, String>,
    /// S3's own integrity headers, by their names in lower case. The digest of the body (`x-amz-content-sha256`) is not
    /// one of them: a rule cannot refuse it.
    pub checksums: BTreeMap<String, ChecksumHeader>,
}

impl Upload {
    /// Reads the headers.
    ///
    /// # Errors
    /// The name of an S3 header that appears twice or is malformed.
    pub(crate) fn read(operation: S3Operation, headers: &CloudFrontHeaders<'_>) -> Result<Self, String> {
        let mut upload = Self::default();
        for (name, lines) in headers {
            let is_rules_matter = fate(operation, name, lines) == Fate::AsRuleSays;
            if !is_rules_matter && name != "content-length" && name != "content-type" {
                continue;
            }
            let line = match lines.as_slice() {
                [] => continue,
                [line] => Some(line.value.as_ref()),
                _ => None,
            };
            // For the first two, a malformed or repeated header counts as absent, and a rule that requires it does
            // not match. CloudFront and S3 check them too.
            match name.as_ref() {
                "content-type" => {
                    upload.media_type = line.and_then(MediaType::parse);
                    continue;
                }
                "content-length" => {
                    upload.length = line.and_then(number);
                    continue;
                }
                "x-amz-mp-object-size" => {
                    upload.object_size =
                        Some(line.and_then(number).ok_or_else(|| name.clone().into_owned())?);
                    continue;
                }
                _ => {}
            }
            let line = line.filter(|value| is_plain(value)).ok_or_else(|| name.clone().into_owned())?;
            if let Some(metadata) = name.strip_prefix("x-amz-meta-") {
                if !is_metadata(line) {
                    return Err(name.clone().into_owned());
                }
                upload.metadata.insert(metadata.to_owned(), line.to_owned());
            } else {
                let header = ChecksumHeader::read(name, line).ok_or_else(|| name.clone().into_owned())?;
                upload.checksums.insert(name.clone().into_owned(), header);
            }
        }
        // The chunks give the length of the body, whatever else is sent (RFC 9112 section 6.3).
        if headers.contains_key("transfer-encoding") {
            upload.length = None;
        }
        Ok(upload)
    }
}

/// The header line for a piece of metadata.
pub(crate) fn metadata_header(name: &str, value: &str) -> AddedHeader {
    let name = format!("x-amz-meta-{name}");
    (name.clone().into(), CloudFrontHeader::new(name, value.to_owned()).into())
}

/// Whether every reader reads the same text in a value of metadata. S3 may decode an encoded word of RFC 2047 (AWS:
/// object metadata), and another name could be hidden in one.
pub fn is_metadata(value: &str) -> bool {
    is_plain(value) && !value.contains("=?")
}

/// Printable ASCII without spaces around it.
pub(crate) fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) && value.trim_matches(' ') == value
}

/// Only digits (RFC 9110 section 8.6). A number that does not fit into 64 bits is larger than any limit.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &[&'static str])]) -> Result<Upload, String> {
        let lines = |(name, values): &(&'static str, &[&'static str])| {
            ((*name).into(), values.iter().map(|value| CloudFrontHeader::new(*name, *value)).collect())
        };
        Upload::read(S3Operation::PutObject, &headers.iter().map(lines).collect())
    }

    #[test]
    fn an_uploads_headers_are_read_to_facts() {
        let upload = read(&[
            ("content-length", &["12"]),
            ("content-type", &["Image/PNG; a=b"]),
            ("x-amz-meta-owner", &["alice"]),
            ("x-amz-checksum-crc32", &["AAAAAA=="]),
            ("x-amz-acl", &["not looked at here"]),
        ])
        .unwrap();
        assert_eq!(upload.length, Some(12));
        assert_eq!(upload.media_type, MediaType::parse("image/png"));
        assert_eq!(upload.metadata, [("owner".to_owned(), "alice".to_owned())].into());
        assert_eq!(upload.checksums.keys().collect::<Vec<_>>(), ["x-amz-checksum-crc32"]);
    }

    #[test]
    fn the_length_of_a_whole_multipart_upload_is_one_number() {
        let read = |values: &[&str]| {
            let lines = values.iter().map(|value| CloudFrontHeader::new("x-amz-mp-object-size", *value));
            let headers = [("x-amz-mp-object-size".into(), lines.collect())].into_iter().collect();
            Upload::read(S3Operation::CompleteMultipartUpload, &headers).map(|upload| upload.object_size)
        };
        assert_eq!(read(&["12"]), Ok(Some(12)));
        for values in [["1", "1"].as_slice(), &["+1"], &[""], &["1\r\nx-amz-acl: public-read"]] {
            assert_eq!(read(values), Err("x-amz-mp-object-size".to_owned()), "{values:?}");
        }
    }

    #[test]
    fn a_header_that_stands_twice_or_is_not_of_its_form_is_named() {
        for (name, values) in [
            ("x-amz-meta-a", ["1", "2"].as_slice()),
            ("x-amz-meta-a", &[" 1"]),
            ("x-amz-meta-a", &["é"]),
            ("x-amz-meta-a", &["a\r\nb"]),
            ("x-amz-meta-a", &["=?UTF-8?B?Ym9i?="]),
            ("x-amz-checksum-crc32", &["a", "b"]),
        ] {
            assert_eq!(read(&[(name, values)]), Err(name.to_owned()), "{values:?}");
        }
        for values in
            [["1", "1"].as_slice(), &["+1"], &["-1"], &["0x1"], &["1 "], &[""], &["1,1"], &["\u{661}"]]
        {
            assert_eq!(read(&[("content-length", values)]).unwrap().length, None, "{values:?}");
        }
        assert_eq!(read(&[("content-length", &["99999999999999999999"])]).unwrap().length, Some(u64::MAX));
        let chunked = read(&[("content-length", &["1"]), ("transfer-encoding", &["chunked"])]);
        assert_eq!(chunked.unwrap().length, None);
        for values in [["image/png", "image/png"].as_slice(), &["image"], &[]] {
            assert_eq!(read(&[("content-type", values)]).unwrap().media_type, None, "{values:?}");
        }
    }
}
