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
/// `sub|lower`.
pub(crate) fn is_odd(claim: &str) -> bool {
    claim.contains([',', '|', '$', '@', '(', ')', '?', '*', '!', ';', '=', '<', '>', ' '])
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

/// Whether a name reads like a path, such as `realm_access.roles`. The name of a claim may have dots where it is a URL or
/// begins with a domain (RFC 7519 section 4.2: a collision-resistant name).
pub(crate) fn is_path(claim: &str) -> bool {
    const DOMAINS: [&str; 8] = ["com", "org", "net", "io", "dev", "app", "cloud", "edu"];
    let is_word = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    let mut parts = claim.split('.');
    claim.contains('.') && parts.clone().all(is_word) && !parts.any(|part| DOMAINS.contains(&part))
}
