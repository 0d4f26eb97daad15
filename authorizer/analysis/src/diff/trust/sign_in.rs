//! Where people sign in, and what becomes of it: one redirect, or the code flow. Setting by setting; of keys and secrets
//! only whether they are the same.

use authorizer_core::code_flow::{ClientAuthentication, CodeFlow, EndSession, NOT_HERE, SessionToken};
use authorizer_core::policy::Policy;
use authorizer_core::{SignIn, SignInRedirect};

use super::super::model::{Direction, TrustChange};
use super::{change, of_member, only_in_one, quoted, wider_if};

/// The changes of `[sign_in]`.
pub(super) fn changes(old: &Policy, new: &Policy) -> Vec<TrustChange> {
    let (before, after) = (Sides::of(old), Sides::of(new));
    let mut changes = addresses(&before, &after);
    changes.extend(flow_texts(&before, &after));
    changes.extend(scopes(&before, &after));
    changes.extend(parameters(&before, &after));
    changes.extend(end_session(&before, &after));
    changes.extend(session(&before, &after));
    changes.extend(own_paths(&before, &after));
    changes.extend(cookie_keys(&before, &after));
    changes.extend(client(&before, &after));
    changes
}

/// The secrets that cannot be compared, because the file of one is not there.
pub(super) fn not_here(policies: [&Policy; 2]) -> Vec<&'static str> {
    let flows = || policies.into_iter().filter_map(|policy| policy.sign_in()?.code_flow());
    let is_key =
        |at: usize| flows().any(|flow| flow.cookie_key_marks().get(at).is_some_and(|one| one == NOT_HERE));
    let is_of_client = |is_key: bool| {
        flows()
            .map(CodeFlow::client_authentication)
            .any(|way| way.is_stand_in() && matches!(way, ClientAuthentication::PrivateKeyJwt(_)) == is_key)
    };
    let found = [
        (is_key(0), "`sign_in.cookie_key` cannot be compared: the file is not here"),
        (is_key(1), "`sign_in.previous_cookie_key` cannot be compared: the file is not here"),
        (is_of_client(false), "`sign_in.client_secret` cannot be compared: the file is not here"),
        (is_of_client(true), "`sign_in.client_key` cannot be compared: the file is not here"),
    ];
    found.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| what).collect()
}

/// The sign-in of one of the two policies.
struct Sides<'p> {
    policy: &'p Policy,
    sign_in: Option<&'p SignIn>,
    redirect: Option<&'p SignInRedirect>,
    flow: Option<&'p CodeFlow>,
}

impl<'p> Sides<'p> {
    fn of(policy: &'p Policy) -> Self {
        let sign_in = policy.sign_in();
        let (redirect, flow) = (sign_in.and_then(SignIn::redirect), sign_in.and_then(SignIn::code_flow));
        Self { policy, sign_in, redirect, flow }
    }

    /// The `iss` of the issuer that people sign in at: names are for the policy alone.
    fn issuer(&self) -> Option<String> {
        let issuer = self.policy.issuers().get(self.flow?.issuer())?;
        Some(issuer.issuer().to_owned())
    }
}

/// One text that is there or not, in a sentence that begins with `words`.
fn text(
    setting: &'static str,
    words: &str,
    [old, new]: [Option<String>; 2],
    gone_is: Direction,
) -> Option<TrustChange> {
    let (what, direction) = match (&old, &new) {
        (old, new) if old == new => return None,
        (None, Some(new)) => {
            let direction = match gone_is {
                Direction::Wider => Direction::Other,
                Direction::Narrower | Direction::Other => Direction::Wider,
            };
            (format!("{words} {}", quoted(new)), direction)
        }
        (Some(old), Some(new)) => (format!("{words} {}, not {}", quoted(new), quoted(old)), Direction::Other),
        (old, None) => {
            (format!("no longer: {words} {}", quoted(old.as_deref().unwrap_or_default())), gone_is)
        }
    };
    Some(change(setting, None, what, [old, new], direction))
}

/// What both kinds of sign-in have, and the redirect.
fn addresses(before: &Sides<'_>, after: &Sides<'_>) -> Vec<TrustChange> {
    let redirect = |of: fn(&SignInRedirect) -> &str| {
        [before, after].map(|side| side.redirect.map(|redirect| of(redirect).to_owned()))
    };
    let origins = [before, after].map(|side| side.sign_in.map(|one| one.origin().to_owned()));
    let found = [
        text(
            "sign_in.url",
            "people without a token are sent to",
            redirect(SignInRedirect::url),
            Direction::Narrower,
        ),
        text("sign_in.origin", "people who have signed in return to", origins, Direction::Narrower),
        text(
            "sign_in.return_parameter",
            "the address to return to is in the parameter",
            redirect(SignInRedirect::return_parameter),
            Direction::Narrower,
        ),
    ];
    found.into_iter().flatten().collect()
}

/// The single texts of a code flow.
fn flow_texts(before: &Sides<'_>, after: &Sides<'_>) -> Vec<TrustChange> {
    let of = |of: fn(&CodeFlow) -> String| [before, after].map(|side| side.flow.map(of));
    let found = [
        text(
            "sign_in.issuer",
            "people sign in at the issuer",
            [before, after].map(Sides::issuer),
            Direction::Narrower,
        ),
        text(
            "sign_in.client_id",
            "people sign in to the client",
            of(|flow| flow.client_id().to_owned()),
            Direction::Narrower,
        ),
        text(
            "sign_in.authorization_endpoint",
            "people without a token are sent to",
            of(|flow| flow.authorization_endpoint().to_string()),
            Direction::Narrower,
        ),
        text(
            "sign_in.token_endpoint",
            "codes and refresh tokens are sent to",
            of(|flow| flow.token_endpoint().to_string()),
            Direction::Narrower,
        ),
        text(
            "sign_in.redirect_path",
            "the provider sends people back to the path",
            of(|flow| flow.redirect_path().to_owned()),
            Direction::Narrower,
        ),
        text(
            "sign_in.sign_out_path",
            "people sign out with the path",
            of(|flow| flow.sign_out_path().to_owned()),
            Direction::Narrower,
        ),
    ];
    found.into_iter().flatten().collect()
}

fn scopes(before: &Sides<'_>, after: &Sides<'_>) -> Vec<TrustChange> {
    let scopes = |side: &Sides<'_>| side.flow.map(CodeFlow::scopes).unwrap_or_default().to_vec();
    let changes = only_in_one(&scopes(before), &scopes(after)).into_iter().map(|(scope, direction)| {
        let what = match direction {
            Direction::Narrower => format!("the sign-in no longer asks for the scope {}", quoted(&scope)),
            Direction::Wider | Direction::Other => {
                format!("the sign-in asks for the scope {}", quoted(&scope))
            }
        };
        change("sign_in.scopes", None, what, of_member(scope, direction), direction)
    });
    changes.collect()
}

/// What the sign-in asks beside. What a parameter means is the provider's matter, so no change of one has a direction.
fn parameters(before: &Sides<'_>, after: &Sides<'_>) -> Vec<TrustChange> {
    let all =
        |side: &Sides<'_>| side.flow.map(|flow| flow.authorization_parameters().clone()).unwrap_or_default();
    let (old, new) = (all(before), all(after));
    let mut changes = Vec::new();
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let written = |value: &String| format!("{name}={value}");
        let values = [old.get(name).map(written), new.get(name).map(written)];
        let what = match &values {
            [old, new] if old == new => continue,
            [_, Some(new)] => format!("the sign-in is asked with {}", quoted(new)),
            [old, None] => {
                format!("the sign-in is no longer asked with {}", quoted(old.as_deref().unwrap_or_default()))
            }
        };
        changes.push(change("sign_in.authorization_parameters", None, what, values, Direction::Other));
    }
    changes
}

/// Signing out at the provider too. Without it, people stay signed in there.
fn end_session(before: &Sides<'_>, after: &Sides<'_>) -> Vec<TrustChange> {
    let mut changes = Vec::new();
    let ends = [before, after].map(|side| side.flow.and_then(CodeFlow::end_session));
    let urls = ends.map(|end| end.map(|(url, _)| url.to_string()));
    // The whole flow that is gone signs nobody in.
    let gone_is = if after.flow.is_some() { Direction::Wider } else { Direction::Narrower };
    changes.extend(text(
        "sign_in.end_session_endpoint",
        "people who sign out are signed out at the provider by",
        urls,
        gone_is,
    ));
    let word = |form| match form {
        EndSession::RpInitiated => "rp_initiated",
        EndSession::Cognito => "cognito",
    };
    if let [Some((_, old)), Some((_, new))] = ends
        && old != new
    {
        let what = format!("the sign-out at the provider is asked for in the form `{}`", word(new));
        let values = [old, new].map(|form| Some(word(form).to_owned()));
        changes.push(change("sign_in.end_session", None, what, values, Direction::Other));
    }
    changes.extend(switch(
        "sign_in.id_token_hint",
        [before, after].map(|side| side.flow.is_some_and(CodeFlow::id_token_hint)),
        "a cookie keeps the ID token, and the sign-out sends it in an address",
        "the ID token is not kept for the sign-out",
    ));
    changes
}

/// Something that is on or off, and opens more when it is on.
fn switch(setting: &'static str, [was, is]: [bool; 2], on: &str, off: &str) -> Option<TrustChange> {
    (was != is).then(|| {
        let what = if is { on } else { off };
        change(setting, None, what, [Some(was.to_string()), Some(is.to_string())], wider_if(is))
    })
}

fn session(before: &Sides<'_>, after: &Sides<'_>) -> Vec<TrustChange> {
    let mut changes = Vec::new();
    let flows = [before.flow, after.flow];
    // Where there was no flow, there was nothing that had to say who it is from.
    if let [Some(old), Some(new)] = flows
        && old.response_iss() != new.response_iss()
    {
        let is_checked = new.response_iss();
        let what = match is_checked {
            true => "the answer of the provider must say who it is from (RFC 9207)",
            false => "the answer of the provider need not say who it is from (RFC 9207)",
        };
        let values = [old, new].map(|flow| Some(flow.response_iss().to_string()));
        changes.push(change("sign_in.response_iss", None, what, values, wider_if(!is_checked)));
    }
    changes.extend(session_token(flows.map(|flow| flow.map(CodeFlow::session_token))));
    changes.extend(switch(
        "sign_in.refresh",
        flows.map(|flow| flow.is_some_and(CodeFlow::refresh)),
        "sessions are renewed with a refresh token, which a cookie keeps",
        "sessions are not renewed",
    ));
    let seconds = flows.map(|flow| flow.map(CodeFlow::session_seconds));
    let told = match seconds {
        [old, new] if old == new => None,
        [Some(old), Some(new)] => {
            Some((format!("a session ends after {new} seconds, not after {old}"), wider_if(new > old)))
        }
        [None, Some(new)] => Some((format!("a session ends after {new} seconds"), Direction::Wider)),
        [_, None] => Some(("sessions are no longer made here".to_owned(), Direction::Narrower)),
    };
    if let Some((what, direction)) = told {
        let values = seconds.map(|seconds| seconds.map(|seconds| seconds.to_string()));
        changes.push(change("sign_in.session_seconds", None, what, values, direction));
    }
    changes
}

/// The token of a session that the rules read.
fn session_token(tokens: [Option<SessionToken>; 2]) -> Option<TrustChange> {
    let words = |token: SessionToken| match token {
        SessionToken::AccessToken => "access token",
        SessionToken::IdToken => "ID token",
    };
    let (what, direction) = match tokens {
        [old, new] if old == new => return None,
        [None, Some(new)] => (format!("of a session, the rules read the {}", words(new)), Direction::Wider),
        [Some(old), Some(new)] => (
            format!("of a session, the rules read the {}, not the {}", words(new), words(old)),
            Direction::Other,
        ),
        [Some(old), None] => {
            (format!("the rules no longer read the {} of a session", words(old)), Direction::Narrower)
        }
        [None, None] => return None,
    };
    let names = tokens.map(|token| {
        token.map(|token| match token {
            SessionToken::AccessToken => "access_token".to_owned(),
            SessionToken::IdToken => "id_token".to_owned(),
        })
    });
    Some(change("sign_in.session_token", None, what, names, direction))
}

/// The paths that are fixed. They come and go with the flow; the others are settings.
fn own_paths(before: &Sides<'_>, after: &Sides<'_>) -> Option<TrustChange> {
    let fixed = |flow: &CodeFlow| {
        let [_, _, session, refresh, signed_out] = flow.paths();
        [session, refresh, signed_out].map(quoted).join(", ")
    };
    match (before.flow, after.flow) {
        (None, Some(flow)) => {
            let paths = fixed(flow);
            let what = format!("the function itself answers {paths}, whatever the rules say of these keys");
            Some(change("sign_in", None, what, [None, Some(paths)], Direction::Other))
        }
        (Some(flow), None) => {
            let paths = fixed(flow);
            let what = format!("the rules decide on {paths} again");
            Some(change("sign_in", None, what, [Some(paths), None], Direction::Other))
        }
        (None, None) | (Some(_), Some(_)) => None,
    }
}

/// The keys of the cookies, by their marks.
fn cookie_keys(before: &Sides<'_>, after: &Sides<'_>) -> Vec<TrustChange> {
    let marks = [before, after].map(|side| side.flow.map(CodeFlow::cookie_key_marks).unwrap_or_default());
    let at = |place: usize| {
        let both = [0, 1].map(|side: usize| marks.get(side).and_then(|all| all.get(place)).cloned());
        match both {
            // Of two keys one of which is not there, nobody knows whether they are the same.
            [Some(old), Some(new)] if old == NOT_HERE || new == NOT_HERE => [None, None],
            both => both,
        }
    };
    let found = [
        text(
            "sign_in.cookie_key",
            "cookies are sealed with the key whose mark is",
            at(0),
            Direction::Narrower,
        ),
        text(
            "sign_in.previous_cookie_key",
            "cookies may also be sealed with the key whose mark is",
            at(1),
            Direction::Narrower,
        ),
    ];
    found.into_iter().flatten().collect()
}

/// How the function proves that it is the client. A change of the secret alone is told too.
fn client(before: &Sides<'_>, after: &Sides<'_>) -> Vec<TrustChange> {
    let ways = [before, after].map(|side| side.flow.map(CodeFlow::client_authentication));
    let names = ways.map(|way| way.map(|way| way.name().to_owned()));
    let mut changes = Vec::new();
    if names[0] == names[1] {
        let is_compared = !ways.iter().flatten().any(|way| way.is_stand_in());
        if ways[0] != ways[1] && is_compared {
            let setting = match ways[1] {
                Some(ClientAuthentication::PrivateKeyJwt(_)) => "sign_in.client_key",
                Some(
                    ClientAuthentication::None
                    | ClientAuthentication::SecretBasic(_)
                    | ClientAuthentication::SecretPost(_),
                )
                | None => "sign_in.client_secret",
            };
            let what = match setting {
                "sign_in.client_key" => "the private key of the client is different",
                _ => "the secret of the client is different",
            };
            changes.push(change(setting, None, what, [None, None], Direction::Other));
        }
        return changes;
    }
    let direction = match ways {
        [None, _] => Direction::Wider,
        [_, None] => Direction::Narrower,
        // Without a secret, whoever has a code and its verifier gets the tokens.
        [Some(_), Some(ClientAuthentication::None)] => Direction::Wider,
        [Some(ClientAuthentication::None), Some(_)] => Direction::Narrower,
        [Some(_), Some(_)] => Direction::Other,
    };
    let what = match &names[1] {
        Some(_) if matches!(ways[1], Some(ClientAuthentication::None)) => {
            "the function is a public client (PKCE alone)".to_owned()
        }
        Some(name) => format!("the function proves that it is the client by {}", quoted(name)),
        None => "the function is not a client of the provider any more".to_owned(),
    };
    changes.push(change("sign_in.client_authentication", None, what, names, direction));
    changes
}
