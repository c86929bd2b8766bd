//! One site of a run: its resources, what is popular, and how an edge answers for it.

use crate::models::{Model, Role, Visitors};
use crate::random::{Random, Weighted, count, micros, mix2, whole, zipf};
use crate::request::{Cache, Content, Method};
use crate::words::{PROBES, WORDS};

/// Share of visits that come without anything in the browser's cache.
pub(crate) const COLD_SHARE: f64 = 0.5;
/// Chance that a picture is fetched by a visitor without, and with, a filled cache.
pub(crate) const PICTURE_FETCH: (f64, f64) = (0.95, 0.3);
/// Longest time to serve, seconds: below the lateness that a detector must bear.
const DURATION_MAX_S: f64 = 1.4;

/// Something that can be asked for.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// Index into [`Site::paths`].
    pub(crate) path: u32,
    pub(crate) method: Method,
    pub(crate) content: Content,
    pub(crate) size: f64,
    pub(crate) ms: f64,
    pub(crate) hit: f64,
    pub(crate) answer: (u16, u16, f64),
    pub(crate) numbered: bool,
    /// First of its pictures in [`Site::resources`], and how many it has.
    pub(crate) pictures: (u32, u32),
}

/// An edge's answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) cache: Cache,
    pub(crate) bytes: u32,
    pub(crate) duration_us: i64,
}

/// One site of a run.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) host: String,
    pub(crate) model: &'static Model,
    /// Path and query of everything, by number; free of characters that any format must escape.
    pub(crate) paths: Vec<String>,
    pub(crate) resources: Vec<Resource>,
    /// Resources that are viewed, and how likely each is.
    pub(crate) views: (Vec<u32>, Weighted),
    pub(crate) home: u32,
    /// What a copier of the site would copy, in order.
    pub(crate) items: Vec<u32>,
    /// Where passwords are tried, if anywhere.
    pub(crate) login: Option<u32>,
    /// Calls of a page's scripts: resource and mean number for each view.
    pub(crate) calls: Vec<(u32, f64)>,
    /// Style sheets, scripts and fonts, before and after a deployment.
    pub(crate) assets: [Vec<u32>; 2],
    /// Paths that scanners ask for.
    pub(crate) probes: Vec<u32>,
    /// Path that is empty, for tails that are a whole path.
    pub(crate) empty_path: u32,
    /// Ordinary requests a second, mean.
    pub(crate) rate: f64,
    /// Ordinary visits a second, mean.
    pub(crate) visit_rate: f64,
}

impl Site {
    /// Site number `number` of the run; `rate` in ordinary requests a second.
    pub(crate) fn new(model: &'static Model, number: usize, rate: f64, seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x0073_6974_6573, number as u64);
        let round = number / crate::models::MODELS.len();
        let (label, domain) = model.host;
        let host = if round == 0 {
            format!("{label}.{domain}")
        } else {
            format!("{label}{}.{domain}", round + 1)
        };
        let mut site = Self {
            host,
            model,
            paths: Vec::new(),
            resources: Vec::new(),
            views: (Vec::new(), Weighted::new([1.0])),
            home: 0,
            items: Vec::new(),
            login: None,
            calls: Vec::new(),
            assets: [Vec::new(), Vec::new()],
            probes: Vec::new(),
            empty_path: 0,
            rate,
            visit_rate: 0.0,
        };
        site.empty_path = site.path(String::new());
        site.add_sections(&mut random);
        let releases = [random.next(), random.next()];
        site.assets = releases.map(|release| site.add_assets(release));
        site.probes = PROBES.iter().map(|p| site.path((*p).to_owned())).collect();
        site.visit_rate = rate / site.requests_per_visit();
        site
    }

    fn path(&mut self, text: String) -> u32 {
        self.paths.push(text);
        index(self.paths.len() - 1)
    }

    fn add_sections(&mut self, random: &mut Random) {
        let mut weights = Vec::new();
        for section in self.model.sections {
            let total: f64 = (0..section.count).map(|rank| zipf(rank, 0.9)).sum();
            for rank in 0..section.count {
                let text = fill(section.path, rank, random);
                let pictures = self.add_pictures(section.pictures, section.count, random);
                let path = self.path(text);
                let id = index(self.resources.len());
                self.resources.push(Resource {
                    path,
                    method: section.method,
                    content: section.content,
                    size: random.lognormal(section.size, 0.3),
                    ms: random.lognormal(section.ms, 0.2),
                    hit: section.hit,
                    answer: section.answer,
                    numbered: section.numbered,
                    pictures,
                });
                match section.role {
                    Role::Home => self.home = id,
                    Role::Item => self.items.push(id),
                    Role::Login => self.login = Some(id),
                    Role::Call => self.calls.push((id, section.share)),
                    Role::Page => {}
                }
                if section.role != Role::Call {
                    self.views.0.push(id);
                    weights.push(section.share * zipf(rank, 0.9) / total);
                }
            }
        }
        self.views.1 = Weighted::new(weights);
    }

    fn add_pictures(&mut self, mean: f64, siblings: usize, random: &mut Random) -> (u32, u32) {
        let many =
            if siblings == 1 { whole(mean) } else { whole(mean * (0.5 + random.unit()) + 0.5) };
        let first = index(self.resources.len());
        for _ in 0..many {
            let name = random.next() >> 36;
            let path = self.path(format!("{}/{name:07x}.webp", self.model.pictures));
            let size = random.lognormal(19_000.0, 0.6);
            self.resources.push(asset(path, Content::Picture, size, 0.94));
        }
        (first, u32::try_from(many).unwrap_or(0))
    }

    fn add_assets(&mut self, release: u64) -> Vec<u32> {
        let (styles, scripts, fonts) = self.model.assets;
        let mut ids = Vec::new();
        let kinds = [
            (styles, "css", Content::Css, 31_000.0),
            (scripts, "js", Content::Script, 74_000.0),
            (fonts, "woff2", Content::Font, 46_000.0),
        ];
        for (many, ending, content, size) in kinds {
            for i in 0..many {
                let tag = mix2(release, ids.len() as u64) >> 32;
                let path = self.path(format!("/static/{}.{tag:08x}.{ending}", WORDS[7 * i + 3]));
                ids.push(index(self.resources.len()));
                let size = size * (0.6 + 0.3 * count(i));
                self.resources.push(asset(path, content, size, 0.985));
            }
        }
        ids
    }

    /// Expected number of requests of one visit.
    fn requests_per_visit(&self) -> f64 {
        let (cold, warm) = PICTURE_FETCH;
        let fetched = COLD_SHARE * cold + (1.0 - COLD_SHARE) * warm;
        let views = self.model.sections.iter().filter(|s| s.role != Role::Call);
        let share: f64 = views.clone().map(|s| s.share).sum();
        let pictures: f64 = views.map(|s| s.share * s.pictures).sum::<f64>() / share;
        let calls: f64 = self.calls.iter().map(|(_, mean)| mean).sum();
        let assets = count(self.assets[0].len()) * COLD_SHARE;
        let per_view = match self.model.visitors {
            Visitors::Browsers => 1.0 + calls + pictures * fetched,
            Visitors::Apps => 1.0,
        };
        (1.0 + self.model.views) * per_view + assets
    }

    /// The answer to an ordinary request at an ordinary time.
    pub(crate) fn answer(&self, resource: &Resource, random: &mut Random) -> Answer {
        let (ok, failed, failure) = resource.answer;
        if random.chance(failure) {
            return self.error(failed, random);
        }
        let cache = match resource.hit {
            hit if hit <= 0.0 => Cache::Dynamic,
            hit if random.chance(hit) => Cache::Hit,
            _ if random.chance(0.25) => Cache::Expired,
            _ => Cache::Miss,
        };
        let size = match cache {
            Cache::Dynamic => resource.size * (1.0 + 0.04 * random.unit()),
            Cache::Hit | Cache::Miss | Cache::Expired | Cache::Revalidated => resource.size,
        };
        timed(ok, cache, size, resource.ms, random)
    }

    /// An error page of the site: the same size for the same status.
    pub(crate) fn error(&self, status: u16, random: &mut Random) -> Answer {
        let size = 700 + mix2(self.paths.len() as u64, u64::from(status)) % 1_800;
        timed(status, Cache::Dynamic, count(usize::try_from(size).unwrap_or(0)), 20.0, random)
    }
}

/// A browser asks whether what it has is still good, and it is.
pub(crate) fn not_modified(random: &mut Random) -> Answer {
    let cache = if random.chance(0.93) { Cache::Hit } else { Cache::Revalidated };
    timed(304, cache, 180.0, 14.0, random)
}

/// An answer that took about `ms` milliseconds when the origin was asked.
pub(crate) fn timed(status: u16, cache: Cache, size: f64, ms: f64, random: &mut Random) -> Answer {
    let transfer_s = size / 40e6;
    let origin_s = if cache.asked_origin() {
        (random.lognormal(ms, 0.4) / 1e3).clamp(0.001, 1.2) + 0.004 * random.unit()
    } else {
        0.0
    };
    let edge_s = random.lognormal(0.003, 0.5);
    let total_s = (origin_s + edge_s + transfer_s).min(DURATION_MAX_S);
    let bytes = u32::try_from(whole(size)).unwrap_or(u32::MAX);
    Answer { status, cache, bytes, duration_us: micros(total_s) }
}

fn asset(path: u32, content: Content, size: f64, hit: f64) -> Resource {
    Resource {
        path,
        method: Method::Get,
        content,
        size,
        ms: 24.0,
        hit,
        answer: (200, 404, 0.001),
        numbered: false,
        pictures: (0, 0),
    }
}

fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn fill(template: &str, rank: usize, random: &mut Random) -> String {
    let slug = || format!("{}-{}", WORDS[rank % WORDS.len()], WORDS[(rank / 3 + 50) % WORDS.len()]);
    let word = WORDS[(rank * 37 + template.len()) % WORDS.len()];
    let second = WORDS[(rank / WORDS.len() * 11 + 5 * rank) % WORDS.len()];
    let number = 1_000 + 7 * rank as u64 + random.below(7);
    let mut text = template.replacen("{word}", word, 1);
    text = text.replace("{word}", second);
    if text.contains("{slug}") {
        let tail = if rank < WORDS.len() { String::new() } else { format!("-{rank}") };
        text = text.replace("{slug}", &(slug() + &tail));
    }
    text.replace("{n}", &number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::MODELS;

    #[test]
    fn paths_need_no_escape_and_pages_are_distinct() {
        for (number, model) in MODELS.iter().enumerate() {
            let site = Site::new(model, number, 5.0, 1);
            let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.?=+&".contains(c);
            assert!(site.paths.iter().all(|p| p.chars().all(plain)), "{}", site.host);
            let mut items: Vec<_> = site
                .items
                .iter()
                .map(|i| &site.paths[site.resources[*i as usize].path as usize])
                .collect();
            items.sort();
            let all = items.len();
            items.dedup();
            assert!(items.len() * 100 >= all * 99, "{}: {} of {all}", site.host, items.len());
        }
    }

    #[test]
    fn answers_stay_within_the_longest_duration() {
        let site = Site::new(&MODELS[0], 0, 5.0, 1);
        let mut random = Random::new(1, 1);
        for resource in &site.resources {
            let answer = site.answer(resource, &mut random);
            assert!((1..=1_400_000).contains(&answer.duration_us), "{answer:?}");
        }
    }
}
