//! What the words in a path, a query or a user agent tell.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::math::hash::Hasher;
use crate::record::event::flag;
use crate::record::lexicon::{ASSETS, DECLARED, FETCHERS, HOSTILE, LOGIN, TOKEN, TOOLS};
use crate::store::cache::Cache;

/// Bytes of one text that are searched for words; a longer one is cut.
const SEARCHED_BYTES_MAX: usize = 4_096;

/// What texts say, by their hash: paths and user agents repeat, searching them for words is dear.
#[derive(Debug, Default)]
pub struct Classes {
    /// Flags, and the program.
    user_agents: Cache<(u32, u32)>,
    /// Flags, and the shape.
    paths: Cache<(u32, u32)>,
    queries: Cache<u32>,
    /// Paths that are known to take credentials, whatever their words; the beginnings of paths end in `*`.
    credential_paths: Vec<String>,
}

/// Words of one meaning, found in one pass over a text.
struct Words {
    /// `None` could only come of a table of words that cannot be compiled, which a test excludes.
    automaton: Option<AhoCorasick>,
    /// A word counts only where no letter or digit is beside it.
    whole: bool,
}

impl Words {
    fn new(words: &[&str], whole: bool) -> Self {
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words)
            .ok();
        Self { automaton, whole }
    }

    fn are_in(&self, text: &[u8]) -> bool {
        let Some(automaton) = &self.automaton else { return false };
        if !self.whole {
            return automaton.is_match(text);
        }
        let beside = |at: Option<usize>| {
            at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphanumeric)
        };
        automaton
            .find_overlapping_iter(text)
            .any(|found| !beside(found.start().checked_sub(1)) && !beside(Some(found.end())))
    }
}

static IS_LOGIN: LazyLock<Words> = LazyLock::new(|| Words::new(LOGIN, false));
static IS_TOKEN: LazyLock<Words> = LazyLock::new(|| Words::new(TOKEN, true));
static IS_HOSTILE: LazyLock<Words> = LazyLock::new(|| Words::new(HOSTILE, false));
static IS_TOOL: LazyLock<Words> = LazyLock::new(|| Words::new(TOOLS, false));
static IS_DECLARED: LazyLock<Words> = LazyLock::new(|| Words::new(DECLARED, false));
static IS_FETCHER: LazyLock<Words> = LazyLock::new(|| Words::new(FETCHERS, false));

fn searched(text: &str) -> &[u8] {
    let bytes = text.as_bytes();
    bytes.get(..SEARCHED_BYTES_MAX).unwrap_or(bytes)
}

fn flag_if(on: bool, flag: u32) -> u32 {
    if on { flag } else { 0 }
}

impl Classes {
    /// Classes where these paths are known to take credentials; beginnings of paths end in `*`.
    pub fn new(credential_paths: &[String]) -> Self {
        Self { credential_paths: credential_paths.to_vec(), ..Self::default() }
    }

    /// Flags of a user agent, and the hash of its program's name whatever the version; 0 for none, and for browsers.
    pub fn of_user_agent(&mut self, hash: u64, text: &str, hasher: &Hasher) -> (u32, u32) {
        let classify = || {
            let browser = text.contains("Gecko") || text.is_empty();
            let program = || hasher.short(shape(text).as_deref().unwrap_or(text));
            (of_agent(text), if browser { 0 } else { program() })
        };
        self.user_agents.get_or(hash, classify).0
    }

    /// Flags of a path, of which those about credentials hold for a write only, and the hash of its shape; 0 where it
    /// has neither numbers nor keys.
    pub fn of_path(&mut self, hash: u64, text: &str, hasher: &Hasher) -> (u32, u32) {
        let named = &self.credential_paths;
        let classify = || {
            let is_named = named.iter().any(|path| is_named_by(path, text));
            let flags = of_address(text)
                | flag_if(is_named, flag::AUTH)
                | flag_if(is_asset(text), flag::ASSET);
            (flags, shape(text).map_or(0, |shape| hasher.short(&shape)))
        };
        self.paths.get_or(hash, classify).0
    }

    /// Flags of a query; those about credentials hold for a write only.
    pub fn of_query(&mut self, hash: u64, text: &str) -> u32 {
        if hash == 0 { 0 } else { self.queries.get_or(hash, || of_address(text)).0 }
    }
}

fn of_agent(text: &str) -> u32 {
    let text = searched(text);
    flag_if(IS_FETCHER.are_in(text), flag::FETCHER | flag::DECLARED_BOT)
        | flag_if(IS_DECLARED.are_in(text), flag::DECLARED_BOT)
        | flag_if(IS_TOOL.are_in(text), flag::HOSTILE)
}

fn of_address(text: &str) -> u32 {
    let text = searched(text);
    flag_if(takes_credentials(text), flag::AUTH)
        | flag_if(IS_TOKEN.are_in(text), flag::TOKEN)
        | flag_if(IS_HOSTILE.are_in(text), flag::HOSTILE)
}

/// Whether a setting names a path: as a whole, or its beginning where the setting ends in `*`.
fn is_named_by(setting: &str, path: &str) -> bool {
    setting.strip_suffix('*').map_or(setting == path, |beginning| path.starts_with(beginning))
}

/// Whether a path or query says that it takes a name and a password. `login` is part of `bloginfo`, which does not.
fn takes_credentials(text: &[u8]) -> bool {
    let Some(automaton) = &IS_LOGIN.automaton else { return false };
    let in_blog = |start: usize| {
        let before = start.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(0);
        matches!(before, b'b' | b'B')
    };
    automaton.find_iter(text).any(|found| !in_blog(found.start()))
}

/// Letters and digits in a row, digits among them, from which on they are a key and no word.
const KEY_BYTES_MIN: usize = 16;

/// A path with its numbers as `#` and its keys as `*`; `None` where it has neither.
fn shape(path: &str) -> Option<String> {
    if !path.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let bytes = path.as_bytes();
    let mut shape = Vec::with_capacity(bytes.len());
    let (mut at, mut word) = (0, Word::default());
    while let Some(byte) = bytes.get(at) {
        if byte.is_ascii_alphanumeric() && at >= word.end {
            word = Word::at(bytes, at);
        }
        if word.end >= at + KEY_BYTES_MIN && word.digits_end > at {
            shape.push(b'*');
            at = word.end;
        } else if byte.is_ascii_digit() {
            shape.push(b'#');
            at += run(&bytes[at..], u8::is_ascii_digit);
        } else {
            shape.push(*byte);
            at += 1;
        }
    }
    // Only ASCII was replaced.
    String::from_utf8(shape).ok()
}

/// Letters and digits in a row.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    /// Where it ends.
    end: usize,
    /// Where its last digit ends; 0 where it has none.
    digits_end: usize,
}

impl Word {
    fn at(bytes: &[u8], start: usize) -> Self {
        let end = start + run(&bytes[start..], u8::is_ascii_alphanumeric);
        let last = bytes[start..end].iter().rposition(u8::is_ascii_digit);
        Self { end, digits_end: last.map_or(0, |last| start + last + 1) }
    }
}

/// Bytes of a kind at the beginning.
fn run(bytes: &[u8], of: fn(&u8) -> bool) -> usize {
    bytes.iter().position(|byte| !of(byte)).unwrap_or(bytes.len())
}

fn is_asset(path: &str) -> bool {
    let tail = &path.as_bytes()[path.len().saturating_sub(12)..];
    let Some(dot) = tail.iter().rposition(|byte| *byte == b'.') else { return false };
    let extension = &tail[dot + 1..];
    ASSETS.iter().any(|asset| extension.eq_ignore_ascii_case(asset.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> u32 {
        of_address(text) | flag_if(is_asset(text), flag::ASSET)
    }

    #[test]
    fn every_table_of_words_compiles() {
        for words in [&IS_LOGIN, &IS_TOKEN, &IS_HOSTILE, &IS_TOOL, &IS_DECLARED, &IS_FETCHER] {
            assert!(words.automaton.is_some());
        }
    }

    #[test]
    fn paths_have_classes() {
        for asset in ["/a/b.CSS", "/x.woff2"] {
            assert_eq!(address(asset), flag::ASSET, "{asset}");
        }
        for login in ["/wp-login.php", "title=Special:UserLogin", "/konto/anmelden", "/Blog/login"]
        {
            assert_eq!(address(login), flag::AUTH, "{login}");
        }
        for token in ["/oauth/token", "/api/v1/auth", "grant=2fa", "/session/new"] {
            assert_eq!(address(token), flag::TOKEN, "{token}");
        }
        for hostile in
            ["id=1%27%20OR%201", "/cgi-bin/..%2f..%2fetc", "x=%3CScript%3e", "q=${jndi:ldap://x}"]
        {
            assert_eq!(address(hostile), flag::HOSTILE, "{hostile}");
        }
        for plain in [
            "/index.php",
            "/",
            "/releases.tar.gz",
            "",
            "/author/x",
            "/footprint",
            "/get_bloginfo",
            "/cart",
        ] {
            assert_eq!(address(plain), 0, "{plain}");
        }
    }

    #[test]
    fn paths_have_shapes() {
        assert_eq!(shape("/works/81234/edit").as_deref(), Some("/works/#/edit"));
        assert_eq!(shape("/f/0a1b2c3d4e5f60718293/ü2.txt").as_deref(), Some("/f/*/ü#.txt"));
        assert_eq!(shape("/about"), None);
    }

    #[test]
    fn bots_say_so() {
        assert_eq!(
            of_agent("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
            flag::DECLARED_BOT
        );
        assert_eq!(
            of_agent("Mastodon/4.2.1 (http.rb/5.1.1; +https://a.example/)") & flag::FETCHER,
            flag::FETCHER
        );
        assert_eq!(of_agent("sqlmap/1.7#stable (https://sqlmap.org)"), flag::HOSTILE);
        assert_eq!(of_agent("python-requests/2.31.0"), 0);
        assert_eq!(
            of_agent("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0.0.0 Safari/537.36"),
            0
        );
    }
}
