//! The viewer's address.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use authorizer_core::rules::IpNet;

use super::{Context, Said};
use crate::engine::atom::Atom;

/// An address for documentation (RFC 5737), if any address fits.
pub(super) const DEFAULT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

/// Just after the IPv4 addresses inside IPv6, which no viewer has, because IPv4 viewers appear as IPv4.
const AFTER_MAPPED: IpAddr = IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 1, 0, 0, 0));

/// An address that fits the statements.
///
/// Networks cut the addresses into intervals, each of which begins at the first of all, at the first of a network,
/// or just after a network's last: one of these is in each interval.
pub(super) fn solve(context: Context<'_>, said: &[Said<'_, '_>]) -> Option<IpAddr> {
    let lists: Vec<(&[IpNet], bool)> = said
        .iter()
        .filter_map(|(atom, holds)| match atom {
            Atom::Source(networks) => Some((*networks, *holds)),
            _ => None,
        })
        .collect();
    let mut candidates = vec![DEFAULT];
    let networks = || lists.iter().flat_map(|(networks, _)| networks.iter());
    candidates.extend(networks().map(IpNet::network));
    candidates.extend(networks().filter_map(|network| after(network.broadcast())));
    candidates.extend([IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED), AFTER_MAPPED]);
    if let Some(source) = context.bounds.source {
        candidates = vec![source.to_canonical()];
    }
    let fitting = Fitting::of(&lists);
    candidates
        .into_iter()
        .filter(|address| address.to_canonical() == *address)
        .find(|address| fitting.has(*address))
}

/// The addresses that are in each list that holds, and in none of the others. IPv4 is before IPv6.
///
/// It is made in one pass over the ends of all networks, so it takes about as many steps as there are networks. To
/// compare each address with each network would take their square.
struct Fitting {
    /// Whether the addresses before the first interval fit.
    first: bool,
    /// Where each interval begins, in order, and whether its addresses fit.
    intervals: Vec<(IpAddr, bool)>,
}

impl Fitting {
    fn of(lists: &[(&[IpNet], bool)]) -> Self {
        let mut ends: Vec<(IpAddr, i64)> = Vec::new();
        // How many lists are not as is said, before the first end.
        let mut wrong: i64 = 0;
        for (networks, holds) in lists {
            let entered = if *holds { -1 } else { 1 };
            wrong = wrong.saturating_add(i64::from(*holds));
            for (first, last) in ranges(networks) {
                ends.push((first, entered));
                ends.extend(next(last).map(|next| (next, entered.saturating_neg())));
            }
        }
        let first = wrong == 0;
        ends.sort_unstable_by_key(|(address, _)| *address);
        let mut intervals = Vec::with_capacity(ends.len());
        for of_one in ends.chunk_by(|(one, _), (other, _)| one == other) {
            wrong = of_one.iter().fold(wrong, |wrong, (_, more)| wrong.saturating_add(*more));
            intervals.extend(of_one.first().map(|(address, _)| (*address, wrong == 0)));
        }
        Self { first, intervals }
    }

    fn has(&self, address: IpAddr) -> bool {
        let begun = self.intervals.partition_point(|(start, _)| *start <= address);
        match begun.checked_sub(1) {
            None => self.first,
            Some(last) => self.intervals.get(last).is_some_and(|(_, fits)| *fits),
        }
    }
}

/// The first and the last address of each network that is in no other, in order.
fn ranges(networks: &[IpNet]) -> Vec<(IpAddr, IpAddr)> {
    let mut all: Vec<_> = networks.iter().map(|one| (one.network(), one.broadcast())).collect();
    all.sort_unstable_by_key(|(first, last)| (*first, Reverse(*last)));
    // One of two networks that meet contains the other, and then begins no later.
    let mut outer: Vec<(IpAddr, IpAddr)> = Vec::with_capacity(all.len());
    for (first, last) in all {
        if outer.last().is_none_or(|(_, end)| *end < first) {
            outer.push((first, last));
        }
    }
    outer
}

/// The address after this one, of its own kind.
fn after(last: IpAddr) -> Option<IpAddr> {
    match last {
        IpAddr::V4(last) => u32::from(last).checked_add(1).map(|next| IpAddr::V4(next.into())),
        IpAddr::V6(last) => u128::from(last).checked_add(1).map(|next| IpAddr::V6(next.into())),
    }
}

/// The address after this one, of all.
fn next(last: IpAddr) -> Option<IpAddr> {
    after(last).or_else(|| last.is_ipv4().then_some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::space::{Bounds, Who};
    use authorizer_core::operation::S3Operation;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn solved(lists: &[(Vec<IpNet>, bool)], source: Option<IpAddr>) -> Option<IpAddr> {
        let atoms: Vec<Atom<'_>> = lists.iter().map(|(networks, _)| Atom::Source(networks)).collect();
        let said: Vec<Said<'_, '_>> =
            atoms.iter().zip(lists).map(|(atom, (_, holds))| (atom, *holds)).collect();
        let bounds = Bounds { source, ..Bounds::default() };
        let context = Context {
            operation: S3Operation::GetObject,
            who: &Who::Anonymous,
            issuers: &[],
            bounds: &bounds,
        };
        solve(context, &said)
    }

    fn fits(lists: &[(Vec<IpNet>, bool)], address: IpAddr) -> bool {
        lists.iter().all(|(networks, holds)| networks.iter().any(|one| one.contains(&address)) == *holds)
    }

    /// The first and the last eight addresses of each kind, those around the IPv4 addresses inside IPv6, and eight in
    /// the middle of each kind.
    fn addresses() -> Vec<IpAddr> {
        let v4 = [0, 0xcb00_7108, u32::MAX - 7];
        let mapped = 0xffff_u128 << 32;
        let v6 = [
            0,
            mapped.saturating_sub(4),
            mapped.saturating_add((1 << 32) - 4),
            0x2001_0db8 << 96,
            u128::MAX - 7,
        ];
        let v4 = v4.into_iter().flat_map(|first| {
            (0..8).map(move |more| Ipv4Addr::from(u32::saturating_add(first, more)).into())
        });
        let v6 = v6.into_iter().flat_map(|first| {
            (0..8).map(move |more| Ipv6Addr::from(u128::saturating_add(first, more)).into())
        });
        v4.chain(v6).collect()
    }

    /// Networks around one of the addresses: of one address up to eight, or of all but a few bits.
    fn network() -> impl Strategy<Value = IpNet> {
        let wide = prop_oneof![5 => 0..4_u8, 1 => 28..33_u8];
        (proptest::sample::select(addresses()), wide).prop_map(|(address, wide)| {
            let bits: u8 = if address.is_ipv4() { 32 } else { 128 };
            // From 28 on: nearly everything, or everything.
            let prefix = if wide < 28 { bits.saturating_sub(wide) } else { 32_u8.saturating_sub(wide) };
            IpNet::new(address, prefix).unwrap().trunc()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        /// Whether a rule can be reached rests on this: an address is found where there is one, and only there.
        #[test]
        fn an_address_is_found_exactly_where_one_of_all_fits(
            lists in vec((vec(network(), 0..6), any::<bool>()), 0..5),
        ) {
            let found = solved(&lists, None);
            if let Some(address) = found {
                prop_assert!(fits(&lists, address), "{address}");
                prop_assert_eq!(address.to_canonical(), address);
            }
            let canonical = |address: &IpAddr| address.to_canonical() == *address;
            let by_hand = addresses().into_iter().filter(canonical).find(|address| fits(&lists, *address));
            prop_assert!(found.is_some() || by_hand.is_none(), "{by_hand:?}");
            for address in addresses() {
                let asked = solved(&lists, Some(address));
                let seen = address.to_canonical();
                prop_assert_eq!(asked, fits(&lists, seen).then_some(seen));
            }
        }
    }

    #[test]
    fn no_address_fits_what_covers_everything_or_nothing() {
        let of = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpNet>>();
        let halves = of(&["0.0.0.0/1", "128.0.0.0/1"]);
        let v6 = of(&["::/0"]);
        assert_eq!(solved(&[(halves.clone(), false), (v6.clone(), false)], None), None);
        assert_eq!(solved(&[(halves.clone(), true), (v6.clone(), true)], None), None);
        assert_eq!(solved(&[(Vec::new(), true)], None), None);
        assert_eq!(solved(&[(Vec::new(), false)], None), Some(DEFAULT));
        // All of IPv6 that is left are the IPv4 addresses in it, which no viewer has.
        let rest = of(&["::ffff:0:0/96"]);
        assert_eq!(solved(&[(v6, true), (rest, true)], None), None);
    }
}
