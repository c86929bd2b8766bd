//! Requests as lines of a log.

mod cloudflare;
mod combined;
mod floodmark;
mod nginx;

use crate::attack::guess_parts;
use crate::config::{Format, GenerateConfig};
use crate::random::mix;
use crate::request::{ELSEWHERE, Referer, Request, Tail};
use crate::site::Site;
use crate::text::{push_hex16, push_number, push_text};
use crate::world::World;

/// Bytes that came instead of a request line, as an escaping writer shows them.
const GARBAGE: &str = r"\x16\x03\x01\x00\xEE\x01\x00\x00\xEA\x03\x03";

/// Writes requests in one format.
#[derive(Debug)]
pub(crate) struct LineWriter {
    format: Format,
    request_ids: u64,
}

impl LineWriter {
    /// A writer for the format of the run.
    pub(crate) fn new(config: &GenerateConfig) -> Self {
        // Ids count up from a number of the run, as the ids of real edges grow with time.
        Self {
            format: config.format,
            request_ids: mix(config.seed) & 0x0fff_ffff_0000_0000 | 8 << 60,
        }
    }

    /// Id of the request on line `number`.
    pub(crate) const fn request_id(&self, number: u64) -> u64 {
        self.request_ids + number
    }

    /// Appends the line of one request and its end.
    pub(crate) fn write(&self, request: &Request, number: u64, world: &World, line: &mut Vec<u8>) {
        let logged = Logged {
            request,
            site: world.site(request.site),
            agent: world.agents.get(request.client.agent),
            id: self.request_id(number),
        };
        match self.format {
            Format::Cloudflare => cloudflare::push(&logged, line),
            Format::NginxJson => nginx::push(&logged, line),
            Format::Combined => combined::push(&logged, line),
            Format::VhostCombined => combined::push_with_host(&logged, line),
            Format::Floodmark => floodmark::push(&logged, line),
        }
        line.push(b'\n');
    }
}

/// A request with everything its numbers stand for. No text in it needs an escape in any format.
struct Logged<'a> {
    request: &'a Request,
    site: &'a Site,
    agent: &'a crate::agent::Agent,
    id: u64,
}

impl Logged<'_> {
    fn push_path(&self, line: &mut Vec<u8>) {
        let text = &self.site.paths[self.request.uri.path as usize];
        push_text(line, text.split('?').next().unwrap_or(text));
        self.push_path_tail(line);
    }

    fn push_uri(&self, line: &mut Vec<u8>) {
        push_text(line, &self.site.paths[self.request.uri.path as usize]);
        self.push_path_tail(line);
        if let Tail::Buster(n) = self.request.uri.tail {
            push_text(line, "?_=");
            push_hex16(line, n);
        }
    }

    /// The query without `?`; whether there is one.
    fn push_query(&self, line: &mut Vec<u8>) -> bool {
        if let Tail::Buster(n) = self.request.uri.tail {
            push_text(line, "_=");
            push_hex16(line, n);
            return true;
        }
        let text = &self.site.paths[self.request.uri.path as usize];
        text.split_once('?').is_some_and(|(_, query)| {
            push_text(line, query);
            true
        })
    }

    fn push_path_tail(&self, line: &mut Vec<u8>) {
        match self.request.uri.tail {
            Tail::Nothing | Tail::Buster(_) => {}
            Tail::Number(n) => push_number(line, n),
            Tail::Guess(n) => {
                let (first, second, ending) = guess_parts(n);
                for part in ["/", first, "/", second, ending] {
                    push_text(line, part);
                }
            }
        }
    }

    /// The referer; `nothing` where there is none.
    fn push_referer(&self, line: &mut Vec<u8>, nothing: &str) {
        match self.request.referer {
            Referer::Nothing => push_text(line, nothing),
            Referer::Elsewhere(i) => push_text(line, ELSEWHERE[usize::from(i)]),
            Referer::Own(path) => {
                push_text(line, "https://");
                push_text(line, &self.site.host);
                push_text(line, &self.site.paths[path as usize]);
            }
        }
    }

    fn duration_us(&self) -> u64 {
        u64::try_from(self.request.end_us - self.request.start_us).unwrap_or(0)
    }
}

/// Appends `,"key":"` … `"` around a text.
fn push_pair(line: &mut Vec<u8>, key: &str, value: &str) {
    push_text(line, key);
    push_text(line, value);
    line.push(b'"');
}

/// The edge that serves a country.
fn edge(country: &str) -> &'static str {
    match country {
        "de" | "at" | "ch" | "cz" => "FRA",
        "fr" | "es" | "it" => "MRS",
        "gb" => "LHR",
        "us" | "br" => "IAD",
        "nl" | "be" => "AMS",
        "se" | "dk" => "ARN",
        "pl" => "WAW",
        _ => "SIN",
    }
}
