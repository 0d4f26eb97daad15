//! Headers and claims: those that a token should have, with a few changes.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::json::{Json, Text, any_json, spellings};
use super::{NOW, Who};

/// An object as a whole text, with what stands around it.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) members: Vec<(Text, Json)>,
    space: &'static str,
    pub(super) around: (&'static [u8], &'static [u8]),
}

impl Document {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        Json::Object(self.members.clone()).write(self.space, &mut text);
        [self.around.0, text.as_bytes(), self.around.1].concat()
    }
}

/// A change of the members.
#[derive(Clone, Debug)]
enum Edit {
    Remove(Index),
    Repeat(Index),
    Spell(Index, Vec<u8>),
    Set(Text, Json),
    Add(Text, Json),
}

impl Edit {
    fn apply(self, members: &mut Vec<(Text, Json)>) {
        match self {
            Self::Set(name, value) => {
                members.retain(|(written, _)| written.value != name.value);
                members.insert(0, (name, value));
            }
            Self::Add(name, value) => members.push((name, value)),
            Self::Remove(_) | Self::Repeat(_) | Self::Spell(..) if members.is_empty() => {}
            Self::Remove(index) => drop(members.remove(index.index(members.len()))),
            Self::Repeat(index) => members.push(index.get(members).clone()),
            Self::Spell(index, spellings) => {
                let (name, value) = index.get_mut(members);
                name.spell(&spellings);
                if let Json::Text(text) = value {
                    text.spell(&spellings);
                }
            }
        }
    }
}

type Member = (&'static str, Json);

/// The members that a token has, after a few changes with `others`, or with members of unknown names.
fn document(base: Vec<Member>, others: impl Strategy<Value = Member>) -> impl Strategy<Value = Document> {
    let other = (others, any_json(), 0..5u8).prop_map(|((name, fitting), any, which)| {
        (Text::plain(name), if which == 0 { any } else { fitting })
    });
    let other = std::rc::Rc::new(other);
    let unknown = "[a-zA-Z_:/.-]{0,12}".prop_map(|name| Text::plain(&format!("x{name}")));
    let edit = prop_oneof![
        1 => any::<Index>().prop_map(Edit::Remove),
        1 => any::<Index>().prop_map(Edit::Repeat),
        4 => (any::<Index>(), spellings()).prop_map(|(index, spellings)| Edit::Spell(index, spellings)),
        5 => other.clone().prop_map(|(name, value)| Edit::Set(name, value)),
        1 => other.prop_map(|(name, value)| Edit::Add(name, value)),
        8 => (unknown, any_json()).prop_map(|(name, value)| Edit::Add(name, value)),
    ];
    let edits = prop_oneof![1 => Just(Vec::new()), 3 => prop::collection::vec(edit, 1..4)];
    let space = select(vec!["", "", " ", "\n", "\t\r\n "]);
    let odd: [(&[u8], &[u8]); 7] = [
        (b" \r\n", b"\t\n"),
        (b"", b"\0"),
        (b"", b"x"),
        (b"", b"{}"),
        (b"\xef\xbb\xbf", b""),
        (b"", b"\xff"),
        (b"[", b"]"),
    ];
    let around = prop_oneof![12 => Just((&b""[..], &b""[..])), 1 => select(odd.to_vec())];
    (edits, space, around).prop_map(move |(edits, space, around)| {
        let mut members: Vec<_> =
            base.iter().map(|(name, value)| (Text::plain(name), value.clone())).collect();
        edits.into_iter().for_each(|edit| edit.apply(&mut members));
        Document { members, space, around }
    })
}

/// One of the words between the bars.
fn word(words: &'static str) -> impl Strategy<Value = &'static str> + Clone {
    select(words.split('|').collect::<Vec<_>>())
}

fn text(words: &'static str) -> impl Strategy<Value = Json> + Clone {
    word(words).prop_map(Json::text)
}

/// The header of a token that `who` signs.
pub(super) fn header(who: Who) -> impl Strategy<Value = Document> {
    let base = vec![
        ("alg", Json::text(who.algorithm().name())),
        ("kid", Json::text(who.key_id())),
        ("typ", Json::text("at+jwt")),
    ];
    let types = "JWT|jwt|at+jwt|AT+JWT|application/at+jwt|Application/AT+jwt|application/jwt|text/at+jwt|at+jwt |\
        application/x/at+jwt|application/application/at+jwt|x/application/at+jwt|logout+jwt||application/";
    let others = prop_oneof![
        1 => (Just("alg"), text("EdDSA|ES256|eddsa|Ed25519|RS256|HS256|none||EdDSA ")),
        1 => (Just("kid"), text("k1|k2|p1|K1||k1 ")),
        2 => (Just("typ"), text(types)),
        1 => (
            word("crit|b64|enc|zip|zip|cty|cty"),
            text("JWT|jwt|application/JWT|JWT; a=b||DEF|NONE|A128GCM|application/json|text/jwt")
        ),
        2 => (word("jku|jwk|x5u|x5c|x5t|Alg|KID|Crit|iss|exp||nonce|epk"), text("https://evil.example/|k1|none")),
    ];
    document(base, others)
}

/// The claims of a token by the issuer that `who` belongs to.
pub(super) fn claims(who: Who) -> impl Strategy<Value = Document> {
    let mut base = vec![
        ("iss", Json::text(who.issuer())),
        ("sub", Json::text("alice")),
        ("nbf", Json::number(NOW - 60)),
        ("exp", Json::number(NOW + 60)),
    ];
    match who {
        Who::Partner => base.push(("client_id", Json::text("p"))),
        Who::Staff | Who::StaffByCurve => base.extend([
            ("iat", Json::number(NOW - 60)),
            ("aud", Json::text("files")),
            ("token_use", Json::text("access")),
            ("tenant", Json::number(7)),
            ("active", Json::Word("true")),
        ]),
    }
    let offset = select(vec![-11i64, -10, -9, -1, 0, 1, 9, 10, 11]);
    let near = (offset, select(vec!["", ".0", ".5", "e0", "000e-3", ".00000000000000000000000001"]));
    let near = near.prop_map(|(offset, ending)| Json::Number(format!("{}{ending}", NOW as i64 + offset)));
    let far = word("0|-1|1.8e9|18E+8|1e300|-1e300|1800000060000|99999999999999999999").prop_map(Json::number);
    let issuers =
        "https://staff.example/|https://staff.example|https://partner.example/|HTTPS://staff.example/|";
    let audience = text("files|more files|Files|files |x|files more files|");
    let audiences = prop::collection::vec(prop_oneof![5 => audience.clone(), 1 => any_json()], 0..4);
    let scalar = prop_oneof![
        text("access|id|7|true|"),
        word("7|7.0|70e-1|0.7E1|8|-7|7.000001|1|0").prop_map(Json::number),
        word("null|true|false").prop_map(Json::Word),
    ];
    let scalar_or_texts = prop_oneof![
        2 => prop::collection::vec(text("files|p|"), 0..3).prop_map(Json::Array),
        1 => scalar.clone(),
    ];
    let others = prop_oneof![
        1 => (Just("iss"), text(issuers)),
        3 => (Just("sub"), text("bob|bob|bob|BOB||*|../alice|\u{e9}")),
        1 => (Just("jti"), text("stolen|Stolen|other|")),
        3 => (word("exp|nbf|iat"), prop_oneof![3 => near, 1 => far]),
        1 => (Just("aud"), audience),
        2 => (Just("aud"), audiences.prop_map(Json::Array)),
        1 => (Just("client_id"), text("p|P||q|p q")),
        3 => (word("token_use|tenant|active"), scalar),
        1 => (word("azp|scope|Iss|AUD|alg|kid|jti|"), text("files|p|EdDSA")),
        1 => (word("jti|client_id|azp|scope|scp"), scalar_or_texts),
        1 => (Just("cnf"), any_json()),
    ];
    document(base, others)
}
