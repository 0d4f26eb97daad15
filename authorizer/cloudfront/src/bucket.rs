//! What an origin's domain name says of S3: one grammar of S3's hosts.

use std::fmt;

use super::view::Origin;

/// The target of an origin's domain name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// A bucket's own endpoint.
    Bucket(Endpoint),
    /// A bucket's website endpoint, which does not support Origin Access Control; with the bucket's name.
    Website(String),
    /// S3, but not a bucket's own endpoint.
    OtherS3(OtherS3),
    /// Something other than S3.
    Other,
}

/// A bucket's own endpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// The bucket.
    pub bucket: String,
    /// The Region, if the name has one. The global endpoint does not.
    pub region: Option<String>,
}

/// A host of S3 that is not a bucket's own endpoint. Which bucket is behind it is not in the configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OtherS3 {
    /// An access point, by its own host or by its alias.
    AccessPoint,
    /// A Multi-Region Access Point.
    MultiRegionAccessPoint,
    /// An Object Lambda Access Point.
    ObjectLambda,
    /// A VPC endpoint, which is not reachable from outside of its network.
    VpcEndpoint,
    /// Transfer Acceleration, with the bucket.
    Accelerated(String),
    /// A directory bucket.
    DirectoryBucket,
    /// S3 on Outposts.
    Outposts,
    /// S3 itself, where the path begins with the name of a bucket; with the bucket, if `OriginPath` names it.
    PathStyle(Option<String>),
    /// A bucket of another partition of AWS: China, GovCloud, the European Sovereign Cloud; with the bucket.
    OtherPartition(String),
    /// A host of S3 of another form.
    Unknown,
}

impl fmt::Display for OtherS3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessPoint => "an S3 access point",
            Self::MultiRegionAccessPoint => "an S3 Multi-Region Access Point",
            Self::ObjectLambda => "an S3 Object Lambda Access Point",
            Self::VpcEndpoint => "a VPC endpoint of S3",
            Self::Accelerated(_) => "an endpoint of S3 Transfer Acceleration",
            Self::DirectoryBucket => "a directory bucket",
            Self::Outposts => "S3 on Outposts",
            Self::PathStyle(_) => "S3 itself, not the endpoint of one bucket",
            Self::OtherPartition(_) => "a bucket of another AWS partition",
            Self::Unknown => "a host of S3 that is not known",
        })
    }
}

impl Target {
    /// Reads the domain name
    /// ([AWS: methods for accessing a bucket](https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-bucket-intro.html),
    /// [endpoints](https://docs.aws.amazon.com/general/latest/gr/s3.html),
    /// [access points](https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-alias.html)).
    pub fn of(origin: &Origin) -> Self {
        let domain = origin.domain_name.to_ascii_lowercase();
        let domain = domain.strip_suffix('.').unwrap_or(&domain);
        let suffixes = [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu"];
        let Some(name) = suffixes.iter().find_map(|suffix| domain.strip_suffix(suffix)) else {
            return Self::Other;
        };
        let labels: Vec<&str> = name.split('.').collect();
        let Some(host) = Host::read(&labels) else { return Self::Other };
        host.target(&origin.origin_path)
    }

    /// The bucket, where the configuration says which it is.
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::Bucket(endpoint) => Some(&endpoint.bucket),
            Self::Website(name)
            | Self::OtherS3(
                OtherS3::Accelerated(name) | OtherS3::PathStyle(Some(name)) | OtherS3::OtherPartition(name),
            ) => Some(name),
            Self::OtherS3(
                OtherS3::AccessPoint
                | OtherS3::MultiRegionAccessPoint
                | OtherS3::ObjectLambda
                | OtherS3::VpcEndpoint
                | OtherS3::DirectoryBucket
                | OtherS3::Outposts
                | OtherS3::PathStyle(None)
                | OtherS3::Unknown,
            )
            | Self::Other => None,
        }
    }

    /// Whether it is S3, in any form.
    pub fn is_s3(&self) -> bool {
        *self != Self::Other
    }

    /// What it is, if it is S3 and could be any bucket.
    pub fn any_bucket(&self) -> Option<&OtherS3> {
        match self {
            Self::OtherS3(other) if self.bucket().is_none() => Some(other),
            Self::OtherS3(_) | Self::Bucket(_) | Self::Website(_) | Self::Other => None,
        }
    }
}

impl Endpoint {
    /// The name that CloudFront should have, for a bucket in this Region.
    pub fn regional(&self, region: &str) -> String {
        format!("{}.s3.{region}.amazonaws.com", self.bucket)
    }
}

/// A host below AWS's domain, split at the label that names the service.
struct Host<'d> {
    /// The labels before the service.
    before: &'d [&'d str],
    service: Service,
    region: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Service {
    S3,
    Accelerate,
    Website,
    AccessPoint,
    ObjectLambda,
    MultiRegion,
    Outposts,
    Express,
    Vpc,
    Unknown,
}

impl<'d> Host<'d> {
    /// Reads from the end: a bucket's name may contain dots, and even `s3`.
    fn read(labels: &'d [&'d str]) -> Option<Self> {
        let (last, rest) = labels.split_last()?;
        if *last == "vpce" {
            let service = rest.iter().rposition(|label| label.starts_with("s3"))?;
            return Some(Self { before: labels.get(..service)?, service: Service::Vpc, region: None });
        }
        // Without a Region of its own label: `s3`, `s3-eu-west-1`, `s3-website-us-east-1`, `s3-global`.
        if let Some((service, region)) = dashed(last) {
            return Some(Self { before: rest, service, region });
        }
        let (dual, rest) = match rest.split_last() {
            Some((&"dualstack", rest)) => (true, rest),
            _ => (false, rest),
        };
        let (service, before) = rest.split_last()?;
        if *last == "dualstack" && !dual {
            let service = match *service {
                "s3-accelerate" => Service::Accelerate,
                _ => named(service).map(|_| Service::Unknown)?,
            };
            return Some(Self { before, service, region: None });
        }
        let service = named(service)?;
        // A word that is not a Region: a form that is not known.
        let service = if is_region(last) { service } else { Service::Unknown };
        Some(Self { before, service, region: Some((*last).to_owned()) })
    }

    fn target(self, path: &str) -> Target {
        let bucket = self.before.join(".");
        let region = self.region.as_deref();
        let is_foreign =
            |region: &str| ["cn-", "us-gov-", "eusc-", "us-iso"].iter().any(|one| region.starts_with(one));
        let first = self.before.first().copied().unwrap_or_default();
        let other = match self.service {
            Service::S3 | Service::Website | Service::Accelerate if bucket.is_empty() => {
                let named = path.trim_start_matches('/').split('/').next().unwrap_or_default();
                OtherS3::PathStyle((!named.is_empty()).then(|| named.to_owned()))
            }
            Service::S3 if self.before.len() == 1 && first.ends_with("--ol-s3") => OtherS3::ObjectLambda,
            Service::S3 if self.before.len() == 1 && first.ends_with("--op-s3") => OtherS3::Outposts,
            Service::S3 if self.before.len() == 1 && first.ends_with("-s3alias") => OtherS3::AccessPoint,
            Service::S3
                if self.before.len() == 1 && (first.ends_with("--x-s3") || first.ends_with("--xa-s3")) =>
            {
                OtherS3::DirectoryBucket
            }
            Service::S3 | Service::Website if region.is_some_and(is_foreign) => {
                OtherS3::OtherPartition(bucket)
            }
            Service::S3 => {
                return Target::Bucket(Endpoint { bucket, region: self.region });
            }
            Service::Website => return Target::Website(bucket),
            Service::Accelerate => OtherS3::Accelerated(bucket),
            Service::AccessPoint => OtherS3::AccessPoint,
            Service::ObjectLambda => OtherS3::ObjectLambda,
            Service::MultiRegion => OtherS3::MultiRegionAccessPoint,
            Service::Outposts => OtherS3::Outposts,
            Service::Express => OtherS3::DirectoryBucket,
            Service::Vpc => OtherS3::VpcEndpoint,
            Service::Unknown => OtherS3::Unknown,
        };
        Target::OtherS3(other)
    }
}

/// The label of a service before a Region.
fn named(label: &str) -> Option<Service> {
    let label = label.strip_suffix("-fips").unwrap_or(label);
    Some(match label {
        "s3" => Service::S3,
        "s3-website" => Service::Website,
        "s3-accesspoint" => Service::AccessPoint,
        "s3-object-lambda" => Service::ObjectLambda,
        "s3-outposts" => Service::Outposts,
        _ if label.starts_with("s3express-") => Service::Express,
        _ if label == "s3" || label.starts_with("s3-") => Service::Unknown,
        _ => return None,
    })
}

/// The last label, where it names the service, and the Region in it.
fn dashed(label: &str) -> Option<(Service, Option<String>)> {
    let region = |text: &str| Some(text.to_owned());
    match label {
        "s3" => return Some((Service::S3, None)),
        "s3-external-1" => return Some((Service::S3, region("us-east-1"))),
        "s3-accelerate" => return Some((Service::Accelerate, None)),
        "s3-global" => return Some((Service::MultiRegion, None)),
        _ => {}
    }
    let rest = label.strip_prefix("s3-")?;
    for (prefix, service) in [("website-", Service::Website), ("fips-", Service::S3), ("", Service::S3)] {
        if let Some(text) = rest.strip_prefix(prefix)
            && is_region(text)
        {
            return Some((service, region(text)));
        }
    }
    Some((Service::Unknown, None))
}

/// Whether it has the form of a Region: words, then a number.
fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., number] = words.as_slice() else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    is_word(first)
        && !middle.is_empty()
        && middle.iter().all(|word| is_word(word))
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(domain: &str, path: &str) -> Target {
        let (domain_name, origin_path) = (domain.to_owned(), path.to_owned());
        Target::of(&Origin { domain_name, origin_path, ..Origin::default() })
    }

    fn bucket(name: &str, region: Option<&str>) -> Target {
        Target::Bucket(Endpoint { bucket: name.to_owned(), region: region.map(str::to_owned) })
    }

    #[test]
    fn a_bucket_is_known_by_each_of_its_endpoints() {
        for (domain, expected) in [
            ("files.s3.eu-central-1.amazonaws.com", bucket("files", Some("eu-central-1"))),
            ("FILES.S3.Eu-Central-1.Amazonaws.com", bucket("files", Some("eu-central-1"))),
            ("files.s3.eu-central-1.amazonaws.com.", bucket("files", Some("eu-central-1"))),
            ("FILES.S3.Amazonaws.com", bucket("files", None)),
            ("files.s3-eu-west-1.amazonaws.com", bucket("files", Some("eu-west-1"))),
            ("files.s3-external-1.amazonaws.com", bucket("files", Some("us-east-1"))),
            ("files.s3.dualstack.eu-west-1.amazonaws.com", bucket("files", Some("eu-west-1"))),
            ("files.s3-fips.us-west-2.amazonaws.com", bucket("files", Some("us-west-2"))),
            ("files.s3-fips.dualstack.us-west-2.amazonaws.com", bucket("files", Some("us-west-2"))),
            ("my.files.s3.us-east-1.amazonaws.com", bucket("my.files", Some("us-east-1"))),
            ("my.s3.files.s3.us-east-1.amazonaws.com", bucket("my.s3.files", Some("us-east-1"))),
            ("s3.s3.us-east-1.amazonaws.com", bucket("s3", Some("us-east-1"))),
            ("my.s3alias.s3.us-east-1.amazonaws.com", bucket("my.s3alias", Some("us-east-1"))),
            ("files.s3-website-us-east-1.amazonaws.com", Target::Website("files".to_owned())),
            ("files.s3-website.eu-central-1.amazonaws.com", Target::Website("files".to_owned())),
            ("api.example.com", Target::Other),
            ("files.s3.eu-central-1.amazonaws.com.example.com", Target::Other),
            ("lb-1.eu-central-1.elb.amazonaws.com", Target::Other),
            ("s3things.eu-central-1.elb.amazonaws.com", Target::Other),
            ("abc.execute-api.eu-central-1.amazonaws.com", Target::Other),
            ("ec2-203-0-113-9.eu-central-1.compute.amazonaws.com", Target::Other),
            ("amazonaws.com", Target::Other),
        ] {
            assert_eq!(target(domain, ""), expected, "{domain}");
        }
    }

    #[test]
    fn what_is_s3_and_not_a_buckets_own_endpoint_is_never_called_a_bucket() {
        let path = |name: Option<&str>| OtherS3::PathStyle(name.map(str::to_owned));
        for (domain, origin_path, expected) in [
            ("mfzexample12ab.accesspoint.s3-global.amazonaws.com", "", OtherS3::MultiRegionAccessPoint),
            ("mine-111122223333.s3-accesspoint.eu-west-1.amazonaws.com", "", OtherS3::AccessPoint),
            ("mine-111122223333.s3-accesspoint.dualstack.eu-west-1.amazonaws.com", "", OtherS3::AccessPoint),
            ("mine-111122223333.s3-accesspoint-fips.us-east-1.amazonaws.com", "", OtherS3::AccessPoint),
            ("mine-111122223333.s3-accesspoint.cn-north-1.amazonaws.com.cn", "", OtherS3::AccessPoint),
            ("mine-abcdef1234-s3alias.s3.eu-west-1.amazonaws.com", "", OtherS3::AccessPoint),
            ("mine-abcdef1234-s3alias.s3.amazonaws.com", "", OtherS3::AccessPoint),
            ("mine-111122223333.s3-object-lambda.eu-west-1.amazonaws.com", "", OtherS3::ObjectLambda),
            ("mine-abcdef1234--ol-s3.s3.eu-west-1.amazonaws.com", "", OtherS3::ObjectLambda),
            ("mine-1.op-1.s3-outposts.eu-west-1.amazonaws.com", "", OtherS3::Outposts),
            ("mine--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com", "", OtherS3::DirectoryBucket),
            ("files.bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", "", OtherS3::VpcEndpoint),
            ("vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", "", OtherS3::VpcEndpoint),
            ("files.s3-accelerate.amazonaws.com", "", OtherS3::Accelerated("files".to_owned())),
            ("files.s3-accelerate.dualstack.amazonaws.com", "", OtherS3::Accelerated("files".to_owned())),
            ("files.s3.cn-north-1.amazonaws.com.cn", "", OtherS3::OtherPartition("files".to_owned())),
            ("files.s3.us-gov-west-1.amazonaws.com", "", OtherS3::OtherPartition("files".to_owned())),
            ("files.s3-us-gov-west-1.amazonaws.com", "", OtherS3::OtherPartition("files".to_owned())),
            ("files.s3-fips-us-gov-west-1.amazonaws.com", "", OtherS3::OtherPartition("files".to_owned())),
            ("files.s3.eusc-de-east-1.amazonaws.eu", "", OtherS3::OtherPartition("files".to_owned())),
            ("s3.amazonaws.com", "", path(None)),
            ("s3.eu-central-1.amazonaws.com", "/files", path(Some("files"))),
            ("s3-eu-west-1.amazonaws.com", "/files/below", path(Some("files"))),
            ("s3.dualstack.eu-west-1.amazonaws.com", "", path(None)),
            ("111122223333.s3-control.eu-west-1.amazonaws.com", "", OtherS3::Unknown),
            ("files.s3.somewhere.amazonaws.com", "", OtherS3::Unknown),
            ("files.s3-somewhere.amazonaws.com", "", OtherS3::Unknown),
        ] {
            assert_eq!(target(domain, origin_path), Target::OtherS3(expected), "{domain}");
        }
    }
}
