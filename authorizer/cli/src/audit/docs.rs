//! Where the pages of findings can be read.

use authorizer_findings::Docs;

/// The option for the documentation's address.
#[derive(Debug, clap::Args)]
pub(super) struct DocsArgs {
    /// Address of the documentation, for links to the pages of findings: the project's folder `docs`, or the
    /// `index.html` of the site that `make docs` makes (default: what was set when this program was built, if anything).
    #[arg(long, value_name = "URL", value_parser = parse)]
    docs: Option<Docs>,
}

impl DocsArgs {
    /// What was given, or else what this program was built with.
    pub(super) fn get(&self) -> Option<Docs> {
        self.docs.clone().or_else(Docs::of_build)
    }
}

/// A web address that may stand in a link.
fn parse(text: &str) -> Result<Docs, String> {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    let is_plain =
        text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b'`'));
    let ends_as_folder = !text.contains(['?', '#']);
    if is_web && is_plain && ends_as_folder {
        Ok(Docs::at(text))
    } else {
        Err("write the address of a folder, such as https://git.example.com/authorizer/docs, or of the site's \
             index.html"
            .to_owned())
    }
}
