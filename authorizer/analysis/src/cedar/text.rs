//! Cedar's spelling.

/// A string literal.
pub(super) fn string(text: &str) -> String {
    format!("\"{}\"", escaped(text, false))
}

/// A pattern for `like`: text, and `*` where it stands apart from it.
pub(super) enum Like<'t> {
    Text(&'t str),
    Star,
}

/// A literal pattern. A star in the text is escaped.
pub(super) fn pattern<'t>(parts: impl IntoIterator<Item = Like<'t>>) -> String {
    let mut literal = String::from("\"");
    for part in parts {
        match part {
            Like::Text(text) => literal.push_str(&escaped(text, true)),
            // Two stars in a row are the same as one.
            Like::Star if literal.ends_with('*') && !literal.ends_with("\\*") => {}
            Like::Star => literal.push('*'),
        }
    }
    literal.push('"');
    literal
}

/// `base.name`, or `base["name"]` if the name is not an identifier.
pub(super) fn attribute(base: &str, name: &str) -> String {
    if is_identifier(name) { format!("{base}.{name}") } else { format!("{base}[{}]", string(name)) }
}

/// A name for `has` and for a schema.
pub(super) fn name(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { string(name) }
}

/// A set of strings.
pub(super) fn set<'t>(members: impl IntoIterator<Item = &'t str>) -> String {
    let members: Vec<_> = members.into_iter().map(string).collect();
    format!("[{}]", members.join(", "))
}

/// All of these; in parentheses if that is needed next to others.
pub(super) fn all(terms: Vec<String>) -> String {
    let terms: Vec<_> = terms.into_iter().filter(|term| term != "true").collect();
    if terms.is_empty() { "true".to_owned() } else { terms.join(" && ") }
}

/// One of these. Each may be a conjunction.
pub(super) fn any(terms: Vec<String>) -> String {
    match terms.as_slice() {
        [] => "false".to_owned(),
        [one] => one.clone(),
        many => {
            let wrap = |term: &String| if term.contains(" && ") { format!("({term})") } else { term.clone() };
            format!("({})", many.iter().map(wrap).collect::<Vec<_>>().join(" || "))
        }
    }
}

/// A comment, to the end of its line.
pub(super) fn comment(text: &str) -> String {
    format!("// {}", escaped(text, false))
}

fn escaped(text: &str, is_pattern: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '*' if is_pattern => escaped.push_str("\\*"),
            // Characters that are invisible, or look like something else.
            other if !is_plain(other) => escaped.push_str(&format!("\\u{{{:x}}}", u32::from(other))),
            plain => escaped.push(plain),
        }
    }
    escaped
}

/// Letters, digits and marks of ASCII, and the characters that Rust prints without an escape. These do not include
/// characters without width, or characters that change the direction of writing.
fn is_plain(character: char) -> bool {
    character == '\'' || character.escape_debug().count() == 1
}

fn is_identifier(name: &str) -> bool {
    const RESERVED: [&str; 9] = ["true", "false", "if", "then", "else", "in", "is", "like", "has"];
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|one| one.is_ascii_alphanumeric() || one == '_')
        && !RESERVED.contains(&name)
        && !name.starts_with("__cedar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_written_so_that_cedar_reads_it_back() {
        assert_eq!(string("a\"b\\c*d\n\u{202e}é"), r#""a\"b\\c*d\u{a}\u{202e}é""#);
        let like = [Like::Star, Like::Star, Like::Text("a*b"), Like::Star, Like::Text("\""), Like::Star];
        assert_eq!(pattern(like), r#""*a\*b*\"*""#);
        assert_eq!(pattern([Like::Text("*"), Like::Star]), r#""\**""#);
        assert_eq!(attribute("principal.claims", "sub"), "principal.claims.sub");
        assert_eq!(attribute("principal.claims", "https://a/b"), r#"principal.claims["https://a/b"]"#);
        assert_eq!((name("has"), name("1a"), name("_a")), ("\"has\"".into(), "\"1a\"".into(), "_a".into()));
    }
}
