//! What must be found, and what must not: one small run of traffic a case.
#![cfg(test)]

mod traffic;

use schemas::{Class, Incident, Kind, Verdict};
use traffic::{Row, burst, detect, detect_but, ip, latest, ordinary, together, visit};

const QUIET_S: u64 = 900;

/// Runs fifteen minutes of ordinary traffic with `extra` from the twelfth on, and returns the attacks.
fn attacks(extra: Vec<Row>) -> Vec<Incident> {
    let (findings, _) = detect(&together(vec![ordinary(QUIET_S, 3.0, 1), extra]));
    let attacks =
        latest(&findings).into_iter().filter(|incident| incident.verdict == Verdict::Attack);
    attacks.cloned().collect()
}

/// Exactly one attack of this kind, decided at most `delay_s` after the twelfth minute.
fn check(extra: Vec<Row>, kind: Kind, delay_s: i64) -> Incident {
    let mut attacks = attacks(extra);
    assert_eq!(attacks.len(), 1, "{attacks:#?}");
    let attack = attacks.remove(0);
    assert_eq!(attack.kind, kind, "{attack:#?}");
    let delay = attack.detected_ts - traffic::EPOCH - 720_000_000;
    assert!((0..=delay_s * 1_000_000).contains(&delay), "decided after {delay} µs");
    assert!(attack.fingerprint.is_some() && !attack.evidence.is_empty(), "{attack:#?}");
    assert!((35..=100).contains(&attack.severity), "{}", attack.severity);
    attack
}

#[test]
fn ordinary_traffic_is_no_incident() {
    let (findings, detector) = detect(&ordinary(3_600, 3.0, 2));
    assert_eq!(latest(&findings), Vec::<&Incident>::new());
    assert_eq!(detector.counters().late, 0);
    assert!(findings.target_windows.len() >= 60);
    let row = &findings.target_windows[30];
    assert!(row.entropy_path.h1.is_some_and(|bits| bits > 3.0) && row.requests > 500, "{row:?}");
}

#[test]
fn one_source_floods_one_path() {
    let attack = check(
        burst(720.0, 780.0, 6_000, |_, _| Row {
            agent: "python-requests/2.31".into(),
            ja4: None,
            ..Row::page(0.0, "203.0.113.9".into(), "/p/3".into())
        }),
        Kind::HttpFlood,
        5,
    );
    assert_eq!(attack.sources, ["203.0.113.9"]);
    assert_eq!(attack.technique.as_deref(), Some("T1499.002"));
}

#[test]
fn many_sources_with_one_program_flood() {
    let attack = check(
        burst(720.0, 780.0, 6_000, |draw, _| Row {
            agent: "Mozilla/5.0 (Windows NT 6.1) Chrome/91.0".into(),
            ja4: Some("t13d1312h1_f57a46bbacb6_ab7e3b40a677"),
            ..Row::page(0.0, ip(77, draw.below(2_000)), "/p/1".into())
        }),
        Kind::HttpFlood,
        5,
    );
    assert!(attack.source_count > 1_500);
    assert!(
        attack.fingerprint_recall.unwrap() > 0.9 && attack.fingerprint_collateral.unwrap() < 0.01
    );
}

const CRAWLER: &str = "Mozilla/5.0 (compatible; Examplebot/2.1; +http://bot.example/about)";

#[test]
fn a_crawler_reads_on_undisturbed() {
    let crawl = burst(720.0, 840.0, 1_440, |_, i| Row {
        agent: CRAWLER.into(),
        ja4: None,
        ..Row::page(0.0, "203.0.113.20".into(), format!("/p/{}", i % 300))
    });
    assert_eq!(attacks(crawl), Vec::new());
}

#[test]
fn the_name_of_a_crawler_excuses_no_flood() {
    let one = burst(720.0, 780.0, 6_000, |_, _| Row {
        agent: CRAWLER.into(),
        ja4: None,
        ..Row::page(0.0, "203.0.113.21".into(), "/p/3".into())
    });
    check(one, Kind::HttpFlood, 5);
    let many = burst(720.0, 780.0, 6_000, |draw, _| Row {
        agent: CRAWLER.into(),
        ja4: None,
        ..Row::page(
            0.0,
            ip(20 + draw.below(60), draw.below(2_000)),
            format!("/p/{}", draw.below(40)),
        )
    });
    check(many, Kind::HttpFlood, 8);
}

#[test]
fn a_flood_that_changes_its_user_agent_is_no_crowd() {
    let attack = check(
        burst(720.0, 780.0, 6_000, |draw, _| Row {
            agent: format!("Mozilla/5.0 (X11) Chrome/{}.0", 60 + draw.below(50)).into(),
            ja4: None,
            ..Row::page(0.0, "203.0.113.22".into(), format!("/p/{}", draw.below(40)))
        }),
        Kind::HttpFlood,
        5,
    );
    assert_eq!(attack.sources, ["203.0.113.22"]);
}

#[test]
fn an_office_behind_one_address_is_no_attack() {
    let mut draw = traffic::Draw::new(9);
    let mut office = Vec::new();
    for i in 0..1_200_u32 {
        let at = 720.0 + f64::from(i) * 0.1;
        let mut visit = visit(&mut draw, at, u64::from(i), None);
        for row in &mut visit {
            row.ip = "203.0.113.23".into();
            row.agent = format!("Mozilla/5.0 (X11) Firefox/{}.0", 100 + i % 30).into();
            row.ja4 = None;
        }
        office.extend(visit);
    }
    assert_eq!(attacks(office), Vec::new());
}

#[test]
fn random_queries_bust_the_cache() {
    check(
        burst(720.0, 780.0, 6_000, |draw, i| Row {
            query: Some(format!("r={:x}", i * 7_919 + draw.below(1_000))),
            ..Row::page(0.0, ip(78, draw.below(400)), "/p/2".into())
        }),
        Kind::CacheBusting,
        8,
    );
}

#[test]
fn one_source_tries_passwords() {
    check(
        burst(720.0, 840.0, 240, |_, _| Row {
            method: "POST",
            status: 401,
            ..Row::page(0.0, "203.0.113.10".into(), "/account/login".into())
        }),
        Kind::BruteForce,
        15,
    );
}

#[test]
fn many_sources_try_credentials() {
    check(
        burst(720.0, 840.0, 600, |_, i| Row {
            method: "POST",
            status: 401,
            ..Row::page(0.0, ip(79, i), "/account/login".into())
        }),
        Kind::CredentialStuffing,
        60,
    );
}

#[test]
fn a_scanner_guesses_paths() {
    check(
        burst(720.0, 780.0, 1_200, |_, i| Row {
            status: 404,
            ..Row::page(0.0, "203.0.113.11".into(), format!("/admin-{i}.php"))
        }),
        Kind::ContentDiscovery,
        8,
    );
}

#[test]
fn scrapers_read_pages_and_nothing_else() {
    check(
        burst(720.0, 890.0, 170 * 30, |_, i| {
            Row::page(0.0, ip(80 + i % 30, i % 30 * 977), format!("/p/{}", i % 40))
        }),
        Kind::Scraping,
        90,
    );
}

#[test]
fn guessing_becomes_stuffing_when_many_turn_out_to_do_it() {
    let tries = burst(720.0, 890.0, 255, |_, i| Row {
        method: "POST",
        status: 401,
        ..Row::page(0.0, ip(79, i), "/account/login".into())
    });
    let (findings, _) = detect(&together(vec![ordinary(QUIET_S, 3.0, 1), tries]));
    let told: Vec<&Incident> =
        findings.incidents.iter().filter(|told| told.kind.class() == Class::Credentials).collect();
    let (Some(first), Some(last)) = (told.first(), told.last()) else { panic!("{findings:#?}") };
    assert_eq!((first.kind, last.kind), (Kind::BruteForce, Kind::CredentialStuffing), "{told:#?}");
    assert_eq!(last.technique.as_deref(), Some("T1110.004"));
}

#[test]
fn who_reads_on_and_on_is_told_of_by_where_he_is_and_how_fast_he_reads() {
    // So slowly that some of it is taken for ordinary before it is found.
    let reads = burst(7_200.0, 9_000.0, 2_700, |_, i| Row {
        query: Some(format!("page={}", i / 540)),
        ..Row::page(0.0, "203.0.113.12".into(), format!("/p/{}", i % 540))
    });
    let (findings, _) = detect(&together(vec![ordinary(9_100, 0.2, 1), reads]));
    let told: Vec<&Incident> =
        findings.incidents.iter().filter(|told| told.kind == Kind::Scraping).collect();
    assert!(told.len() > 3, "{told:#?}");
    for told in &told {
        assert_eq!(told.fingerprint.as_deref(), Some("client_ip = '203.0.113.12'"));
    }
    for told in &told[1..] {
        let rate = told.summary.split("up to ").nth(1).and_then(|told| told.split(' ').next());
        let rate: f64 = rate.and_then(|rate| rate.parse().ok()).expect("a rate");
        assert!((1.0..3.0).contains(&rate), "{told:#?}");
    }
}

#[test]
fn who_waits_for_a_slow_origin_is_no_attacker() {
    let mut rows = ordinary(QUIET_S, 3.0, 1);
    for row in rows.iter_mut().filter(|row| (720.0..840.0).contains(&row.at_s())) {
        row.duration_us = Some(40_000_000);
    }
    let (findings, _) = detect(&rows);
    assert_eq!(latest(&findings), Vec::<&Incident>::new());
}

#[test]
fn a_crowd_from_a_link_is_benign() {
    let mut draw = traffic::Draw::new(5);
    let mut crowd = Vec::new();
    for i in 0..3_000_u64 {
        let at = 720.0 + 120.0 * (f64::from(u32::try_from(i).unwrap()) / 3_000.0).powf(0.6);
        let landing = Some(("/p/7", "https://news.example/story"));
        crowd.extend(visit(&mut draw, at, 1_000_000 + i, landing));
    }
    let (findings, _) = detect(&together(vec![ordinary(QUIET_S, 3.0, 1), crowd]));
    let incidents = latest(&findings);
    assert!(incidents.iter().all(|incident| incident.verdict != Verdict::Attack), "{incidents:#?}");
    assert!(incidents.iter().any(|incident| incident.kind == Kind::FlashCrowd), "{incidents:#?}");
}

#[test]
fn a_few_probes_are_noise() {
    let probes = burst(720.0, 780.0, 20, |_, i| Row {
        status: 404,
        ..Row::page(0.0, "203.0.113.12".into(), format!("/.env{i}"))
    });
    assert_eq!(attacks(probes), Vec::new());
}

#[test]
fn an_attack_ends_and_its_incident_closes() {
    let mut rows = ordinary(QUIET_S, 3.0, 1);
    rows.extend(burst(720.0, 760.0, 4_000, |_, _| {
        Row::page(0.0, "203.0.113.9".into(), "/p/3".into())
    }));
    let (findings, _) = detect(&together(vec![rows]));
    let attack =
        latest(&findings).into_iter().find(|incident| incident.verdict == Verdict::Attack).unwrap();
    let closed = (attack.closed_ts.expect("closed") - traffic::EPOCH) / 1_000_000;
    assert!((800..=860).contains(&closed), "{closed}");
    let same = |incident: &&Incident| incident.incident_id == attack.incident_id;
    let revisions = findings.incidents.iter().filter(same).map(|incident| incident.revision);
    assert!(revisions.eq(0..=attack.revision));
}

#[test]
fn texts_of_attackers_stay_inside_their_literals() {
    let attack = check(
        burst(720.0, 780.0, 6_000, |draw, _| Row {
            agent: "x' OR 1=1 --".into(),
            ja4: None,
            ..Row::page(0.0, ip(81, draw.below(2_000)), "/p/'".into())
        }),
        Kind::HttpFlood,
        5,
    );
    let fingerprint = attack.fingerprint.unwrap();
    assert_eq!(fingerprint.matches('\'').count() % 2, 0, "{fingerprint}");
    assert!(
        fingerprint.contains("'x'' OR 1=1 --'") || fingerprint.contains("'/p/'''"),
        "{fingerprint}"
    );
}

#[test]
fn those_who_are_exempt_are_never_judged() {
    let flood = burst(720.0, 780.0, 6_000, |_, _| Row {
        agent: "load-test/1".into(),
        ja4: None,
        ..Row::page(0.0, "198.51.100.5".into(), "/p/3".into())
    });
    let rows = together(vec![ordinary(QUIET_S, 3.0, 1), flood]);
    let found = |exempt: &str| {
        let (findings, detector) = detect_but(&rows, |row| row.ip == exempt);
        (latest(&findings).len(), detector.counters().exempt)
    };
    assert_eq!(found("198.51.100.5"), (0, 6_000));
    assert_eq!(found("198.51.100.6"), (1, 0));
}
