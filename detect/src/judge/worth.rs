//! Rules of judgement: whether an excess is worth an incident, a rule firm, a better rule at hand.

use schemas::{Kind, Verdict};

use crate::explain::rule::{Atom, Rule};
use crate::explain::search::{Evidence, Found};
use crate::incident::open::Open;
use crate::judge::evidence::{self as gate, Class, Judgement};
use crate::limits::FINGERPRINT_LIST_MAX;
use crate::record::source::Source;
use crate::seen::sources::{Alarm, Crawl, Solo};
use crate::seen::votes::{Attribute, HotValue};
use crate::store::table::Table;

/// Gain below which a rule is chance, nats.
const RULE_NATS: f64 = 15.0;

/// Excess below which volume is nobody's harm, requests per second, and as a share of the ordinary rate.
const EXCESS_RATE_MIN: f64 = 1.0;

const EXCESS_SHARE_MIN: f64 = 0.05;

/// Excess requests of the window without which volume is no matter.
pub(crate) const EXCESS_REQUESTS_MIN: f64 = 20.0;

/// Excess that makes a crowd worth a record.
pub(crate) const CROWD_RATE_MIN: f64 = 5.0;

/// A verdict only hardens; the kind may change within the class.
pub(crate) fn rejudge(open: &mut Open, judgement: Judgement) {
    let vague = open.kind == Kind::HttpFlood;
    if gate::class_of(judgement.kind) == open.class && open.solo_sources.is_empty() && vague {
        open.kind = judgement.kind;
    }
    if judgement.verdict == Verdict::Attack && open.verdict == Verdict::Suspicious {
        open.verdict = Verdict::Attack;
    }
    open.attackness = open.attackness.max(judgement.attackness);
}

/// What raised suspicion turns out to be an attack.
pub(crate) const fn harden(open: &mut Open, judgement: Judgement) {
    open.verdict = judgement.verdict;
    open.kind = judgement.kind;
    open.class = gate::class_of(judgement.kind);
    open.attackness = judgement.attackness;
}

/// How long after its opening an incident still takes in what stands out besides, µs.
const YOUNG_US: i64 = 60_000_000;

/// Whether evidence of a class belongs to an open incident: of the same class, or, while the incident is young,
/// of one whose traffic shows in volume as well. Credentials are a matter of their own.
pub(crate) fn joins(open: &Open, class: Class, now: i64) -> bool {
    let shows = |class| matches!(class, Class::Volume | Class::Copying | Class::Discovery);
    open.class == class || now - open.detected_ts <= YOUNG_US && shows(open.class) && shows(class)
}

/// Whether it is a matter of volume.
pub(crate) const fn is_volume(judgement: Judgement) -> bool {
    matches!(gate::class_of(judgement.kind), Class::Volume)
}

/// Whether the excess is worth an incident.
pub(crate) fn worth(judgement: Judgement, excess: f64, level: f64) -> bool {
    match gate::class_of(judgement.kind) {
        Class::Credentials | Class::Discovery => excess >= 0.1,
        Class::Benign => excess >= CROWD_RATE_MIN.max(0.5 * level),
        Class::Volume | Class::Copying => excess >= EXCESS_RATE_MIN.max(EXCESS_SHARE_MIN * level),
    }
}

/// A search for paths by many is seen in the votes on unknown paths, not in volume.
pub(crate) fn supported(judgement: Judgement, hot: &[HotValue]) -> bool {
    let asks = |hot: &HotValue| {
        matches!(hot.attribute, Attribute::Probe | Attribute::Refusal | Attribute::Path)
    };
    gate::class_of(judgement.kind) != Class::Discovery || hot.iter().any(asks)
}

pub(crate) fn solo_judgement(alarm: &Alarm) -> Judgement {
    let attackness = (alarm.score / 4.0).clamp(2.0, 6.0);
    let (kind, verdict) = match alarm.solo {
        _ if alarm.crawl == Crawl::Polite => (Kind::Crawler, Verdict::Benign),
        _ if alarm.crawl == Crawl::Fast => (Kind::HttpFlood, Verdict::Suspicious),
        Solo::Flood => (Kind::HttpFlood, Verdict::Attack),
        Solo::Credentials => (Kind::BruteForce, Verdict::Attack),
        Solo::Probes => (Kind::ContentDiscovery, Verdict::Attack),
        Solo::Pages | Solo::Bytes => (Kind::Scraping, Verdict::Attack),
    };
    Judgement { kind, verdict, attackness }
}

/// Whether a rule is more than the chance of a few visits: the requests of one source are one piece of evidence,
/// unless few sources send it all.
pub(crate) fn firm(evidence: &Evidence<'_>, found: &Found) -> bool {
    let mut sources: Table<()> = Table::default();
    let mut selected = 0_usize;
    for event in evidence.now.iter().filter(|event| found.rule.matches(event)) {
        selected += 1;
        sources.entry(event.source.0, || ());
    }
    #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
    let each = selected as f64 / sources.len().max(1) as f64;
    let named = found.rule.atoms.iter().any(|atom| matches!(atom, Atom::Source(_)));
    found.gain / if named { 1.0 } else { each.max(1.0) } >= RULE_NATS
}

/// Adds a source to the list of the incident's rule of sources, or gives it one.
pub(crate) fn extend_sources(open: &mut Open, source: Source) {
    for rule in &mut open.rules {
        if let [Atom::Source(list)] = rule.atoms.as_mut_slice() {
            if let Err(place) = list.binary_search(&source)
                && list.len() < 16 * FINGERPRINT_LIST_MAX
            {
                list.insert(place, source);
            }
            return;
        }
    }
    open.rules.push(Rule { atoms: vec![Atom::Source(vec![source])] });
}

/// A single rule that does better than the present ones and does not let go of what they select.
pub(crate) fn better_rules(evidence: &Evidence<'_>, open: &Open) -> Option<Vec<Rule>> {
    let found = evidence.best_rule(None)?;
    let now = evidence.now.weigh(|event| open.matches(event));
    let both = evidence.now.weigh(|event| open.matches(event) && found.rule.matches(event));
    let usual = evidence.ordinary.weigh(|event| open.matches(event));
    let others = evidence.now.weigh(|event| !open.matches(event) && found.rule.matches(event));
    if others > 0.1 * both + usual {
        return None;
    }
    let present = evidence.gain_of(|event| open.matches(event));
    (both >= 0.9 * now && found.gain > present * 1.01 + 4.0).then(|| vec![found.rule])
}
