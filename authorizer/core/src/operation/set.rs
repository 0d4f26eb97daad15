//! Sets of operations.

use super::method::Method;
use super::s3_operation::S3Operation;

/// A set of operations.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct OperationSet(u16);

impl OperationSet {
    /// The operations for which the condition is true.
    pub fn of(fact: fn(S3Operation) -> bool) -> Self {
        S3Operation::ALL.into_iter().filter(|operation| fact(*operation)).collect()
    }

    /// Whether the condition is true for some member.
    pub fn any(self, fact: fn(S3Operation) -> bool) -> bool {
        self.iter().any(fact)
    }

    /// Whether the operation is in the set.
    pub fn contains(self, operation: S3Operation) -> bool {
        self.0 & bit_of(operation) != 0
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds an operation.
    pub fn insert(&mut self, operation: S3Operation) {
        self.0 |= bit_of(operation);
    }

    /// The operations that are in one set or the other.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The operations that are in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The members, in the order of [`S3Operation::ALL`].
    pub fn iter(self) -> impl Iterator<Item = S3Operation> {
        S3Operation::ALL.into_iter().filter(move |operation| self.contains(*operation))
    }

    /// Whether some member has this method.
    pub fn has_method(self, method: Method) -> bool {
        !self.intersection(method.operations()).is_empty()
    }

    /// The methods of the members, in the order of [`Method::ALL`].
    pub fn methods(self) -> impl Iterator<Item = Method> {
        Method::ALL.into_iter().filter(move |method| self.has_method(*method))
    }
}

impl FromIterator<S3Operation> for OperationSet {
    fn from_iter<I: IntoIterator<Item = S3Operation>>(operations: I) -> Self {
        let mut set = Self::default();
        operations.into_iter().for_each(|operation| set.insert(operation));
        set
    }
}

impl Method {
    /// The operations with this method.
    pub fn operations(self) -> OperationSet {
        S3Operation::ALL.into_iter().filter(|operation| operation.method() == self).collect()
    }
}

/// The operation's own bit in a set.
fn bit_of(operation: S3Operation) -> u16 {
    match operation {
        S3Operation::GetObject => 1,
        S3Operation::HeadObject => 1 << 1,
        S3Operation::PutObject => 1 << 2,
        S3Operation::DeleteObject => 1 << 3,
        S3Operation::GetObjectVersion => 1 << 4,
        S3Operation::HeadObjectVersion => 1 << 5,
        S3Operation::ListObjectsV2 => 1 << 6,
        S3Operation::CreateMultipartUpload => 1 << 7,
        S3Operation::UploadPart => 1 << 8,
        S3Operation::CompleteMultipartUpload => 1 << 9,
        S3Operation::AbortMultipartUpload => 1 << 10,
        S3Operation::ListParts => 1 << 11,
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;

    #[test]
    fn every_operation_is_its_own_member_of_a_set() {
        for one in S3Operation::ALL {
            let set: OperationSet = [one].into_iter().collect();
            assert_eq!(set.iter().collect::<Vec<_>>(), [one]);
            assert_eq!(set.intersection(one.method().operations()), set);
            assert_eq!(serde_json::to_value(one).unwrap(), one.name());
        }
    }

    #[test]
    fn the_methods_of_a_set_are_named_once_and_in_order() {
        let all: OperationSet = S3Operation::ALL.into_iter().collect();
        let methods: Vec<_> = all.methods().map(Method::as_str).collect();
        assert_eq!(methods, ["GET", "HEAD", "PUT", "DELETE", "POST"]);
        for text in ["get", "Get", "", "GET ", "PATCH", "OPTIONS", "TRACE"] {
            assert_eq!(Method::parse(text), None, "{text}");
        }
    }
}
