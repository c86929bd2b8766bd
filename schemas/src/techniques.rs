//! The techniques of MITRE ATT&CK (Enterprise) that kinds of incidents are instances of.
//!
//! Source: <https://attack.mitre.org/techniques/enterprise/>.

/// A technique, or a sub-technique, of ATT&CK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Technique {
    /// Its id: `T1190`, of a sub-technique `T1499.002`.
    pub id: &'static str,
    /// Its name, of a sub-technique without that of the technique.
    pub name: &'static str,
    /// Name of the technique it belongs to; its own when it is none's.
    pub parent_name: &'static str,
}

impl Technique {
    /// Id of the technique it belongs to; its own when it is none's.
    ///
    /// # Example
    /// ```
    /// use schemas::techniques::{EXPLOIT, SERVICE_FLOOD};
    ///
    /// assert_eq!((SERVICE_FLOOD.parent_id(), EXPLOIT.parent_id()), ("T1499", "T1190"));
    /// ```
    pub fn parent_id(&self) -> &'static str {
        self.id.split_once('.').map_or(self.id, |(parent, _)| parent)
    }

    /// Whether it belongs to another.
    pub fn is_sub_technique(&self) -> bool {
        self.parent_id() != self.id
    }
}

const fn sub(id: &'static str, parent_name: &'static str, name: &'static str) -> Technique {
    Technique { id, name, parent_name }
}

const fn whole(id: &'static str, name: &'static str) -> Technique {
    Technique { id, name, parent_name: name }
}

/// Many requests to a service.
pub const SERVICE_FLOOD: Technique =
    sub("T1499.002", "Endpoint Denial of Service", "Service Exhaustion Flood");

/// Requests that cost an application much.
pub const APPLICATION_FLOOD: Technique =
    sub("T1499.003", "Endpoint Denial of Service", "Application Exhaustion Flood");

/// Passwords tried on accounts.
pub const PASSWORD_GUESSING: Technique = sub("T1110.001", "Brute Force", "Password Guessing");

/// Stolen pairs of name and password tried.
pub const CREDENTIAL_STUFFING: Technique = sub("T1110.004", "Brute Force", "Credential Stuffing");

/// Probing for known weaknesses.
pub const VULNERABILITY_SCANNING: Technique =
    sub("T1595.002", "Active Scanning", "Vulnerability Scanning");

/// Guessing names from a list.
pub const WORDLIST_SCANNING: Technique = sub("T1595.003", "Active Scanning", "Wordlist Scanning");

/// Using a weakness.
pub const EXPLOIT: Technique = whole("T1190", "Exploit Public-Facing Application");

/// Reading a victim's own site.
pub const SITE_SEARCH: Technique = whole("T1594", "Search Victim-Owned Websites");
