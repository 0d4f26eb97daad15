//! Where the documentation can be read.

use crate::check::Check;

/// The address of the documentation: the folder `docs` of a repository, or the site that `make docs` makes.
#[derive(Clone, Debug)]
pub struct Docs {
    folder: String,
    /// What the name of a page ends with.
    ending: &'static str,
}

impl Docs {
    /// The documentation at an address: a folder `docs`, whose pages are Markdown, or the `index.html` of a site.
    pub fn at(address: &str) -> Self {
        match address.strip_suffix("/index.html") {
            Some(site) => Self { folder: format!("{site}/docs"), ending: "html" },
            None => Self { folder: address.trim_end_matches('/').to_owned(), ending: "md" },
        }
    }

    /// The documentation of this build: at `AUTHORIZER_DOCS`, if that was set when it was built; otherwise in the
    /// repository, if the package says where it is.
    pub fn of_build() -> Option<Self> {
        let (set, repository) = (option_env!("AUTHORIZER_DOCS"), env!("CARGO_PKG_REPOSITORY"));
        let in_repository = || format!("{}/blob/main/docs", repository.trim_end_matches('/'));
        let address = set.filter(|address| !address.is_empty()).map(str::to_owned);
        let address = address.or_else(|| (!repository.is_empty()).then(in_repository));
        address.map(|address| Self::at(&address))
    }

    /// Where the page of a check can be read.
    pub fn page(&self, check: &Check) -> String {
        format!("{}/audit/{}.{}", self.folder, check.id, self.ending)
    }
}
