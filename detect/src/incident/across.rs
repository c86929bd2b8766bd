//! Campaigns over several hosts: incidents that the same makers are behind, within a quarter of an hour of each other.
//!
//! Each incident that is not benign is compared with those of its class on other hosts that are open or were closed a short
//! while ago, whenever it is told of and as long as it is alone. An incident that is in a campaign stays in it, and a campaign
//! keeps its id: that of the incident with which it began. Nothing else follows from it: what each incident is held to be,
//! how severe, and whether it opens at all is decided without a look at the others.

use std::fmt::Write as _;

use schemas::{Class, Incident, Verdict};
use serde::{Deserialize, Serialize};

use crate::incident::makers::Makers;
use crate::limits::{CAMPAIGN_HOSTS_MAX, CAMPAIGN_INCIDENTS_MAX};
use crate::store::table::Table;

/// Incidents that later ones may be of one campaign with, and the campaigns that there are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Campaigns {
    /// By the hash of the incident's id, in the order in which they were first told of.
    members: Table<Member>,
    /// By the key of the incident with which each began.
    begun: Table<Campaign>,
    /// Incidents that made room for others before their time.
    pub evicted: u64,
}

/// An incident, as far as others are compared with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Member {
    id: String,
    host: u64,
    class: Class,
    makers: Makers,
    /// Key of its campaign.
    campaign: Option<u64>,
    /// Its last revision.
    told_ts: i64,
    closed_ts: Option<i64>,
}

/// One campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Campaign {
    /// Id of the incident with which it began.
    id: String,
    /// Hosts, sorted; beyond [`CAMPAIGN_HOSTS_MAX`] only their number.
    hosts: Vec<u64>,
    count: i32,
}

impl Campaign {
    fn add(&mut self, host: u64) {
        let Err(place) = self.hosts.binary_search(&host) else { return };
        if self.hosts.len() < CAMPAIGN_HOSTS_MAX {
            self.hosts.insert(place, host);
        }
        self.count = self.count.saturating_add(1);
    }
}

/// Bytes of an id of an incident: it is 128 bits in hexadecimal.
const ID_BYTES: usize = 32;

/// Bytes held at most: there is no campaign without an incident that is remembered.
pub const BYTES_MAX: usize = CAMPAIGN_INCIDENTS_MAX
    * (Table::<Member>::ENTRY_BYTES
        + Makers::OWNED_BYTES_MAX
        + Table::<Campaign>::ENTRY_BYTES
        + 2 * ID_BYTES
        + 2 * CAMPAIGN_HOSTS_MAX * size_of::<u64>());

impl Campaigns {
    /// Forgets what was closed longer ago than `memory_us`; before a second's revisions are told.
    pub fn forget(&mut self, now: i64, memory_us: i64) {
        // The distance: a clock may have been put right meanwhile.
        let is_due = |closed_ts: i64| now.abs_diff(closed_ts) > memory_us.unsigned_abs();
        let before = self.members.len();
        self.members.retain(|_, member| !member.closed_ts.is_some_and(is_due));
        if self.members.len() != before {
            self.drop_empty();
        }
    }

    fn drop_empty(&mut self) {
        let mut alive: Table<()> = Table::default();
        for (_, member) in self.members.iter() {
            if let Some(campaign) = member.campaign {
                alive.entry(campaign, || ());
            }
        }
        self.begun.retain(|key, _| alive.get(key).is_some());
    }

    /// Puts the campaign into a revision, and finds one for an incident that is alone. `key` is a hash of its id; `makers`
    /// are absent where its host was given up.
    pub fn tell(&mut self, told: &mut Incident, key: u64, host: u64, makers: Option<Makers>) {
        if told.verdict == Verdict::Benign {
            return;
        }
        if let Some(makers) = makers {
            self.note(told, key, host, makers);
            self.seek(key);
        } else if let Some(member) = self.members.get_mut(key) {
            (member.told_ts, member.closed_ts) = (told.revision_ts, told.closed_ts);
        }
        let campaign = self.members.get(key).and_then(|member| member.campaign);
        let Some(campaign) = campaign.and_then(|campaign| self.begun.get(campaign)) else {
            return;
        };
        told.campaign_id = Some(campaign.id.clone());
        told.campaign_hosts = Some(campaign.count);
        // Writing to a string cannot fail.
        let _ = write!(told.summary, "; the same on {} hosts in all", campaign.count);
    }

    /// Notes an incident as it is now.
    fn note(&mut self, told: &Incident, key: u64, host: u64, makers: Makers) {
        if self.members.len() >= CAMPAIGN_INCIDENTS_MAX && self.members.get(key).is_none() {
            self.make_room();
        }
        let class = told.kind.class();
        let (told_ts, closed_ts) = (told.revision_ts, told.closed_ts);
        let fresh = || Member {
            id: told.incident_id.clone(),
            host,
            class,
            makers: Makers::default(),
            campaign: None,
            told_ts,
            closed_ts,
        };
        let (member, _) = self.members.entry(key, fresh);
        (member.host, member.class, member.makers) = (host, class, makers);
        (member.told_ts, member.closed_ts) = (told_ts, closed_ts);
    }

    /// The incident told of longest ago makes room: one that is open is told of every five minutes.
    fn make_room(&mut self) {
        let oldest = self.members.iter().min_by_key(|(_, member)| member.told_ts);
        let Some(key) = oldest.map(|(key, _)| *key) else { return };
        self.members.remove(key);
        self.evicted += 1;
        self.drop_empty();
    }

    /// Finds the campaign of an incident that is alone: that of the first on another host which the same makers are behind,
    /// one that is in a campaign before one that is not; with one that is not it begins a campaign, under the id of
    /// whichever was there first.
    fn seek(&mut self, key: u64) {
        let Some(place) = self.members.position(key) else { return };
        let Some((_, own)) = self.members.at(place) else { return };
        if own.campaign.is_some() {
            return;
        }
        let mut alone = None;
        let mut joined = None;
        for (at, (_, other)) in self.members.iter().enumerate() {
            let is_news = other.campaign.is_some() || alone.is_none();
            let is_alike = other.class == own.class && other.host != own.host;
            if is_news && is_alike && other.makers.are(&own.makers) {
                joined = other.campaign;
                alone = alone.or(joined.is_none().then_some(at));
            }
            if joined.is_some() {
                break;
            }
        }
        match (joined, alone) {
            (Some(campaign), _) => self.join(place, campaign),
            (None, Some(at)) => self.begin(at.min(place), at.max(place)),
            (None, None) => {}
        }
    }

    /// Begins a campaign of two incidents, by their places.
    fn begin(&mut self, first: usize, second: usize) {
        let Some((key, member)) = self.members.at(first) else { return };
        let (key, id) = (*key, member.id.clone());
        // One that began with this incident may have outlived it, where it was forgotten for room.
        self.begun.entry(key, || Campaign { id, hosts: Vec::new(), count: 0 });
        self.join(first, key);
        self.join(second, key);
    }

    fn join(&mut self, place: usize, campaign: u64) {
        let Some(member) = self.members.at_mut(place) else { return };
        member.campaign = Some(campaign);
        if let Some(campaign) = self.begun.get_mut(campaign) {
            campaign.add(member.host);
        }
    }

    /// Bytes held, capacity included.
    pub fn state_bytes(&self) -> usize {
        let makers = self.members.iter().map(|(_, member)| member.makers.state_bytes() + ID_BYTES);
        let hosts = self.begun.iter().map(|(_, campaign)| {
            campaign.hosts.capacity() * size_of::<u64>() + campaign.id.capacity()
        });
        self.members.state_bytes()
            + self.begun.state_bytes()
            + makers.sum::<usize>()
            + hosts.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::hash::mix;

    const MEMORY_US: i64 = 900_000_000;

    fn told(id: u64, now: i64) -> Incident {
        let time = schemas::incident::rfc3339_utc(now);
        serde_json::from_value(serde_json::json!({
            "incident_id": format!("{id:032x}"), "revision": 0, "state": "open",
            "kind": "vuln_scan", "verdict": "attack", "severity": 50, "confidence": 0.9,
            "first_ts": time, "detected_ts": time, "revision_ts": time, "last_ts": time,
            "closed_ts": null, "requests": 1, "excess_requests": 1, "source_count": 1,
            "sources": [], "summary": "scan", "evidence": [],
        }))
        .unwrap()
    }

    /// Tells of an incident of one source; what it says of its campaign: which, and on how many hosts.
    fn tell(
        campaigns: &mut Campaigns,
        mut told: Incident,
        host: u64,
        source: u64,
    ) -> Option<(u64, i32)> {
        let id = u64::from_str_radix(&told.incident_id, 16).unwrap();
        campaigns.tell(&mut told, mix(id), host, Some(Makers::of_hashes(vec![source])));
        let campaign = u64::from_str_radix(&told.campaign_id?, 16).unwrap();
        Some((campaign, told.campaign_hosts?))
    }

    #[test]
    fn a_campaign_keeps_its_id_and_goes_on_without_its_first_incident() {
        let mut all = Campaigns::default();
        assert_eq!(tell(&mut all, told(1, 0), 10, 7), None);
        assert_eq!(tell(&mut all, told(2, 0), 10, 7), None, "the same host");
        assert_eq!(tell(&mut all, told(3, 1), 11, 8), None, "another source");
        assert_eq!(tell(&mut all, told(4, 2), 12, 7), Some((1, 2)));
        let over = Incident { closed_ts: Some(3), ..told(1, 3) };
        assert_eq!(tell(&mut all, over, 10, 7), Some((1, 2)), "told at its end");
        assert_eq!(tell(&mut all, told(2, 4), 10, 7), Some((1, 2)), "one more on the host");
        all.forget(4 + MEMORY_US, MEMORY_US);
        assert_eq!(tell(&mut all, told(5, 4 + MEMORY_US), 13, 7), Some((1, 3)));
        assert_eq!(all.members.len(), 4, "the first is forgotten");
        // One whose sources show later joins later.
        assert_eq!(tell(&mut all, told(3, 5 + MEMORY_US), 11, 7), Some((1, 4)));
    }

    #[test]
    fn what_was_closed_longer_ago_is_another_matter() {
        let mut all = Campaigns::default();
        for id in 1..3 {
            let over = Incident { closed_ts: Some(0), ..told(id, 0) };
            tell(&mut all, over, id, 7);
        }
        assert_eq!((all.members.len(), all.begun.len()), (2, 1));
        all.forget(MEMORY_US + 1, MEMORY_US);
        assert_eq!((all.members.len(), all.begun.len()), (0, 0));
        assert_eq!(tell(&mut all, told(3, MEMORY_US + 1), 3, 7), None);
    }

    #[test]
    fn of_two_that_are_alone_the_first_leads() {
        let mut all = Campaigns::default();
        tell(&mut all, told(1, 0), 1, 7);
        tell(&mut all, told(2, 0), 2, 8);
        assert_eq!(tell(&mut all, told(1, 5), 1, 8), Some((1, 2)));
        assert_eq!(tell(&mut all, told(2, 6), 2, 8), Some((1, 2)));
    }

    #[test]
    fn what_is_no_attack_and_another_class_are_none() {
        let mut all = Campaigns::default();
        tell(&mut all, told(1, 0), 1, 7);
        let benign = Incident { verdict: Verdict::Benign, ..told(2, 0) };
        assert_eq!(tell(&mut all, benign, 2, 7), None);
        let other = Incident { kind: schemas::Kind::HttpFlood, ..told(3, 0) };
        assert_eq!(tell(&mut all, other, 3, 7), None);
        assert_eq!(all.members.len(), 2);
    }

    #[test]
    fn room_is_bounded_and_what_makes_room_is_counted() {
        let mut all = Campaigns::default();
        let most = CAMPAIGN_INCIDENTS_MAX as u64;
        for id in 1..=most + 10 {
            // What is told of anew, as an open incident is, stays.
            tell(&mut all, told(1, i64::try_from(id).unwrap()), 1, 1);
            tell(&mut all, told(id, i64::try_from(id).unwrap()), id, id);
        }
        assert_eq!((all.members.len(), all.evicted), (CAMPAIGN_INCIDENTS_MAX, 10));
        assert!(all.members.get(mix(1)).is_some() && all.members.get(mix(2)).is_none());
        let mut hosts = 0;
        for id in 0..CAMPAIGN_HOSTS_MAX as u64 + 100 {
            hosts = tell(&mut all, told(most * 2 + id, 9_999), id, 1).map_or(0, |(_, n)| n);
        }
        assert!(usize::try_from(hosts).unwrap() >= CAMPAIGN_HOSTS_MAX + 99, "{hosts}");
        let (_, campaign) = all.begun.iter().next().unwrap();
        assert_eq!(campaign.hosts.len(), CAMPAIGN_HOSTS_MAX);
        assert!(all.state_bytes() <= BYTES_MAX);
    }
}
