//! Settings that clients of PostgreSQL ask for and set.

/// The version that clients parse: what they may expect of the catalogue.
pub const SERVER_VERSION: &str = "16.6";

/// What `version()` says.
pub const VERSION: &str =
    concat!("PostgreSQL 16.6 (Floodmark ", env!("CARGO_PKG_VERSION"), ", read-only)");

/// Name of the one database.
pub const DATABASE: &str = "floodmark";

/// Name of the one user: who asks has any name.
pub const USER: &str = "floodmark";

/// A setting. Whatever it is set to, it stays as it is, and so do answers: drivers set some of these unasked and would not go
/// on without. Where that would make a client read an answer wrongly, it may be set to what it is and to nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: &'static str,
    /// Whether it may be set.
    pub set: Set,
}

/// To what a setting may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// To anything.
    Any,
    /// To the value that it has.
    Same,
    /// To nothing.
    Never,
}

const fn setting(name: &'static str, value: &'static str, set: Set) -> Setting {
    Setting { name, value, set }
}

/// Every setting.
pub static SETTINGS: [Setting; 36] = [
    setting("application_name", "", Set::Any),
    setting("bytea_output", "hex", Set::Same),
    setting("client_encoding", "UTF8", Set::Same),
    setting("client_min_messages", "notice", Set::Any),
    setting("datestyle", "ISO, MDY", Set::Same),
    setting("default_table_access_method", "heap", Set::Any),
    setting("default_transaction_isolation", "repeatable read", Set::Any),
    setting("default_transaction_read_only", "on", Set::Any),
    setting("enable_seqscan", "on", Set::Any),
    setting("extra_float_digits", "1", Set::Any),
    setting("idle_in_transaction_session_timeout", "0", Set::Any),
    setting("in_hot_standby", "off", Set::Never),
    setting("integer_datetimes", "on", Set::Never),
    setting("intervalstyle", "postgres", Set::Same),
    setting("is_superuser", "off", Set::Never),
    setting("jit", "off", Set::Any),
    setting("lc_collate", "C", Set::Never),
    setting("lc_ctype", "C", Set::Never),
    setting("lc_messages", "C", Set::Any),
    setting("lc_monetary", "C", Set::Any),
    setting("lock_timeout", "0", Set::Any),
    setting("max_identifier_length", "63", Set::Never),
    setting("max_index_keys", "32", Set::Never),
    setting("row_security", "off", Set::Any),
    setting("search_path", "public", Set::Any),
    setting("server_encoding", "UTF8", Set::Never),
    setting("server_version", SERVER_VERSION, Set::Never),
    setting("server_version_num", "160006", Set::Never),
    setting("ssl_renegotiation_limit", "0", Set::Any),
    setting("standard_conforming_strings", "on", Set::Same),
    setting("statement_timeout", "0", Set::Any),
    setting("synchronize_seqscans", "on", Set::Any),
    setting("timezone", "UTC", Set::Any),
    setting("transaction_isolation", "repeatable read", Set::Any),
    setting("transaction_read_only", "on", Set::Any),
    setting("work_mem", "4MB", Set::Any),
];

impl Setting {
    /// The setting of that name, in any case.
    pub fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| name.eq_ignore_ascii_case(setting.name))
    }
}
