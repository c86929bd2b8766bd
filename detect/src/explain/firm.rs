//! Whether a rule is more than chance, and better than the present ones.

use crate::explain::rule::{Atom, Rule};
use crate::explain::search::{Evidence, Found};
use crate::limits::RULE_SOURCES_MAX;
use crate::record::column::Column;
use crate::record::event::{Event, flag};
use crate::record::source::Source;
use crate::seen::source_record::BARE_ASSETS_MAX;
use crate::store::table::Table;
use crate::suspect::budget::Budget;

/// Gain below which a rule is chance, at the default rate of false alarms, nats.
const RULE_NATS: f64 = 15.0;

/// Gain of a rule, nats, where it is more than the chance of a few visits: the requests of one source are one piece of
/// evidence, unless few sources send it all.
pub fn firm(evidence: &Evidence<'_>, found: &Found, budget: &Budget) -> Option<f64> {
    Some(firmness(evidence, found)).filter(|nats| *nats >= budget.moved(RULE_NATS))
}

fn firmness(evidence: &Evidence<'_>, found: &Found) -> f64 {
    let mut sources: Table<()> = Table::default();
    let mut selected = 0_usize;
    for event in evidence.now.iter().filter(|event| found.rule.matches(event)) {
        selected += 1;
        sources.entry(event.source.0, || ());
    }
    #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
    let each = selected as f64 / sources.len().max(1) as f64;
    let named = found.rule.atoms.iter().any(|atom| matches!(atom, Atom::Source(_)));
    found.gain / if named { 1.0 } else { each.max(1.0) }
}

/// Share of the ordinary records that a better rule may select beyond what the present ones do: more, and it is about the
/// host and not about who asks. A choice.
const WIDER_MAX: f64 = 0.05;

/// Share of what the present rules select that a better one must select as well, and by how much its gain must be above theirs:
/// rules that do as well stay as they are. Choices.
const KEPT_MIN: f64 = 0.9;
const BETTER_GAIN: f64 = 1.01;
const BETTER_NATS: f64 = 4.0;

/// Times the gain of the present rules from which another explains what they are a part of, and the share of ordinary records
/// among what it selects beyond them, at most. Choices.
const WHOLE_GAIN: f64 = 1.5;
const WHOLE_WIDER_MAX: f64 = 0.05;

/// The sources that read pages alone, where they are what the present rules found: what is read says less of who copies a site
/// than who they are, and visitors read it, too.
///
/// - `pages_min`: pages that one of them reads at least, and hardly an asset.
pub fn readers(evidence: &Evidence<'_>, present: &[Rule], pages_min: f64) -> Option<Vec<Rule>> {
    let any = |event: &Event| present.iter().any(|rule| rule.matches(event));
    let mut read: Table<(f64, f64)> = Table::default();
    for (event, weight) in evidence.now.entries() {
        let (pages, assets) = read.entry(event.source.0, || (0.0, 0.0)).0;
        if event.has(flag::ASSET) {
            *assets += weight;
        } else if any(event) {
            *pages += weight;
        }
    }
    let reads = |(pages, assets): &(f64, f64)| {
        *pages >= pages_min && *assets <= f64::from(BARE_ASSETS_MAX) * pages
    };
    let mut sources: Vec<Source> = read
        .iter()
        .filter(|(_, counts)| reads(counts))
        .map(|(source, _)| Source(*source))
        .collect();
    if sources.is_empty() || sources.len() > RULE_SOURCES_MAX {
        return None;
    }
    sources.sort_unstable();
    let rule = Rule { atoms: vec![Atom::Source(sources)] };
    let excess = evidence.now.weigh(any) - evidence.ordinary.weigh(any);
    let kept = evidence.now.weigh(|event| any(event) && rule.matches(event));
    let found = evidence.found(rule);
    let is_better = found.gain > evidence.gain_of(any) * BETTER_GAIN + BETTER_NATS;
    (kept >= KEPT_MIN * excess && is_better).then(|| vec![found.rule])
}

/// A single rule that does better than the present ones and does not let go of what they select.
pub fn better_rules(evidence: &Evidence<'_>, present: &[Rule]) -> Option<Vec<Rule>> {
    let found = evidence.best_rule(None)?;
    let any = |event: &Event| present.iter().any(|rule| rule.matches(event));
    let now = evidence.now.weigh(any);
    let both = evidence.now.weigh(|event| any(event) && found.rule.matches(event));
    let usual = evidence.ordinary.weigh(any);
    let others = evidence.now.weigh(|event| !any(event) && found.rule.matches(event));
    let wider = evidence.ordinary.weigh(|event| !any(event) && found.rule.matches(event));
    let wide = wider > WIDER_MAX * evidence.ordinary.total();
    // How something is asked says nothing of who asks, even where nobody has asked so yet.
    let vague = |atom: &Atom| matches!(atom.column(), Column::Referer | Column::Method);
    let held = evidence.gain_of(any);
    // One that explains far more, and hardly anything ordinary, is what the present ones are a part of; single sources
    // were judged one by one.
    let names_sources = |rule: &Rule| rule.atoms.iter().any(|atom| atom.column() == Column::Source);
    let is_whole = found.gain > WHOLE_GAIN * held
        && wider <= WHOLE_WIDER_MAX * others
        && !present.iter().any(names_sources)
        // how the origin answers is what many have in common that have nothing else
        && !found.rule.atoms.iter().all(|atom| vague(atom) || atom.column() == Column::Status);
    // By how it is answered nobody can be stopped, and who sends it is known.
    if found.rule.is_of_answers() && present.iter().any(names_sources) {
        return None;
    }
    if others > 0.1 * both + usual && !is_whole || wide || found.rule.atoms.iter().all(vague) {
        return None;
    }
    let is_better = found.gain > held * BETTER_GAIN + BETTER_NATS;
    (both >= KEPT_MIN * now && is_better).then(|| vec![found.rule])
}
