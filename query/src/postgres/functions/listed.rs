//! Our own functions, as clients list them.

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) struct Listed {
    pub(in crate::postgres) oid: i64,
    pub(in crate::postgres) name: &'static str,
    pub(in crate::postgres) takes: &'static str,
    pub(in crate::postgres) gives: &'static str,
    /// As `pg_proc.prokind` has it: `f`, or `a` for an aggregate.
    pub(in crate::postgres) kind: &'static str,
    /// Whether it gives a table.
    pub(in crate::postgres) is_set: bool,
}

const fn one(oid: i64, name: &'static str, takes: &'static str, gives: &'static str) -> Listed {
    Listed { oid, name, takes, gives, kind: "f", is_set: false }
}

const fn aggregate(
    oid: i64,
    name: &'static str,
    takes: &'static str,
    gives: &'static str,
) -> Listed {
    Listed { kind: "a", ..one(oid, name, takes, gives) }
}

const fn set(oid: i64, name: &'static str, takes: &'static str, gives: &'static str) -> Listed {
    Listed { is_set: true, ..one(oid, name, takes, gives) }
}

/// Each, numbered behind the views.
pub(in crate::postgres) static LISTED: [Listed; 12] = [
    aggregate(16_584, "entropy", "x anyelement", "double precision"),
    aggregate(16_585, "entropy_h2", "x anyelement", "double precision"),
    one(16_586, "ip_prefix", "ip text, v4_bits bigint, v6_bits bigint", "text"),
    one(16_587, "ip_source", "ip text", "text"),
    one(16_588, "ip_in", "ip text, network text", "boolean"),
    one(16_589, "json_get", "json text, key text", "text"),
    one(16_590, "json_text", "json text, key text", "text"),
    one(16_591, "json_elements", "json text", "text[]"),
    one(16_592, "json_length", "json text", "bigint"),
    set(16_593, "fingerprint_requests", "id_or_kind text", "SETOF requests"),
    set(16_594, "timeline", "network text", "SETOF record"),
    set(16_595, "sessions", "network text, minutes bigint", "SETOF record"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_of_ours_is_listed() {
        assert_eq!(LISTED.map(|of| of.name), crate::functions::NAMES);
    }
}
