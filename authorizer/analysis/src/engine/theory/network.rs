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
    let ranges: Vec<(Ranges, bool)> =
        lists.iter().map(|(networks, holds)| (Ranges::of(networks), *holds)).collect();
    let is_as_said = |address: &IpAddr| ranges.iter().all(|(list, holds)| list.contains(*address) == *holds);
    candidates.into_iter().filter(|address| address.to_canonical() == *address).find(is_as_said)
}

/// The addresses of a list of networks: the first and the last of each range, in order, none of which meets another.
struct Ranges(Vec<(IpAddr, IpAddr)>);

impl Ranges {
    fn of(networks: &[IpNet]) -> Self {
        let mut all: Vec<_> = networks.iter().map(|one| (one.network(), one.broadcast())).collect();
        all.sort_unstable_by_key(|(first, last)| (*first, Reverse(*last)));
        // One of two networks that meet contains the other, and then begins no later.
        let mut outer: Vec<(IpAddr, IpAddr)> = Vec::new();
        for (first, last) in all {
            if outer.last().is_none_or(|(_, end)| *end < first) {
                outer.push((first, last));
            }
        }
        Self(outer)
    }

    fn contains(&self, address: IpAddr) -> bool {
        let begun = self.0.partition_point(|(first, _)| *first <= address);
        begun.checked_sub(1).and_then(|last| self.0.get(last)).is_some_and(|(_, last)| address <= *last)
    }
}

fn after(last: IpAddr) -> Option<IpAddr> {
    match last {
        IpAddr::V4(last) => u32::from(last).checked_add(1).map(|next| IpAddr::V4(next.into())),
        IpAddr::V6(last) => u128::from(last).checked_add(1).map(|next| IpAddr::V6(next.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_the_addresses_of_their_networks() {
        let networks: Vec<IpNet> = [
            "10.0.0.0/8",
            "10.1.0.0/16",
            "10.255.255.255/32",
            "11.0.0.0/32",
            "192.0.2.0/25",
            "2001:db8::/32",
            "2001:db8::/128",
            "::ffff:198.51.100.0/120",
            "0.0.0.0/32",
            "255.255.255.255/32",
        ]
        .into_iter()
        .map(|text| text.parse().unwrap())
        .collect();
        let edges = networks.iter().flat_map(|one| [Some(one.network()), after(one.broadcast())]);
        let others = [
            "9.255.255.255",
            "192.0.2.127",
            "198.51.100.7",
            "::1",
            "2001:db8:ffff::1",
            "::ffff:198.51.100.7",
        ];
        let others = others.into_iter().map(|text| text.parse().unwrap());
        let ranges = Ranges::of(&networks);
        for address in edges.flatten().chain(others) {
            let expected = networks.iter().any(|one| one.contains(&address));
            assert_eq!(ranges.contains(address), expected, "{address}");
        }
        assert!(!Ranges::of(&[]).contains(DEFAULT));
    }
}
