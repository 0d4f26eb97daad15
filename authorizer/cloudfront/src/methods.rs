//! The sets of methods that CloudFront has.

use authorizer_core::request::Possible;

/// One of the three sets that a behavior can allow
/// ([AWS: AllowedMethods](https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_AllowedMethods.html)).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MethodSet {
    /// GET and HEAD.
    Read,
    /// GET, HEAD and OPTIONS.
    ReadAndPreflight,
    /// All seven: no set has PUT or DELETE without POST and PATCH.
    All,
}

impl MethodSet {
    /// The smallest set with every method that a policy could allow, and POST if people sign in here: pages renew a
    /// session with it, and people sign out.
    pub fn for_policy(possible: &Possible, signs_in: bool) -> Self {
        use authorizer_core::operation::Method;
        let writes = possible.operations.methods().any(|method| match method {
            Method::Put | Method::Delete | Method::Post => true,
            Method::Get | Method::Head => false,
        });
        match (writes || signs_in, possible.preflights) {
            (true, _) => Self::All,
            (false, true) => Self::ReadAndPreflight,
            (false, false) => Self::Read,
        }
    }

    /// The methods.
    pub fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["GET", "HEAD"],
            Self::ReadAndPreflight => &["GET", "HEAD", "OPTIONS"],
            Self::All => &["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
        }
    }

    /// Whether these are the same methods, in any order.
    pub fn is(self, methods: &[String]) -> bool {
        methods.len() == self.methods().len()
            && methods.iter().all(|one| self.methods().contains(&one.as_str()))
    }
}
