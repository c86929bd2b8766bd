//! What the words in a path, a query or a user agent tell.

use std::sync::LazyLock;

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored};

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

/// Words of one meaning.
struct Words {
    /// `None` could only come of a table of words that cannot be compiled, which a test excludes.
    automaton: Option<AhoCorasick>,
}

impl Words {
    fn new(words: &[&str]) -> Self {
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words)
            .ok();
        Self { automaton }
    }

    /// Whether one of them stands in a text with no letter or digit beside it.
    fn are_in_alone(&self, text: &[u8]) -> bool {
        let Some(automaton) = &self.automaton else { return false };
        let beside = |at: Option<usize>| {
            at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphanumeric)
        };
        automaton
            .find_overlapping_iter(text)
            .any(|found| !beside(found.start().checked_sub(1)) && !beside(Some(found.end())))
    }
}

/// Words of several meanings: which of these a text may have, found in one pass over it.
struct Meanings {
    /// `None` as in [`Words`].
    automaton: Option<DFA>,
    /// The flag of each word.
    flags: Vec<u32>,
}

impl Meanings {
    fn new(meanings: &[(&[&str], u32)]) -> Self {
        let words =
            meanings.iter().flat_map(|(words, flag)| words.iter().map(|word| (word, *flag)));
        let (words, flags): (Vec<&str>, Vec<u32>) = words.unzip();
        Self { automaton: DFA::builder().ascii_case_insensitive(true).build(words).ok(), flags }
    }

    /// Flags of the words that are anywhere in a text.
    fn of(&self, text: &[u8]) -> u32 {
        let start = |automaton: &DFA| automaton.start_state(Anchored::No).ok();
        let Some((automaton, mut state)) =
            self.automaton.as_ref().and_then(|automaton| Some((automaton, start(automaton)?)))
        else {
            return 0;
        };
        let mut flags = 0;
        for byte in text {
            state = automaton.next_state(Anchored::No, state, *byte);
            if automaton.is_special(state) && automaton.is_match(state) {
                for at in 0..automaton.match_len(state) {
                    let word = automaton.match_pattern(state, at).as_usize();
                    flags |= self.flags.get(word).copied().unwrap_or(0);
                }
            }
        }
        flags
    }
}

static OF_ADDRESS: LazyLock<Meanings> = LazyLock::new(|| {
    Meanings::new(&[(LOGIN, flag::AUTH), (TOKEN, flag::TOKEN), (HOSTILE, flag::HOSTILE)])
});
static OF_AGENT: LazyLock<Meanings> = LazyLock::new(|| {
    let fetcher = flag::FETCHER | flag::DECLARED_BOT;
    Meanings::new(&[(FETCHERS, fetcher), (DECLARED, flag::DECLARED_BOT), (TOOLS, flag::HOSTILE)])
});
static IS_LOGIN: LazyLock<Words> = LazyLock::new(|| Words::new(LOGIN));
static IS_TOKEN: LazyLock<Words> = LazyLock::new(|| Words::new(TOKEN));

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
            let program = || hasher.short(shape(text).as_deref().unwrap_or(text.as_bytes()));
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
    OF_AGENT.of(searched(text))
}

fn of_address(text: &str) -> u32 {
    let text = searched(text);
    let flags = OF_ADDRESS.of(text);
    // Few have such words at all: only of these is asked where they stand.
    let may_be = |flag: u32| flags & flag != 0;
    flag_if(may_be(flag::AUTH) && takes_credentials(text), flag::AUTH)
        | flag_if(may_be(flag::TOKEN) && IS_TOKEN.are_in_alone(text), flag::TOKEN)
        | flags & flag::HOSTILE
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
fn shape(path: &str) -> Option<Vec<u8>> {
    if !path.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let bytes = path.as_bytes();
    let mut shape = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if kind(*byte) == OTHER {
            shape.push(*byte);
            at += 1;
            continue;
        }
        let (start, mut kinds) = (at, 0);
        while let Some(byte) = bytes.get(at).filter(|byte| kind(**byte) != OTHER) {
            kinds |= kind(*byte);
            at += 1;
        }
        let word = &bytes[start..at];
        if kinds & DIGIT == 0 {
            shape.extend_from_slice(word);
        } else if word.len() >= KEY_BYTES_MIN {
            shape.push(b'*');
        } else {
            add_numbers(word, &mut shape);
        }
    }
    Some(shape)
}

/// Adds letters and digits in a row, each number as `#`.
fn add_numbers(word: &[u8], shape: &mut Vec<u8>) {
    let mut in_number = false;
    for byte in word {
        let is_digit = byte.is_ascii_digit();
        if !is_digit {
            shape.push(*byte);
        } else if !in_number {
            shape.push(b'#');
        }
        in_number = is_digit;
    }
}

/// Kinds of bytes.
const OTHER: u8 = 0;
const LETTER: u8 = 1;
const DIGIT: u8 = 2;

/// The kind of each byte.
static KINDS: [u8; 256] = {
    let mut kinds = [OTHER; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphabetic() {
            kinds[byte as usize] = LETTER;
        } else if byte.is_ascii_digit() {
            kinds[byte as usize] = DIGIT;
        }
        byte += 1;
    }
    kinds
};

fn kind(byte: u8) -> u8 {
    KINDS[usize::from(byte)]
}

fn is_asset(path: &str) -> bool {
    let tail = &path.as_bytes()[path.len().saturating_sub(12)..];
    let Some(dot) = tail.iter().rposition(|byte| *byte == b'.') else { return false };
    PACKED_ASSETS.contains(&packed(&tail[dot + 1..]))
}

/// At most fifteen bytes as a number, capitals as small letters.
const fn packed(word: &[u8]) -> u128 {
    let (mut packed, mut at) = (1, 0);
    while at < word.len() {
        packed = packed << 8 | word[at].to_ascii_lowercase() as u128;
        at += 1;
    }
    packed
}

/// The same of [`ASSETS`].
static PACKED_ASSETS: [u128; ASSETS.len()] = {
    let (mut assets, mut at) = ([0; ASSETS.len()], 0);
    while at < ASSETS.len() {
        assets[at] = packed(ASSETS[at].as_bytes());
        at += 1;
    }
    assets
};

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> u32 {
        of_address(text) | flag_if(is_asset(text), flag::ASSET)
    }

    #[test]
    fn every_table_of_words_compiles() {
        assert!(IS_LOGIN.automaton.is_some() && IS_TOKEN.automaton.is_some());
        assert!(OF_ADDRESS.automaton.is_some() && OF_AGENT.automaton.is_some());
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
        for (path, expected) in [
            ("/works/81234/edit", "/works/#/edit"),
            ("/f/0a1b2c3d4e5f60718293/ü2.txt", "/f/*/ü#.txt"),
            ("/a1b22-3", "/a#b#-#"),
            ("/abcdefghijklmnopqr/1", "/abcdefghijklmnopqr/#"),
        ] {
            assert_eq!(shape(path).as_deref(), Some(expected.as_bytes()), "{path}");
        }
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
