//! The pages of the documentation: all Markdown files of the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::binaries::root;

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Its path, from the root of the repository.
    pub path: String,
    /// The texts of its headings, the title first.
    pub headings: Vec<String>,
    /// What a link to the page may have behind `#`.
    pub anchors: BTreeSet<String>,
    /// The addresses of its links and pictures, with the texts of the links.
    pub links: Vec<(String, String)>,
    /// The first paragraph.
    pub first: String,
}

/// Every page, by its path.
pub fn pages() -> BTreeMap<String, Page> {
    let mut files = Vec::new();
    below(root(), &mut files);
    let page = |file: PathBuf| {
        let path = file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        (path.clone(), read(path, &fs::read_to_string(&file).unwrap()))
    };
    files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "md")).map(page).collect()
}

/// The files of the repository in a folder, without those that are made or installed.
pub fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if name.starts_with('.') || ["target", "dist", "node_modules", "__pycache__"].contains(&name.as_str())
        {
            continue;
        }
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => below(&path, found),
            kind if kind.is_file() => found.push(path),
            _ => {}
        }
    }
}

fn read(path: String, text: &str) -> Page {
    let mut page = Page {
        path,
        headings: Vec::new(),
        anchors: BTreeSet::new(),
        links: Vec::new(),
        first: String::new(),
    };
    let (mut heading, mut link, mut paragraph): (Option<String>, Option<(String, String)>, bool) =
        (None, None, false);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let heading = heading.take().unwrap();
                let (slug, mut anchor, mut times) = (slug(&heading), slug(&heading), 0);
                while !page.anchors.insert(anchor) {
                    times += 1;
                    anchor = format!("{slug}-{times}");
                }
                page.headings.push(heading);
            }
            Event::Start(Tag::Paragraph) => paragraph = page.first.is_empty(),
            Event::End(TagEnd::Paragraph) => paragraph = false,
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                link = Some((dest_url.to_string(), String::new()));
            }
            Event::End(TagEnd::Link | TagEnd::Image) => page.links.extend(link.take()),
            Event::Text(words) | Event::Code(words) => {
                for text in [heading.as_mut(), link.as_mut().map(|(_, text)| text)].into_iter().flatten() {
                    text.push_str(&words);
                }
                if paragraph {
                    page.first.push_str(&words);
                }
            }
            Event::SoftBreak if paragraph => page.first.push(' '),
            Event::Html(html) | Event::InlineHtml(html) => {
                let ids = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next());
                page.anchors.extend(ids.map(str::to_owned));
            }
            _ => {}
        }
    }
    page
}

/// What GitHub makes of a heading, for links to it.
fn slug(heading: &str) -> String {
    let lower = heading.to_lowercase();
    let kept = lower.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ => letter.is_alphanumeric().then_some(letter),
    });
    kept.collect()
}

/// The file that a link of a page leads to, as a path from the root, and the anchor in it. None: another address, or a
/// file outside of the repository.
pub fn target(page: &str, link: &str) -> Option<(String, Option<String>)> {
    let (file, anchor) = match link.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor.to_owned())),
        None => (link, None),
    };
    if link.split_once(':').is_some_and(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_lowercase())) {
        return None;
    }
    if file.is_empty() {
        return Some((page.to_owned(), anchor));
    }
    let mut path = PathBuf::from(page);
    path.pop();
    for part in Path::new(file).components() {
        match part {
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some((path.to_str().unwrap().to_owned(), anchor))
}

/// The code blocks of a page: their language and their text.
pub fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut block: Option<(String, String)> = None;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                block = Some((language.to_string(), String::new()));
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(block.take()),
            Event::Text(words) => {
                if let Some((_, text)) = &mut block {
                    text.push_str(&words);
                }
            }
            _ => {}
        }
    }
    blocks
}
