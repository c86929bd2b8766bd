//! What the words in a path, a query or a user agent tell.

use crate::store::cache::Cache;
use crate::record::event::flag;

/// What texts say, by their hash: paths and user agents repeat, searching them for words is dear.
#[derive(Debug, Default)]
pub struct Classes {
    user_agents: Cache<u16>,
    paths: Cache<u16>,
}

impl Classes {
    /// Flags of a user agent.
    pub fn of_user_agent(&mut self, hash: u64, text: &str) -> u16 {
        let classify = || if declares_itself(text) { flag::DECLARED_BOT } else { 0 };
        self.user_agents.get_or(hash, classify).0
    }

    /// Flags of a path.
    pub fn of_path(&mut self, hash: u64, text: &str) -> u16 {
        let classify = || {
            let auth = if takes_credentials(text) { flag::AUTH } else { 0 };
            if is_asset(text) { auth | flag::ASSET } else { auth }
        };
        self.paths.get_or(hash, classify).0
    }
}

/// Extensions of what a page pulls in by itself.
const ASSETS: &[&str] = &[
    "css",
    "js",
    "mjs",
    "map",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "ico",
    "svg",
    "webp",
    "avif",
    "bmp",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "eot",
    "mp3",
    "ogg",
    "webm",
    "swf",
    "cur",
    "webmanifest",
];

fn is_asset(path: &str) -> bool {
    let tail = &path.as_bytes()[path.len().saturating_sub(12)..];
    let Some(dot) = tail.iter().rposition(|byte| *byte == b'.') else { return false };
    let extension = &tail[dot + 1..];
    ASSETS.iter().any(|asset| extension.eq_ignore_ascii_case(asset.as_bytes()))
}

/// Words in the path of an address that takes credentials.
const CREDENTIAL_WORDS: &[&str] = &[
    "login",
    "logon",
    "signin",
    "sign-in",
    "sign_in",
    "log-in",
    "oauth",
    "token",
    "auth",
    "session",
    "password",
    "xmlrpc",
    "account/verify",
    "2fa",
    "otp",
];

/// Whether a path or query is one that takes credentials.
pub fn takes_credentials(text: &str) -> bool {
    CREDENTIAL_WORDS.iter().any(|word| contains(text, word))
}

/// ASCII case-insensitive search for a lower-case word.
fn contains(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    text.len() >= word.len() && text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Whether a user agent says who runs it and is no browser in use by a person.
fn declares_itself(user_agent: &str) -> bool {
    const WORDS: &[&str] = &[
        "+http",
        "bot/",
        "bot;",
        "crawler",
        "spider",
        "slurp",
        "monitor",
        "bot_version",
        "uptime",
    ];
    WORDS.iter().any(|word| contains(user_agent, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_classes() {
        assert!(
            is_asset("/a/b.CSS")
                && is_asset("/x.woff2")
                && !is_asset("/index.php")
                && !is_asset("/")
        );
        assert!(!is_asset("/releases.tar.gz") && !is_asset(""));
        assert!(takes_credentials("/wp-login.php") && takes_credentials("title=Special:UserLogin"));
        assert!(!takes_credentials("/cart"));
    }

    #[test]
    fn bots_say_so() {
        assert!(declares_itself(
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
        ));
        assert!(!declares_itself("python-requests/2.31.0"));
    }
}
