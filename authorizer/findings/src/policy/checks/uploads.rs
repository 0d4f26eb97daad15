//! What may be uploaded, and how it comes back.

use authorizer_core::operation::{OperationSet, S3Operation as Op};
use authorizer_core::response_override::ResponseOverride;

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::{PolicySubject, RuleView};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA060",
            name: "upload-of-any-length",
            severity: Severity::Medium,
            title: "a rule allows uploads of any length",
            why: "One request may store 5 GB, and nothing limits the number of requests. You pay for it.",
            remedy: "add `max_bytes` to the rule's `upload`",
        },
        any_length,
    ),
    (
        Check {
            id: "EA061",
            name: "upload-of-any-type",
            severity: Severity::Medium,
            title: "a rule allows uploads of any type",
            why: "An uploaded HTML page or SVG picture runs its scripts in the origin of the distribution. If \
              the token is in a cookie, the scripts act as the person who opens the page.",
            remedy: "add `content_types` to the rule's `upload`",
        },
        any_type,
    ),
    (
        Check {
            id: "EA062",
            name: "upload-of-every-type",
            severity: Severity::Medium,
            title: "`content_types` contains `*/*`",
            why: "It reads as a limit, but it only requires that there is a type. HTML and SVG match it, and \
              their scripts run in the origin of the distribution.",
            remedy: "name the types that you mean, such as `image/png` and `application/pdf`",
        },
        every_type,
    ),
    (
        Check {
            id: "EA063",
            name: "upload-with-scripts",
            severity: Severity::Medium,
            title: "`content_types` allows a type whose scripts a browser runs",
            why: "`image/*` includes SVG, `text/*` includes HTML and `application/*` includes XHTML. A browser \
              reads every type that ends in `+xml` as XML, and runs the scripts in it. If somebody opens such a file as a page, its scripts run in the origin of the distribution. If the token \
              is in a cookie, the scripts act as the person who opens the page.",
            remedy: "name the types one by one; or send `Content-Security-Policy: sandbox` with the response \
                 headers policy, and accept the finding",
        },
        scripts,
    ),
    (
        Check {
            id: "EA064",
            name: "length-beyond-s3",
            severity: Severity::Informational,
            title: "`max_bytes` is more than S3 accepts in one request",
            why: "S3 accepts at most 5 GB in one PUT. The rule allows a larger upload, but the answer is 400.",
            remedy: "write at most `5GB`, or allow multipart uploads",
        },
        beyond_s3,
    ),
    (
        Check {
            id: "EA065",
            name: "create-only-beside-delete",
            severity: Severity::Medium,
            title: "a rule is `create_only` and also allows deleting",
            why: "A person who may delete an object and create it again may replace it: `create_only` protects \
              nothing.",
            remedy: "remove DELETE from the rule, or remove `create_only`",
        },
        create_only_beside_delete,
    ),
    (
        Check {
            id: "EA066",
            name: "type-by-the-link",
            severity: Severity::Medium,
            title: "a link can choose the content type of a download",
            why: "With `response-content-type` the author of a link chooses the type. A browser then opens an \
              uploaded text as a page, and its scripts run in the origin of the distribution.",
            remedy: "remove `response-content-type`, and store objects with their type",
        },
        type_by_the_link,
    ),
    (
        Check {
            id: "EA067",
            name: "multipart-cannot-finish",
            severity: Severity::Low,
            title: "a rule allows some steps of a multipart upload, and no rule allows the others",
            why: "A multipart upload needs all three steps. An upload that somebody starts stays in the bucket \
              unfinished; you do not see it, but you pay for it.",
            remedy: "allow CreateMultipartUpload, UploadPart and CompleteMultipartUpload together, or none of \
                 them",
        },
        cannot_finish,
    ),
    (
        Check {
            id: "EA068",
            name: "multipart-without-abort",
            severity: Severity::Informational,
            title: "a rule allows starting multipart uploads, but not aborting them",
            why: "A client that fails cleans up with AbortMultipartUpload. If it may not, the parts stay in the \
              bucket; you do not see them, but you pay for them.",
            remedy: "add AbortMultipartUpload, and let a lifecycle rule of the bucket abort unfinished uploads",
        },
        without_abort,
    ),
]);

/// What the rules of EA060 allow.
pub(super) const ANY_LENGTH: &str = "uploads of any length";

/// What the rules of EA061 allow.
pub(super) const ANY_TYPE: &str = "uploads of any type";

/// A script in the distribution's origin can do the more, the more a browser sends by itself.
fn by_cookie(subject: &PolicySubject<'_>, without: Severity) -> Severity {
    if subject.has_ambient_token() { Severity::Medium } else { without }
}

/// Whether the rule says what an object is.
fn describes(rule: &RuleView<'_>) -> bool {
    !rule.that(Op::describes_object).is_empty()
}

fn content_types<'p>(rule: &RuleView<'p>) -> Option<&'p [String]> {
    rule.document.upload.as_ref()?.content_types.as_deref()
}

fn any_length(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let open = subject.allows().filter(|rule| {
        rule.rule.terms().max_bytes.is_none() && !rule.of(&[Op::PutObject, Op::UploadPart]).is_empty()
    });
    open.map(|rule| {
        let severity = if rule.is_anonymous() { Severity::Medium } else { Severity::Low };
        let message = format!("rule `{}` allows {} to {}", rule.id(), ANY_LENGTH, rule.keys());
        rule.found(message).severity(severity)
    })
    .collect()
}

fn any_type(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let open = subject.allows().filter(|rule| describes(rule) && content_types(rule).is_none());
    open.map(|rule| {
        let message = format!("rule `{}` allows {} to {}", rule.id(), ANY_TYPE, rule.keys());
        rule.found(message).severity(by_cookie(subject, Severity::Informational))
    })
    .collect()
}

fn typed(
    subject: &PolicySubject<'_>,
    without: Severity,
    why: impl Fn(&str) -> Option<&'static str>,
) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows() {
        for (index, text) in content_types(&rule).unwrap_or_default().iter().enumerate() {
            if let Some(why) = why(&text.to_ascii_lowercase()) {
                let place = rule.place().then("upload").then("content_types").at(index);
                let message = format!("rule `{}` allows uploads of `{text}`{why}", rule.id());
                found.push(rule.found_at(place, message).severity(by_cookie(subject, without)));
            }
        }
    }
    found
}

fn every_type(subject: &PolicySubject<'_>) -> Vec<Observation> {
    typed(subject, Severity::Low, |text| (text == "*/*").then_some(", which is any type"))
}

fn scripts(subject: &PolicySubject<'_>) -> Vec<Observation> {
    typed(subject, Severity::Low, |text| match text {
        "image/*" => Some(", which includes SVG"),
        "text/*" => Some(", which includes HTML"),
        "application/*" => Some(", which includes XHTML"),
        // WHATWG MIME Sniffing section 4.6 has the XML types; browsers read style sheets as XML, too.
        "text/html" | "text/xml" | "application/xml" | "text/xsl" => Some(", whose scripts a browser runs"),
        xml if xml.ends_with("+xml") => Some(", whose scripts a browser runs"),
        _ => None,
    })
}

fn beyond_s3(subject: &PolicySubject<'_>) -> Vec<Observation> {
    // AWS says 5 GB and takes 5 GiB.
    const MOST: u64 = 5 << 30;
    let open = subject.allows().filter(|rule| {
        rule.rule.terms().max_bytes.is_some_and(|bytes| bytes > MOST) && !rule.has(Op::CreateMultipartUpload)
    });
    open.map(|rule| {
        let bytes = rule.rule.terms().max_bytes.unwrap_or_default();
        let place = rule.place().then("upload").then("max_bytes");
        rule.found_at(place, format!("rule `{}` allows uploads of {bytes} bytes in one request", rule.id()))
    })
    .collect()
}

fn create_only_beside_delete(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let open = subject.allows().filter(|rule| rule.rule.terms().create_only && rule.has(Op::DeleteObject));
    open.map(|rule| {
        let place = rule.place().then("upload").then("create_only");
        rule.found_at(place, format!("rule `{}` is `create_only`, but also allows deleting", rule.id()))
    })
    .collect()
}

fn type_by_the_link(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows() {
        let mut overrides = rule.rule.overrides().iter();
        if let Some(index) = overrides.position(|one| *one == ResponseOverride::ResponseContentType) {
            let place = rule.place().then("response_overrides").at(index);
            found.push(rule.found_at(place, format!("rule `{}` allows `response-content-type`", rule.id())));
        }
    }
    found
}

fn cannot_finish(subject: &PolicySubject<'_>) -> Vec<Observation> {
    use crate::policy::subject::names;
    let possible = subject.possible();
    let lacking: Vec<_> =
        OperationSet::of(Op::uploads_in_parts).iter().filter(|step| !possible.contains(*step)).collect();
    let begun =
        subject.allows().filter(|rule| !lacking.is_empty() && !rule.that(Op::uploads_in_parts).is_empty());
    begun
        .map(|rule| {
            let open = rule.that(Op::uploads_in_parts);
            let message = format!(
                "rule `{}` allows {}, and no rule allows {}",
                rule.id(),
                names(&open),
                names(&lacking)
            );
            rule.found_in("operations", message)
        })
        .collect()
}

fn without_abort(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let begun = subject.allows().filter(|rule| {
        rule.has(Op::CreateMultipartUpload)
            && rule.has(Op::CompleteMultipartUpload)
            && !rule.has(Op::AbortMultipartUpload)
    });
    begun
        .map(|rule| {
            let message = format!("rule `{}` does not allow AbortMultipartUpload", rule.id());
            rule.found_of(Op::CreateMultipartUpload, message)
        })
        .collect()
}
