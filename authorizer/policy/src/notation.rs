//! What other systems write in the place of a pattern or of the name of a claim, and what is meant by it.

/// Whether a segment is how another notation writes what it puts in: `$sub`, `$(sub)`, `:sub`, `@sub`, `<sub>`, `<%= sub %>`,
/// `((sub))`, `%sub%`.
pub(crate) fn is_placeholder(segment: &str) -> bool {
    let is_name = |text: &str| {
        let mut bytes = text.trim().bytes();
        bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-'))
    };
    let within = |begin: &str, end: &str| segment.strip_prefix(begin)?.strip_suffix(end);
    let enclosed =
        [("$(", ")"), ("${", "}"), ("<%=", "%>"), ("<%", "%>"), ("<", ">"), ("%", "%"), ("((", "))")];
    let inner = enclosed
        .into_iter()
        .find_map(|(begin, end)| within(begin, end))
        .or_else(|| segment.strip_prefix(['$', ':', '@']));
    inner.is_some_and(is_name)
}

/// The beginning of a pattern that names a bucket or a host, as ARNs and URLs do.
pub(crate) fn address(pattern: &str) -> Option<&str> {
    let first = pattern.split('/').next()?;
    let lower = first.to_ascii_lowercase();
    // `s3:GetObject` is an action of IAM.
    let is_arn = lower.starts_with("arn:") || lower.starts_with("s3:");
    // `https:/host/a` is what remains of a URL if its empty segment is taken out.
    let is_scheme = matches!(lower.as_str(), "https:" | "http:" | "s3a:" | "s3n:" | "gs:" | "file:");
    let is_host =
        [".amazonaws.com", ".amazonaws.com.cn", ".cloudfront.net"].iter().any(|end| lower.ends_with(end));
    (is_arn || is_scheme || is_host).then_some(first)
}

/// Whether a name has a character that names of claims do not have, so that something else was meant: `a,b`, `$sub`,
/// `sub|lower`, `roles[0]`, `.roles`, `#/roles`.
pub(crate) fn is_odd(claim: &str) -> bool {
    const ODD: [char; 19] =
        [',', '|', '$', '@', '(', ')', '?', '*', '!', ';', '=', '<', '>', ' ', '[', ']', '\'', '"', '\\'];
    let is_one = |claim: &str| !claim.trim_matches('.').contains('.');
    claim.contains(ODD)
        || claim.starts_with('#')
        || claim.starts_with('.') && is_one(claim)
        || claim.ends_with('.') && is_one(claim)
}

/// The claim that is meant by a name such as `jwt:sub` or `claims.sub`, which other systems give it.
pub(crate) fn of_another_system(claim: &str) -> Option<&str> {
    const SOURCES: [&str; 21] = [
        "$",
        "aws",
        "auth",
        "authorizer",
        "claim",
        "claims",
        "context",
        "id_token",
        "idtoken",
        "identity",
        "jwt",
        "payload",
        "principal",
        "request",
        "saml",
        "session",
        "token",
        "user",
        "userinfo",
        "access_token",
        "accesstoken",
    ];
    // As IAM writes the claims of an identity provider: `cognito-identity.amazonaws.com:sub`.
    const PROVIDERS: [&str; 4] =
        ["accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"];
    if let Some((provider, name)) = claim.rsplit_once(':')
        && PROVIDERS.contains(&provider)
        && !name.is_empty()
    {
        return Some(name);
    }
    let (source, name) = claim.split_once([':', '.'])?;
    let is_known = SOURCES.iter().any(|one| source.eq_ignore_ascii_case(one));
    // The rest may have a source of its own: `jwt.claims.sub`. It is no domain: `auth.example.com/roles` is a name.
    let name = of_another_system(name).unwrap_or(name);
    let is_plain =
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':'));
    (is_known && is_plain && !name.is_empty()).then_some(name)
}

/// Whether a path has a number after its first name.
pub(crate) fn has_index(claim: &str) -> bool {
    let is_number = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    claim.starts_with('/') && claim.split('/').skip(2).any(is_number)
}

/// The path that is meant by a name that reads like one: `realm_access.roles`, `realm_access/roles`,
/// `https://example.com/claims.roles`. The name of a claim may have dots where it is a URL, or begins or ends with a domain
/// (RFC 7519 section 4.2: a collision-resistant name).
pub(crate) fn meant_path(claim: &str) -> Option<String> {
    let is_word = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    if claim.starts_with('/') {
        return None;
    }
    if let Some((_, rest)) = claim.split_once("://") {
        // The dots of the host are its own.
        let (_, last) = rest.split_once('/')?.1.rsplit_once('/').unwrap_or(("", rest.split_once('/')?.1));
        let within: Vec<_> = last.split('.').collect();
        // `v1.0` is a version, and `roles.json` a file.
        let is_name = |part: &str| is_word(part) && !part.bytes().all(|byte| byte.is_ascii_digit());
        let is_file = within.last().is_some_and(|part| matches!(*part, "json" | "html" | "xml" | "xsd"));
        let is_path = within.len() > 1 && within.iter().all(|part| is_name(part)) && !is_file;
        let (url, _) = claim.split_at_checked(claim.len().checked_sub(last.len())?)?;
        let (first, inner) = within.split_first()?;
        let root = format!("{url}{first}").replace('~', "~0").replace('/', "~1");
        return is_path.then(|| format!("/{root}/{}", inner.join("/")));
    }
    if claim.contains('/') {
        return claim.split('/').all(is_word).then(|| format!("/{claim}"));
    }
    // Programs write `.a.b` too.
    let parts: Vec<_> = claim.split('.').filter(|part| !part.is_empty()).collect();
    let is_path = parts.len() > 1 && parts.iter().all(|part| is_word(part)) && !is_domain(&parts);
    is_path.then(|| format!("/{}", parts.join("/")))
}

/// Whether these are the labels of a domain, from either end. `org` and `app` are words that claims have, too.
fn is_domain(labels: &[&str]) -> bool {
    let is_top = |label: &&str| matches!(*label, "com" | "net" | "io" | "edu");
    let has_label = |label: &&str| !label.contains('_');
    labels.iter().all(has_label)
        && (labels.last().is_some_and(is_top) || labels.len() > 2 && labels.first().is_some_and(is_top))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_reads_like_a_path_is_shown_as_one() {
        for (name, path) in [
            ("realm_access.roles", "/realm_access/roles"),
            ("realm_access/roles", "/realm_access/roles"),
            (".realm_access.roles", "/realm_access/roles"),
            ("realm_access..roles", "/realm_access/roles"),
            ("app_metadata.org", "/app_metadata/org"),
            ("tenant.org", "/tenant/org"),
            ("app.role", "/app/role"),
            ("net.id", "/net/id"),
            ("app_metadata.io", "/app_metadata/io"),
            ("kubernetes.io.namespace", "/kubernetes/io/namespace"),
            ("https://hasura.io/jwt/claims.x-hasura-role", "/https:~1~1hasura.io~1jwt~1claims/x-hasura-role"),
            ("https://example.com/claims.a.b", "/https:~1~1example.com~1claims/a/b"),
        ] {
            assert_eq!(meant_path(name).as_deref(), Some(path), "{name}");
        }
        for name in [
            "sub",
            "/realm_access/roles",
            "https://example.com",
            "https://example.com/",
            "https://example.com/roles",
            "https://example.com/v1.0",
            "https://example.com/v1.0/roles",
            "https://example.com/roles.json",
            "http://schemas.example.com/ws/2005/05/identity/claims/name",
            "example.com/roles",
            "kubernetes.io/serviceaccount/namespace",
            "kubernetes.io",
            "user.example.com",
            "com.example.roles",
            "cognito:groups",
            "urn:example:a.b",
            "roles.",
            ".",
            "",
        ] {
            assert_eq!(meant_path(name), None, "{name}");
        }
    }
}
