//! The operations by their names.

use serde::{Deserialize, Serialize};

/// Creates the enum from one list, so that a new operation is in everything that is made from the list.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// An operation, by the name that policies and the decision log use.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
        pub enum S3Operation {
            $($(#[$doc])* $name,)*
        }

        impl S3Operation {
            /// All of them, in the order in which messages name them.
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
    /// `GET /KEY?versionId=ID`: for the API a GetObject, for IAM a separate permission.
    GetObjectVersion,
    /// `HEAD /KEY?versionId=ID`. IAM has one permission for both; HEAD is separate here, like HeadObject.
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
