//! What is known of identity providers: how their issuers look, and what is in their tokens.
//!
//! Each provider is a file in `authorizer/policy/providers`, with the pages that the facts are from. What is not in
//! those pages is not in the file. Nothing here decides: the findings, the command line and docs/providers.md read it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// A provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// The form of its issuers, with `{...}` for what differs.
    pub issuer: String,
    /// Which issuers are its: `*` stands for any characters.
    pub matches: Vec<Address>,
    /// The pages that the facts are from.
    pub sources: Vec<String>,
    /// What to know when its issuer is written into a policy, as the lines of a comment.
    #[serde(default)]
    pub advice: Vec<String>,
    /// Why its metadata may name another issuer than the one that somebody asked for.
    #[serde(default)]
    pub other_issuer: Option<String>,
    /// Whether anyone can get a token there.
    #[serde(default)]
    pub anyone: Option<Anyone>,
    /// Its access tokens, if they are JWTs for others than the provider.
    #[serde(default)]
    pub access: Option<Tokens>,
    /// Its ID tokens, or the tokens of its jobs.
    #[serde(default)]
    pub id: Option<Tokens>,
    /// The claims whose values are known to have a certain form.
    #[serde(default)]
    pub claims: BTreeMap<String, Claim>,
    /// The claims that none of its tokens has, although others have them.
    #[serde(default)]
    pub never: BTreeMap<String, Never>,
    /// What `authorizer init` writes for it.
    #[serde(default)]
    pub starter: Option<Starter>,
    /// What people who sign in there by the code flow need of it.
    #[serde(default)]
    pub sign_in: Option<SigningIn>,
}

/// What a sign-in by the code flow needs to know of a provider, beside its metadata.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningIn {
    /// The pages that this is from.
    pub sources: Vec<String>,
    /// What to know, as the lines of a comment.
    #[serde(default)]
    pub advice: Vec<String>,
    /// Whether only its ID tokens can be verified, because its access tokens are opaque.
    #[serde(default)]
    pub only_id_token: bool,
    /// The scope without which it gives no refresh token.
    #[serde(default)]
    pub refresh_scope: Option<String>,
    /// The parameters without which it gives no refresh token.
    #[serde(default)]
    pub refresh_parameters: BTreeMap<String, String>,
    /// Whether its end of a session takes Cognito's parameters, at `/logout` beside the authorization endpoint. Its
    /// metadata may not have it.
    #[serde(default)]
    pub ends_as_cognito: bool,
    /// Whether its end of a session needs the ID token.
    #[serde(default)]
    pub needs_id_token_hint: bool,
    /// Whether a web application needs a secret there, with PKCE too.
    #[serde(default)]
    pub needs_client_secret: bool,
}

/// What a first policy needs to know of a provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Starter {
    /// The provider in one word.
    pub name: String,
    /// The issuer, if all of its tokens have the same.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Where it publishes its keys: `{issuer}` is the issuer without a slash at the end, `{parent}` the same without
    /// the last segment.
    pub jwks: String,
    /// What it signs with, unless somebody changed it.
    pub algorithms: Vec<String>,
    /// The field of the policy that says who its tokens are for.
    pub field: MeantFor,
    /// The claims that keep its other tokens out, as TOML.
    #[serde(default)]
    pub required: Option<String>,
    /// The claim that names a user for good, and has no slash.
    pub user: String,
    /// The claim that every rule asks for: a scope where nothing else keeps ID tokens out, or the owner where anyone can
    /// get a token.
    #[serde(default)]
    pub right: Option<Right>,
    /// A condition that administrators meet, as TOML.
    pub admin: String,
    /// Claims of an administrator, as TOML.
    pub admin_has: String,
}

/// A claim and the value that a rule asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Right {
    /// The claim.
    pub claim: String,
    /// The test of a condition: `has` or `equals`.
    pub test: String,
    /// The value.
    pub value: String,
}

/// The field of a policy that says who tokens are for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum MeantFor {
    /// `audience`
    Audience,
    /// `client_id`
    ClientId,
}

impl Starter {
    /// The URL of the keys of an issuer.
    pub fn jwks_of(&self, issuer: &str) -> String {
        let issuer = issuer.trim_end_matches('/');
        let parent = issuer.rsplit_once('/').map_or(issuer, |(parent, _)| parent);
        self.jwks.replace("{issuer}", issuer).replace("{parent}", parent)
    }
}

/// A kind of tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// What `aud` is, in words.
    pub audience: String,
    /// What every `aud` is like.
    #[serde(default)]
    pub audience_form: AudienceForm,
    /// The claim that names the client.
    #[serde(default)]
    pub client: Option<String>,
    /// `typ` of the header, if it is known and always the same.
    #[serde(default)]
    pub typ: Option<String>,
    /// Claims that only this kind has, with these values.
    #[serde(default)]
    pub says: BTreeMap<String, String>,
}

/// What every audience of a kind of tokens is like.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum AudienceForm {
    /// Nothing is known.
    #[default]
    Any,
    /// There is none, or it is a URI.
    Uri,
    /// A UUID.
    Uuid,
}

/// What is known of a claim.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Its type.
    #[serde(rename = "type")]
    pub form: ClaimType,
    /// Whether its values have slashes, unless the provider is set otherwise.
    #[serde(default)]
    pub slash: bool,
    /// Whether a value may later be another person's.
    #[serde(default)]
    pub reused: bool,
    /// Its values, if there are no others.
    #[serde(default)]
    pub values: Vec<String>,
}

/// The type of a claim.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum ClaimType {
    /// A text.
    Text,
    /// Words with spaces between them.
    Words,
    /// An array of texts.
    List,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An object.
    Object,
    /// A boolean or its text.
    Either,
}

/// Why a claim is never there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Never {
    /// What the provider does, in a sentence.
    pub because: String,
    /// Only in tokens of this kind: `access` or `id`.
    #[serde(default)]
    pub only: Option<Kind>,
}

/// A kind of tokens, by its name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An access token.
    Access,
    /// An ID token, or the token of a job.
    Id,
}

/// That anyone can get a token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anyone {
    /// Who is let in.
    pub who: String,
    /// The claims that keep it to some.
    pub narrowed_by: Vec<String>,
    /// How the values begin of the claims that begin with an owner's name, which is the `*`: `repo:*/`. A beginning
    /// keeps it to some only if it has all of that. One that ends before is also that of other people's values.
    #[serde(default)]
    pub owner_first: BTreeMap<String, String>,
}

impl Anyone {
    /// Whether every value that begins so is of one owner.
    pub fn names_an_owner(&self, claim: &str, beginning: &str) -> bool {
        let form = self.owner_first.get(claim).and_then(|form| form.split_once('*'));
        form.is_some_and(|(before, after)| {
            let owner = beginning.strip_prefix(before).and_then(|rest| rest.split_once(after));
            owner.is_some_and(|(owner, _)| !owner.is_empty() && !owner.contains(':'))
        })
    }
}

/// The files, those first that are about part of what another is about.
const FILES: [&str; 22] = [
    include_str!("../providers/cognito.toml"),
    include_str!("../providers/auth0.toml"),
    include_str!("../providers/okta.toml"),
    include_str!("../providers/microsoft-personal.toml"),
    include_str!("../providers/entra-v2.toml"),
    include_str!("../providers/entra-v1.toml"),
    include_str!("../providers/google.toml"),
    include_str!("../providers/forgerock.toml"),
    include_str!("../providers/keycloak.toml"),
    include_str!("../providers/supabase.toml"),
    include_str!("../providers/firebase.toml"),
    include_str!("../providers/clerk.toml"),
    include_str!("../providers/cloudflare-access.toml"),
    include_str!("../providers/kubernetes.toml"),
    include_str!("../providers/github.toml"),
    include_str!("../providers/gitlab.toml"),
    include_str!("../providers/circleci.toml"),
    include_str!("../providers/ad-fs.toml"),
    include_str!("../providers/salesforce.toml"),
    include_str!("../providers/apple.toml"),
    include_str!("../providers/facebook.toml"),
    include_str!("../providers/okta-organization.toml"),
];

/// All providers. A test reads every file, so none is left out.
pub fn all() -> &'static [Provider] {
    static ALL: LazyLock<Vec<Provider>> =
        LazyLock::new(|| FILES.iter().filter_map(|text| toml::from_str(text).ok()).collect());
    &ALL
}

impl Provider {
    /// The provider of an issuer, as far as its address shows.
    pub fn of(issuer: &str) -> Option<&'static Self> {
        all().iter().find(|provider| provider.matches.iter().any(|address| address.is_of(issuer)))
    }

    /// The field of the policy that says who its access tokens are for.
    pub fn meant_for(&self) -> MeantFor {
        self.starter.as_ref().map_or(MeantFor::Audience, |starter| starter.field)
    }

    /// The claims that keep its other tokens out, as TOML.
    pub fn required(&self) -> Option<&str> {
        self.starter.as_ref()?.required.as_deref()
    }

    /// Its kinds of tokens.
    pub fn kinds(&self) -> impl Iterator<Item = (Kind, &Tokens)> {
        let access = self.access.iter().map(|tokens| (Kind::Access, tokens));
        access.chain(self.id.iter().map(|tokens| (Kind::Id, tokens)))
    }

    /// The claims whose values have slashes.
    pub fn with_slash(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().filter(|(_, claim)| claim.slash).map(|(name, _)| name.as_str())
    }
}

/// The address of an issuer, in which a `*` stands for any characters. It is taken apart once: a review compares each with
/// every issuer many times.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(from = "String")]
pub struct Address {
    first: String,
    between: Vec<String>,
    /// `None` if there is no `*`.
    last: Option<String>,
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        let mut parts = text.split('*').map(str::to_owned);
        let first = parts.next().unwrap_or_default();
        let mut between: Vec<String> = parts.collect();
        let last = between.pop();
        Self { first, between, last }
    }
}

impl Address {
    /// Whether an issuer can have it.
    fn is_of(&self, issuer: &str) -> bool {
        let Some(mut rest) = issuer.strip_prefix(self.first.as_str()) else { return false };
        let Some(last) = &self.last else { return rest.is_empty() };
        for part in &self.between {
            let Some((_, after)) = rest.split_once(part.as_str()) else { return false };
            rest = after;
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_names_an_owner_only_as_a_whole() {
        let (github, gitlab) = ("https://token.actions.githubusercontent.com", "https://gitlab.com");
        for (issuer, claim, beginning, expected) in [
            (github, "sub", "repo:octo/", true),
            (github, "sub", "repo:octo/site:ref:", true),
            (github, "sub", "repo:octo", false),
            (github, "sub", "repo:", false),
            (github, "sub", "repo:/", false),
            (github, "sub", "", false),
            (github, "sub", "octo/", false),
            (github, "repository", "octo/", true),
            (github, "repository", "octo", false),
            (github, "repository_owner", "octo/", false),
            (github, "job_workflow_ref", "octo/workflows/", true),
            (gitlab, "sub", "project_path:group/", true),
            (gitlab, "sub", "project_path:group", false),
            (gitlab, "project_path", "group/", true),
            (gitlab, "project_id", "1", false),
            ("https://accounts.google.com", "sub", "1/", false),
        ] {
            let anyone = Provider::of(issuer).unwrap().anyone.as_ref().unwrap();
            assert_eq!(anyone.names_an_owner(claim, beginning), expected, "{issuer} {claim} {beginning}");
        }
    }

    #[test]
    fn every_file_is_read_and_names_its_sources() {
        for text in FILES {
            let provider: Provider = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert!(provider.sources.iter().all(|page| page.starts_with("https://")), "{}", provider.name);
            assert!(!provider.sources.is_empty() && !provider.matches.is_empty(), "{}", provider.name);
        }
        let names: std::collections::BTreeSet<_> = all().iter().map(|provider| &provider.name).collect();
        assert_eq!((all().len(), names.len()), (FILES.len(), FILES.len()));
    }

    #[test]
    fn every_file_of_the_folder_is_among_them() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("providers");
        let mut texts: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        texts.retain(|text| !FILES.contains(&text.as_str()));
        assert_eq!(texts, Vec::<String>::new());
    }

    #[test]
    fn an_issuer_is_of_the_provider_whose_address_it_has() {
        for (issuer, name) in [
            ("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE", Some("Amazon Cognito")),
            ("https://example.eu.auth0.com/", Some("Auth0")),
            ("https://example.okta.com/oauth2/default", Some("Okta")),
            ("https://example.okta.com", Some("Okta, the organization's server")),
            (
                "https://login.microsoftonline.com/6babcaad-604b-40ac-a9d7-9fd97c0b779f/v2.0",
                Some("Microsoft Entra ID, v2.0 tokens"),
            ),
            (
                "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
                Some("Microsoft, personal accounts"),
            ),
            (
                "https://sts.windows.net/6babcaad-604b-40ac-a9d7-9fd97c0b779f/",
                Some("Microsoft Entra ID, v1.0 tokens"),
            ),
            ("https://accounts.google.com", Some("Google")),
            ("accounts.google.com", Some("Google")),
            ("https://login.example.com/realms/staff", Some("Keycloak")),
            ("https://am.example.com/am/oauth2/realms/root/realms/staff", Some("ForgeRock / PingAM")),
            ("https://fs.example.com/adfs", Some("AD FS")),
            ("http://FS.EXAMPLE.COM/adfs/services/trust", Some("AD FS")),
            ("https://token.actions.githubusercontent.com", Some("GitHub Actions")),
            ("https://accounts.google.com.example.net", None),
            ("https://login.example.com/", None),
        ] {
            assert_eq!(Provider::of(issuer).map(|one| one.name.as_str()), name, "{issuer}");
        }
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, expected) in [
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "ab", false),
            ("*b*", "abc", true),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a*b*a", "aba", true),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(Address::from(pattern.to_owned()).is_of(text), expected, "{pattern} {text}");
        }
    }
}
