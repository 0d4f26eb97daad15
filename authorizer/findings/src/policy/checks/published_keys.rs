//! Keys whose private half stands in a book.

use super::keys::thumbprint;
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::PolicySubject;

pub(super) static FAMILY: Family = Family::Policy(&[(
    Check {
        id: "EA104",
        name: "key-of-a-published-example",
        severity: Severity::High,
        title: "the private half of a key is published",
        why: "The key comes from a standard's examples, a website or a tool's source, where everyone can read \
          the private half. So anyone can sign tokens that verify here, in anyone's name.",
        remedy: "make the provider create keys of its own, and fetch those (`authorizer keys fetch`)",
    },
    published,
)]);

/// RFC 7638 thumbprints of keys that are printed with their private half, and where.
const PUBLISHED: [(&str, &str); 11] = [
    ("IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8", "RFC 7515 appendix A.2"),
    ("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U", "RFC 7515 appendix A.3"),
    ("cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s", "RFC 7517 appendix A"),
    ("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "RFC 7517 appendix A"),
    ("9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI", "RFC 7520 section 3.4"),
    ("8izOqBCj1XBwWw0-iTcMv27pUKWwFvNmw-kutyfzf-g", "RFC 7520 section 6"),
    ("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "RFC 8037 appendix A.1"),
    ("oGDmHqCJ7yzMkWEkrlZVHkvrHIyQwtlDmeq5ForUHeY", "jwt.io (RS256)"),
    ("19J8y7Zprt2-QKLjF2I5pVk0OELX6cY2AfaAv1LC_w8", "jwt.io (ES256)"),
    ("DThM452l6A6MKX8FOZQarky5V3qqRNx2uSWRZEF_j4A", "the source of moto"),
    ("r1LkbBo3925Rb2ZFFrKyU3MVex9T2817Kx0vbi6i_Kc", "the source of oidc-provider"),
];

fn published(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for key in subject.issuers().flat_map(crate::policy::subject::IssuerView::keys) {
        let thumbprint = thumbprint(key.jwk);
        let known = PUBLISHED.iter().find(|(known, _)| Some(*known) == thumbprint.as_deref());
        if let Some((_, place)) = known.filter(|_| key.is_used()) {
            let message =
                format!("{} of issuer `{}` is a published key, from {place}", key.name(), key.issuer.name());
            found.push(key.found(message));
        }
    }
    found
}
