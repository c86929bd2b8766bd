//! Where a host takes writes, and whether credentials are handed over there: learned from how they are answered.
//!
//! Words of the address are a prior. Without one, a refusal for want of credentials (401), or of a card (402), tells at once, and other
//! refusals of one source in a row; answers that are always alike tell together with a form served at the same address,
//! or where a source is in a hurry. What eight sources and more do all day, such as polling and telemetry, is not trying.

use serde::{Deserialize, Serialize};

use crate::limits::ENDPOINTS_MAX;
use crate::math::hash::mix;
use crate::record::event::{Event, flag};
use crate::store::table::Table;

/// Sources in whose hands an endpoint is in ordinary use, at least.
const USERS_MIN: u32 = 8;

/// Writes a source of an endpoint in ordinary use sends in ten minutes, quantile followed like those of the population.
const QUANTILE: f32 = 0.95;

/// Other sources that an address must have answered with what they asked for, so that it says something whom it has nothing for: a
/// choice, more than those who come from one place.
const TAKERS_MIN: u32 = 3;

/// Step with which the quantile is followed.
const GAIN: f32 = 0.1;

/// Bytes of an answer that may be a form with a word of refusal; telemetry and webhooks are answered with less.
const FORM_BYTES_MIN: u32 = 300;

/// Bytes of an answer that may be a message, and how many of them must come in a row.
const MESSAGE_BYTES_MIN: u32 = 100;
const MESSAGES_MIN: u32 = 40;

/// Answers of an address whose sizes differ by no more are alike.
const ALIKE_BYTES: u32 = 48;

/// Lead of an answer that cannot be made up for is no lead: addresses change.
const LEAD_MAX: u32 = 64;

/// Seconds between requests up to which sameness alone says something, where no word says what the address is: consoles,
/// chats and servers that poll all day take longer.
const HURRIED_S: i64 = 1;

/// Writes in a row that must come back alike before the first counts as a try, where no word says what the address is.
const ALIKE_MIN: u32 = 4;

/// One address that takes writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Endpoint {
    writes: u32,
    /// Bitmap of the sources that write.
    users: u64,
    /// Of those that are answered with what they ask for.
    takers: u64,
    /// Writes of a source in ten minutes, upper quantile.
    each_600: f32,
    /// A form was served at the same address.
    form: bool,
    /// Majority vote on the answer: status, bytes, and its lead.
    answer: (u16, u32),
    lead: u32,
}

impl Endpoint {
    /// Whether a write was answered as most are.
    fn is_usual(&mut self, event: &Event) -> bool {
        let (status, bytes) = self.answer;
        let like = status == event.status && bytes.abs_diff(event.bytes) <= ALIKE_BYTES;
        if like {
            self.lead = (self.lead + 1).min(LEAD_MAX);
        } else if self.lead == 0 {
            (self.answer, self.lead) = ((event.status, event.bytes), 1);
        } else {
            self.lead -= 1;
        }
        like
    }
}

/// Addresses of one host that take writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Endpoints {
    known: Table<Endpoint>,
}

/// How likely writes to an address hand over credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prior {
    /// Its words say so.
    Login,
    /// Its words speak of tokens or second factors.
    Token,
    /// Nothing says so, and a form was served there.
    Form,
    /// Nothing says so, and others are answered there with what they ask for.
    Served,
    /// Nothing says so.
    None,
}

impl Endpoints {
    /// Key of the address a request writes to: the path, and where one path serves all, the parameter that tells.
    pub const fn key(event: &Event) -> u64 {
        let key = mix(event.path ^ mix(event.query_key));
        if key == 0 { 1 } else { key }
    }

    /// Takes in a request that is answered with a page at an address that takes writes as well.
    pub fn note_read(&mut self, event: &Event) {
        if event.is_hit()
            && event.bytes >= FORM_BYTES_MIN
            && let Some(endpoint) = self.known.get_mut(Self::key(event))
        {
            endpoint.form = true;
        }
    }

    /// Takes in a write; its key, what to hold of it, and whether it was answered as most writes to the address are.
    pub fn note_write(&mut self, event: &Event) -> (u64, Prior, bool) {
        let key = Self::key(event);
        if self.known.len() >= ENDPOINTS_MAX && self.known.get(key).is_none() {
            self.make_room();
        }
        let (endpoint, _) = self.known.entry(key, Endpoint::default);
        endpoint.writes = endpoint.writes.saturating_add(1);
        let user = 1 << (mix(event.source.0) >> 58);
        endpoint.users |= user;
        if event.is_hit() {
            endpoint.takers |= user;
        }
        let is_served = (endpoint.takers & !user).count_ones() >= TAKERS_MIN;
        let prior = match event.flags & (flag::AUTH | flag::TOKEN) {
            0 if endpoint.form => Prior::Form,
            0 if is_served => Prior::Served,
            0 => Prior::None,
            flag::TOKEN => Prior::Token,
            _ => Prior::Login,
        };
        (key, prior, endpoint.is_usual(event))
    }

    /// Takes in what one source sent to an address in the last ten minutes; asked for once in a while.
    pub fn look(&mut self, key: u64, writes_600: f32) {
        if let Some(endpoint) = self.known.get_mut(key) {
            let step = if writes_600 > endpoint.each_600 { QUANTILE } else { QUANTILE - 1.0 };
            endpoint.each_600 = endpoint.each_600.max(1.0) * (1.0 + GAIN * step);
        }
    }

    /// Upper envelope of the writes of one source in ten minutes, where the address is in ordinary use; else 0.
    pub fn usual_600(&self, key: u64) -> f32 {
        let known = self.known.get(key).filter(|known| known.users.count_ones() >= USERS_MIN);
        known.map_or(0.0, |known| 1.5 * known.each_600)
    }

    /// Forgets the half of the addresses with the fewest writes; what is in use comes back with the next write.
    fn make_room(&mut self) {
        let mut writes: Vec<u32> = self.known.iter().map(|(_, endpoint)| endpoint.writes).collect();
        writes.sort_unstable();
        let cut = writes.get(writes.len() / 2).copied().unwrap_or(0);
        self.known.retain(|_, endpoint| endpoint.writes > cut);
        self.known.entries_mut().for_each(|(_, endpoint)| endpoint.writes /= 2);
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        self.known.weight()
    }
}

impl Prior {
    /// Whether a refusal for want of credentials may be the first half of every request: nothing says that passwords
    /// are handed over there.
    pub const fn may_challenge(self) -> bool {
        matches!(self, Self::None | Self::Served)
    }

    /// Whether a write is a try of credentials in vain, given how many writes in a row of its source came back alike, and
    /// the seconds since the source's last request.
    pub fn is_try(self, event: &Event, alike: u32, idle_s: i64) -> bool {
        let redirected = event.status_class() == 3;
        match self {
            // A log-in that succeeds leads elsewhere, once.
            Self::Login if event.has(flag::DECLARED_BOT) => {
                event.is_refused_login() || is_form(event, alike)
            }
            // What is moved for good never arrives.
            Self::Login if redirected => matches!(event.status, 301 | 308) || alike >= 3,
            Self::Login => event.status_class() != 5 || is_broken(event, alike, idle_s),
            Self::Token => event.is_refused_login(),
            Self::Form => {
                event.is_turned_down() || is_form(event, alike) || is_sent_back(event, alike)
            }
            Self::None | Self::Served => {
                let refused = event.is_turned_down()
                    || matches!(event.status, 403 | 422) && alike >= ALIKE_MIN
                    || self == Self::Served && is_weak(event) && alike >= ALIKE_MIN;
                let same = is_form(event, alike / 2) || is_message(event, alike);
                refused || same && idle_s <= HURRIED_S
            }
        }
    }
}

/// Answered with that there is no such thing, or nothing of the kind: a code that is wrong, as likely as a program that is broken.
pub const fn is_weak(event: &Event) -> bool {
    matches!(event.status, 400 | 404 | 409 | 410)
}

/// Answered with what may be the form again.
const fn is_form(event: &Event, alike: u32) -> bool {
    matches!(event.status, 200 | 403 | 422) && event.bytes >= FORM_BYTES_MIN && alike >= ALIKE_MIN
}

/// The program fails again and again, within one second: who waits for an answer, or a program that tries again, is slower. An origin
/// that is down answers with other errors.
const fn is_broken(event: &Event, alike: u32, idle_s: i64) -> bool {
    event.status == 500 && alike >= ALIKE_MIN && idle_s == 0
}

/// Sent back to the form, again and again.
const fn is_sent_back(event: &Event, alike: u32) -> bool {
    matches!(event.status, 302 | 303) && alike >= ALIKE_MIN
}

/// Answered with one short text for ever, as an API says that a password is wrong.
const fn is_message(event: &Event, alike: u32) -> bool {
    event.status == 200
        && event.bytes >= MESSAGE_BYTES_MIN
        && alike >= MESSAGES_MIN
        && !event.has(flag::DECLARED_BOT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(status: u16, bytes: u32, flags: u32) -> Event {
        Event { status, bytes, flags: flag::WRITE | flags, path: 77, ..Event::default() }
    }

    #[test]
    fn a_form_whose_writes_come_back_alike_takes_credentials() {
        let mut endpoints = Endpoints::default();
        let post = write(200, 4_000, 0);
        let (key, prior, _) = endpoints.note_write(&post);
        assert_eq!(prior, Prior::None);
        assert!(!prior.is_try(&post, 5, 0), "no form was seen");
        endpoints.note_read(&Event { status: 200, bytes: 4_000, path: 77, ..Event::default() });
        let (again, prior, _) = endpoints.note_write(&post);
        assert_eq!((again, prior), (key, Prior::Form));
        assert!(prior.is_try(&post, 5, 0) && !prior.is_try(&post, 2, 0));
    }

    #[test]
    fn telemetry_tokens_and_success_are_no_tries() {
        assert!(!Prior::None.is_try(&write(204, 0, 0), 100, 0));
        assert!(!Prior::Token.is_try(&write(200, 200, flag::TOKEN), 100, 0));
        assert!(Prior::Token.is_try(&write(401, 90, flag::TOKEN), 1, 0));
        assert!(!Prior::Login.is_try(&write(302, 0, flag::AUTH), 1, 0));
        assert!(Prior::Login.is_try(&write(200, 3_000, flag::AUTH), 1, 0));
        assert!(Prior::Login.is_try(&write(301, 0, flag::AUTH), 1, 0), "it never arrives");
        for (status, alike, idle_s, is_try) in
            [(500, 9, 0, true), (500, 9, 1, false), (500, 2, 0, false), (503, 9, 0, false)]
        {
            let event = write(status, 3_000, flag::AUTH);
            assert_eq!(Prior::Login.is_try(&event, alike, idle_s), is_try, "{status} {alike}");
        }
    }

    #[test]
    fn codes_that_are_not_there_are_tries_where_others_find_theirs() {
        let mut endpoints = Endpoints::default();
        let of = |source, status| Event {
            source: crate::record::source::Source::v4(source),
            ..write(status, 120, 0)
        };
        for _ in 0..3 {
            let (_, prior, _) = endpoints.note_write(&of(1, 200));
            assert_eq!(prior, Prior::None, "one alone is no ordinary use");
        }
        (10..40).for_each(|source| {
            endpoints.note_write(&of(source, 200));
        });
        let (_, prior, _) = endpoints.note_write(&of(1, 404));
        assert_eq!(prior, Prior::Served);
        assert!(prior.is_try(&of(1, 404), 4, 60) && !prior.is_try(&of(1, 404), 3, 60));
        assert!(!Prior::None.is_try(&of(1, 404), 9, 60) && prior.may_challenge());
    }

    #[test]
    fn what_many_do_all_day_is_usual() {
        let mut endpoints = Endpoints::default();
        for source in 0..40_u32 {
            let event =
                Event { source: crate::record::source::Source::v4(source), ..write(200, 40, 0) };
            let (key, ..) = endpoints.note_write(&event);
            (0..20).for_each(|_| endpoints.look(key, 60.0));
        }
        let usual = endpoints.usual_600(Endpoints::key(&write(200, 40, 0)));
        assert!((60.0..140.0).contains(&usual), "{usual}");
    }

    #[test]
    fn no_number_of_addresses_fills_the_table() {
        let mut endpoints = Endpoints::default();
        for path in 0..50_000_u64 {
            endpoints.note_write(&Event { path: mix(path), ..write(404, 0, 0) });
            endpoints.note_write(&write(200, 0, 0));
        }
        assert!(endpoints.known.len() <= ENDPOINTS_MAX);
        assert!(
            endpoints
                .known
                .get(Endpoints::key(&write(200, 0, 0)))
                .is_some_and(|known| known.writes > 30)
        );
    }
}
