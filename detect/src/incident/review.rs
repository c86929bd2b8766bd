//! Reviews: whether open incidents are still what they were, and whether there is more to say of them.

use schemas::{Class, Incident, Kind, State, Verdict};

use crate::explain::firm::{better_rules, readers};
use crate::explain::rule::Rule;
use crate::explain::sample::Sample;
use crate::explain::search::Evidence;
use crate::incident::burden::{burden, only};
use crate::incident::lifecycle::Desk;
use crate::incident::look::{each, share_of, span};
use crate::incident::open::Open;
use crate::incident::target::Target;
use crate::judge::evidence::{Case, Judgement};
use crate::judge::profile::{Profile, View, renewed};
use crate::record::event::{Event, flag};
use crate::seen::host::RECENT_S;

/// Seconds from which it is told who reads pages alone, and how many each of them reads a second: a page every two and a half
/// seconds, half as much again as the fastest that pass for robots without a name. Choices.
const READERS_S_MIN: i64 = 20;
const READ_PER_S: f64 = 0.4;

/// Streams that each source breaks off a second from which it does not hold them, and times of broken ones below which it did not,
/// milliseconds: choices, for who holds connections has some hundreds at most, for minutes each.
const BROKEN_PER_S: f64 = 5.0;
const BROKEN_MS_MAX: f64 = 1_000.0;

/// Share of what belongs to pages from which most of it does: a choice, half.
const VIEWED_MIN: f64 = 0.5;

/// Whether streams are broken off as soon as they are opened, rather than held.
fn breaks_off_at_once(seen: &Profile, seconds: i64) -> bool {
    seen.aborted >= 0.5
        && seen.empty < 0.5
        && seen.duration_ms < BROKEN_MS_MAX
        && seen.count >= BROKEN_PER_S * span(seconds) * seen.sources
}

/// Rules that say more of an incident than those that it has: of who copies a site, who they are.
fn better(open: &Open, evidence: &Evidence<'_>, seconds: i64) -> Option<Vec<Rule>> {
    let copies = open.class == Class::Copying && seconds >= READERS_S_MIN;
    let named = || readers(evidence, &open.rules, READ_PER_S * span(seconds));
    let named = if copies { named() } else { None };
    named.or_else(|| better_rules(evidence, &open.rules))
}

/// What an incident is by all that is known now; `is_left` where most of what it was is over.
fn settle(open: &mut Open, judgement: Judgement, is_left: bool) {
    if open.verdict != Verdict::Benign {
        // Those who were refused while nobody could log in, and are the last to come back, were no attack for that.
        let is_last = is_left && open.class == Class::Credentials;
        let verdict =
            if is_last { judgement.verdict.max(Verdict::Suspicious) } else { judgement.verdict };
        open.rejudge(Judgement { verdict, ..judgement });
    } else if open.kind == Kind::Fetcher
        && (judgement.verdict, judgement.kind) == (Verdict::Benign, Kind::FlashCrowd)
    {
        // The first of a crowd are few, as those are whom a service sends.
        open.kind = judgement.kind;
    }
}

impl Desk<'_> {
    /// Looks again at the incidents that are due.
    pub(super) fn review(&self, target: &mut Target, out: &mut Vec<Incident>) {
        let mut at = 0;
        while at < target.cases.open.len() {
            let is_due = target.cases.open[at].next_review_ts <= self.now;
            if is_due && self.ends_handed_over(target, at, out) {
                continue;
            }
            if is_due {
                self.refine(target, at);
                target.cases.open[at].schedule(self.now);
                out.push(self.revise(target, at, State::Update));
            }
            at += 1;
        }
    }

    /// Searches a better fingerprint for an open incident and judges it by all that is known now.
    pub(super) fn refine(&self, target: &mut Target, at: usize) {
        target.cases.open[at].compare(&target.host.normal.sample.events);
        let open = &target.cases.open[at];
        let since = (self.now - open.detected_ts).div_euclid(1_000_000);
        let seconds = (since + 5).clamp(5, RECENT_S);
        let benign = open.verdict == Verdict::Benign;
        let now = self
            .window(target, seconds, |event| !event.has(flag::EXPLAINED) || open.matches(event));
        let matched = now.iter().filter(|event| open.matches(event)).count();
        if matched == 0 {
            return;
        }
        let weight = self.weight(target, now.len(), seconds);
        let mut evidence = self.evidence(target, Sample::even(now, weight), seconds);
        if open.is_of_singles() {
            evidence.sources_min = 1;
        }
        let by_name = open.class == Class::Connections;
        let stays = benign || by_name || self.is_about_newcomer(open);
        let better = if stays { None } else { better(open, &evidence, seconds) };
        let rules = better.unwrap_or_else(|| open.rules.clone());
        let select = |event: &Event| rules.iter().any(|rule| rule.matches(event));
        let seen = self.profile(target, evidence.now.iter().filter(|event| select(event)));
        let all = self.profile(target, evidence.now.iter());
        let usual = self.profile(target, evidence.ordinary.iter());
        let ordinary = &target.host.normal.sample.events;
        let hits = ordinary.iter().filter(|event| select(event)).count();
        let view = View::of(evidence.now.iter().filter(|event| select(event)), self.hasher);
        let level = target.host.level(self.now_s(), seconds);
        let case = Case {
            seen,
            view,
            all,
            ordinary: usual,
            software_nats: open.sender_nats(),
            mix: self.mix(&evidence, select),
            share: share_of(&evidence.ordinary, select),
            level,
            rate: None,
            renewed: renewed(target.host.recent.iter().filter(|event| select(event))),
            each: each(&seen, &evidence),
            only: only(&evidence, select),
            burden: burden(target, (self.now_s(), seconds), &evidence, level),
        };
        let judgement = case.judge();
        let fingerprint = evidence.fingerprint(&rules);
        let changed = rules != open.rules;
        #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
        let share = hits as f64 / ordinary.len().max(1) as f64;
        let ordinary_rate = share * level;
        let open = &mut target.cases.open[at];
        let measured = open.measured;
        if open.kind == Kind::SlowHttp && breaks_off_at_once(&seen, seconds) {
            open.kind = Kind::StreamAbuse;
        }
        open.rules = rules;
        // What is left of it at its end tells less than it did: less than half of it, a choice.
        if changed || 2 * matched >= open.measured {
            (open.fingerprint, open.measured) = (fingerprint, matched);
        }
        open.ordinary_rate = ordinary_rate;
        open.viewed = if view.viewed >= VIEWED_MIN { view.viewed } else { 0.0 };
        open.main_path = if seen.top_path >= 0.6 { seen.main_path } else { 0 };
        settle(open, judgement, 2 * matched < measured);
        if changed && !benign {
            target.mark_explained();
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
    fn weight(&self, target: &Target, sampled: usize, seconds: i64) -> f64 {
        let now_s = self.now_s();
        let all: f64 = target
            .host
            .seconds
            .iter()
            .filter(|second| second.at_s > now_s - seconds)
            .map(|second| f64::from(second.all))
            .sum();
        (all / sampled.max(1) as f64).clamp(1.0, 1e6)
    }
}
