//! Is it an attack or a crowd? Weights of evidence, as a table; their sum is the log odds.
//!
//! Volume alone never convicts. What speaks for an attack is that its sources look alike in what they run or
//! where they come from, behave unlike people (no assets, no referer), or ask for what only machines ask for.

use schemas::{Class, Kind, Verdict};

use crate::judge::profile::{Profile, View};
use crate::judge::rule::first_fit;
use crate::judge::{benign, kind};

/// What is judged: the records a rule selects, against ordinary traffic of the host.
#[derive(Debug, Clone, Copy, Default)]
pub struct Case {
    /// The records selected.
    pub seen: Profile,
    /// How far they are what viewing pages comes with.
    pub view: View,
    /// All records of the window.
    pub all: Profile,
    /// Ordinary records.
    pub ordinary: Profile,
    /// Strongest evidence from software or network of the sources, nats.
    pub software_nats: f64,
    /// Share of what is selected whose user agents are as frequent among ordinary visitors; `None` of few visits.
    pub mix: Option<f64>,
    /// Share of ordinary records that the rule selects.
    pub share: f64,
    /// Ordinary rate of the host, requests per second.
    pub level: f64,
    /// Unexplained rate of the host of late, requests per second; `None` where that was looked at before.
    pub rate: Option<f64>,
    /// Share of the repeated requests with a query whose query is a new one of their source; `None` of few.
    pub renewed: Option<f64>,
    /// Requests of the mean source, in those that hardly any ordinary source reaches in the same time.
    pub each: f64,
    /// Share of what the selected sources ask for that is selected.
    pub only: f64,
    /// Time that the answers take, in times the ordinary; 0 where it is not known.
    pub burden: f64,
}

/// What it is held to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// Kind.
    pub kind: Kind,
    /// Verdict.
    pub verdict: Verdict,
    /// Log odds that it is an attack.
    pub attackness: f64,
}

/// Log odds at which an attack is called one: seven to one.
pub const ATTACK: f64 = 2.0;

/// Log odds below which it is a crowd: three to one against, a choice.
pub const CROWD: f64 = -1.0;

/// Share of the heaviest source from which drawing much is the matter of one, who may be a partner with a job: a choice,
/// four in five, for visitors are among what is selected.
const ONE_DRAWER_MIN: f64 = 0.8;

/// Share of errors (5xx) in the answers to credentials from which it is the log-in that fails: a choice, half. Who tries so much
/// that it does is told of all the same.
pub const LOG_IN_FAILS_MIN: f64 = 0.5;

/// Log odds before anything is known: of the sudden excesses on public sites about one in five is hostile.
pub const PRIOR: f64 = -1.5;

/// One piece of evidence for or against an attack.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "it is what the row says of itself")]
pub struct Weight {
    /// Name.
    pub name: &'static str,
    /// Its value; `None` where it says nothing.
    value: fn(&Case) -> Option<f64>,
    /// The value is held between these.
    pub clamp: (f64, f64),
    /// Where those come from.
    pub why_clamp: &'static str,
    /// Log odds for a value of 1.
    pub weight: f64,
    /// Where the number comes from.
    pub why: &'static str,
}

/// Share of assets in ordinary traffic from which visitors are held to load them.
const ASSETS_SHARE_MIN: f64 = 0.15;

/// Sources from which a common user agent says something.
const AGENT_SOURCES_MIN: f64 = 20.0;

/// Share of sources that read as browsers do from which the records that a rule selects are not all that they ask for.
const BROWSING_MIN: f64 = 0.5;

/// Share of common user agents that strangers to a site have as well: browsers are the same everywhere.
const MIX_MIN: f64 = 0.6;

/// Share of assets from which there are too few pages to tell by their referers.
const NO_PAGES_MIN: f64 = 0.9;

/// Share of one path in what is all assets, from which it is one of them, and not what belongs to pages.
const ONE_ASSET_MIN: f64 = 0.7;

/// Every piece of evidence.
pub const WEIGHTS: &[Weight] = &[
    Weight {
        name: "software_or_network",
        value: |case| Some(case.software_nats / 25.0),
        clamp: (0.0, 2.0),
        why_clamp: "two alarms: beyond, more of the same evidence convicts no more: a choice",
        weight: 2.5,
        why: "23 nats are the alarm of a thousand sites (ln of a day's seconds times sites over 0.01), 25 leave a margin; one such alarm \
              outweighs the prior, two convict",
    },
    Weight {
        name: "fewer_assets",
        value: |case| {
            let (seen, ordinary) = (case.seen.assets, case.ordinary.assets);
            // a rule may select the page alone of those who load all of it
            let is_one_asset = seen >= NO_PAGES_MIN && case.seen.top_path >= ONE_ASSET_MIN;
            let says =
                ordinary > ASSETS_SHARE_MIN && case.seen.browsing < BROWSING_MIN && !is_one_asset;
            says.then(|| libm::log2((ordinary + 0.02) / (seen + 0.02)))
        },
        clamp: (-2.0, 3.0),
        why_clamp: "more assets than usual speak for people, two doublings at most; three halvings are as good \
                    as none left",
        weight: 0.7,
        why: "Oikonomou and Mirkovic (2009) tell people by the objects a page embeds; crowds keep half their assets \
              through caches, floods have none: three halvings outweigh the prior",
    },
    Weight {
        name: "no_referer",
        // What plays or shows a file by itself names no page; where all is files, the host's visitors tell whether they do.
        value: |case| {
            let (seen, ordinary) = (&case.seen, &case.ordinary);
            if seen.assets < NO_PAGES_MIN {
                return Some(seen.referer_none - ordinary.referer_none);
            }
            let shows_files = ordinary.assets >= NO_PAGES_MIN && kind::is_made_anew(case);
            shows_files.then_some(seen.referer_none_all - ordinary.referer_none_all)
        },
        clamp: (-1.0, 1.0),
        why_clamp: "a difference of shares, which is what it can be",
        weight: 2.0,
        why: "a crowd comes by links, a script names none: all against none outweighs the prior",
    },
    Weight {
        name: "new_sources",
        value: |case| Some(case.ordinary.known_sources - case.seen.known_sources),
        clamp: (-0.5, 1.0),
        why_clamp: "a difference of shares; that more of them came before than usual counts half at most: a choice",
        weight: 1.0,
        why: "Jung, Krishnamurthy and Rabinovich (2002): most clusters of a crowd came before, those of a flood did \
              not; less than decisive, for a link brings new people too",
    },
    Weight {
        name: "refused",
        value: |case| Some(case.seen.refused - case.ordinary.refused),
        clamp: (0.0, 1.0),
        why_clamp: "a difference of shares; fewer refusals than usual say nothing",
        weight: 2.0,
        why: "people follow links that work",
    },
    Weight {
        name: "foreign_referer",
        value: |case| Some(case.linked(&case.seen) - case.linked(&case.ordinary)),
        clamp: (0.0, 1.0),
        why_clamp: "a difference of shares; fewer links than usual say nothing",
        weight: -3.0,
        why: "the mark of a crowd: a link on another site; twice the prior, for it can be forged",
    },
    Weight {
        name: "browsing",
        value: |case| {
            let more = case.seen.browsing - case.linked(&case.seen);
            // Where there is next to nothing but assets, who floods asks for them, too.
            let loads_all = case.ordinary.assets >= NO_PAGES_MIN && kind::is_made_anew(case);
            (case.ordinary.assets > ASSETS_SHARE_MIN && !loads_all).then_some(more)
        },
        clamp: (0.0, 1.0),
        why_clamp: "a share of the sources, less those whom a link on another site speaks for already",
        weight: -3.0,
        why: "who loads what a page embeds, at a person's pace, is a person, or pays for looking like one: as much as a link \
              on another site, and not on top of it",
    },
    Weight {
        name: "same_programs",
        value: |case| {
            let mix = case.mix.filter(|_| !kind::overtaxes(case))?;
            Some((mix - MIX_MIN) / (1.0 - MIX_MIN))
        },
        clamp: (0.0, 1.0),
        why_clamp: "from what browsers have in common everywhere up to the very shares of the site's own visitors",
        weight: -2.0,
        why: "those who run what the site's visitors run, in the same shares, are more of them: a message to all phones, a \
              word on television; a choice, more than the prior, less than software that stands out",
    },
    Weight {
        name: "named_kind",
        value: |case| (case.kind() != Kind::HttpFlood).then_some(1.0),
        clamp: (0.0, 1.0),
        why_clamp: "it has a name or it has none, which is what it can be",
        weight: 1.5,
        why: "a pattern with a name (log-ins, unknown paths, copied pages, random queries) is the prior undone",
    },
    Weight {
        name: "own_queries",
        value: |case| {
            let own = |profile: &Profile| profile.queries * profile.query_spread;
            (case.kind() == Kind::CacheBusting).then(|| own(&case.seen) - own(&case.ordinary))
        },
        clamp: (0.0, 1.0),
        why_clamp: "a difference of shares, which is what it can be",
        weight: 1.5,
        why: "where visitors ask without a query, or for the same ones, ever new ones for one path are made to miss \
              the caches: all of them are the prior undone",
    },
    Weight {
        name: "one_agent",
        value: |case| {
            let (seen, ordinary) = (&case.seen, &case.ordinary);
            let more = seen.top_agent - ordinary.top_agent - 0.1;
            (seen.sources >= AGENT_SOURCES_MIN).then_some(more)
        },
        clamp: (-0.2, 0.8),
        why_clamp: "a difference of shares, all against a tenth at most, a tenth allowed; that they vary more than usual counts a \
                    little: a choice",
        weight: 2.0,
        why: "twenty people share no user agent beyond what the host's visitors share; a tenth is allowed for \
              chance",
    },
    Weight {
        name: "surge",
        value: |case| {
            let ratio = case.rate? / case.level.max(0.05);
            (case.seen.sources >= 5.0).then(|| libm::log10(ratio.max(1.0)) - 1.0)
        },
        clamp: (0.0, 1.0),
        why_clamp: "decades beyond ten times the ordinary rate, one at most: a choice",
        weight: 1.5,
        why: "a hundred times the ordinary rate: links bring that to small sites too, with the referer that undoes it; \
              what is found on a host with little history must count by its size",
    },
    Weight {
        name: "origin_time",
        value: |case| kind::overtaxes(case).then(|| libm::log10(case.burden.max(1.0)) - 1.0),
        clamp: (0.0, 1.0),
        why_clamp: "decades beyond ten times the time that the answers ordinarily take, one at most: a choice",
        weight: 1.5,
        why: "as much as a surge of the rate: a hundred times the work of the origin, which begins to fail, for those who were not here \
              before and want nothing else, is the prior undone",
    },
    Weight {
        name: "each_asks_more",
        value: |case| (case.seen.sources >= 5.0).then(|| libm::log2(case.each.max(1.0))),
        clamp: (0.0, 2.0),
        why_clamp: "doublings beyond the most that an ordinary source asks for, two at most: a choice",
        weight: 1.5,
        why: "Jung, Krishnamurthy and Rabinovich (2002): in a crowd each client asks for as much as ever; where the mean of five \
              and more is twice what one in two hundred reaches, the prior is undone",
    },
    Weight {
        name: "few_addresses",
        value: |case| benign::is_beyond_few(case).then_some(1.0),
        clamp: (0.0, 1.0),
        why_clamp: "they ask for more than the people behind them may, or do not, which is what it can be",
        weight: 3.5,
        why: "from the prior to an attack: few addresses are seldom a crowd; more than four times the ordinary rate plus \
              twenty a second, or two for each user agent where that is more, and sixty beyond the ordinary",
    },
    Weight {
        name: "regulars",
        value: |case| {
            let known = case.seen.known_sources - 0.7;
            (case.software_nats < 10.0 && case.seen.sources >= AGENT_SOURCES_MIN).then_some(known)
        },
        clamp: (0.0, 0.3),
        why_clamp: "a share beyond seven tenths, so that three tenths more are all of them",
        weight: -6.0,
        why: "who was here ten minutes ago and runs what it ran comes back for a reason of its own: all of them undo \
              the weight of one alarm nearly",
    },
    Weight {
        name: "ordinary_look",
        value: |case| Some(case.share - 0.1),
        clamp: (0.0, 0.5),
        why_clamp: "a share beyond the tenth that chance explains, up to a little beyond where a rule for what is \
                    no attack speaks: a choice",
        weight: -6.0,
        why: "what the best rule can say of it is true of much that is ordinary: there is more of the same, and a rule \
              that strikes half of the visitors undoes one alarm",
    },
    Weight {
        name: "fetchers",
        value: |case| Some(case.seen.fetchers - case.ordinary.fetchers),
        clamp: (0.0, 1.0),
        why_clamp: "a difference of shares; fewer of them than usual say nothing",
        weight: -4.0,
        why: "previews, image proxies and readers of feeds look like programs because they are; a name can be forged: \
              what it asks for, and how fast, can outweigh it",
    },
];

impl Case {
    /// The judgement.
    pub fn judge(&self) -> Judgement {
        let attackness = self.attackness();
        if let Some(kind) = first_fit(benign::RULES, self) {
            return Judgement { kind, verdict: Verdict::Benign, attackness };
        }
        let verdict = match attackness {
            odds if odds >= ATTACK => Verdict::Attack,
            odds if odds >= CROWD => Verdict::Suspicious,
            _ => Verdict::Benign,
        };
        let kind = if verdict == Verdict::Benign { Kind::FlashCrowd } else { self.kind() };
        let is_one_drawer = kind == Kind::BulkDownload && self.seen.top_source >= ONE_DRAWER_MIN;
        // Where nobody can log in, those who may come back again and again.
        let log_in_fails =
            kind.class() == Class::Credentials && self.all.auth_errors >= LOG_IN_FAILS_MIN;
        let is_unsure = is_one_drawer || log_in_fails;
        let verdict = if is_unsure { verdict.max(Verdict::Suspicious) } else { verdict };
        Judgement { kind, verdict, attackness }
    }

    /// Whether a rule for what is no attack fits.
    pub fn is_excused(&self) -> bool {
        first_fit(benign::RULES, self).is_some()
    }

    /// Kind, given that it is hostile: where no rule fits, it is a flood.
    pub fn kind(&self) -> Kind {
        first_fit(kind::RULES, self).unwrap_or(Kind::HttpFlood)
    }

    /// Share with a referer of another host: of pages, or of all where what is selected is assets.
    fn linked(&self, of: &Profile) -> f64 {
        if self.seen.assets >= NO_PAGES_MIN { of.referer_other_all } else { of.referer_other }
    }

    fn attackness(&self) -> f64 {
        let speaks = |weight: &Weight| {
            let (least, most) = weight.clamp;
            (weight.value)(self).map_or(0.0, |value| weight.weight * value.clamp(least, most))
        };
        PRIOR + WEIGHTS.iter().map(speaks).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_has_a_name_and_says_where_its_numbers_come_from() {
        let names: std::collections::BTreeSet<&str> = WEIGHTS.iter().map(|w| w.name).collect();
        assert_eq!(names.len(), WEIGHTS.len());
        for weight in WEIGHTS {
            assert!(weight.why.len() >= 20 && weight.why_clamp.len() >= 20, "{}", weight.name);
            assert!(weight.clamp.0 < weight.clamp.1, "{}", weight.name);
        }
    }

    fn ordinary() -> Profile {
        Profile {
            count: 4_000.0,
            sources: 900.0,
            assets: 0.7,
            referer_none: 0.15,
            referer_other: 0.2,
            known_sources: 0.5,
            top_agent: 0.2,
            ..Profile::default()
        }
    }

    fn case(seen: &Profile, software_nats: f64) -> Case {
        Case {
            seen: *seen,
            view: View::default(),
            all: *seen,
            ordinary: ordinary(),
            software_nats,
            mix: None,
            share: 0.0,
            level: 40.0,
            rate: Some(140.0),
            renewed: None,
            each: 0.1,
            only: 0.5,
            burden: 0.0,
        }
    }

    #[test]
    fn a_crowd_from_a_link_is_a_crowd() {
        let seen = Profile {
            count: 3_000.0,
            sources: 800.0,
            assets: 0.75,
            referer_none: 0.05,
            referer_other: 0.5,
            known_sources: 0.1,
            top_agent: 0.2,
            ..Profile::default()
        };
        let judgement = case(&seen, 0.0).judge();
        assert_eq!(
            (judgement.kind, judgement.verdict),
            (Kind::FlashCrowd, Verdict::Benign),
            "{judgement:?}"
        );
    }

    #[test]
    fn one_program_from_everywhere_is_a_flood() {
        let seen = Profile {
            count: 3_000.0,
            sources: 2_000.0,
            referer_none: 1.0,
            top_agent: 1.0,
            top_path: 1.0,
            ..Profile::default()
        };
        let judgement = case(&seen, 60.0).judge();
        assert_eq!((judgement.kind, judgement.verdict), (Kind::HttpFlood, Verdict::Attack));
    }

    #[test]
    fn an_origin_that_fails_is_not_attacked() {
        let seen =
            Profile { count: 3_000.0, sources: 500.0, errors_5xx: 0.9, assets: 0.1, ..ordinary() };
        assert_eq!(case(&seen, 0.0).judge().kind, Kind::OriginFault);
    }
}
