//! The bucket behind an origin.

use super::view::Origin;

/// The target of an origin's domain name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// A bucket's own endpoint, with the bucket's name.
    Bucket(String),
    /// A bucket's website endpoint, which does not support Origin Access Control.
    Website(String),
    /// Something other than S3.
    Other,
}

impl Target {
    /// Reads the domain name
    /// ([AWS: methods for accessing a bucket](https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-bucket-intro.html)).
    pub fn of(origin: &Origin) -> Self {
        let domain = origin.domain_name.to_ascii_lowercase();
        let Some(name) = domain.strip_suffix(".amazonaws.com") else { return Self::Other };
        // A bucket's name may contain dots, and even `.s3`: the last `.s3` belongs to the endpoint.
        let Some((bucket, endpoint)) = name.rsplit_once(".s3") else { return Self::Other };
        let is_website = endpoint.starts_with("-website-") || endpoint.starts_with("-website.");
        let is_endpoint = endpoint.is_empty() || endpoint.starts_with(['.', '-']);
        match bucket.is_empty() {
            false if is_website => Self::Website(bucket.to_owned()),
            false if is_endpoint => Self::Bucket(bucket.to_owned()),
            _ => Self::Other,
        }
    }

    /// The bucket, for either kind of endpoint.
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::Bucket(name) | Self::Website(name) => Some(name),
            Self::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_known_by_each_of_its_endpoints() {
        for (domain, expected) in [
            ("files.s3.eu-central-1.amazonaws.com", Target::Bucket("files".to_owned())),
            ("FILES.S3.Amazonaws.com", Target::Bucket("files".to_owned())),
            ("files.s3-eu-west-1.amazonaws.com", Target::Bucket("files".to_owned())),
            ("files.s3.dualstack.eu-west-1.amazonaws.com", Target::Bucket("files".to_owned())),
            ("my.files.s3.us-east-1.amazonaws.com", Target::Bucket("my.files".to_owned())),
            ("my.s3.files.s3.us-east-1.amazonaws.com", Target::Bucket("my.s3.files".to_owned())),
            ("files.s3-website-us-east-1.amazonaws.com", Target::Website("files".to_owned())),
            ("files.s3-website.eu-central-1.amazonaws.com", Target::Website("files".to_owned())),
            ("s3.amazonaws.com", Target::Other),
            ("api.example.com", Target::Other),
            ("files.s3.eu-central-1.amazonaws.com.example.com", Target::Other),
            ("lb-1.eu-central-1.elb.amazonaws.com", Target::Other),
        ] {
            let origin = Origin { domain_name: domain.to_owned(), ..Origin::default() };
            assert_eq!(Target::of(&origin), expected, "{domain}");
        }
    }
}
