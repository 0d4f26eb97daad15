//! The S3 operations that a request can be, and the facts about each: one fact, one method.
//!
//! The distribution may read and write every object, so the set of operations must be closed
//! ([AWS: S3 API operations](https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html)):
//! an operation that is not in this list does not reach S3. [`crate::request`] finds the operation of a request.

mod facts;
mod headers;
mod known;
mod method;
mod parameter;
mod s3_operation;
mod set;
mod word;

pub use facts::LengthHeader;
pub use method::Method;
pub use parameter::{Parameter, ParameterForm};
pub(crate) use parameter::{is_known_to_s3, is_s3_parameter};
pub use s3_operation::S3Operation;
pub use set::OperationSet;
pub use word::MethodWord;
