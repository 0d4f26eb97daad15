//! The query parameters of each operation, and how the parameters of a request select the operation.

use super::known;
use super::method::Method;
use super::s3_operation::S3Operation;
use crate::extra_parameter::ExtraParameter;
use crate::prefix::KeyPrefix;

/// AWS: a multipart upload has parts 1 to 10,000.
const MAX_PARTS: u32 = 10_000;

/// The most entries that S3 lists at once.
const MAX_ENTRIES: u32 = 1_000;

/// A query parameter of an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Parameter {
    /// Its name. Case-sensitive.
    pub name: &'static str,
    /// What its value can be.
    pub form: ParameterForm,
    /// Whether the operation requires it.
    pub is_required: bool,
}

/// What the value of a query parameter can be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ParameterForm {
    /// Empty: only the name matters.
    Empty,
    /// Exactly this text.
    Exactly(&'static str),
    /// A decimal number from the first to the second, without leading zeros.
    Number(u32, u32),
    /// An id or a token from S3. Only S3 reads it.
    Opaque,
    /// A text without control characters.
    Text,
    /// A [`KeyPrefix`](crate::prefix::KeyPrefix); empty if the parameter is absent.
    Prefix,
}

impl ParameterForm {
    /// Whether the value has this form.
    pub fn holds(self, value: &str) -> bool {
        match self {
            Self::Empty => value.is_empty(),
            Self::Exactly(text) => value == text,
            Self::Number(least, most) => value
                .parse::<u32>()
                .is_ok_and(|number| (least..=most).contains(&number) && number.to_string() == value),
            Self::Opaque => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()),
            Self::Text => !value.is_empty() && !value.chars().any(char::is_control),
            Self::Prefix => KeyPrefix::new(value.to_owned()).is_ok(),
        }
    }
}

const fn required(name: &'static str, form: ParameterForm) -> Parameter {
    Parameter { name, form, is_required: true }
}

const fn optional(name: &'static str, form: ParameterForm) -> Parameter {
    Parameter { name, form, is_required: false }
}

const VERSION_ID: Parameter = required("versionId", ParameterForm::Opaque);
const UPLOAD_ID: Parameter = required("uploadId", ParameterForm::Opaque);

impl S3Operation {
    /// Its query parameters, in the order in which they go to S3. A read can also have response overrides.
    pub fn parameters(self) -> &'static [Parameter] {
        use ParameterForm as Form;
        match self {
            Self::GetObject | Self::HeadObject | Self::PutObject | Self::DeleteObject => &[],
            Self::GetObjectVersion | Self::HeadObjectVersion => &const { [VERSION_ID] },
            Self::ListObjectsV2 => {
                &const {
                    [
                        required("list-type", Form::Exactly("2")),
                        optional("prefix", Form::Prefix),
                        optional("delimiter", Form::Exactly("/")),
                        optional("max-keys", Form::Number(0, MAX_ENTRIES)),
                        optional("continuation-token", Form::Opaque),
                        // It only gives the start of the listing.
                        optional("start-after", Form::Text),
                        optional("encoding-type", Form::Exactly("url")),
                    ]
                }
            }
            Self::CreateMultipartUpload => &const { [required("uploads", Form::Empty)] },
            Self::UploadPart => &const { [required("partNumber", Form::Number(1, MAX_PARTS)), UPLOAD_ID] },
            Self::CompleteMultipartUpload | Self::AbortMultipartUpload => &const { [UPLOAD_ID] },
            Self::ListParts => {
                &const {
                    [
                        UPLOAD_ID,
                        optional("max-parts", Form::Number(0, MAX_ENTRIES)),
                        optional("part-number-marker", Form::Number(0, MAX_PARTS)),
                    ]
                }
            }
        }
    }

    /// Whether a parameter selects this operation instead of the plain one of its method.
    pub fn is_marked(self) -> bool {
        self.parameters().iter().any(|parameter| parameter.is_required)
    }

    /// The operation of a request for an object, and the parameter that selects it; `None` if there is no such
    /// operation. `has` says which parameters the request has.
    pub(crate) fn on_object(
        method: Method,
        has: impl Fn(&str) -> bool,
    ) -> Option<(Self, Option<&'static str>)> {
        let marked = |operation: Self, marker: &'static str| has(marker).then_some((operation, Some(marker)));
        match method {
            Method::Get => marked(Self::ListParts, "uploadId")
                .or_else(|| marked(Self::GetObjectVersion, "versionId"))
                .or(Some((Self::GetObject, None))),
            Method::Head => marked(Self::HeadObjectVersion, "versionId").or(Some((Self::HeadObject, None))),
            Method::Put => marked(Self::UploadPart, "uploadId")
                .or_else(|| marked(Self::UploadPart, "partNumber"))
                .or(Some((Self::PutObject, None))),
            Method::Delete => {
                marked(Self::AbortMultipartUpload, "uploadId").or(Some((Self::DeleteObject, None)))
            }
            Method::Post => marked(Self::CreateMultipartUpload, "uploads")
                .or_else(|| marked(Self::CompleteMultipartUpload, "uploadId")),
        }
    }

    /// The operation of a request for the bucket itself, and the parameter that selects it.
    pub(crate) fn on_bucket(has: impl Fn(&str) -> bool) -> Option<(Self, Option<&'static str>)> {
        has("list-type").then_some((Self::ListObjectsV2, Some("list-type")))
    }
}

/// Whether S3 knows a query parameter of this name, in any case: as a parameter of any operation, also of those that
/// nobody can ask for here, or as a part of a signature.
pub(crate) fn is_known_to_s3(name: &str) -> bool {
    let is_it = |known: &&str| known.eq_ignore_ascii_case(name);
    is_s3_parameter(name) || known::KNOWN.iter().any(is_it)
}

/// Whether S3 uses a query parameter of this name, so that it cannot contain a token.
pub(crate) fn is_s3_parameter(name: &str) -> bool {
    let is_an_operations =
        |operation: S3Operation| operation.parameters().iter().any(|parameter| parameter.name == name);
    let lower = name.to_ascii_lowercase();
    S3Operation::ALL.into_iter().any(is_an_operations)
        || ExtraParameter::ALL.into_iter().any(|extra| extra.name() == name)
        || ["x-id", "x-amz-", "response-"].iter().any(|prefix| lower.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_that_an_operation_needs_make_a_request_this_operation() {
        for operation in S3Operation::ALL {
            let required: Vec<_> =
                operation.parameters().iter().filter(|one| one.is_required).map(|one| one.name).collect();
            let has = |name: &str| required.contains(&name);
            let recognised = match operation.is_listing() {
                true => S3Operation::on_bucket(has),
                false => S3Operation::on_object(operation.method(), has),
            };
            let (recognised, marker) = recognised.unwrap();
            assert_eq!(recognised, operation);
            assert_eq!(marker.is_some(), operation.is_marked(), "{}", operation.name());
            assert!(marker.is_none_or(has), "{}", operation.name());
        }
    }
}
