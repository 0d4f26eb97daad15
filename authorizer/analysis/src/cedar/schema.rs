//! The schema of a translation, in Cedar's own syntax.

use authorizer_core::operation::S3Operation as Op;

use super::shape::Shape;
use super::text::name;

/// Writes the schema for policies of this shape.
pub(super) fn write(shape: &Shape) -> String {
    let claims: Vec<_> = shape.claims.iter().map(|claim| format!("  {}?: Claim,\n", name(claim))).collect();
    let metadata: Vec<_> =
        shape.metadata.iter().map(|metadata| format!("    {}?: String,\n", name(metadata))).collect();
    let mut segments = vec!["key: String".to_owned(), "count: Long".to_owned()];
    segments.extend((0..shape.first).map(|index| format!("s{index}: String")));
    segments.extend((0..shape.last).map(|index| format!("e{index}: String")));
    segments.extend(shape.middles.iter().map(|(first, last)| format!("m{first}_{last}: String")));
    let named = segments.iter().map(|attribute| format!("  {attribute},\n")).collect::<String>();
    let matched = if shape.matched.is_empty() { "" } else { "  matched: Set<String>,\n" };
    let host = if shape.hosts { "  host?: String,\n" } else { "" };
    let asked = format!(
        "  now: datetime,\n  source: ipaddr,\n  overrides: Set<String>,\n  parameters: Set<String>,\n{host}{matched}"
    );
    let mut schema = format!(
        "// A claim of the viewer's token, as each test reads it.\n\
        type Claim = {{\n  text?: String,\n  number?: Long,\n  truth?: Bool,\n  words: Set<String>,\n  \
        segments: Set<String>,\n  beginnings: Set<String>,\n  header?: String,\n}};\n\n\
        type Claims = {{\n{claims}}};\n\n\
        // A viewer with a verified token, in the token's issuer; or without a token, with no claims.\n\
        entity Issuer;\nentity Viewer in [Issuer] = {{ claims: Claims }};\nentity Anonymous = {{ claims: Claims }};\n\n\
        // An object by its key, and a listing by its prefix, split at the slashes.\n\
        entity Object, Prefix = {{\n{named}}};\n\n\
        // The facts about an upload.\n\
        type Upload = {{\n  length?: Long,\n  media_type?: String,\n  checksums: Set<String>,\n  names: Set<String>,\n  \
        metadata: {{\n{metadata}  }},\n}};\n\n",
        claims = claims.concat(),
        metadata = metadata.concat(),
    );
    let quoted = |operations: Vec<Op>| {
        operations.iter().map(|operation| format!("\"{}\"", operation.name())).collect::<Vec<_>>().join(", ")
    };
    let (uploads, others): (Vec<_>, Vec<_>) = Op::ALL.into_iter().partition(|one| one.is_upload());
    let (listing, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|one| one.is_listing());
    for (operations, resource, more) in
        [(others, "Object", ""), (uploads, "Object", "  upload: Upload,\n"), (listing, "Prefix", "")]
    {
        schema.push_str(&format!(
            "action {} appliesTo {{\n  principal: [Viewer, Anonymous],\n  resource: [{resource}],\n  context: {{\n{}  }},\n}};\n\n",
            quoted(operations),
            indented(&format!("{asked}{more}")),
        ));
    }
    schema.truncate(schema.trim_end().len());
    schema.push('\n');
    schema
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("  {line}\n")).collect()
}
