//! What is said of an upload or a download, and the token's type: each a handful of values that statements can tell
//! apart, and all of them are tried.

use authorizer_core::checksum::ChecksumHeader;
use authorizer_core::extra_parameter::ExtraParameter;
use authorizer_core::operation::LengthHeader;
use authorizer_core::response_override::ResponseOverride;
use authorizer_core::{MediaRange, MediaType};

use super::{Context, Said};
use crate::engine::atom::Atom;

/// A length, if nothing requires another.
const LENGTH: u64 = 1;

/// The length in the request; `None` if it is absent.
pub(super) fn length(context: Context<'_>, said: &[Said<'_, '_>]) -> Option<Option<u64>> {
    let limits: Vec<(u64, bool)> = said
        .iter()
        .filter_map(|(atom, holds)| match atom {
            Atom::Length(most) => Some((*most, *holds)),
            _ => None,
        })
        .collect();
    let mut candidates = match context.operation.length() {
        Some(LengthHeader::ContentLength) => vec![Some(LENGTH)],
        // A length may be left out here.
        Some(LengthHeader::ObjectSize) | None => vec![None],
    };
    candidates.extend(limits.iter().flat_map(|(most, _)| [Some(*most), most.checked_add(1)]));
    candidates.push(None);
    let is_as_said = |length: &Option<u64>| {
        limits.iter().all(|(most, holds)| length.is_some_and(|length| length <= *most) == *holds)
    };
    candidates.into_iter().find(is_as_said)
}

/// The value of `Content-Type`; `None` if it is absent.
pub(super) fn media_type(context: Context<'_>, said: &[Said<'_, '_>]) -> Option<Option<String>> {
    let lists: Vec<(&[MediaRange], bool)> = said
        .iter()
        .filter_map(|(atom, holds)| match atom {
            Atom::Media(ranges) => Some((*ranges, *holds)),
            _ => None,
        })
        .collect();
    let mut candidates = vec![None];
    if context.operation.describes_object() {
        for range in lists.iter().flat_map(|(ranges, _)| ranges.iter()) {
            candidates.push(match range {
                MediaRange::Any => Some("application/octet-stream".to_owned()),
                MediaRange::Kind(kind) => Some(format!("{kind}/{}", unnamed(&lists))),
                MediaRange::One(one) => Some(one.to_string()),
            });
        }
        candidates.push(Some(format!("{}/x", unnamed(&lists))));
    }
    let is_as_said = |candidate: &Option<String>| {
        let media_type = candidate.as_deref().and_then(MediaType::parse);
        lists.iter().all(|(ranges, holds)| {
            media_type.as_ref().is_some_and(|one| ranges.iter().any(|range| range.contains(one))) == *holds
        })
    };
    candidates.into_iter().find(is_as_said)
}

/// A name that is not in any of the media types.
fn unnamed(lists: &[(&[MediaRange], bool)]) -> String {
    let mut name = "x-other".to_owned();
    let stands_in = |name: &str| {
        lists.iter().flat_map(|(ranges, _)| ranges.iter()).any(|range| range.to_string().contains(name))
    };
    while stands_in(&name) {
        name.push('r');
    }
    name
}

/// The response headers that the request overrides.
pub(super) fn overrides(said: &[Said<'_, '_>]) -> Option<Vec<ResponseOverride>> {
    let sets: Vec<(&[ResponseOverride], bool)> = said
        .iter()
        .filter_map(|(atom, holds)| match atom {
            Atom::Overrides(set) => Some((*set, *holds)),
            _ => None,
        })
        .collect();
    let subset = |bits: u32| -> Vec<ResponseOverride> {
        let is_in = |(index, _): &(usize, ResponseOverride)| {
            bits.checked_shr(u32::try_from(*index).unwrap_or(32)).unwrap_or(0) & 1 == 1
        };
        ResponseOverride::ALL.into_iter().enumerate().filter(is_in).map(|(_, one)| one).collect()
    };
    let mut all: Vec<Vec<ResponseOverride>> = (0..64).map(subset).collect();
    all.sort_by_key(Vec::len);
    let is_as_said = |asked: &Vec<ResponseOverride>| {
        sets.iter().all(|(set, holds)| asked.iter().all(|one| set.contains(one)) == *holds)
    };
    all.into_iter().find(is_as_said)
}

/// The integrity headers of the request, of those that the operation can have. The more there are, the fewer lists
/// have them all: so of those that every list with all of them has, each other list must lack one.
pub(super) fn checksums(context: Context<'_>, said: &[Said<'_, '_>]) -> Option<Vec<ChecksumHeader>> {
    let sets = |wanted: bool| {
        said.iter().filter_map(move |(atom, holds)| match atom {
            Atom::Checksums(set) if *holds == wanted => Some(*set),
            _ => None,
        })
    };
    let in_all = |one: &ChecksumHeader| sets(true).all(|set| set.takes(*one));
    let possible: Vec<_> = ChecksumHeader::all_of(context.operation).filter(in_all).collect();
    let mut asked = Vec::new();
    for set in sets(false) {
        if asked.iter().all(|one| set.takes(*one)) {
            asked.push(*possible.iter().find(|one| !set.takes(**one))?);
        }
    }
    Some(asked)
}

/// The parameters of the request that a rule must allow, of those that the operation can have.
pub(super) fn parameters(context: Context<'_>, said: &[Said<'_, '_>]) -> Option<Vec<ExtraParameter>> {
    let sets: Vec<(&[ExtraParameter], bool)> = said
        .iter()
        .filter_map(|(atom, holds)| match atom {
            Atom::Parameters(set) => Some((*set, *holds)),
            _ => None,
        })
        .collect();
    let possible = ExtraParameter::ALL.into_iter().filter(|one| one.is_of(context.operation));
    let mut all: Vec<Vec<ExtraParameter>> = vec![Vec::new()];
    for one in possible {
        let with = all.iter().map(|asked| asked.iter().copied().chain([one]).collect());
        all.extend(with.collect::<Vec<_>>());
    }
    all.sort_by_key(Vec::len);
    let is_as_said = |asked: &Vec<ExtraParameter>| {
        sets.iter().all(|(set, holds)| asked.iter().all(|one| set.contains(one)) == *holds)
    };
    all.into_iter().find(is_as_said)
}

/// `typ` of the token's header.
pub(super) fn token_type(said: &[Said<'_, '_>]) -> Option<Option<String>> {
    let issuers = || {
        said.iter().filter_map(|(atom, holds)| match atom {
            Atom::Type(issuer) => Some((*issuer, *holds)),
            _ => None,
        })
    };
    let mut candidates: Vec<Option<String>> =
        issuers().filter_map(|(issuer, _)| issuer.token_type()).map(|one| Some(one.to_owned())).collect();
    candidates.extend([Some("at+jwt".to_owned()), Some("JWT".to_owned()), None]);
    candidates
        .into_iter()
        .find(|candidate| issuers().all(|(issuer, holds)| issuer.takes_type(candidate.as_deref()) == holds))
}
