//! What a source tried in vain, over minutes, hours and a day: paths guessed, credentials refused, attack texts sent.

use serde::{Deserialize, Serialize};

use crate::limits::VAIN_PATH_WORDS;
use crate::normal::endpoints::{Endpoints, is_weak};
use crate::record::attribute::Facts;
use crate::record::event::{Event, flag};
use crate::record::source::Source;
use crate::seen::accepted::{self, Accepted};
use crate::seen::challenges::Challenges;
use crate::seen::commands;
use crate::seen::moved::Moved;
use crate::seen::queue::Queue;

/// Time constants of the decayed counts, seconds: a minute, ten minutes, an hour, a day.
pub const SCALES_S: [f64; 4] = [60.0, 600.0, 3_600.0, 86_400.0];

/// Counts decayed over each of [`SCALES_S`].
pub type Scaled = [f32; SCALES_S.len()];

/// Answers of one endpoint whose sizes differ by no more than this are alike, bytes and share: a form that repeats
/// what was typed, or a token of varying length.
const ALIKE_BYTES: u32 = 48;

const ALIKE_SHARE: u32 = 50;

/// What one source tried in vain on one host.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Attempts {
    /// Source.
    pub source: Source,
    /// First attempt, second.
    pub first_s: i64,
    /// Last request, second.
    pub last_s: i64,
    /// Distinct paths that the host does not serve, asked for in vain.
    pub paths: Scaled,
    /// Requests for such paths, repetitions included.
    pub probes: Scaled,
    /// The same for those that are only searched for.
    pub sought: Scaled,
    /// Credentials tried in vain.
    pub tries: Scaled,
    /// Reads refused for want of credentials that no success followed.
    pub refused: Scaled,
    /// Requests that carry an attack in their text.
    pub hostile: Scaled,
    /// Requests that carry an attack in their path or query, decayed over ten minutes.
    pub texts_600: f32,
    /// Texts that have the server run something, decayed over a day; one that is answered with success counts more.
    pub commands_day: f32,
    /// Requests other than assets.
    pub pages: Scaled,
    /// Path that the host serves and of which something was asked in vain, and whether something was found there, too.
    queried: u64,
    found: bool,
    moved: Moved,
    /// The last write was a try.
    pub tried_last: bool,
    /// The last read was refused for want of credentials, and that counts.
    pub refused_last: bool,
    challenges: Challenges,
    /// What it is let in with, by writes and by reads.
    accepted: [Accepted; 2],
    /// What it hands over one by one, and could not.
    pub queue: Queue,
    /// When a log-in led it elsewhere last, second; 0 for never.
    let_in_s: i64,
    /// Endpoint of the last write.
    endpoint: u64,
    answer: (u16, u32),
    /// Writes to that endpoint in a row that came back alike.
    alike: u32,
    /// Writes to that endpoint, decayed over ten minutes.
    writes_600: f32,
    looked_s: i64,
    pub(super) asked: [u64; VAIN_PATH_WORDS],
}

fn add(counts: &mut [f32], on: bool) {
    if on {
        for count in counts {
            *count += 1.0;
        }
    }
}

fn take_back(counts: &mut Scaled, weight: f32) {
    for count in counts {
        *count = (*count - weight).max(0.0);
    }
}

impl Attempts {
    /// Whether the last write went to this endpoint, was a try and was refused for want of credentials.
    fn is_challenged(&self, endpoint: u64) -> bool {
        self.tried_last && self.endpoint == endpoint && self.answer.0 == 401
    }

    pub(super) fn new(source: Source, now_s: i64) -> Self {
        let none = Scaled::default();
        Self {
            source,
            first_s: now_s,
            last_s: now_s,
            paths: none,
            probes: none,
            sought: none,
            tries: none,
            refused: none,
            hostile: none,
            texts_600: 0.0,
            commands_day: 0.0,
            pages: none,
            queried: 0,
            found: false,
            moved: Moved::default(),
            tried_last: false,
            refused_last: false,
            challenges: Challenges::default(),
            accepted: <[Accepted; 2]>::default(),
            queue: Queue::default(),
            let_in_s: 0,
            endpoint: 0,
            answer: (0, 0),
            alike: 0,
            writes_600: 0.0,
            looked_s: now_s,
            asked: [0; VAIN_PATH_WORDS],
        }
    }

    fn decay(&mut self, factors: &Scaled) {
        for counts in [
            &mut self.paths,
            &mut self.probes,
            &mut self.sought,
            &mut self.tries,
            &mut self.refused,
            &mut self.hostile,
            &mut self.pages,
        ] {
            counts.iter_mut().zip(factors).for_each(|(count, factor)| *count *= factor);
        }
        self.texts_600 *= factors[1];
        self.commands_day *= factors[3];
        self.writes_600 *= factors[1];
        self.accepted.iter_mut().for_each(|accepted| accepted.decay(factors[1]));
        if self.paths[2] < 1.0 {
            self.asked = [0; VAIN_PATH_WORDS];
        }
    }

    /// Whether it tried more than a person who mistypes, within ten minutes.
    pub fn has_tried(&self) -> bool {
        self.tried_last || self.tries[1] > MISTYPED_MAX
    }

    /// Whether it does little else here than try credentials.
    pub fn only_tries(&self) -> bool {
        self.tries[2] + self.refused[2] >= ONLY_TRIES_MIN * self.pages[2]
    }

    /// Whether more than half of what it asked for within an hour was refused for want of credentials; `pages` is all of that, decayed.
    pub fn only_is_refused(&self, pages: f32) -> bool {
        self.refused[2] > ONLY_REFUSED_MIN * pages
    }

    /// Takes in a request that is no write: whether it was refused for want of credentials, or what was refused before
    /// was only asked for them. Who is let in and finds nothing was let in. For `was_asked` see [`Facts`].
    fn note_read(&mut self, event: &Event, was_asked: u32) {
        let endpoint = Endpoints::key(event);
        let [_, accepted] = &mut self.accepted;
        self.refused_last = false;
        if event.is_refused_read() {
            let what = accepted::read(event);
            if was_asked > 0 && self.refused[3] < NEVER_MAX {
                accepted.take_over(what, self.last_s, was_asked);
            }
            if !accepted.spares(what) {
                self.refused_last = true;
                add(&mut self.refused, true);
                self.challenges.refused(endpoint);
            }
        } else if self.refused[2] > 0.0 && (event.is_hit() || event.is_missing()) {
            (0..self.challenges.answered(endpoint)).for_each(|_| take_back(&mut self.refused, 1.0));
        }
    }

    /// Whether a write in vain is none of its source's guesses; takes in one that is let in. Where a word or a form calls the address
    /// a log-in, a page may be the form again: what was made or taken there says that it was let in.
    fn is_spared(&mut self, event: &Event, in_vain: bool, may_challenge: bool) -> bool {
        let [accepted, _] = &mut self.accepted;
        let was_taken = matches!(event.status, 201..=204);
        if was_taken || may_challenge && event.is_hit() && !in_vain {
            accepted.note(accepted::written(event), self.last_s);
        }
        in_vain && event.is_refused_login() && accepted.spares(accepted::written(event))
    }

    /// Whether a write is none of its source's guesses, where nothing says that it hands over credentials: it is one of what is to be
    /// handed over one by one, or a page sends it on which somebody works who was let in.
    fn is_work(&mut self, event: &Event, facts: Facts) -> bool {
        let is_queued = self.queue.is_served(event, self.last_s);
        let is_let_in = self.let_in_s > 0 && self.last_s - self.let_in_s <= LET_IN_S;
        let is_sent_on = event.is_hit() && facts.on_page && is_let_in;
        is_queued || is_sent_on && self.writes_600 <= WORK_600_MAX
    }

    /// What a source that was let in for long with what it writes may write in vain in ten minutes, beyond what is spared: as much
    /// again, for it comes in bursts, and may try each more than once; else 0.
    pub fn usual_600(&self, event: &Event) -> f32 {
        let [accepted, _] = &self.accepted;
        accepted.most_600(accepted::written(event))
    }

    /// Writes in a row that went where the last did and were answered alike, the last included.
    pub const fn alike(&self) -> u32 {
        self.alike
    }

    /// The endpoint of the last write and how many in ten minutes, once in [`LOOK_EVERY_S`].
    pub fn look(&mut self) -> Option<(u64, f32)> {
        let due = self.last_s - self.looked_s >= LOOK_EVERY_S;
        if !due || self.endpoint == 0 {
            return None;
        }
        self.looked_s = self.last_s;
        Some((self.endpoint, self.writes_600))
    }

    /// Whether a path was not asked for in vain before; it is now.
    fn is_new(&mut self, path: u64) -> bool {
        let (word, bit) = ((path >> 6) as usize % VAIN_PATH_WORDS, 1_u64 << (path & 63));
        let is_new = self.asked[word] & bit == 0;
        self.asked[word] |= bit;
        is_new
    }

    /// What asking for something new in vain counts for, at each scale: where a path is served and nothing was found there
    /// yet, it may be one thing asked for again and again, under a number of its own, for hours.
    const fn weights_of(&mut self, event: &Event, facts: Facts) -> Scaled {
        if facts.asked == event.path {
            return [1.0; 4];
        }
        if self.queried != event.path {
            (self.queried, self.found) = (event.path, false);
        }
        if self.found { [ANSWERED; 4] } else { [UNANSWERED, UNANSWERED, 0.0, 0.0] }
    }

    /// Corrects the distinct paths for those that share a bit with another: `−m ln(1 − n/m)` of `n` bits set of `m`.
    fn weight_of_new(&self) -> f32 {
        let set: u32 = self.asked.iter().map(|word| word.count_ones()).sum();
        #[expect(clippy::cast_precision_loss, reason = "bits of a small map")]
        let free = 1.0 - set as f32 / (64 * VAIN_PATH_WORDS) as f32;
        1.0 / free.max(0.02)
    }

    /// Notes how a write was answered; how many writes to its endpoint in a row were answered alike, this one included.
    fn note_answer(&mut self, endpoint: u64, event: &Event) -> u32 {
        let (status, bytes) = self.answer;
        let near = bytes.abs_diff(event.bytes) <= ALIKE_BYTES.max(bytes / ALIKE_SHARE);
        if self.endpoint != endpoint {
            (self.endpoint, self.alike, self.writes_600) = (endpoint, 0, 0.0);
        } else if status != event.status || !near {
            self.alike = 0;
        }
        self.alike += 1;
        self.writes_600 += 1.0;
        self.answer = (event.status, event.bytes);
        self.alike
    }

    /// Takes in a request, `idle` seconds after the last. `is_try` tells, from the writes to an endpoint in a row that were
    /// answered alike, and from that time, whether this one was a try.
    pub(super) fn take_in(
        &mut self,
        event: &Event,
        facts: Facts,
        may_challenge: bool,
        is_try: impl FnOnce(u32, i64) -> bool,
    ) {
        let now_s = event.ts.div_euclid(1_000_000);
        let idle = now_s - self.last_s;
        if idle > 0 {
            self.decay(&factors(idle));
            self.last_s = now_s;
        }
        add(&mut self.hostile, event.has(flag::HOSTILE));
        add(&mut self.pages, !event.has(flag::ASSET));
        add(std::slice::from_mut(&mut self.texts_600), event.has(flag::TEXT));
        self.commands_day += commands::weight(event, facts.probe);
        if facts.probe {
            let weight = if event.is_redirected() { REDIRECTED } else { 1.0 };
            self.probes.iter_mut().for_each(|count| *count += weight);
            if facts.sought {
                self.sought.iter_mut().for_each(|count| *count += weight);
            }
        }
        if self.moved.is_arrival(event, facts.probe) {
            take_back(&mut self.paths, 1.0);
            take_back(&mut self.probes, REDIRECTED);
        }
        if event.query != 0 && event.is_hit() && event.path == self.queried {
            self.found = true;
        }
        if facts.probe && self.is_new(facts.asked) {
            let new = self.weight_of_new();
            let weights = self.weights_of(event, facts);
            self.paths.iter_mut().zip(weights).for_each(|(count, weight)| *count += new * weight);
        }
        if facts.endpoint != 0 {
            let was_refused = self.is_challenged(facts.endpoint);
            let alike = self.note_answer(facts.endpoint, event);
            let is_work = may_challenge && self.is_work(event, facts);
            let in_vain = is_try(alike, idle) && !is_work;
            if event.has(flag::AUTH) && event.is_redirected() && !in_vain {
                self.let_in_s = now_s;
            }
            let is_spared = self.is_spared(event, in_vain, may_challenge);
            let in_vain = in_vain && !is_spared;
            // What may be broken is no guess for long.
            let scales = if may_challenge && is_weak(event) { 2 } else { self.tries.len() };
            add(&mut self.tries[..scales], in_vain);
            if was_refused && may_challenge && matches!(event.status_class(), 2 | 3) {
                take_back(&mut self.tries, 1.0);
            }
            self.tried_last = in_vain;
        } else {
            self.note_read(event, facts.was_asked);
        }
    }
}

/// What a redirected request counts for among the requests in vain: who follows every redirect gets something for every
/// second request, and stays below the share that tells a search; who follows none is above it.
const REDIRECTED: f32 = 0.6;

/// What a query in vain counts for among the distinct ones, where others were answered and where none was: choices, so that who
/// opens a list of forty of which most are gone, and a program that asks every six seconds for what is gone, are below the floor
/// of ten minutes.
const ANSWERED: f32 = 0.5;
const UNANSWERED: f32 = 0.2;

/// Share of its tries in the pages of a source that does little else: a form is read for every try.
const ONLY_TRIES_MIN: f32 = 0.4;

/// Share of reads refused for want of credentials beyond which a source does little else: a choice; who is refused before each
/// thing that it is let in to has half.
const ONLY_REFUSED_MIN: f32 = 0.5;

/// What is left of refusals of a day, decayed, up to which a source was never refused: of one, after four days. A choice.
const NEVER_MAX: f32 = 0.02;

/// Time for which who was let in works on, seconds, and writes to one address in ten minutes, decayed, that a person's pages send: a
/// day, and one every five seconds. Choices: who does more is looked at, whoever he is.
const LET_IN_S: i64 = 86_400;
const WORK_600_MAX: f32 = 120.0;

/// Tries in ten minutes of a person who mistypes.
const MISTYPED_MAX: f32 = 2.5;

/// How often a source's writes are taken for the ordinary of their endpoint, seconds.
const LOOK_EVERY_S: i64 = 30;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "decay of counts that carry 24 bits"
)]
pub(super) fn factors(seconds: i64) -> Scaled {
    SCALES_S.map(|tau| libm::exp(-(seconds as f64) / tau) as f32)
}
