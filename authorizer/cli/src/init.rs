//! `authorizer init`: a first policy with its tests.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use authorizer_core::Bundle;
use authorizer_core::FetchUrl;
use authorizer_core::policy::document::PolicyDocument;
use authorizer_policy::FileKind;
use authorizer_policy::providers::{MeantFor, Provider, Right, Starter, all};
use clap::ValueEnum;
use clap::builder::PossibleValuesParser;
use miette::Diagnostic;
use thiserror::Error;
use toml_edit::{DocumentMut, InlineTable, Value};

use crate::output::{Exit, line};
use crate::save::SaveError;
use crate::schema;
use crate::serve::quoted;
use crate::token::write_new;

/// What is not a provider that is known.
const GENERIC: &str = "generic";

/// Write a first policy for an identity provider, and its tests.
///
/// Writes `policy.toml`, `policy.tests.toml`, their JSON Schemas for your editor and `.gitignore` into the folder, and
/// replaces nothing. On a terminal it asks for what is not given. It does not use the network.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  authorizer init photos --provider cognito --pattern per-user --client-id 1example23456789 \\
      --issuer https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE
  authorizer init site --provider generic --pattern public --issuer https://login.example.com/ \\
      --jwks-url https://login.example.com/jwks.json --audience files-api")]
pub(crate) struct Args {
    /// Folder for the files, created if missing.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Identity provider.
    #[arg(long, value_parser = PossibleValuesParser::new(names()))]
    provider: Option<String>,
    /// What the bucket is for.
    #[arg(long, value_enum)]
    pattern: Option<Pattern>,
    /// Issuer, exactly as in the `iss` of its tokens.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// `aud` of the tokens for this service. Repeatable.
    #[arg(long)]
    audience: Vec<String>,
    /// `client_id` of the clients to allow. Repeatable.
    #[arg(long)]
    client_id: Vec<String>,
    /// Where the issuer publishes its keys [default: where this provider does].
    #[arg(long, value_name = "URL")]
    jwks_url: Option<String>,
}

/// What a bucket is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Pattern {
    /// Each user keeps a folder; administrators read.
    PerUser,
    /// Everyone reads; administrators publish.
    Public,
    /// The members of a tenant share a folder; administrators read.
    Tenants,
    /// Users hand in files that they cannot read again; administrators collect.
    DropBox,
    /// Jobs upload what they build, and replace nothing; administrators clean up.
    Artifacts,
}

impl Pattern {
    /// Its rules, and the tests of them.
    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::PerUser => (include_str!("init/per-user.toml"), include_str!("init/per-user.tests.toml")),
            Self::Public => (include_str!("init/public.toml"), include_str!("init/public.tests.toml")),
            Self::Tenants => (include_str!("init/tenants.toml"), include_str!("init/tenants.tests.toml")),
            Self::DropBox => (include_str!("init/drop-box.toml"), include_str!("init/drop-box.tests.toml")),
            Self::Artifacts => {
                (include_str!("init/artifacts.toml"), include_str!("init/artifacts.tests.toml"))
            }
        }
    }
}

/// Why no policy is written.
#[derive(Debug, Diagnostic, Error)]
enum InitError {
    /// Something is not given, and nobody can be asked.
    #[error("{missing} missing")]
    #[diagnostic(help("{help}"))]
    Missing {
        /// The arguments, as a sentence's beginning.
        missing: String,
        /// What they are.
        help: String,
    },
    /// The issuer is another provider's.
    #[error("`{issuer}` is no issuer of {provider}")]
    #[diagnostic(help(
        "an issuer of {provider} looks like {form}; for another provider, use `--provider generic`"
    ))]
    OtherIssuer {
        /// What was given.
        issuer: String,
        /// The provider's name.
        provider: String,
        /// What its issuers look like.
        form: String,
    },
    /// The policy would not be valid.
    #[error("the policy would not be valid: {0}")]
    #[diagnostic(help("give another value"))]
    Invalid(String),
}

fn names() -> Vec<&'static str> {
    starters().map(|(_, starter)| starter.name.as_str()).chain([GENERIC]).collect()
}

fn starters() -> impl Iterator<Item = (&'static Provider, &'static Starter)> {
    all().iter().filter_map(|provider| Some((provider, provider.starter.as_ref()?)))
}

/// All that the files are made of.
#[derive(Debug)]
struct Answers {
    /// The provider's name for people.
    title: String,
    /// The issuer's name in the policy.
    name: String,
    issuer: String,
    jwks: String,
    /// The fields that say who the tokens are for.
    meant_for: [(&'static str, Vec<String>); 2],
    starter: Starter,
    pattern: Pattern,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let answers = Answers::of(args)?;
    let (policy, tests) = (answers.policy(), answers.tests());
    is_valid(&policy).map_err(InitError::Invalid)?;
    let path = |name: &str| args.folder.join(name);
    let files = [
        (path("policy.toml"), policy),
        (path("policy.tests.toml"), tests),
        (path(schema::POLICY_FILE), format!("{}\n", schema::text(FileKind::Policy))),
        (path(schema::TESTS_FILE), format!("{}\n", schema::text(FileKind::Tests))),
    ];
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(SaveError::Exists { path: path.clone() }.into());
    }
    fs::create_dir_all(&args.folder)
        .map_err(|source| SaveError::Unwritable { path: args.folder.clone(), source })?;
    for (path, text) in &files {
        write_new(path, text.as_bytes(), 0o644)?;
        line(format_args!("{} is written", path.display()))?;
    }
    let ignored = path(".gitignore");
    if ignored.exists() {
        line(format_args!(
            "{} stays as it is; keep .local/, dist/ and *.private.pem out of version control",
            ignored.display()
        ))?;
    } else {
        write_new(
            &ignored,
            "# Keys for development, objects of the local bucket, and packages.\n*.private.pem\n*.key.pem\n*.secret\n\
             .local/\ndist/\n"
                .as_bytes(),
            0o644,
        )?;
        line(format_args!("{} is written", ignored.display()))?;
    }
    line("\nNext:")?;
    if args.folder != Path::new(".") {
        line(format_args!("  cd {}", quoted(&args.folder)))?;
    }
    line("  authorizer test --policy policy.toml --min-coverage 100")?;
    line("  authorizer serve --policy policy.toml --dev-issuer")?;
    line("\nThen write your own values in the place of those in `when`, in both files.")?;
    Ok(Exit::Held)
}

impl Answers {
    fn of(args: &Args) -> miette::Result<Self> {
        let mut missing = Missing::default();
        let provider = missing.choice("--provider", args.provider.clone(), "Identity provider", &names())?;
        let patterns: Vec<_> =
            Pattern::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
        let patterns: Vec<_> = patterns.iter().map(|value| value.get_name()).collect();
        let pattern =
            args.pattern.and_then(|pattern| Some(pattern.to_possible_value()?.get_name().to_owned()));
        let pattern = missing.choice("--pattern", pattern, "What the bucket is for", &patterns)?;
        let known = starters().find(|(_, starter)| Some(&starter.name) == provider.as_ref());
        let form = known.map_or("as in the `iss` of its tokens", |(provider, _)| provider.issuer.as_str());
        let fixed = known.and_then(|(_, starter)| starter.issuer.clone());
        let issuer = missing.text("--issuer", args.issuer.clone().or(fixed), "Issuer", form)?;
        let field = match (known, args.client_id.is_empty() || !args.audience.is_empty()) {
            (Some((_, starter)), _) => starter.field,
            (None, true) => MeantFor::Audience,
            (None, false) => MeantFor::ClientId,
        };
        let mut meant_for = [("audience", args.audience.clone()), ("client_id", args.client_id.clone())];
        let (argument, place) = match field {
            MeantFor::Audience => ("--audience", 0),
            MeantFor::ClientId => ("--client-id", 1),
        };
        let what = known.and_then(|(provider, _)| provider.kinds().next()).map_or(
            "who the tokens are for, as in their `aud`",
            |(_, tokens)| match field {
                MeantFor::ClientId => "the id of the application's client",
                MeantFor::Audience => tokens.audience.as_str(),
            },
        );
        if let Some((_, values)) = meant_for.get_mut(place)
            && values.is_empty()
        {
            values.extend(missing.text(argument, None, "Who the tokens are for", what)?);
        }
        let jwks = match (&args.jwks_url, known, &issuer) {
            (Some(url), _, _) => Some(url.clone()),
            (None, Some((_, starter)), Some(issuer)) => Some(starter.jwks_of(issuer)),
            (None, Some(_), None) => None,
            (None, None, _) => missing.text(
                "--jwks-url",
                None,
                "URL of the issuer's keys",
                "`jwks_uri` in its metadata: `authorizer keys discover ISSUER` shows it",
            )?,
        };
        let (Some(name), Some(pattern), Some(issuer), Some(jwks), true) =
            (provider, pattern, issuer, jwks, missing.arguments.is_empty())
        else {
            return Err(missing.error().into());
        };
        if let Some((provider, _)) = known
            && Provider::of(&issuer).is_none_or(|of| of.name != provider.name)
        {
            let (provider, form) = (provider.name.clone(), provider.issuer.clone());
            return Err(InitError::OtherIssuer { issuer, provider, form }.into());
        }
        FetchUrl::parse(&jwks).map_err(|error| InitError::Invalid(format!("`{jwks}`: {error}")))?;
        let pattern = Pattern::from_str(&pattern, false).map_err(InitError::Invalid)?;
        let title =
            known.map_or_else(|| "The identity provider".to_owned(), |(provider, _)| provider.name.clone());
        let starter = known.map_or_else(generic, |(_, starter)| starter.clone());
        let name = if name == GENERIC { "login".to_owned() } else { name };
        Ok(Self { title, name, issuer, jwks, meant_for, starter, pattern })
    }

    fn policy(&self) -> String {
        let list = |values: &[String]| values.iter().map(String::as_str).collect::<Value>().to_string();
        let mut issuer = format!(
            "# {}. The function fetches its keys, and is then larger than what CloudFront was seen to\n\
             # accept. To have them in the package instead, get them with `authorizer keys fetch`, and write\n\
             # `jwks = {{ file = \"keys/{}.jwks.json\" }}`.\n\
             [[issuers]]\n",
            self.title, self.name
        );
        let required = self.starter.required.as_ref().map(|required| ("required", required.clone()));
        let typ = (self.starter.name == GENERIC).then(|| ("token_type", text("at+jwt")));
        let meant_for = self.meant_for.iter().filter(|(_, values)| !values.is_empty());
        let fields = [("name", text(&self.name)), ("issuer", text(&self.issuer))]
            .into_iter()
            .chain(meant_for.map(|(field, values)| (*field, list(values))))
            .chain([
                ("algorithms", list(&self.starter.algorithms)),
                ("jwks", format!("{{ url = {} }}", text(&self.jwks))),
            ]);
        for (name, value) in fields.chain(required).chain(typ) {
            issuer.push_str(&format!("{name:<10} = {value}\n"));
        }
        let (rules, _) = self.pattern.texts();
        format!(
            "#:schema ./{}\n\n# The policy of a bucket, made by `authorizer init`. `authorizer help check` is where to go on.\nversion = 1\n\n\
             {issuer}\n{}",
            schema::POLICY_FILE,
            self.filled(rules)
        )
    }

    fn tests(&self) -> String {
        let (_, tests) = self.pattern.texts();
        let mut written = format!(
            "#:schema ./{}\n\n# What policy.toml allows and refuses: `authorizer test --policy policy.toml`.\nversion = 1\n\n[defaults]\n\
             now    = \"2027-01-15T08:00:00Z\"\nissuer = {}\n",
            schema::TESTS_FILE,
            Value::from(self.name.as_str()),
        );
        for test in self.filled(tests).trim_end().split("\n\n") {
            if test.contains("@no_right@") {
                if let Some(right) = &self.starter.right {
                    written.push_str(&format!("\n{}\n", test.replace("@no_right@", &right.claim)));
                }
                continue;
            }
            if !test.contains("@lacking@") {
                written.push_str(&format!("\n{test}\n"));
                continue;
            }
            for (missing, claims) in self.lacking() {
                written.push_str(&format!(
                    "\n{}\n",
                    test.replace("@missing@", &missing).replace("@lacking@", &claims)
                ));
            }
        }
        written
    }

    /// The claim that every rule asks for, as one more claim.
    fn and_right(&self) -> String {
        let claim = |right: &Right| format!(", {} = {}", right.claim, text(&right.value));
        self.starter.right.as_ref().map(claim).unwrap_or_default()
    }

    fn filled(&self, template: &str) -> String {
        let with_right = |line: &str| match (&self.starter.right, line.contains("@right@")) {
            (None, true) => String::new(),
            (Some(Right { claim, test, value }), true) => {
                line.replace("@right@", &format!("{{ {claim} = {{ {test} = {} }} }}", text(value)))
            }
            (_, false) => line.to_owned(),
        };
        let template: String = template.split_inclusive('\n').map(with_right).collect();
        template
            .replace("@user_has@", "{ @user@ = \"alice\"@and_right@ }")
            .replace("@and_right@", &self.and_right())
            .replace("@user@", &self.starter.user)
            .replace("@admin@", &self.starter.admin)
            .replace("@admin_has@", &self.starter.admin_has)
    }

    /// The claims of an administrator, each time without one of them.
    fn lacking(&self) -> Vec<(String, String)> {
        let Ok(document) = format!("claims = {}", self.starter.admin_has).parse::<DocumentMut>() else {
            return Vec::new();
        };
        let Some(claims) = document.get("claims").and_then(|item| item.as_inline_table()) else {
            return Vec::new();
        };
        let without = |name: &str| {
            let mut left: InlineTable = claims.clone();
            left.remove(name);
            left.fmt();
            (
                name.to_owned(),
                if left.is_empty() { "{}".to_owned() } else { left.to_string().trim().to_owned() },
            )
        };
        claims.iter().map(|(name, _)| without(name)).collect()
    }
}

/// A text as TOML.
fn text(value: &str) -> String {
    Value::from(value).to_string()
}

/// For a provider that nothing is known of: its tokens are as RFC 9068 says.
fn generic() -> Starter {
    Starter {
        name: GENERIC.to_owned(),
        issuer: None,
        jwks: String::new(),
        algorithms: vec!["RS256".to_owned()],
        field: MeantFor::Audience,
        required: None,
        user: "sub".to_owned(),
        right: None,
        admin: "{ roles = { has = \"admin\" } }".to_owned(),
        admin_has: "{ roles = [\"admin\"] }".to_owned(),
    }
}

/// Compiles a policy as `check` does. Its keys are at a URL, so no other file is read.
fn is_valid(policy: &str) -> Result<(), String> {
    let document: PolicyDocument = toml::from_str(policy).map_err(|error| error.message().to_owned())?;
    Bundle::write(&document).map(drop).map_err(|error| error.to_string())
}

/// The arguments that are not given. On a terminal the person is asked for them.
#[derive(Debug, Default)]
struct Missing {
    arguments: Vec<(&'static str, String)>,
}

impl Missing {
    fn choice(
        &mut self,
        argument: &'static str,
        given: Option<String>,
        question: &str,
        choices: &[&str],
    ) -> Result<Option<String>, SaveError> {
        let what = format!("one of {}", choices.join(", "));
        loop {
            match self.text(argument, given.clone(), question, &what)? {
                Some(answer) if !choices.contains(&answer.as_str()) => {}
                answer => return Ok(answer),
            }
        }
    }

    fn text(
        &mut self,
        argument: &'static str,
        given: Option<String>,
        question: &str,
        what: &str,
    ) -> Result<Option<String>, SaveError> {
        if given.is_some() {
            return Ok(given);
        }
        let answer = if can_ask() { ask(question, what) } else { None };
        if answer.is_none() {
            self.arguments.push((argument, what.to_owned()));
        }
        Ok(answer)
    }

    fn error(&self) -> InitError {
        let names: Vec<_> = self.arguments.iter().map(|(argument, _)| format!("`{argument}`")).collect();
        let verb = if names.len() == 1 { "is" } else { "are" };
        let help: Vec<_> =
            self.arguments.iter().map(|(argument, what)| format!("{argument}: {what}")).collect();
        InitError::Missing { missing: format!("{} {verb}", names.join(", ")), help: help.join("\n") }
    }
}

fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on standard error, and reads a line. Nothing, if there is none.
fn ask(question: &str, what: &str) -> Option<String> {
    let mut line = String::new();
    write!(io::stderr(), "{question} ({what}): ").and_then(|()| io::stderr().flush()).ok()?;
    io::stdin().read_line(&mut line).ok().filter(|read| *read > 0)?;
    Some(line.trim().to_owned()).filter(|answer| !answer.is_empty())
}
