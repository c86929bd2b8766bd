//! `timeline('…')` and `sessions(['…'] [, minutes])`: what somebody did, and in which visits.

use std::sync::{Arc, LazyLock};

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion::datasource::ViewTable;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{DocSection, Documentation, Expr};
use futures::FutureExt as _;
use ipnet::IpNet;

const SECTION: DocSection = DocSection { include: true, label: "Visits", description: None };

/// Minutes without a request that end a visit, as web analytics count them.
const PAUSE_MINUTES: i64 = 30;

/// Minutes that may be asked for: a week.
const PAUSE_MINUTES_MAX: i64 = 7 * 24 * 60;

/// Names in SQL.
pub(crate) const NAMES: [&str; 2] = ["timeline", "sessions"];

/// What the help says.
pub(crate) static DOCS: LazyLock<[Documentation; 2]> = LazyLock::new(|| {
    [
        Documentation::builder(
            SECTION,
            "Requests of an address or a network, each with the seconds since the one before of the same address.",
            "timeline('network')",
        )
        .with_argument("network", "Address or network such as '203.0.113.7' or '2001:db8::/48', as a literal.")
        .with_sql_example("SELECT ts, pause_s, host, path, status FROM timeline('203.0.113.7') ORDER BY ts;")
        .build(),
        Documentation::builder(
            SECTION,
            "Visits: requests of one address without a longer pause, 30 minutes unless told otherwise; of all addresses \
             when none is given.",
            "sessions('network', minutes)",
        )
        .with_argument("network", "Address or network; may be left out.")
        .with_argument("minutes", "Without a request, after which a new visit begins; may be left out.")
        .with_sql_example("SELECT * FROM sessions('203.0.113.0/24') ORDER BY requests DESC;")
        .build(),
    ]
});

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visits {
    Timeline,
    Sessions,
}

impl TableFunctionImpl for Visits {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let of = Arguments::of(*self, args.exprs())?;
        let state = args
            .session()
            .as_any()
            .downcast_ref::<SessionState>()
            .ok_or_else(|| exec_datafusion_err!("needs the session of this program"))?;
        let sql = match self {
            Self::Timeline => of.timeline(),
            Self::Sessions => of.sessions(),
        };
        // The tables are at hand: nothing is waited for.
        let plan = state.create_logical_plan(&sql).now_or_never();
        let plan = plan.ok_or_else(|| exec_datafusion_err!("the tables are not at hand"))??;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }
}

struct Arguments {
    /// An address or network; known to be one, so that it can stand in SQL.
    source: Option<String>,
    minutes: i64,
}

impl Arguments {
    fn of(function: Visits, given: &[Expr]) -> Result<Self> {
        let mut of = Self { source: None, minutes: PAUSE_MINUTES };
        for (place, expr) in given.iter().enumerate() {
            match (place, expr) {
                (0, Expr::Literal(value, _)) if value.try_as_str().is_some() => {
                    of.source = Some(source(value)?);
                }
                (0 | 1, Expr::Literal(ScalarValue::Int64(Some(minutes)), _))
                    if function == Visits::Sessions && place + 1 == given.len() =>
                {
                    if !(1..=PAUSE_MINUTES_MAX).contains(minutes) {
                        return plan_err!("a pause is 1 to {PAUSE_MINUTES_MAX} minutes");
                    }
                    of.minutes = *minutes;
                }
                _ => return plan_err!("{}", usage(function)),
            }
        }
        if function == Visits::Timeline && of.source.is_none() {
            return plan_err!("{}", usage(function));
        }
        Ok(of)
    }

    fn condition(&self) -> String {
        match &self.source {
            None => "client_ip IS NOT NULL".to_owned(),
            Some(network) if network.contains('/') => format!("ip_in(client_ip, '{network}')"),
            Some(address) => format!("client_ip = '{address}'"),
        }
    }

    fn timeline(&self) -> String {
        format!(
            "SELECT ts, CAST(ts - lag(ts) OVER (PARTITION BY client_ip ORDER BY ts, topic_partition, topic_offset) \
             AS BIGINT) / 1e6 AS pause_s, client_ip, host, method, path, query, status, response_bytes, duration_us, \
             referer, user_agent, request_id FROM requests WHERE {}",
            self.condition()
        )
    }

    fn sessions(&self) -> String {
        format!(
            "WITH asked AS (SELECT client_ip, ts, host, path, status, response_bytes, user_agent, \
             lag(ts) OVER (PARTITION BY client_ip ORDER BY ts) AS before FROM requests WHERE {}), \
             numbered AS (SELECT *, sum(CASE WHEN before IS NULL OR ts - before > INTERVAL '{} minutes' THEN 1 ELSE 0 END) \
             OVER (PARTITION BY client_ip ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS session \
             FROM asked) \
             SELECT client_ip, session, min(ts) AS first_ts, max(ts) AS last_ts, count(*) AS requests, \
             count(DISTINCT host) AS hosts, count(DISTINCT path) AS paths, \
             count(*) FILTER (WHERE status >= 400) AS refused, sum(response_bytes) AS response_bytes, \
             count(DISTINCT user_agent) AS user_agents FROM numbered GROUP BY client_ip, session",
            self.condition(),
            self.minutes
        )
    }
}

const fn usage(function: Visits) -> &'static str {
    match function {
        Visits::Timeline => "timeline takes one text: an address or a network",
        Visits::Sessions => {
            "sessions takes an address or a network, and minutes; both may be left out"
        }
    }
}

fn source(value: &ScalarValue) -> Result<String> {
    let text = value.try_as_str().flatten().unwrap_or_default();
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        return Ok(address.to_canonical().to_string());
    }
    if let Ok(network) = text.parse::<IpNet>() {
        return Ok(network.to_string());
    }
    plan_err!("`{text}` is no address and no network")
}
