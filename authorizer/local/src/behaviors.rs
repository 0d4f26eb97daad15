//! A distribution's behaviors: which one a path selects, and what each does.

mod config;
mod covered;
mod forwarded;
mod policies;

use std::sync::Arc;

use authorizer_cloudfront::{
    BehaviorName, CachePolicy, PathPattern, ResponseHeadersPolicy, Selection, normalized_path,
};

pub use config::{BehaviorRow, ConfigError, DistributionConfig};
pub(crate) use forwarded::{Forwarded, picked};

/// The names of the headers that reach the bucket, which may change while the distribution runs.
pub type ForwardedHeaders = dyn Fn() -> Arc<[String]> + Send + Sync;

/// The behaviors that are served.
pub enum Behaviors {
    /// One behavior, and every header reaches the bucket.
    Everything,
    /// One behavior, as the templates of this repository make it: these headers, the whole query and no cookie reach the
    /// bucket.
    Policy(Arc<ForwardedHeaders>),
    /// Those of a distribution.
    Distribution(Box<DistributionConfig>),
}

impl std::fmt::Debug for Behaviors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Everything => f.write_str("Everything"),
            Self::Policy(_) => f.debug_tuple("Policy").finish_non_exhaustive(),
            Self::Distribution(config) => f.debug_tuple("Distribution").field(config).finish(),
        }
    }
}

/// What a behavior does.
#[derive(Clone, Debug)]
pub(crate) struct Behavior {
    pub(crate) name: BehaviorName,
    /// The methods that it allows.
    pub(crate) methods: Vec<String>,
    /// The methods whose answers it caches.
    pub(crate) cached_methods: Vec<String>,
    pub(crate) protocol: ViewerProtocol,
    pub(crate) function: FunctionHere,
    /// The place of its origin among those of the distribution.
    pub(crate) origin: usize,
    pub(crate) failover: Option<Failover>,
    pub(crate) cache: CachePolicy,
    pub(crate) forwarded: Forwarded,
    pub(crate) answers: Answers,
    /// Whether CloudFront lets in only who brings its own signed URL or cookie.
    pub(crate) is_for_signed_urls: bool,
}

impl Behavior {
    /// Its path pattern; `default` for the default behavior.
    pub(crate) fn pattern(&self) -> String {
        match &self.name {
            BehaviorName::Default => "default".to_owned(),
            BehaviorName::Pattern(pattern) => pattern.clone(),
        }
    }
}

/// The second origin of an origin group.
#[derive(Clone, Debug)]
pub(crate) struct Failover {
    /// Its place among the origins of the distribution.
    pub(crate) origin: usize,
    /// The statuses of the first origin for which it is asked.
    pub(crate) statuses: Vec<u16>,
}

/// The setting for plain HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ViewerProtocol {
    AllowAll,
    RedirectToHttps,
    HttpsOnly,
}

/// The function of a behavior, on this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum FunctionHere {
    /// The function that is served.
    Ours,
    /// It has none.
    None,
    /// It has others, which are not here.
    Absent(String),
    /// It has another one on viewer-request, which is not here.
    Other(String),
}

/// What one policy selects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selected {
    pub(crate) headers: Selection,
    pub(crate) cookies: Selection,
    pub(crate) query: Selection,
}

/// What happens to the headers of answers.
#[derive(Clone, Debug)]
pub(crate) enum Answers {
    /// What the response headers policy of this repository's templates does.
    Templates,
    /// Another one, or none.
    Policy(Option<Arc<ResponseHeadersPolicy>>),
}

/// The page for an error of an origin, and how long the error is cached.
#[derive(Clone, Debug)]
pub(crate) struct ErrorResponse {
    pub(crate) status: u16,
    /// The path of the page, and the status that it is sent with.
    pub(crate) page: Option<(String, u16)>,
    pub(crate) ttl: u64,
}

/// An origin.
#[derive(Clone, Debug)]
pub(crate) enum OriginHere {
    /// A bucket, which is a folder here.
    Bucket(BucketHere),
    /// Something that is not here.
    Absent(String),
}

/// When CloudFront signs a request for an origin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Signing {
    Always,
    /// `no-override`: not a request with an `Authorization`, which is passed on instead if the policies select it.
    UnlessAuthorized,
    Never,
}

/// A bucket as an origin.
#[derive(Clone, Debug)]
pub(crate) struct BucketHere {
    pub(crate) bucket: String,
    pub(crate) region: String,
    /// The prefix of every path.
    pub(crate) path: String,
    /// When CloudFront signs for it.
    pub(crate) signing: Signing,
    /// Whether it keeps versions, where that is known.
    pub(crate) versions: Option<bool>,
    /// The headers that CloudFront adds.
    pub(crate) headers: Vec<(String, String)>,
}

/// All of it, as the distribution serves it.
#[derive(Debug)]
pub(crate) struct Site {
    /// Those with patterns, in order.
    behaviors: Vec<Behavior>,
    /// For every path that no pattern matches.
    default: Behavior,
    pub(crate) origins: Vec<OriginHere>,
    pub(crate) errors: Vec<ErrorResponse>,
    /// The object for `/`, without its slash.
    pub(crate) root: Option<String>,
    /// How long an error is cached that is not listed, in seconds.
    pub(crate) default_error_ttl: u64,
}

impl Site {
    /// The behavior that CloudFront selects for a path.
    pub(crate) fn behavior(&self, path: &str) -> &Behavior {
        let path = normalized_path(path);
        let matches = |behavior: &&Behavior| PathPattern::of(&behavior.name).matches(&path);
        self.behaviors.iter().find(matches).unwrap_or(&self.default)
    }

    /// What happens to an error of an origin.
    pub(crate) fn error(&self, status: u16) -> ErrorResponse {
        let listed = self.errors.iter().find(|one| one.status == status).cloned();
        listed.unwrap_or(ErrorResponse { status, page: None, ttl: self.default_error_ttl })
    }

    /// Whether anything can be in the cache.
    pub(crate) fn caches(&self) -> bool {
        let all = self.behaviors.iter().chain([&self.default]);
        self.default_error_ttl > 0
            || self.errors.iter().any(|error| error.ttl > 0)
            || all.into_iter().any(|behavior| !behavior.cache.is_disabled())
    }
}

/// The one behavior without a distribution.
fn single(forwarded: Forwarded) -> Behavior {
    let all = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"].map(str::to_owned).to_vec();
    Behavior {
        name: BehaviorName::Default,
        methods: all,
        cached_methods: vec!["GET".to_owned(), "HEAD".to_owned()],
        protocol: ViewerProtocol::AllowAll,
        function: FunctionHere::Ours,
        origin: 0,
        failover: None,
        cache: CachePolicy::default(),
        forwarded,
        answers: Answers::Templates,
        is_for_signed_urls: false,
    }
}

impl Behaviors {
    /// As they are served, with this bucket for the one behavior without a distribution.
    pub(crate) fn into_site(self, bucket: &str, region: &str) -> Site {
        let forwarded = match self {
            Self::Distribution(config) => return config.into_site(),
            Self::Everything => Forwarded::Everything,
            Self::Policy(headers) => Forwarded::Policy(headers),
        };
        let bucket = BucketHere {
            bucket: bucket.to_owned(),
            region: region.to_owned(),
            path: String::new(),
            signing: Signing::Always,
            versions: None,
            headers: Vec::new(),
        };
        Site {
            behaviors: Vec::new(),
            default: single(forwarded),
            origins: vec![OriginHere::Bucket(bucket)],
            errors: Vec::new(),
            root: None,
            // The templates say so for each error.
            default_error_ttl: 0,
        }
    }
}
