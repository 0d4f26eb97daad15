//! The viewer's address.

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
    let is_as_said = |address: &IpAddr| {
        lists.iter().all(|(networks, holds)| networks.iter().any(|one| one.contains(address)) == *holds)
    };
    candidates.into_iter().filter(|address| address.to_canonical() == *address).find(is_as_said)
}

fn after(last: IpAddr) -> Option<IpAddr> {
    match last {
        IpAddr::V4(last) => u32::from(last).checked_add(1).map(|next| IpAddr::V4(next.into())),
        IpAddr::V6(last) => u128::from(last).checked_add(1).map(|next| IpAddr::V6(next.into())),
    }
}
