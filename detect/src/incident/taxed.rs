//! Work: answers that take the origin much more time than is ordinary, while hardly more is asked for.

use schemas::{Incident, Kind, Verdict};

use crate::incident::burden::{Work, mean_work, work_of};
use crate::incident::lifecycle::Desk;
use crate::incident::look::{Finding, span};
use crate::incident::open::Spoken;
use crate::incident::patience::Looked;
use crate::incident::target::Target;
use crate::judge::worth::requests_min;
use crate::record::event::flag;
use crate::seen::host::RECENT_S;

/// Seconds between two measurements: a choice, some of them fall into the minute that is measured.
const EVERY_S: i64 = 10;

/// Times the ordinary work from which the origin is taxed: a choice, beyond the ways of an ordinary day.
const TIMES_MIN: f64 = 5.0;

/// Work beyond the ordinary from which it is, seconds a second: two of its workers, all the time. A choice.
const BEYOND_MIN: f64 = 2.0;

/// Share of the work of a minute that what stands out must have: most of it, a choice. Where all takes longer the origin is slow.
const OF_RULE_MIN: f64 = 0.7;

impl Desk<'_> {
    /// The work of the last minute, where it is measured in this second and taxes the origin.
    pub(super) fn work(&self, target: &Target) -> Option<Work> {
        if (self.now_s() + 1) % EVERY_S != 0 || target.cases.is_failing() {
            return None;
        }
        let now = self.window(target, RECENT_S, |event| !event.has(flag::EXPLAINED));
        let (free, _) = target.host.totals(self.now_s(), RECENT_S);
        let level = target.host.level(self.now_s(), RECENT_S);
        let of_late = free / span(RECENT_S) * mean_work(now.into_iter());
        if of_late < BEYOND_MIN {
            return None;
        }
        let usual = level * mean_work(target.host.normal.sample.events.iter());
        let is_taxed = of_late > TIMES_MIN * usual && of_late - usual >= BEYOND_MIN;
        is_taxed.then_some(Work { usual, of_late })
    }

    /// Looks for what most of the work is done for.
    pub(super) fn taxed(&self, target: &mut Target, work: Work, out: &mut Vec<Incident>) -> Looked {
        let now = self.window(target, RECENT_S, |event| !event.has(flag::EXPLAINED));
        let Some((evidence, found)) = self.firm_rule(target, now, RECENT_S, None) else {
            return Looked::Nothing;
        };
        let level = target.host.level(self.now_s(), RECENT_S);
        let judgement = self.case(target, &evidence, &found, &[], level).judge();
        let of_rule = evidence.now.iter().filter(|event| found.rule.matches(event));
        let of_rule: f64 = of_rule.map(work_of).sum();
        let is_most = of_rule >= OF_RULE_MIN * evidence.now.iter().map(work_of).sum::<f64>();
        let is_dear = judgement.kind == Kind::AppExhaustion && judgement.verdict != Verdict::Benign;
        if !is_most || !is_dear {
            return Looked::Nothing;
        }
        let excess = found.selected - found.expected;
        let habit = &target.host.normal.habit;
        let is_usual = judgement.verdict == Verdict::Suspicious
            && habit.covers(excess / span(RECENT_S), self.now_s());
        if excess < requests_min(judgement) || is_usual {
            return Looked::Short;
        }
        let said = [Spoken {
            feature: "work_of_origin".to_owned(),
            expected: work.usual,
            observed: work.of_late,
            score: libm::log(work.of_late / work.usual.max(1.0 / span(RECENT_S))),
            p_value: None,
            of_sender: false,
        }];
        let finding =
            Finding { found: &found, judgement, hot: &[], said: &said, seconds: RECENT_S };
        if self.act(target, &finding, out) { Looked::Opened } else { Looked::Nothing }
    }
}
