//! One second: its records folded into the hosts they belong to, then what is due at its end.

use schemas::limits::{PANE_US, SUB_PANE_US};
use schemas::{Incident, Verdict};

use super::{Detector, Findings, is_warm};
use crate::incident::cases::Cases;
use crate::incident::lifecycle::Desk;
use crate::incident::makers::Makers;
use crate::incident::target::Target;
use crate::judge::worth::solo_judgement;
use crate::limits::HOSTS_BYTES_MAX;
use crate::math::hash::mix;
use crate::normal::composition::Composition;
use crate::normal::elsewhere;
use crate::normal::endpoints::Prior;
use crate::normal::misses;
use crate::record::attribute::Facts;
use crate::record::event::{Event, flag};
use crate::seen::attempts::Attempts;
use crate::seen::host::{Host, RECENT_S};
use crate::seen::source_record::SourceRecord;
use crate::state::State;
use crate::state::hosts::OTHERS;
use crate::store::table::Table;
use crate::suspect::source::{Alarm, Circumstances, Solo, Suspect};

/// Distinct paths below which a source does nothing but try: the form, what answers it, and where that leads. What a browser
/// loads with the form comes on top, where the answer or one more try shows that it was in vain.
const ONLY_PATHS_MAX: f64 = 4.5;

impl Detector {
    /// Folds a record into its host: counts it, tests its source unless an attack explains it, and lets it vote where nothing
    /// does.
    pub(super) fn fold(&mut self, event: &Event) {
        let at_s = event.ts.div_euclid(SUB_PANE_US);
        let Self { state, hasher, decay, config, budget, .. } = self;
        if event.has(flag::EXEMPT) {
            state.counters.exempt += 1;
            return;
        }
        let place = state.hosts.place(event, at_s);
        let Some(target) = state.hosts.get_mut(place) else { return };
        target.host.minute.add(event);
        if event.has(flag::LATE) || event.has(flag::IMPLAUSIBLE) {
            return;
        }
        target.catch_up(at_s);
        state.minutes.add(event);
        let mut event = *event;
        if target.explain(&mut event) {
            return;
        }
        let key = hasher.pair(place, event.source.0);
        let learned = target.has_learned(config);
        let origin_fails = target.cases.is_failing();
        let Target { host, cases, .. } = target;
        state.sources.make_room(at_s);
        state.attempters.make_room(at_s);
        let was_asked = if event.is_refused_read() {
            state.sources.get(key).map_or(0, |record| record.was_asked(&event, at_s))
        } else {
            0
        };
        let (record, is_new) = state.sources.add(key, &event, &mut host.normal.population, decay);
        if !event.has(flag::EXPLAINED) {
            note_free(host, &event, (record, is_new), at_s);
        }
        let (mut facts, prior) = host.count(&event, at_s - record.first_s >= misses::SPAN_S);
        facts.was_asked = was_asked;
        facts.on_page = event.has(flag::FROM_PAGE) && record.is_open_page();
        let is_try = |alike, idle_s| {
            // What one line says of a source is believed where nearly all of them do.
            let unsaid = if record.is_declared() { 0 } else { flag::DECLARED_BOT };
            !event.has(flag::COMMAND)
                && prior.is_try(&Event { flags: event.flags & !unsaid, ..event }, alike, idle_s)
        };
        let mut attempts = state.attempters.add(key, &event, facts, prior.may_challenge(), is_try);
        note_writes(host, &event, (facts, prior), record, attempts.as_deref_mut());
        if facts.endpoint == 0 {
            note_refused(host, &event, record, attempts.as_deref());
        }
        let (held, drawn) = (host.holders.add(&event), host.draws.add(&event));
        let usual_writes_600 = match attempts.as_deref() {
            Some(tried) if facts.endpoint != 0 => {
                host.normal.endpoints.usual_600(facts.endpoint).max(tried.usual_600(&event))
            }
            _ => 0.0,
        };
        let circumstances = Circumstances {
            population: &host.normal.population,
            level: host.normal.rate.level(),
            learned,
            watched_s: at_s - host.first_s,
            leads_away: host.normal.elsewhere.is_usual(),
            origin_fails,
            budget: *budget,
            usual_writes_600: f64::from(usual_writes_600),
        };
        let suspect = Suspect { record, attempts: attempts.as_deref(), held, drawn };
        facts.bare = suspect.is_bare_reader(&circumstances);
        record.reported |= test(host, cases, &suspect, &circumstances, &event);
        host.sample(event, facts);
    }

    /// What is due on every host at the end of a second.
    pub(super) fn end_second(&mut self, at_s: i64, out: &mut Findings) {
        let Self { state, hasher, config, budget, .. } = self;
        let warm = state.hosts.iter().filter(|(_, target)| is_warm(target, at_s));
        let mut warm: Vec<(&str, u64)> =
            warm.map(|(key, _)| (state.names.get(key).unwrap_or(""), key)).collect();
        warm.sort_unstable();
        let mut incidents = Vec::new();
        // Of each revision the host whose state it is about.
        let mut keys = Vec::new();
        let level = state.hosts.level;
        for (host, key) in warm {
            let Some(target) = state.hosts.get_mut(key) else { continue };
            state.counters.alarms += target.end_second(at_s, config, budget, hasher);
            let desk = Desk {
                config,
                budget,
                hasher,
                names: &state.names,
                sources: &state.sources,
                attempters: &state.attempters,
                host_key: key,
                of_strangers: (key == OTHERS).then_some(level),
                host: (!host.is_empty()).then_some(host),
                now: (at_s + 1) * SUB_PANE_US,
            };
            for (alarm, ..) in &target.cases.alarms {
                state.minutes.score(alarm.source, alarm.score);
            }
            desk.end_second(target, &mut incidents);
            keys.resize(incidents.len(), key);
            if (at_s + 1) % (PANE_US / SUB_PANE_US) == 0 {
                target.end_pane(at_s, budget);
            }
            if (at_s + 1) % RECENT_S == 0 {
                target.end_minute();
            }
            state.hosts.weigh(key);
        }
        state.counters.incidents +=
            incidents.iter().filter(|incident| incident.revision == 0).count() as u64;
        let State { hosts, names, .. } = state;
        for (key, target) in hosts.shed(HOSTS_BYTES_MAX) {
            incidents.extend(target.give_up((at_s + 1) * SUB_PANE_US, names.get(key), names));
            keys.resize(incidents.len(), key);
        }
        self.find_campaigns(&mut incidents, &keys);
        let Self { state, .. } = self;
        out.incidents.append(&mut incidents);
        if state.sources.sweep(at_s) {
            state.attempters.sweep(at_s);
        }
        if state.are_names_due(at_s) {
            state.sweep_names(at_s);
            self.remembered.clear();
        }
    }
}

impl Detector {
    /// Puts the campaigns into the revisions of a second, each of the host whose key is beside it.
    fn find_campaigns(&mut self, told: &mut [Incident], keys: &[u64]) {
        let Some(now) = told.first().map(|told| told.revision_ts) else { return };
        let State { hosts, campaigns, .. } = &mut self.state;
        campaigns.forget(now, self.config.reopen_us);
        // What one campaign shows is asked about once for all of its incidents.
        let mut rare: Table<bool> = Table::default();
        // Sources are looked through of those alone that can be of a campaign.
        let harmful = |(told, _): &(&mut Incident, &u64)| told.verdict != Verdict::Benign;
        for (told, key) in told.iter_mut().zip(keys).filter(harmful) {
            let id = self.hasher.text(&told.incident_id);
            let target = hosts.get(*key);
            let open = target.and_then(|t| Some((t, t.cases.find(&told.incident_id)?)));
            let makers = open.map(|(target, open)| {
                let ordinary = &target.host.normal.sample.events;
                Makers::of(open, ordinary, &self.hasher, |attribute, value| {
                    let key = Composition::key(attribute, value, &self.hasher);
                    *rare.entry(key, || hosts.is_rare(attribute, value, &self.hasher)).0
                })
            });
            campaigns.tell(told, id, *key, makers);
        }
    }
}

/// What is learned from a record that no attack explains: who comes, where the host sends people, what attack texts come.
fn note_free(host: &mut Host, event: &Event, (record, is_new): (&SourceRecord, bool), at_s: i64) {
    if is_new {
        host.normal.visitors.note(event.source, at_s);
    }
    if record.pages_600 <= elsewhere::FEW_PAGES_MAX {
        host.normal.elsewhere.note(event);
    }
    if event.has(flag::HOSTILE) {
        host.texts.add(event, at_s - host.first_s);
    }
}

/// Learns where and how often credentials are handed over on a host, and which are tried in vain.
fn note_writes(
    host: &mut Host,
    event: &Event,
    (facts, prior): (Facts, Prior),
    record: &SourceRecord,
    attempts: Option<&mut Attempts>,
) {
    if facts.endpoint != 0 && (!prior.may_challenge() || host.tries.is_tried_at(event)) {
        host.tries.note_write(event);
    }
    let Some(attempts) = attempts else { return };
    if facts.usual_answer
        && attempts.tried_last
        && attempts.only_tries()
        && !event.has(flag::FETCHER)
    {
        note_try(host, event, record, attempts);
    }
    // Who tries passwords does not make it usual to, however many of them are right.
    if !event.has(flag::EXPLAINED)
        && (!matches!(prior, Prior::Login | Prior::Served) || !attempts.has_tried())
        && let Some((endpoint, writes)) = attempts.look()
    {
        host.normal.endpoints.look(endpoint, writes);
    }
}

/// Counts a try of a source that does nothing else, besides loading what belongs to the form.
fn note_try(host: &mut Host, event: &Event, record: &SourceRecord, attempts: &Attempts) {
    let is_told = event.is_refused_login();
    let is_in_vain = is_told || attempts.alike() > 1;
    let assets = if is_in_vain { f64::from(record.assets_3600) } else { 0.0 };
    let paths = record.distinct_paths();
    if paths >= ONLY_PATHS_MAX + assets {
        return;
    }
    host.tries.add(event);
    // The second shows that the first, which may have been right, was in vain as well.
    if paths >= ONLY_PATHS_MAX && !is_told && attempts.alike() == 2 {
        host.tries.add(event);
    }
}

/// Counts a read that is refused for want of credentials, of a source that gets little else, and what is asked for where most are.
fn note_refused(
    host: &mut Host,
    event: &Event,
    record: &SourceRecord,
    attempts: Option<&Attempts>,
) {
    let refused = attempts.filter(|tried| event.is_refused_read() && tried.refused_last);
    if refused.is_some() || host.refused.is_tried_at(event) {
        host.refused.note_write(event);
    }
    let only_is_refused = |tried: &Attempts| tried.only_is_refused(record.pages_3600);
    if !event.has(flag::FETCHER) && refused.is_some_and(only_is_refused) {
        host.refused.add(event);
    }
}

/// Whether what a source stands out by is a matter of course: whose quota is used up is told so as often as he asks, while a card
/// is tried seldom by each; and where streams are held open, many wait.
fn is_usual(host: &Host, event: &Event, alarm: &Alarm) -> bool {
    match alarm.solo {
        Solo::Credentials => event.is_unpaid(),
        Solo::Time => host.waits_at(event.path),
        _ => false,
    }
}

/// Whether what a source stands out by, which an incident explains that is merely suspicious, makes it nothing else: it is no
/// attack by itself, nor one more source of those that are suspected of it.
fn says_no_more(cases: &Cases, event: &Event, alarm: &Alarm) -> bool {
    let judgement = solo_judgement(alarm);
    judgement.verdict != Verdict::Attack && !cases.is_suspected_of(judgement.kind.class(), event)
}

/// Tests the source of a record and notes what it stands out by; what is to be noted as reported of it.
fn test(
    host: &Host,
    cases: &mut Cases,
    suspect: &Suspect<'_>,
    circumstances: &Circumstances<'_>,
    event: &Event,
) -> u32 {
    let is_known = |alarm: &Alarm| event.has(flag::EXPLAINED) && says_no_more(cases, event, alarm);
    let alarm =
        suspect.alarm(circumstances, |alarm| is_usual(host, event, alarm) || is_known(alarm));
    let Some(mut alarm) = alarm else { return 0 };
    alarm.counts &= host.normal.shapes.contains(mix(u64::from(suspect.record.shape)));
    alarm.counts |= suspect.record.is_of_one_path();
    let (requests, first_ts) = suspect.so_far(&alarm, event.ts);
    if cases.raise(alarm, requests, first_ts) { alarm.slot() } else { 0 }
}
