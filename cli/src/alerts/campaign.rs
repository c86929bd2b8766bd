//! What was told of each campaign, so that one attack on five hundred hosts is no five hundred blocks.
//!
//! Of a campaign the first incident is told in full, and after it what is worse than all that was told: another kind, a
//! harder verdict, a higher band of severity, ten times as many requests. The others are a line each on the first hosts,
//! then one whenever the number of hosts has doubled; one line says when all of it is over. Nothing can thus be hidden
//! behind a smaller attack by the same makers.

use std::collections::{BTreeMap, BTreeSet};

use schemas::{Incident, Kind, State, Verdict};

use super::text::level;

/// Campaigns and lone incidents remembered. Beyond it the one told of longest ago is let go; what follows of it is told
/// as if it were the first.
pub(super) const CAMPAIGNS_MAX: usize = 16_384;

/// Quiet incidents of one campaign whose end is awaited; it is held to be over when these are.
const QUIET_MAX: usize = 4_096;

/// Hosts each of which is worth a line: what a person reads at a glance.
const HOSTS_NAMED: i32 = 8;

/// How many times heavier than all that was told an incident is worth a block: an order of magnitude.
const HEAVIER: i64 = 10;

/// Campaigns by id; an incident that is alone is one by its own.
#[derive(Debug, Default)]
pub(super) struct Campaigns {
    told: BTreeMap<String, Campaign>,
    tellings: u64,
}

#[derive(Debug, Default)]
struct Campaign {
    /// The worst that was told of each kind.
    worst: BTreeMap<Kind, Worst>,
    hosts: i32,
    /// Incidents told of by less than a block, until they are over; and those told of in full.
    quiet: BTreeSet<String>,
    loud: BTreeSet<String>,
    /// Something was told since it was last said to be over.
    is_on: bool,
    over: Totals,
    telling: u64,
}

#[derive(Debug, Clone, Copy)]
struct Worst {
    is_attack: bool,
    level: &'static str,
    severity: i32,
    requests: i64,
}

/// What the incidents of a campaign that are over came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) hosts: i32,
    pub(super) first_ts: i64,
    pub(super) last_ts: i64,
    pub(super) requests: i64,
}

/// How an incident that was not told in full before is told of now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// In full.
    Block,
    /// By a line: one more host.
    Line,
    /// Not at all.
    Nothing,
}

impl Worst {
    fn of(incident: &Incident) -> Self {
        Self {
            is_attack: incident.verdict == Verdict::Attack,
            level: level(incident.severity),
            severity: incident.severity,
            requests: incident.requests,
        }
    }

    /// Whether an incident is worse than what was told.
    fn is_less_than(self, other: Self) -> bool {
        let higher = other.level != self.level && other.severity > self.severity;
        let harder = other.is_attack && !self.is_attack;
        harder || higher || other.requests >= HEAVIER.saturating_mul(self.requests.max(1))
    }

    fn with(self, other: Self) -> Self {
        let higher = if other.severity > self.severity { other } else { self };
        Self {
            is_attack: self.is_attack || other.is_attack,
            requests: self.requests.max(other.requests),
            ..higher
        }
    }
}

impl Campaigns {
    /// How to tell of an incident of which there was no block; benign ones aside.
    pub(super) fn part(&mut self, incident: &Incident) -> Part {
        let Some(id) = &incident.campaign_id else { return Part::Block };
        let Some(campaign) = self.told.get_mut(id) else { return Part::Block };
        let known = campaign.worst.get(&incident.kind);
        if known.is_none_or(|worst| worst.is_less_than(Worst::of(incident))) {
            return Part::Block;
        }
        if incident.state == State::Close {
            return Part::Nothing;
        }
        if campaign.quiet.len() < QUIET_MAX {
            campaign.quiet.insert(incident.incident_id.clone());
        }
        let hosts = incident.campaign_hosts.unwrap_or(0);
        let more = hosts > campaign.hosts
            && (hosts <= HOSTS_NAMED || hosts >= campaign.hosts.saturating_mul(2));
        // One that was taken up again after all of it was said to be over.
        let again = !campaign.is_on && incident.revision > 0;
        let is_news = more || again;
        if !is_news {
            return Part::Nothing;
        }
        (campaign.hosts, campaign.is_on) = (campaign.hosts.max(hosts), true);
        self.tellings += 1;
        campaign.telling = self.tellings;
        Part::Line
    }

    /// Notes an incident that was told in full, as it is now, or that is told so now (`is_block`): a block says on how many
    /// hosts the campaign is, later lines do not.
    pub(super) fn hear(&mut self, incident: &Incident, is_block: bool) {
        let alone = &incident.incident_id;
        let id = incident.campaign_id.as_ref().unwrap_or(alone);
        let before = if id == alone { None } else { self.told.remove(alone) };
        self.tellings += 1;
        let campaign = self.told.entry(id.clone()).or_default();
        for (kind, worst) in before.into_iter().flat_map(|before| before.worst) {
            let known = campaign.worst.entry(kind).or_insert(worst);
            *known = known.with(worst);
        }
        let now = Worst::of(incident);
        let known = campaign.worst.entry(incident.kind).or_insert(now);
        *known = known.with(now);
        if is_block {
            campaign.hosts = campaign.hosts.max(incident.campaign_hosts.unwrap_or(1));
        }
        campaign.quiet.remove(alone);
        campaign.loud.insert(alone.clone());
        (campaign.is_on, campaign.telling) = (true, self.tellings);
        if self.told.len() > CAMPAIGNS_MAX {
            self.forget_one();
        }
    }

    /// Notes that an incident is over; what its campaign came to, where that is over with it and on several hosts.
    pub(super) fn end(&mut self, incident: &Incident) -> Option<Totals> {
        let alone = &incident.incident_id;
        let campaign = self.told.get_mut(incident.campaign_id.as_ref().unwrap_or(alone))?;
        let was_known = campaign.quiet.remove(alone) | campaign.loud.remove(alone);
        if !was_known {
            return None;
        }
        let first = campaign.over == Totals::default();
        let over = &mut campaign.over;
        over.hosts = over.hosts.max(incident.campaign_hosts.unwrap_or(1));
        over.first_ts =
            if first { incident.first_ts } else { over.first_ts.min(incident.first_ts) };
        over.last_ts = over.last_ts.max(incident.last_ts);
        over.requests = over.requests.saturating_add(incident.requests);
        let is_over = campaign.quiet.is_empty() && campaign.loud.is_empty() && campaign.is_on;
        if !is_over || over.hosts < 2 {
            return None;
        }
        campaign.is_on = false;
        Some(campaign.over)
    }

    fn forget_one(&mut self) {
        let oldest = self.told.iter().min_by_key(|(_, campaign)| campaign.telling);
        if let Some(id) = oldest.map(|(id, _)| id.clone()) {
            self.told.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::tests::incident;

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut all = Campaigns::default();
        for n in 0..CAMPAIGNS_MAX + 10 {
            all.hear(&Incident { incident_id: format!("{n}"), ..incident() }, true);
        }
        assert_eq!(all.told.len(), CAMPAIGNS_MAX);
        assert!(!all.told.contains_key("9") && all.told.contains_key("10"));
        for n in 0..QUIET_MAX + 10 {
            let quiet = Incident {
                incident_id: format!("quiet {n}"),
                campaign_id: Some("10".to_owned()),
                campaign_hosts: Some(2),
                ..incident()
            };
            assert_ne!(all.part(&quiet), Part::Block);
        }
        assert_eq!(all.told["10"].quiet.len(), QUIET_MAX);
    }
}
