//! The table of kinds: what an incident can be made of. One row a kind; everything said about a kind derives from it.
//!
//! ```text
//! KINDS ─▶ Kind, its name and doc ─▶ incidents, alerts, SQL
//!       ─▶ class, severity floor  ─▶ the detector
//!       ─▶ needs, helps           ─▶ signals: what a log can feed
//!       ─▶ title, technique, OAT  ─▶ alerts, OCSF, `docs/kinds.md`
//! ```

use crate::named::named_enum;
use crate::techniques::{self, Technique};

named_enum! {
    /// Which incidents of one host may be one.
    Class {
        /// Volume and cost.
        Volume = "volume",
        /// Credentials.
        Credentials = "credentials",
        /// Discovery of paths and weaknesses.
        Discovery = "discovery",
        /// Copying.
        Copying = "copying",
        /// Connections rather than requests.
        Connections = "connections",
        /// Not an attack.
        Benign = "benign",
    }
}

/// The least severity of a kind, for incidents that are not benign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floor {
    /// 0–100.
    pub severity: i32,
    /// Why.
    pub reason: &'static str,
}

/// What is known about a kind before any traffic is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindRow {
    /// The kind.
    pub kind: Kind,
    /// Its name for a person.
    pub title: &'static str,
    /// What it is, one sentence for a person.
    pub says: &'static str,
    /// What it may be one incident with.
    pub class: Class,
    /// Technique of MITRE ATT&CK.
    pub technique: Option<Technique>,
    /// Ids in the OWASP Automated Threats handbook, the closest first.
    ///
    /// Source: <https://owasp.org/www-project-automated-threats-to-web-applications/>.
    pub oat: &'static [&'static str],
    /// Its least severity.
    pub floor: Floor,
    /// Columns of `requests` without any one of which it cannot be told.
    pub needs: &'static [&'static str],
    /// Columns of `requests` without which it is told less often, later or less surely.
    pub helps: &'static [&'static str],
}

/// Weighs by how much there is of it.
const BY_SIZE: Floor = Floor { severity: 0, reason: "its harm is its volume" };

/// Medium at least.
const SECURITY: Floor =
    Floor { severity: 35, reason: "one success is enough, so few requests weigh as well" };

macro_rules! kinds {
    ($($variant:ident $name:literal: $says:literal { $($field:ident: $value:expr),* $(,)? })*) => {
        named_enum! {
            /// What kind of traffic an incident is made of. The detector's checkpoints hold the place in this list.
            Kind { $(#[doc = $says] $variant = $name),* }
        }

        impl Kind {
            /// Its row.
            ///
            /// # Example
            /// ```
            /// use schemas::Kind;
            ///
            /// assert_eq!(Kind::BruteForce.row().title, "Brute force");
            /// ```
            pub const fn row(self) -> &'static KindRow {
                match self {
                    $(Self::$variant => {
                        const ROW: KindRow =
                            KindRow { kind: Kind::$variant, says: $says, $($field: $value),* };
                        &ROW
                    })*
                }
            }
        }

        /// Every kind, in the order of [`Kind::ALL`].
        pub static KINDS: [KindRow; Kind::ALL.len()] = [$(*Kind::$variant.row()),*];
    };
}

kinds! {
    HttpFlood "http_flood": "Many requests at once, to exhaust the edge or the origin." {
        title: "HTTP flood",
        class: Class::Volume,
        technique: Some(techniques::SERVICE_FLOOD),
        oat: &[],
        floor: BY_SIZE,
        needs: &[],
        helps: &[
            "client_ip", "host", "method", "path", "query", "status", "user_agent", "ja4", "client_asn", "referer",
        ],
    }
    CacheBusting "cache_busting":
        "Requests for one path under ever new queries, so that no cache can answer." {
        title: "Cache busting",
        class: Class::Volume,
        technique: Some(techniques::APPLICATION_FLOOD),
        oat: &["OAT-015"],
        floor: BY_SIZE,
        needs: &["path", "query"],
        helps: &["client_ip", "host", "user_agent", "ja4", "client_asn", "referer"],
    }
    CredentialStuffing "credential_stuffing":
        "Stolen names and passwords tried from many sources, a few by each." {
        title: "Credential stuffing",
        class: Class::Credentials,
        technique: Some(techniques::CREDENTIAL_STUFFING),
        oat: &["OAT-008"],
        floor: SECURITY,
        needs: &["client_ip", "method", "path"],
        helps: &["host", "query", "status", "user_agent", "ja4", "client_asn", "referer"],
    }
    BruteForce "brute_force": "Passwords tried over and over by a few sources." {
        title: "Brute force",
        class: Class::Credentials,
        technique: Some(techniques::PASSWORD_GUESSING),
        oat: &["OAT-007"],
        floor: SECURITY,
        needs: &["client_ip", "method", "path"],
        helps: &["host", "query", "status", "user_agent", "ja4"],
    }
    ContentDiscovery "content_discovery": "Guessing at paths that may exist." {
        title: "Content discovery",
        class: Class::Discovery,
        technique: Some(techniques::WORDLIST_SCANNING),
        oat: &["OAT-018"],
        floor: SECURITY,
        needs: &["client_ip", "path", "status"],
        helps: &["host", "user_agent", "ja4", "client_asn"],
    }
    VulnScan "vuln_scan": "Probing for known weaknesses, as scanning tools do." {
        title: "Vulnerability scan",
        class: Class::Discovery,
        technique: Some(techniques::VULNERABILITY_SCANNING),
        oat: &["OAT-014"],
        floor: SECURITY,
        needs: &["client_ip", "path"],
        helps: &["host", "method", "query", "status", "user_agent"],
    }
    ExploitBurst "exploit_burst": "One weakness tried from many networks within a short time." {
        title: "Burst of exploits",
        class: Class::Discovery,
        technique: Some(techniques::EXPLOIT),
        oat: &[],
        floor: SECURITY,
        needs: &["client_ip", "path"],
        helps: &["host", "query", "status", "client_asn"],
    }
    Scraping "scraping": "Copying the content of a site, page after page." {
        title: "Scraping",
        class: Class::Copying,
        technique: Some(techniques::SITE_SEARCH),
        oat: &["OAT-011"],
        floor: BY_SIZE,
        needs: &["client_ip", "path"],
        helps: &["host", "response_bytes", "user_agent", "ja4"],
    }
    Swarm "swarm": "Copying the content of a site from very many addresses, a few pages by each." {
        title: "Swarm of scrapers",
        class: Class::Copying,
        technique: Some(techniques::SITE_SEARCH),
        oat: &["OAT-011"],
        floor: BY_SIZE,
        needs: &["client_ip", "path"],
        helps: &["host", "query", "status", "response_bytes", "user_agent", "ja4", "referer"],
    }
    Enumeration "enumeration": "Counting through identifiers, to find those that exist." {
        title: "Enumeration",
        class: Class::Copying,
        technique: Some(techniques::WORDLIST_SCANNING),
        oat: &["OAT-018", "OAT-002", "OAT-001"],
        floor: SECURITY,
        needs: &["client_ip", "path"],
        helps: &["host", "query", "status"],
    }
    AppExhaustion "app_exhaustion": "Few requests that cost the origin much." {
        title: "Exhaustion of the application",
        class: Class::Volume,
        technique: Some(techniques::APPLICATION_FLOOD),
        oat: &[],
        floor: BY_SIZE,
        needs: &["duration_us"],
        helps: &[
            "client_ip", "host", "path", "query", "status", "user_agent", "ja4", "client_asn", "referer",
        ],
    }
    SlowHttp "slow_http": "Connections held open and fed slowly or not at all." {
        title: "Slow requests",
        class: Class::Connections,
        technique: Some(techniques::SERVICE_FLOOD),
        oat: &[],
        floor: BY_SIZE,
        needs: &["client_ip", "status"],
        helps: &["host", "duration_us", "request_bytes", "response_bytes"],
    }
    StreamAbuse "stream_abuse":
        "Streams opened and cancelled at once, so that the server works for nothing." {
        title: "Abuse of streams",
        class: Class::Connections,
        technique: Some(techniques::SERVICE_FLOOD),
        oat: &[],
        floor: BY_SIZE,
        needs: &["client_ip", "status"],
        helps: &["host", "protocol", "duration_us", "response_bytes"],
    }
    BulkDownload "bulk_download": "Large files fetched again and again, to use up bandwidth." {
        title: "Bulk download",
        class: Class::Copying,
        technique: None,
        oat: &["OAT-011"],
        floor: BY_SIZE,
        needs: &["client_ip", "response_bytes"],
        helps: &["host", "path"],
    }
    FlashCrowd "flash_crowd": "Many people at once, after a link or an announcement; no attack." {
        title: "Flash crowd",
        class: Class::Benign,
        technique: None,
        oat: &[],
        floor: BY_SIZE,
        needs: &["client_ip", "path"],
        helps: &["host", "user_agent", "ja4", "client_asn", "referer"],
    }
    OriginFault "origin_fault": "The origin answers with errors; no attack." {
        title: "Fault of the origin",
        class: Class::Benign,
        technique: None,
        oat: &[],
        floor: BY_SIZE,
        needs: &["status"],
        helps: &["client_ip", "host", "path"],
    }
    Deploy404 "deploy_404": "Pages that the host used to serve are gone; no attack." {
        title: "Pages gone after a deployment",
        class: Class::Benign,
        technique: None,
        oat: &[],
        floor: BY_SIZE,
        needs: &["path", "status"],
        helps: &["client_ip", "host", "referer"],
    }
    RetryStorm "retry_storm": "Clients repeat what failed, all at once; no attack." {
        title: "Storm of retries",
        class: Class::Benign,
        technique: None,
        oat: &[],
        floor: BY_SIZE,
        needs: &["client_ip", "status"],
        helps: &["host", "path", "user_agent"],
    }
    Crawler "crawler": "A crawler that says who runs it and keeps a bearable pace; no attack." {
        title: "Crawler",
        class: Class::Benign,
        technique: None,
        oat: &[],
        floor: BY_SIZE,
        needs: &["client_ip", "path", "user_agent"],
        helps: &["host"],
    }
    Fetcher "fetcher":
        "Programs fetch for people: link previews, image proxies, feed readers, monitors; no attack." {
        title: "Fetchers",
        class: Class::Benign,
        technique: None,
        oat: &[],
        floor: BY_SIZE,
        needs: &["client_ip", "path"],
        helps: &["host", "user_agent", "client_asn"],
    }
}

impl Kind {
    /// Which incidents of one host it may be one with.
    pub const fn class(self) -> Class {
        self.row().class
    }

    /// Whether it is no attack.
    pub const fn is_benign(self) -> bool {
        matches!(self.class(), Class::Benign)
    }
}

impl KindRow {
    /// Its columns, the needed ones first.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.needs.iter().chain(self.helps).copied()
    }
}
