//! Swarms: very many sources, each of which reads a few pages and nothing a browser loads with them.

use schemas::{Incident, Kind, Verdict};

use crate::incident::lifecycle::Desk;
use crate::incident::open::Spoken;
use crate::incident::target::Target;
use crate::judge::evidence::Judgement;
use crate::judge::kind::is_sent_elsewhere;
use crate::judge::worth::convicting_odds;
use crate::record::event::{Event, flag};
use crate::seen::host::RECENT_S;
use crate::seen::readers::Readers;
use crate::store::table::Table;
use crate::suspect::alone::tail;

/// Readers alone of a minute beyond the ordinary, below which nobody is harmed.
const ALONE_MIN: f64 = 20.0;

/// Log odds are the evidence over this, nats.
const NATS_PER_ODDS: f64 = 8.0;

/// Share of ordinary records that a rule for a swarm may select: more, and it says nothing of the swarm.
const COLLATERAL_MAX: f64 = 0.05;

/// The same where nine in ten of what it selects now are of the swarm: one that takes a crawler's name is not told from
/// the crawler by what it asks for. Both are choices.
const BORROWED_COLLATERAL_MAX: f64 = 0.1;
const BORROWED_EXPECTED_MAX: f64 = 0.1;

/// Share of the pages that a rule selects which must be of readers alone: those who check a link before they hand it on read what
/// the others, who follow it, read as well. A choice.
const ALONE_SHARE_MIN: f64 = 0.7;

/// Share of one path from which all may read one page, whatever the query: a link that a letter brought has a key of each reader.
/// They read more than one where who asks again does so under another query, half of the time, or where the answers differ in
/// size, three of ten from all others. Choices.
const ONE_PAGE_MIN: f64 = 0.7;
const READ_ON_MIN: f64 = 0.5;
const SIZES_MIN: f64 = 0.3;

/// Bytes by which the answers with one page differ at most: names, tokens.
const ALIKE_BYTES: u32 = 64;

/// Time without a request of it after which a swarm is over, µs.
const QUIET_US: i64 = 300_000_000;

impl Desk<'_> {
    /// Looks at the readers of the minute that ended.
    pub(super) fn swarm(&self, target: &mut Target, out: &mut Vec<Incident>) {
        let readers = Readers::of(target.host.recent.iter());
        let alone = readers.alone();
        target.suspicion.alone.observe(alone, readers.count(), self.budget.nats);
        let (nats, expected) = (target.suspicion.alone.nats, target.suspicion.alone.expected);
        #[expect(clippy::cast_precision_loss, reason = "sources of a minute")]
        let observed = alone as f64;
        let known = target.cases.is_failing() || target.is_under_attack();
        if nats < self.budget.nats || observed - expected < ALONE_MIN || known {
            return;
        }
        let now = self.window(target, RECENT_S, |event| readers.is_alone(event.source));
        let Some((evidence, found)) = self.firm_rule(target, now, RECENT_S, None) else { return };
        let select = |event: &Event| found.rule.matches(event);
        let collateral = evidence.ordinary.weigh(select) / evidence.ordinary.total().max(1e-9);
        let borrowed = found.expected <= BORROWED_EXPECTED_MAX * found.selected;
        if collateral > if borrowed { BORROWED_COLLATERAL_MAX } else { COLLATERAL_MAX } {
            return;
        }
        let among = self.window(target, RECENT_S, |event| !event.has(flag::EXPLAINED));
        let among = among.into_iter().filter(|event| select(event) && !event.has(flag::ASSET));
        let (alone, all) = among.fold((0, 0), |(alone, all), event| {
            (alone + usize::from(readers.is_alone(event.source)), all + 1_usize)
        });
        #[expect(clippy::cast_precision_loss, reason = "records of a minute")]
        let share = alone as f64 / all.max(1) as f64;
        if share < ALONE_SHARE_MIN {
            return;
        }
        // Who reads one page copies nothing, nor who is sent elsewhere.
        let level = target.host.level(self.now_s(), RECENT_S);
        let case = self.case(target, &evidence, &found, &[], level);
        let is_of_one = case.seen.top_path >= ONE_PAGE_MIN
            && !case.renewed.is_some_and(|renewed| renewed >= READ_ON_MIN)
            && sizes(evidence.now.iter().filter(|event| select(event))) < SIZES_MIN;
        if is_of_one || is_sent_elsewhere(&case.seen) || case.is_excused() {
            return;
        }
        let judgement = Judgement {
            kind: Kind::Swarm,
            verdict: Verdict::Attack,
            attackness: convicting_odds(nats, NATS_PER_ODDS),
        };
        let salt = RECENT_S.unsigned_abs();
        #[expect(clippy::cast_precision_loss, reason = "a minute")]
        let usual = found.expected / RECENT_S as f64;
        let Some(at) = self.open_many(target, judgement, found.rule, usual, salt) else { return };
        let open = &mut target.cases.open[at];
        open.be_patient(QUIET_US);
        open.hear(Spoken {
            feature: "sources_reading_alone".to_owned(),
            expected,
            observed,
            score: nats,
            p_value: Some(tail(observed, expected)),
            of_sender: true,
        });
        self.announce(target, at, out);
    }
}

/// Distinct sizes of answers for each record.
#[expect(clippy::cast_precision_loss, reason = "records of a minute")]
fn sizes<'a>(events: impl Iterator<Item = &'a Event>) -> f64 {
    let mut sizes: Table<()> = Table::default();
    let mut count = 0_usize;
    for event in events {
        sizes.entry(u64::from(event.bytes / ALIKE_BYTES), || ());
        count += 1;
    }
    sizes.len() as f64 / count.max(1) as f64
}
