//! Campaigns: credentials tried over an hour by many sources, each of them seldom.

use schemas::{Class, Incident, Kind, Verdict};

use crate::explain::rule::{Atom, Rule};
use crate::incident::lifecycle::Desk;
use crate::incident::open::Spoken;
use crate::incident::target::Target;
use crate::judge::evidence::{Judgement, LOG_IN_FAILS_MIN};
use crate::judge::worth::{NATS_PER_ODDS, convicting_odds};
use crate::math::evalue::{Forecast, log_e, tail_probability};
use crate::record::column::Column;
use crate::record::event::{Event, flag};
use crate::record::source::Source;
use crate::seen::attempts::Attempts;
use crate::seen::host::Host;
use crate::seen::tries::{Campaign, Tries};
use crate::store::table::Table;

/// Tries of an hour below which nobody is harmed: one a minute and a half.
const TRIES_MIN: u32 = 40;

/// The same as a multiple of what is usual.
const USUAL_FACTOR: f64 = 3.0;

/// Share of the tries in all writes to such addresses: below it, it is how often those who may come in mistype.
const SHARE_MIN: f64 = 0.4;

/// The same where it is known how often they do, as a multiple of that, and at least; and tries as a multiple of what is usual, and
/// sources, from which that tells: who may come in forgets no more often than ever. Choices. It is suspicious, for a program that was
/// renewed may forget for all.
const USUAL_SHARE_FACTOR: f64 = 3.0;
const RISEN_SHARE_MIN: f64 = 0.15;
const RISEN_FACTOR: f64 = 5.0;
const RISEN_SOURCES_MIN: usize = 50;

/// Sources from which it is a campaign: fewer are looked at one by one.
const SOURCES_MIN: usize = 15;

/// Negative-binomial size of the tries of an hour: robots come in waves.
const TRIES_SIZE: f64 = 2.0;

/// Least tries of an hour that are taken for usual.
const USUAL_MIN: f64 = 4.0;

/// Evidence needed at the default rate of false alarms, nats: none beyond the floors, which are set where chance does
/// not reach.
const CAMPAIGN_NATS: f64 = 0.0;

/// Share of who is here that must have been here before, so that it says something who was, and how near to it that share is of
/// who tries. Choices.
const KNOWN_MIN: f64 = 0.3;
const KNOWN_FACTOR: f64 = 0.6;

/// Time without a try after which a campaign is over, µs.
const QUIET_US: i64 = 1_800_000_000;

impl Desk<'_> {
    /// Looks at the tries of the last hour, those of writes and those of reads; due once a minute.
    pub(super) fn campaign(&self, target: &mut Target, out: &mut Vec<Incident>) {
        // Who logs in has done nothing else yet; who has done more since has come in.
        self.campaign_of(target, |host| &mut host.tries, |tried, _| tried.only_tries(), out);
        target.host.refused.watch(self.now_s());
        self.campaign_of(target, |host| &mut host.refused, Attempts::only_is_refused, out);
    }

    /// Leaves out who does not only try, by what he tried and the pages he asked for in an hour.
    fn leave_out(&self, tries: &mut Tries, only_tries: fn(&Attempts, f32) -> bool) {
        tries.retain(|source| {
            let key = self.hasher.pair(self.host_key, source.0);
            let pages = self.sources.get(key).map_or(0.0, |record| record.pages_3600);
            self.attempters.get(key).is_none_or(|tried| only_tries(tried, pages))
        });
    }

    fn campaign_of(
        &self,
        target: &mut Target,
        of: fn(&mut Host) -> &mut Tries,
        only_tries: fn(&Attempts, f32) -> bool,
        out: &mut Vec<Incident>,
    ) {
        let tries = of(&mut target.host);
        if tries.count().0 < TRIES_MIN {
            return;
        }
        // Neither is usual what these do.
        self.leave_out(tries, only_tries);
        if !are_many(tries) {
            return;
        }
        let campaign = tries.campaign();
        let is_plain = tries.share() >= SHARE_MIN;
        let sources_min = if is_plain { SOURCES_MIN } else { RISEN_SOURCES_MIN };
        if campaign.sources.len() < sources_min {
            return;
        }
        let said = spoken(&campaign);
        if said.score < self.budget.moved(CAMPAIGN_NATS) {
            return;
        }
        of(&mut target.host).clear();
        let open =
            target.cases.open.iter().position(|open| open.takes_in(Class::Credentials, self.now));
        let rule = rule_of(&campaign);
        let (at, is_new) = if let Some(at) = open {
            // What else tries passwords here must not keep the campaign from being selected and told.
            let recent = target.host.recent.iter();
            let is_new = target.cases.open[at].add_rule(&rule, 0.0, &recent);
            if is_new {
                target.mark_explained();
            }
            (at, is_new)
        } else {
            let is_ours = !is_plain || are_visitors(&campaign, target) || log_in_fails(target);
            let judgement = Judgement {
                kind: Kind::CredentialStuffing,
                verdict: if is_ours { Verdict::Suspicious } else { Verdict::Attack },
                attackness: convicting_odds(said.score, NATS_PER_ODDS),
            };
            let salt = campaign.first_ts.unsigned_abs();
            let Some(at) = self.open_many(target, judgement, rule, 0.0, salt) else { return };
            (at, true)
        };
        let incident = &mut target.cases.open[at];
        incident.hear(said);
        incident.be_patient(QUIET_US);
        for (source, tries) in &campaign.sources {
            incident.credit(*source, u64::from(*tries), campaign.first_ts);
        }
        if is_new {
            self.announce(target, at, out);
        }
    }
}

/// Whether the tries of the last hour are somebody's harm, more than usual, and most of what is written where they are.
fn are_many(tries: &Tries) -> bool {
    let (count, usual) = tries.count();
    !tries.is_young()
        && count >= TRIES_MIN
        && f64::from(count) >= USUAL_FACTOR * usual
        && (tries.share() >= SHARE_MIN || has_risen(tries))
}

/// Whether they are a share of what is written there that they never were.
fn has_risen(tries: &Tries) -> bool {
    let (count, usual) = tries.count();
    let share = tries.share();
    let is_more = |usual_share: f64| share >= RISEN_SHARE_MIN.max(USUAL_SHARE_FACTOR * usual_share);
    f64::from(count) >= RISEN_FACTOR * usual.max(USUAL_MIN)
        && tries.usual_share().is_some_and(is_more)
}

/// Whether those who try were here before as often as whoever else is here now: then it may be the log-in that fails.
fn are_visitors(campaign: &Campaign, target: &Target) -> bool {
    let visitors = &target.host.normal.visitors;
    let mut of_campaign: Table<()> = Table::default();
    let (mut tried, mut others) = ((0.0, 0.0), (0.0, 0.0));
    let count = |of: &mut (f64, f64), source: Source| {
        of.0 += f64::from(u8::from(visitors.contains(source)));
        of.1 += 1.0;
    };
    for (source, _) in &campaign.sources {
        of_campaign.entry(source.0, || ());
        count(&mut tried, *source);
    }
    let mut seen: Table<()> = Table::default();
    for event in &target.host.recent {
        let is_other = of_campaign.get(event.source.0).is_none();
        if is_other && seen.entry(event.source.0, || ()).1 {
            count(&mut others, event.source);
        }
    }
    let share = |(known, all): (f64, f64)| if all > 0.0 { known / all } else { 0.0 };
    share(others) >= KNOWN_MIN && share(tried) >= KNOWN_FACTOR * share(others)
}

/// Whether most of the credentials of the last minute were answered with errors.
fn log_in_fails(target: &Target) -> bool {
    let is_auth = |event: &&Event| event.flags & (flag::AUTH | flag::TOKEN) != 0;
    let answers = target.host.recent.iter().filter(is_auth);
    let (errors, all) = answers.fold((0.0, 0.0), |(errors, all), event| {
        (errors + f64::from(u8::from(event.status_class() == 5)), all + 1.0)
    });
    all > 0.0 && errors >= LOG_IN_FAILS_MIN * all
}

fn spoken(campaign: &Campaign) -> Spoken {
    let expected = campaign.usual.max(USUAL_MIN);
    let observed = f64::from(campaign.count);
    let forecast = Forecast { mean: expected, size: TRIES_SIZE };
    Spoken {
        feature: "credentials_of_an_hour".to_owned(),
        expected,
        observed,
        score: log_e(observed, forecast),
        p_value: Some(tail_probability(observed, forecast)),
        of_sender: false,
    }
}

/// What is tried most: where, how, and how it is answered.
fn rule_of(campaign: &Campaign) -> Rule {
    let event = &campaign.example;
    let atoms = vec![
        Atom::OneOf(Column::Path, vec![event.path]),
        Atom::OneOf(Column::Method, vec![u64::from(event.method)]),
        Atom::OneOf(Column::Status, vec![u64::from(event.status)]),
    ];
    Rule { atoms }
}
