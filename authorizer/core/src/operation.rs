//! The S3 operations that a request can be, and what there is to know of each: one fact, one method.
//!
//! The distribution's identity may read and write every object, so what a request means to S3 is a closed
//! set ([AWS: S3 API operations](https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html)):
//! what is not here cannot be asked of S3. [`crate::request`] tells which one a request is.

mod facts;
mod headers;
mod method;
mod parameter;
mod s3_operation;
mod set;
mod word;

pub use facts::LengthHeader;
pub use method::Method;
pub(crate) use parameter::is_s3_parameter;
pub use parameter::{Parameter, ParameterForm};
pub use s3_operation::S3Operation;
pub use set::OperationSet;
pub use word::MethodWord;
