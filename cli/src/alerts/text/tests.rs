//! What a person reads, word for word.

use expect_test::{Expect, expect};
use schemas::Kind;

use super::*;
use crate::alerts::tests::incident;
use crate::alerts::{AlertFormat, AlertWriter};

/// A flood as the detector tells of it.
fn flood() -> Incident {
    let summary = "http_flood on shop.example: 1,000 requests/s, 10 times the host's ordinary 100; \
                    3,000 requests from 2 sources, most for /";
    Incident { summary: summary.into(), target_path: Some("/".into()), ..incident() }
}

fn check(incidents: &[Incident], expected: &Expect) {
    let mut out = anstream::StripStream::new(Vec::new());
    let mut alerts = AlertWriter::new(AlertFormat::Text, &mut out);
    for incident in incidents {
        alerts.write(incident).unwrap();
    }
    expected.assert_eq(&String::from_utf8(out.into_inner()).unwrap());
}

#[test]
fn a_life_is_a_block_and_a_line_for_what_matters() {
    let start = flood().first_ts;
    let later = |revision: i32, s: i64| Incident {
        revision,
        state: State::Update,
        revision_ts: start + s * 1_000_000,
        last_ts: start + s * 1_000_000,
        requests: 3_000 + i64::from(revision) * 1_000,
        ..flood()
    };
    let more = later(1, 15);
    let rule = "path = '/' AND user_agent = 'x'";
    let milder = Incident { severity: 70, fingerprint: Some(rule.into()), ..later(2, 30) };
    let other = Incident {
        kind: Kind::AppExhaustion,
        verdict: Verdict::Suspicious,
        target_path: None,
        ..later(3, 60)
    };
    let over = Incident {
        state: State::Close,
        source_count: 12_345,
        excess_requests: 6_900,
        ..later(4, 118)
    };
    check(
        &[flood(), more, milder, other, over],
        &expect![[r"
        2023-11-14T22:13:23Z ATTACK 80 critical  http_flood on shop.example/
          Many requests at once, to exhaust the edge or the origin.
          rate    1,000 requests/s, 10 times the host's ordinary 100
          so far  3,000 requests from 2 sources, most for /
          from    192.0.2.1, 2001:db8::/64
          where   path = '/'
                  recall 98 % (at least 95 %), precision 97 %, collateral 0.10 % (at most 0.40 %)
          id      a1b2
        2023-11-14T22:13:50Z UPDATE http_flood on shop.example/  severity 80 critical → 70 high; where path = '/' AND user_agent = 'x' (recall 98 % (at least 95 %), precision 97 %, collateral 0.10 % (at most 0.40 %))  id a1b2
        2023-11-14T22:14:20Z UPDATE app_exhaustion on shop.example  held to be attack → suspicious; kind http_flood → app_exhaustion; severity 70 high → 80 critical; target changed; where path = '/' (recall 98 % (at least 95 %), precision 97 %, collateral 0.10 % (at most 0.40 %))  id a1b2
        2023-11-14T22:15:18Z OVER http_flood on shop.example/  lasted 1 min 58 s: 7,000 requests, 6,900 above the forecast, from 12,345 sources; held to be attack, severity 80 critical  id a1b2
    "]],
    );
}

#[test]
fn what_opened_before_is_told_in_full() {
    let update = Incident {
        revision: 3,
        state: State::Update,
        target_host: None,
        target_path: None,
        fingerprint: None,
        sources: Vec::new(),
        source_count: 0,
        ..flood()
    };
    check(
        &[update],
        &expect![[r"
        2023-11-14T22:13:23Z ATTACK 80 critical  http_flood on all hosts  since 2023-11-14T22:13:20Z
          Many requests at once, to exhaust the edge or the origin.
          rate    http_flood on shop.example: 1,000 requests/s, 10 times the host's ordinary 100; 3,000 requests from 2 sources, most for /
          id      a1b2
    "]],
    );
}

#[test]
fn hostile_text_is_shown_and_does_nothing() {
    let agent =
        "\u{1b}]0;owned\u{7}\u{202e}\n2023-11-14T22:13:23Z ATTACK http_flood on bank.example";
    let hostile = Incident {
        incident_id: "\u{9b}2J".into(),
        target_host: Some("shop\u{1b}[31m.example".into()),
        target_path: Some(format!("/  severity 5 low{}", "a\r".repeat(200))),
        sources: vec![agent.into(), "x".repeat(500)],
        source_count: 70_002,
        fingerprint: Some(format!("user_agent IN ('{agent}', '{}')", "b".repeat(2_000))),
        summary: format!("not as expected; {agent}: \u{1b}[2J"),
        ..flood()
    };
    let over = Incident { state: State::Close, excess_requests: 3_000, ..hostile.clone() };
    check(
        &[hostile, over],
        &expect![[r"
            2023-11-14T22:13:23Z ATTACK 80 critical  http_flood on shop\x1b[31m.example/\x20\x20severity\x205\x20lowa\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\r… (+366 characters)
              Many requests at once, to exhaust the edge or the origin.
              rate    not as expected; \x1b]0;owned\x07\u{202e}\n2023-11-14T22:13:23Z ATTACK http_flood on bank.example: \x1b[2J
              from    \x1b]0;owned\x07\u{202e}\n2023-11-14T22:13:23Z\x20ATTACK\x20http_flood\x20on\x20bank.example, xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… (+420 characters) and 70,000 more
              where   user_agent IN ('\x1b]0;owned\x07\u{202e}\n2023-11-14T22:13:23Z ATTACK http_flood on bank.example', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb… (+1,608 characters)
                      recall 98 % (at least 95 %), precision 97 %, collateral 0.10 % (at most 0.40 %)
              id      \u{9b}2J
            2023-11-14T22:13:23Z OVER http_flood on shop\x1b[31m.example/\x20\x20severity\x205\x20lowa\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\ra\r… (+366 characters)  lasted 2 s: 3,000 requests from 70,002 sources; held to be attack, severity 80 critical  id \u{9b}2J
        "]],
    );
}

#[test]
fn shares_are_never_rounded_to_a_false_zero() {
    assert_eq!([0.0, 0.00001, 0.004, 0.5].map(percent), ["0 %", "< 0.01 %", "0.40 %", "50 %"]);
}

#[test]
fn durations_have_two_units() {
    let durations = [-5, 0, 59, 118, 3_600, 7_380, 180_000].map(|s| duration(s * 1_000_000));
    assert_eq!(
        durations,
        ["0 s", "0 s", "59 s", "1 min 58 s", "1 h 0 min", "2 h 3 min", "2 d 2 h"]
    );
}

/// An incident of a campaign, on one more host.
fn on(host: i32, hosts: i32, revision: i32) -> Incident {
    let name = format!("h{host}.example");
    Incident {
        incident_id: format!("id{host}"),
        revision,
        state: if revision == 0 { State::Open } else { State::Update },
        summary: format!(
            "http_flood on {name}: 9.0 requests/s, 9 times the host's ordinary 1.0; 90 requests from 2 sources"
        ),
        target_host: Some(name),
        target_path: None,
        requests: 3_000,
        fingerprint: None,
        sources: Vec::new(),
        campaign_id: (hosts > 1).then(|| "id1".to_owned()),
        campaign_hosts: (hosts > 1).then_some(hosts),
        ..incident()
    }
}

fn over(one: Incident) -> Incident {
    Incident { state: State::Close, revision: 9, excess_requests: 3_000, ..one }
}

#[test]
fn the_same_attack_on_many_hosts_is_a_block_and_few_lines() {
    // The first incident tells of the others meanwhile, which is no news by itself.
    let mut all: Vec<Incident> =
        (1..=500).flat_map(|host| [on(host, host, 0), on(1, host, 1)]).collect();
    all.extend((1..=500).map(|host| on(host, 500, 1)));
    all.extend((1..=500).map(|host| over(on(host, 500, 2))));
    check(
        &all,
        &expect![[r"
        2023-11-14T22:13:23Z ATTACK 80 critical  http_flood on h1.example
          Many requests at once, to exhaust the edge or the origin.
          rate    9.0 requests/s, 9 times the host's ordinary 1.0
          so far  90 requests from 2 sources
          id      id1
        2023-11-14T22:13:23Z ALSO http_flood on h2.example  2 hosts in all; severity 80 critical; campaign id1  id id2
        2023-11-14T22:13:23Z ALSO http_flood on h3.example  3 hosts in all; severity 80 critical; campaign id1  id id3
        2023-11-14T22:13:23Z ALSO http_flood on h4.example  4 hosts in all; severity 80 critical; campaign id1  id id4
        2023-11-14T22:13:23Z ALSO http_flood on h5.example  5 hosts in all; severity 80 critical; campaign id1  id id5
        2023-11-14T22:13:23Z ALSO http_flood on h6.example  6 hosts in all; severity 80 critical; campaign id1  id id6
        2023-11-14T22:13:23Z ALSO http_flood on h7.example  7 hosts in all; severity 80 critical; campaign id1  id id7
        2023-11-14T22:13:23Z ALSO http_flood on h8.example  8 hosts in all; severity 80 critical; campaign id1  id id8
        2023-11-14T22:13:23Z ALSO http_flood on h16.example  16 hosts in all; severity 80 critical; campaign id1  id id16
        2023-11-14T22:13:23Z ALSO http_flood on h32.example  32 hosts in all; severity 80 critical; campaign id1  id id32
        2023-11-14T22:13:23Z ALSO http_flood on h64.example  64 hosts in all; severity 80 critical; campaign id1  id id64
        2023-11-14T22:13:23Z ALSO http_flood on h128.example  128 hosts in all; severity 80 critical; campaign id1  id id128
        2023-11-14T22:13:23Z ALSO http_flood on h256.example  256 hosts in all; severity 80 critical; campaign id1  id id256
        2023-11-14T22:13:23Z OVER http_flood on h1.example  lasted 2 s: 3,000 requests from 2 sources; held to be attack, severity 80 critical  id id1
        2023-11-14T22:13:23Z OVER 500 hosts in all  lasted 2 s: 1,500,000 requests  campaign id1
    "]],
    );
}

#[test]
fn nothing_is_hidden_behind_a_smaller_attack() {
    let harmless = Incident { verdict: Verdict::Suspicious, severity: 40, ..on(1, 1, 0) };
    let alike = Incident { verdict: Verdict::Suspicious, severity: 41, ..on(2, 2, 0) };
    let harder = Incident { severity: 50, ..on(3, 3, 0) };
    let worse = Incident { severity: 85, ..on(4, 4, 0) };
    let other = Incident { kind: Kind::CacheBusting, ..on(5, 5, 0) };
    let heavier = Incident { requests: 30_000, ..on(6, 6, 0) };
    let grown = Incident { severity: 85, requests: 400_000, ..on(2, 6, 1) };
    let blocks = |incidents: &[Incident]| {
        let mut out = anstream::StripStream::new(Vec::new());
        let mut alerts = AlertWriter::new(AlertFormat::Text, &mut out);
        for incident in incidents {
            alerts.write(incident).unwrap();
        }
        let text = String::from_utf8(out.into_inner()).unwrap();
        text.lines()
            .filter(|line| line.starts_with("  id "))
            .map(|line| line[10..].to_owned())
            .collect::<Vec<_>>()
    };
    let told = blocks(&[harmless, alike, harder, worse, other, heavier, grown]);
    assert_eq!(told, ["id1", "id3", "id4", "id5", "id6", "id2"]);
}

#[test]
fn a_campaign_that_goes_on_after_its_end_is_told_of_again() {
    check(
        &[
            on(1, 1, 0),
            over(on(1, 1, 1)),
            on(2, 2, 0),
            over(on(2, 2, 1)),
            on(3, 3, 0),
            over(on(3, 3, 1)),
            on(2, 3, 2),
        ],
        &expect![[r"
            2023-11-14T22:13:23Z ATTACK 80 critical  http_flood on h1.example
              Many requests at once, to exhaust the edge or the origin.
              rate    9.0 requests/s, 9 times the host's ordinary 1.0
              so far  90 requests from 2 sources
              id      id1
            2023-11-14T22:13:23Z OVER http_flood on h1.example  lasted 2 s: 3,000 requests from 2 sources; held to be attack, severity 80 critical  id id1
            2023-11-14T22:13:23Z ALSO http_flood on h2.example  2 hosts in all; severity 80 critical; campaign id1  id id2
            2023-11-14T22:13:23Z OVER 2 hosts in all  lasted 2 s: 6,000 requests  campaign id1
            2023-11-14T22:13:23Z ALSO http_flood on h3.example  3 hosts in all; severity 80 critical; campaign id1  id id3
            2023-11-14T22:13:23Z OVER 3 hosts in all  lasted 2 s: 9,000 requests  campaign id1
            2023-11-14T22:13:23Z ALSO http_flood on h2.example  3 hosts in all; severity 80 critical; campaign id1  id id2
        "]],
    );
}

#[test]
fn what_was_told_alone_and_joins_later_is_not_told_anew() {
    check(
        &[
            on(1, 1, 0),
            on(2, 1, 0),
            on(2, 2, 1),
            on(1, 2, 1),
            on(3, 3, 0),
            over(on(2, 3, 2)),
            over(on(1, 3, 2)),
            over(on(3, 3, 2)),
        ],
        &expect![[r"
            2023-11-14T22:13:23Z ATTACK 80 critical  http_flood on h1.example
              Many requests at once, to exhaust the edge or the origin.
              rate    9.0 requests/s, 9 times the host's ordinary 1.0
              so far  90 requests from 2 sources
              id      id1
            2023-11-14T22:13:23Z ATTACK 80 critical  http_flood on h2.example
              Many requests at once, to exhaust the edge or the origin.
              rate    9.0 requests/s, 9 times the host's ordinary 1.0
              so far  90 requests from 2 sources
              id      id2
            2023-11-14T22:13:23Z ALSO http_flood on h3.example  3 hosts in all; severity 80 critical; campaign id1  id id3
            2023-11-14T22:13:23Z OVER http_flood on h2.example  lasted 2 s: 3,000 requests from 2 sources; held to be attack, severity 80 critical  id id2
            2023-11-14T22:13:23Z OVER http_flood on h1.example  lasted 2 s: 3,000 requests from 2 sources; held to be attack, severity 80 critical  id id1
            2023-11-14T22:13:23Z OVER 3 hosts in all  lasted 2 s: 9,000 requests  campaign id1
        "]],
    );
}
