//! The S3 operations that a request can be, and what there is to know of each: one fact, one method.
//!
//! The distribution's identity may read and write every object, so what a request means to S3 is a closed
//! set ([AWS: S3 API operations](https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html)):
//! what is not here cannot be asked of S3. [`crate::request`] tells which one a request is.

mod facts;
mod headers;
mod method;
mod parameter;
mod set;
mod word;

use serde::{Deserialize, Serialize};

pub use facts::LengthHeader;
pub use method::Method;
pub(crate) use parameter::is_s3_parameter;
pub use parameter::{Parameter, ParameterForm};
pub use set::OperationSet;
pub use word::MethodWord;

/// Makes the enum of one list, so that an operation that is added is in all that is made of the list.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// An operation, by the name that policies and the decision log use.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum S3Operation {
            $($(#[$doc])* $name,)*
        }

        impl S3Operation {
            /// All of them, in the order in which they are named to people.
            pub const ALL: [Self; [$(stringify!($name)),*].len()] = [$(Self::$name),*];

            /// Its name in policies and in the decision log.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

operations! {
    /// `GET /KEY`.
    GetObject,
    /// `HEAD /KEY`.
    HeadObject,
    /// `PUT /KEY`.
    PutObject,
    /// `DELETE /KEY`.
    DeleteObject,
    /// `GET /KEY?versionId=ID`: to the API a GetObject, to IAM a permission of its own.
    GetObjectVersion,
    /// `HEAD /KEY?versionId=ID`. IAM has one permission for both; HEAD is apart here as HeadObject is.
    HeadObjectVersion,
    /// `GET /?list-type=2`.
    ListObjectsV2,
    /// `POST /KEY?uploads`.
    CreateMultipartUpload,
    /// `PUT /KEY?partNumber=N&uploadId=ID`.
    UploadPart,
    /// `POST /KEY?uploadId=ID`.
    CompleteMultipartUpload,
    /// `DELETE /KEY?uploadId=ID`.
    AbortMultipartUpload,
    /// `GET /KEY?uploadId=ID`.
    ListParts,
}

impl S3Operation {
    /// The operation of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}
