//! The pages of `infra` outside of a clone: a link to a file that is not written there becomes words.

use std::borrow::Cow;

use super::files::{FILES, InfraFile};

/// A file as it is written: a page without links to files of a clone, and anything else as it is.
pub(super) fn as_written(file: &InfraFile) -> Cow<'static, [u8]> {
    match std::str::from_utf8(file.bytes) {
        Ok(page) if file.name.ends_with(".md") => Cow::Owned(without_links_out(file.name, page).into_bytes()),
        _ => Cow::Borrowed(file.bytes),
    }
}

fn without_links_out(name: &str, page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("](") {
        let link = before.rsplit_once('[').zip(after.split_once(')'));
        if let Some(((ahead, label), (to, left))) = link
            && let Some(path) = path_outside(name, to)
        {
            text.push_str(ahead);
            text.push_str(label);
            if label != path {
                text.extend([" (`", &path, "`)"]);
            }
            rest = left;
        } else {
            text.push_str(before);
            text.push_str("](");
            rest = after;
        }
    }
    text.push_str(rest);
    text
}

/// The path in a clone of what a link of this page leads to, if that is not written.
fn path_outside(page: &str, link: &str) -> Option<String> {
    let (link, _) = link.split_once('#').unwrap_or((link, ""));
    let is_path = |character: char| character.is_ascii_alphanumeric() || "/._-".contains(character);
    // `](` can also be in a command, and `https:` does not name a file.
    if link.is_empty() || link.starts_with('/') || !link.chars().all(is_path) {
        return None;
    }
    let mut parts = vec!["infra"];
    parts.extend(page.split('/'));
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            name => parts.push(name),
        }
    }
    let path = parts.join("/");
    let is_written =
        path.strip_prefix("infra/").is_some_and(|name| FILES.iter().any(|file| file.name == name));
    (!is_written).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_out_becomes_words_and_every_other_text_stays() {
        for (name, page, written) in [
            (
                "README.md",
                "See [docs/deploy.md](../docs/deploy.md#quotas-and-what-to-raise).",
                "See docs/deploy.md.",
            ),
            (
                "README.md",
                "An [audit](../docs/install.md), [twice](../docs/ci.md)",
                "An audit (`docs/install.md`), twice (`docs/ci.md`)",
            ),
            (
                "cdk/README.md",
                "[a](../../docs/deploy.md) [b](../README.md)",
                "a (`docs/deploy.md`) [b](../README.md)",
            ),
            ("README.md", "[github](github/review)", "github (`infra/github/review`)"),
            (
                "README.md",
                "[x](cdk/README.md#a) [y](#z) [z](https://a.b/c)",
                "[x](cdk/README.md#a) [y](#z) [z](https://a.b/c)",
            ),
            ("README.md", "jq '.[0](. + 1)' `a](b`", "jq '.[0](. + 1)' `a](b`"),
        ] {
            assert_eq!(without_links_out(name, page), written);
        }
    }
}
