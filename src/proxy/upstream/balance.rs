//! Which server a request goes to.

use super::health::now_ms;
use super::target::{Server, Upstream};
use crate::proxy::limits::{RING_POINTS, RING_POINTS_MAX};

/// How servers are chosen.
#[derive(Debug)]
pub(super) enum Balance {
    RoundRobin,
    LeastConn,
    Hash(Ring),
}

/// Whose turn it is on one core, by smooth weighted round robin as nginx's.
#[derive(Debug, Default)]
pub(super) struct Turns {
    current: Vec<i64>,
}

impl Upstream {
    /// The server for the next request: of those that are up and not among `tried`. Backups come where no other is left.
    pub(super) fn choose(&self, turns: &mut Turns, tried: &[usize], key: Option<&[u8]>) -> Option<usize> {
        if let [server] = self.servers.as_slice() {
            // It has no time to keep to: failures do not keep it out.
            let may = tried.is_empty() && server.health.is_up(server.tolerance, 0);
            if may {
                server.health.chosen(server.tolerance, 0);
            }
            return may.then_some(0);
        }
        let now = now_ms();
        let may = |index: usize, server: &Server| !tried.contains(&index) && server.health.is_up(server.tolerance, now);
        let own = match &self.balance {
            Balance::Hash(ring) => ring.find(key.unwrap_or_default(), |index| {
                self.servers.get(index).is_some_and(|server| may(index, server))
            }),
            Balance::RoundRobin => turns.next(
                &self.servers,
                |index, server| !server.backup && may(index, server),
                |server| self.share(server, now),
            ),
            Balance::LeastConn => {
                let may = |index, server: &Server| !server.backup && may(index, server);
                let least = self.least(&may, now);
                let is_least = |index, server: &Server| {
                    may(index, server) && least.is_some_and(|least| !self.is_less(least, server, now))
                };
                turns.next(&self.servers, is_least, |server| self.share(server, now))
            }
        };
        let chosen = own.or_else(|| {
            turns.next(
                &self.servers,
                |index, server| server.backup && may(index, server),
                |server| self.share(server, now),
            )
        })?;
        if let Some(server) = self.servers.get(chosen) {
            server.health.chosen(server.tolerance, now);
        }
        Some(chosen)
    }

    /// The weight of a server, in thousandths.
    fn share(&self, server: &Server, now: u64) -> u64 {
        u64::from(server.weight) * server.health.share(self.slow_start_ms, now)
    }

    /// The first of the servers that have the fewest requests in flight for their weight.
    fn least<'s>(&'s self, may: &dyn Fn(usize, &Server) -> bool, now: u64) -> Option<&'s Server> {
        let mut least: Option<&Server> = None;
        for (_, server) in self.servers.iter().enumerate().filter(|(index, server)| may(*index, server)) {
            if least.is_none_or(|least| self.is_less(server, least, now)) {
                least = Some(server);
            }
        }
        least
    }

    /// Whether `one` has fewer requests in flight for its weight than `other`.
    fn is_less(&self, one: &Server, other: &Server, now: u64) -> bool {
        let load = |server: &Server, by: &Server| server.health.in_flight() as u128 * u128::from(self.share(by, now));
        load(one, other) < load(other, one)
    }
}

impl Turns {
    /// The next of the servers that may be chosen.
    fn next(
        &mut self,
        servers: &[Server],
        may: impl Fn(usize, &Server) -> bool,
        share: impl Fn(&Server) -> u64,
    ) -> Option<usize> {
        self.current.resize(servers.len(), 0);
        let mut total: i64 = 0;
        let mut best: Option<(usize, i64)> = None;
        for (index, (server, current)) in servers.iter().zip(&mut self.current).enumerate() {
            if !may(index, server) {
                continue;
            }
            let share = i64::try_from(share(server)).unwrap_or(i64::MAX);
            total = total.saturating_add(share);
            *current = current.saturating_add(share);
            // The first of the greatest, as nginx.
            if best.is_none_or(|(_, most)| *current > most) {
                best = Some((index, *current));
            }
        }
        let (index, _) = best?;
        if let Some(current) = self.current.get_mut(index) {
            *current = current.saturating_sub(total);
        }
        Some(index)
    }
}

/// Servers on a ring: a text belongs to the first server at or behind its hash. A server that is added or taken out
/// moves no other text than its own.
#[derive(Debug)]
pub(super) struct Ring {
    /// Sorted.
    points: Vec<(u64, usize)>,
}

impl Ring {
    /// The ring of the servers that are no backups.
    pub(super) fn new(servers: &[Server]) -> Self {
        let own = || servers.iter().enumerate().filter(|(_, server)| !server.backup);
        let wanted: u64 = own().map(|(_, server)| u64::from(server.weight) * RING_POINTS).sum();
        let mut points = Vec::new();
        for (index, server) in own() {
            let many = u64::from(server.weight) * RING_POINTS;
            let count = if wanted > RING_POINTS_MAX { many * RING_POINTS_MAX / wanted } else { many }.max(1);
            let name = server.to_string();
            points.extend((0..count).map(|number| (hash(format!("{name} {number}").as_bytes()), index)));
        }
        points.sort_unstable();
        Self { points }
    }

    /// The first server behind the hash of `key` that may be chosen.
    fn find(&self, key: &[u8], may: impl Fn(usize) -> bool) -> Option<usize> {
        let hash = hash(key);
        let start = self.points.partition_point(|(point, _)| *point < hash);
        let (before, behind) = self.points.split_at_checked(start)?;
        let mut refused = None;
        behind.iter().chain(before).map(|(_, index)| *index).find(|index| {
            // Neighbours are often of the same server.
            let good = refused != Some(*index) && may(*index);
            if !good {
                refused = Some(*index);
            }
            good
        })
    }
}

/// The same everywhere and always: gateways beside each other agree.
fn hash(octets: &[u8]) -> u64 {
    let digest = blake3::hash(octets);
    digest.as_bytes().first_chunk().map_or(0, |octets| u64::from_le_bytes(*octets))
}

#[cfg(test)]
mod tests {
    use super::super::health::InFlight;
    use super::*;
    use crate::contract::manifest;

    fn upstream(balance: manifest::Balance, servers: &[(&str, u32, bool)]) -> Upstream {
        let server = |(host, weight, backup): &(&str, u32, bool)| {
            let mut server = manifest::Server::default();
            (server.host, server.port, server.weight, server.backup) = ((*host).to_owned(), 80, *weight, *backup);
            server
        };
        let servers = servers.iter().map(server).collect();
        Upstream::plain(&manifest::Upstream { servers, balance, ..manifest::Upstream::default() }).unwrap()
    }

    fn fail(upstream: &Upstream, index: usize) {
        let server = &upstream.servers[index];
        let _ = server.health.failed(server.tolerance, now_ms());
    }

    #[test]
    fn turns_follow_the_weights_smoothly() {
        let upstream = upstream(manifest::Balance::RoundRobin, &[("a", 5, false), ("b", 1, false), ("c", 1, false)]);
        let mut turns = Turns::default();
        let order: Vec<_> = (0..7).map(|_| upstream.choose(&mut turns, &[], None).unwrap()).collect();
        assert_eq!(order, [0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn backups_come_where_no_other_is_left() {
        let upstream = upstream(manifest::Balance::RoundRobin, &[("a", 1, false), ("b", 1, true), ("c", 1, false)]);
        let mut turns = Turns::default();
        let mut next = |tried: &[usize]| upstream.choose(&mut turns, tried, None);
        assert_eq!([next(&[]), next(&[]), next(&[])], [Some(0), Some(2), Some(0)]);
        assert_eq!([next(&[0]), next(&[0, 2]), next(&[0, 1, 2])], [Some(2), Some(1), None]);
        fail(&upstream, 0);
        fail(&upstream, 2);
        assert_eq!(next(&[]), Some(1));
        fail(&upstream, 1);
        assert_eq!(next(&[]), None);
    }

    #[test]
    fn p_11_the_only_server_is_never_taken_out_for_failing() {
        let upstream = upstream(manifest::Balance::RoundRobin, &[("a", 1, false)]);
        for _ in 0..9 {
            fail(&upstream, 0);
        }
        assert_eq!(upstream.choose(&mut Turns::default(), &[], None), Some(0));
    }

    #[test]
    fn the_server_with_the_fewest_requests_for_its_weight_is_chosen() {
        let upstream = upstream(manifest::Balance::LeastConn, &[("a", 3, false), ("b", 1, false)]);
        let mut turns = Turns::default();
        let mut held = Vec::new();
        let mut counts = [0, 0];
        for _ in 0..8 {
            let index = upstream.choose(&mut turns, &[], None).unwrap();
            held.push(InFlight::begin(&upstream.servers[index].health));
            counts[index] += 1;
        }
        assert_eq!(counts, [6, 2]);
        held.retain(|_| false);
        assert_eq!(upstream.servers[0].health.in_flight(), 0);
    }

    fn owners(upstream: &Upstream) -> Vec<String> {
        let mut turns = Turns::default();
        let owner = |key: u32| upstream.choose(&mut turns, &[], Some(format!("key {key}").as_bytes())).unwrap();
        (0..10_000).map(owner).map(|index| upstream.servers[index].host.clone()).collect()
    }

    #[test]
    fn a_server_that_is_added_takes_its_share_of_the_keys_and_moves_no_other() {
        let hash = || manifest::Balance::Hash("$uri".to_owned());
        let five: Vec<_> = ["a", "b", "c", "d", "e"].map(|host| (host, 1, false)).to_vec();
        let (before, after) = (owners(&upstream(hash(), &five[..4])), owners(&upstream(hash(), &five)));
        let moved: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
        assert!((1_400..2_600).contains(&moved.len()), "{} of 10 000 keys moved", moved.len());
        assert!(moved.iter().all(|(_, after)| *after == "e"));
        for host in ["a", "b", "c", "d", "e"] {
            let share = after.iter().filter(|owner| *owner == host).count();
            assert!((1_400..2_600).contains(&share), "{host} has {share} of 10 000 keys");
        }
    }

    #[test]
    fn the_keys_of_a_server_that_fails_go_to_the_others_and_come_back() {
        let servers: Vec<_> = ["a", "b", "c", "d"].map(|host| (host, 1, false)).to_vec();
        let upstream = upstream(manifest::Balance::Hash("$uri".to_owned()), &servers);
        let before = owners(&upstream);
        fail(&upstream, 1);
        let during = owners(&upstream);
        assert!(during.iter().all(|owner| owner != "b"));
        let moved = before.iter().zip(&during).filter(|(before, after)| before != after).count();
        assert_eq!(moved, before.iter().filter(|owner| *owner == "b").count());
        let others: std::collections::BTreeSet<_> =
            before.iter().zip(&during).filter(|(before, _)| *before == "b").map(|(_, after)| after).collect();
        assert_eq!(others.len(), 3, "all of the others share them");
    }

    #[test]
    fn weights_that_are_large_keep_the_ring_small() {
        let upstream = upstream(manifest::Balance::Hash("x".to_owned()), &[("a", 65_535, false), ("b", 1, false)]);
        let Balance::Hash(ring) = &upstream.balance else { panic!("no ring") };
        assert!(ring.points.len() as u64 <= RING_POINTS_MAX + 2);
    }
}
