//! Client software: user agents with TLS fingerprints of the right shape and invented value.

use crate::random::{Random, Weighted, mix2};

/// HTTP version a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Http {
    One,
    Two,
    Three,
}

impl Http {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::One => "HTTP/1.1",
            Self::Two => "HTTP/2",
            Self::Three => "HTTP/3",
        }
    }

    /// As nginx and Apache write it.
    pub(crate) const fn dotted(self) -> &'static str {
        match self {
            Self::One => "HTTP/1.1",
            Self::Two => "HTTP/2.0",
            Self::Three => "HTTP/3.0",
        }
    }
}

/// One kind of client software.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    /// As the header says it.
    pub(crate) text: String,
    pub(crate) ja4: String,
    pub(crate) ja3: String,
    pub(crate) http: Http,
}

/// Number of an [`Agent`] in [`Agents`].
pub(crate) type AgentId = u16;

/// Software that is no browser, by purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Monitor,
    SeekCrawler,
    ArchiveCrawler,
    Curl,
    Python,
    Go,
    /// Go's TLS stack under the name of a browser.
    DisguisedGo,
    /// Python's TLS stack under the name of a browser.
    DisguisedPython,
    /// A headless browser that says it is an ordinary one.
    DisguisedNode,
    PathGuesser,
}

const TOOLS: [(Tool, &str, &str, Http); 10] = [
    (
        Tool::Monitor,
        "Mozilla/5.0 (compatible; StatusWatch/1.4; +https://status.example/about)",
        "monitor",
        Http::One,
    ),
    (
        Tool::SeekCrawler,
        "Mozilla/5.0 (compatible; SeekBot/2.1; +https://seek.example/bot.html)",
        "seek",
        Http::Two,
    ),
    (
        Tool::ArchiveCrawler,
        "OpenArchiver/0.9 (+https://archive.example/crawler)",
        "archive",
        Http::One,
    ),
    (Tool::Curl, "curl/8.9.1", "curl", Http::Two),
    (Tool::Python, "python-requests/2.32.3", "python", Http::One),
    (Tool::Go, "Go-http-client/2.0", "go", Http::Two),
    (
        Tool::DisguisedGo,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36",
        "go",
        Http::Two,
    ),
    (
        Tool::DisguisedPython,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/115.0",
        "python",
        Http::One,
    ),
    (
        Tool::DisguisedNode,
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/121.0.0.0 Safari/537.36",
        "node",
        Http::One,
    ),
    (Tool::PathGuesser, "pathguess/3.2", "go", Http::One),
];

/// Every kind of client software of a run.
#[derive(Debug)]
pub(crate) struct Agents {
    all: Vec<Agent>,
    browsers: Weighted,
    browser_count: usize,
    app_count: usize,
}

impl Agents {
    /// The table; the same for every seed.
    pub(crate) fn new() -> Self {
        let mut agents = Vec::new();
        let mut weights = Vec::new();
        for (weight, agent) in browsers() {
            weights.push(weight);
            agents.push(agent);
        }
        let browser_count = agents.len();
        let apps =
            ["ExampleApp/7.4.1 (Android 14)", "ExampleApp/7.4.0 (Android 13)", "okhttp/4.12.0"];
        for text in apps {
            agents.push(agent(text, "okhttp", Http::Two));
        }
        for text in ["ExampleApp/7.4.1 (iOS 18.1)", "ExampleApp/7.3.8 (iOS 17.6)"] {
            agents.push(agent(text, "cfnetwork", Http::Two));
        }
        let app_count = agents.len() - browser_count;
        agents.extend(TOOLS.iter().map(|(_, text, tls, http)| agent(text, tls, *http)));
        Self { all: agents, browsers: Weighted::new(weights), browser_count, app_count }
    }

    pub(crate) fn get(&self, id: AgentId) -> &Agent {
        &self.all[usize::from(id)]
    }

    pub(crate) fn browser(&self, random: &mut Random) -> AgentId {
        id(self.browsers.draw(random))
    }

    pub(crate) fn app(&self, random: &mut Random) -> AgentId {
        id(self.browser_count + random.index(self.app_count))
    }

    pub(crate) fn tool(&self, tool: Tool) -> AgentId {
        let at = TOOLS.iter().position(|(t, ..)| *t == tool).unwrap_or(0);
        id(self.browser_count + self.app_count + at)
    }
}

fn id(index: usize) -> AgentId {
    AgentId::try_from(index).unwrap_or(0)
}

fn agent(text: &str, tls: &str, http: Http) -> Agent {
    let name = tls.bytes().fold(u64::from(http == Http::Three), |h, b| mix2(h, u64::from(b)));
    let (transport, alpn) = match http {
        Http::One => ('t', "h1"),
        Http::Two => ('t', "h2"),
        Http::Three => ('q', "h3"),
    };
    let hex12 = |i| mix2(name, i) >> 16;
    let (ciphers, extensions) = (10 + mix2(name, 1) % 22, 9 + mix2(name, 2) % 9);
    let ja4 = format!(
        "{transport}13d{ciphers:02}{extensions:02}{alpn}_{:012x}_{:012x}",
        hex12(3),
        hex12(4)
    );
    let ja3 = format!("{:016x}{:016x}", mix2(name, 5), mix2(name, 6));
    Agent { text: text.to_owned(), ja4, ja3, http }
}

/// Browsers with their shares: current versions, stragglers, desktop and mobile, HTTP/2 and HTTP/3.
fn browsers() -> Vec<(f64, Agent)> {
    let mut all = Vec::new();
    let desktops = [
        ("Windows NT 10.0; Win64; x64", 0.68),
        ("Macintosh; Intel Mac OS X 10_15_7", 0.25),
        ("X11; Linux x86_64", 0.07),
    ];
    for (version, share) in [(140, 0.05), (142, 0.12), (143, 0.25), (144, 0.5), (145, 0.08)] {
        for (system, part) in desktops {
            let text = format!(
                "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
            );
            all.push((26.0 * share * part, agent(&text, "chrome", Http::Two)));
            all.push((12.0 * share * part, agent(&text, "chrome", Http::Three)));
        }
        let phone = format!(
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Mobile Safari/537.36"
        );
        all.push((18.0 * share, agent(&phone, "chrome", Http::Two)));
        all.push((9.0 * share, agent(&phone, "chrome", Http::Three)));
        let edge = format!(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36 Edg/{version}.0.0.0"
        );
        all.push((7.0 * share, agent(&edge, "chrome", Http::Two)));
    }
    for (version, share) in [(140, 0.25), (146, 0.2), (147, 0.55)] {
        for system in ["Windows NT 10.0; Win64; x64", "X11; Linux x86_64"] {
            let text = format!(
                "Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
            );
            all.push((3.5 * share, agent(&text, "firefox", Http::Two)));
        }
    }
    for (version, share) in [("17.6", 0.15), ("18.6", 0.45), ("26.2", 0.4)] {
        let system = version.replace('.', "_");
        let phone = format!(
            "Mozilla/5.0 (iPhone; CPU iPhone OS {system} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version} Mobile/15E148 Safari/604.1"
        );
        all.push((17.0 * share, agent(&phone, "safari", Http::Two)));
        let desktop = format!(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version} Safari/605.1.15"
        );
        all.push((5.0 * share, agent(&desktop, "safari", Http::Two)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_have_the_right_shape() {
        let agents = Agents::new();
        for agent in &agents.all {
            let parts: Vec<&str> = agent.ja4.split('_').collect();
            assert_eq!(
                parts.iter().map(|p| p.len()).collect::<Vec<_>>(),
                [10, 12, 12],
                "{agent:?}"
            );
            assert_eq!(agent.ja3.len(), 32);
            assert!(!agent.text.contains(['"', '\\']), "{agent:?}");
        }
    }

    #[test]
    fn a_disguise_has_the_fingerprint_of_what_it_hides() {
        let agents = Agents::new();
        let [go, disguised] = [Tool::Go, Tool::DisguisedGo].map(|t| agents.get(agents.tool(t)));
        assert_eq!(go.ja4, disguised.ja4);
        assert_ne!(go.text, disguised.text);
    }
}
