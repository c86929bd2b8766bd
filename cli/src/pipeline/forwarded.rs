//! Says once that requests seem to come through proxies that nobody has named.

use decode::identity::ClientCounters;

/// Requests after which the share that carries a forwarding header is believed.
const REQUESTS_MIN: u64 = 1_000;

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Forwarded {
    requests: u64,
    is_said: bool,
}

impl Forwarded {
    /// Takes in some requests, and what was counted of all so far; warns once half of enough of them name another client than
    /// their peer. What is told before that may name a proxy.
    pub fn see(&mut self, requests: usize, counters: ClientCounters) {
        self.requests += requests as u64;
        let is_half = counters.unconfigured * 2 >= self.requests;
        if self.is_said || self.requests < REQUESTS_MIN || !is_half {
            return;
        }
        self.is_said = true;
        tracing::warn!(
            "half of the requests or more carry X-Forwarded-For or the like: if they come through proxies of yours, name \
             these with --trusted-proxy; until then `client_ip` is the proxy, and a rule that names it blocks everybody"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_half_of_enough_requests_are_forwarded() {
        let said = |requests: usize, unconfigured| {
            let mut forwarded = Forwarded::default();
            forwarded.see(requests, ClientCounters { unconfigured, ..ClientCounters::default() });
            forwarded.is_said
        };
        assert_eq!([said(999, 999), said(1_000, 499), said(1_000, 500)], [false, false, true]);
    }
}
