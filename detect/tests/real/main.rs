//! Traffic made after reports of real incidents: what must be found in it, what must not, with what kind, from
//! whom. A scenario has two seeds and a test for each.
#![cfg(test)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "small numbers"
)]

mod apps;
mod campaigns;
mod classes;
mod costs;
mod crawlers;
mod crowd;
mod draws;
mod editors;
mod excuses;
mod expect;
mod faults;
mod fired;
mod floods;
mod letters;
mod logins;
mod misses;
mod ordinary;
mod origins;
mod packages;
mod polls;
mod predicate;
mod programs;
mod pulses;
mod queues;
mod quiet;
mod refusals;
mod scans;
mod scene;
mod seasons;
mod services;
mod shields;
mod silence;
mod sprays;
mod swarm;
mod texts;
#[path = "../traffic/mod.rs"]
mod traffic;
mod views;
mod weaknesses;

use std::sync::OnceLock;

use expect::{Outcome, Scenario};

type Make = fn(u64) -> Scenario;

/// What came of the first seed of each scenario: run once, by whichever test asks for it first.
static FIRST_SEED: [OnceLock<Outcome>; ALL.len()] = [const { OnceLock::new() }; ALL.len()];

fn check(name: &str, seed: u64) {
    if seed == 1 {
        return assert_right(first_seed(name));
    }
    let (_, make) = ALL.iter().find(|(known, _)| *known == name).unwrap();
    assert_right(&make(seed).run());
}

/// What came of a scenario with seed 1.
fn first_seed(name: &str) -> &'static Outcome {
    let at = ALL.iter().position(|(known, _)| *known == name).unwrap();
    FIRST_SEED[at].get_or_init(|| (ALL[at].1)(1).run())
}

fn assert_right(Outcome { came, wrong, .. }: &Outcome) {
    assert!(wrong.is_empty(), "wrong: {wrong:#?}\nfound: {came:#?}");
}

macro_rules! scenarios {
    ($($name:ident = $make:path),* $(,)?) => {
        /// Every scenario by name.
        const ALL: &[(&str, Make)] = &[$((stringify!($name), $make)),*];
        $(mod $name {
            #[test]
            fn seed_1() {
                super::check(stringify!($name), 1);
            }
            #[test]
            fn seed_2() {
                super::check(stringify!($name), 2);
            }
        })*
    };
}

scenarios! {
    swarm_of_homes_reads_versions = swarm::of_versions,
    swarm_of_homes_reads_paths = swarm::of_paths,
    swarm_meets_challenge_pages = swarm::challenged,
    link_goes_round = crowd::link_held,
    link_goes_round_and_the_origin_fails = crowd::link_overloaded,
    programs_poll_in_vain = programs::poll_in_vain,
    reconnect_storm = programs::reconnect_storm,
    connections_that_send_nothing = silence::connections,
    ordinary_blog = ordinary::blog,
    ordinary_wiki = ordinary::wiki,
    ordinary_catalogue = ordinary::catalogue,
    ordinary_news = ordinary::news,
    ordinary_shop = ordinary::shop,
    ordinary_chat = ordinary::chat,
    ordinary_cloud = ordinary::cloud,
    ordinary_small_sites = ordinary::small,
    waiting_room = polls::waiting_room,
    auction_ends = polls::auction_ends,
    browsers_watch = polls::browsers_watch,
    programs_watch = polls::programs_watch,
    assistants_read = polls::assistants_read,
    crawler_of_two_names = polls::crawler_of_two_names,
    two_want_long_answers = polls::two_want_long_answers,
    letter_to_very_many = letters::to_very_many,
    archive_of_letters_is_copied = letters::archive_is_copied,
    newsletter_with_keys = polls::newsletter_with_keys,
    opened_once_then_flooded = polls::opened_once_then_flooded,
    one_image_by_few = polls::one_image_by_few,
    podcast_release = crowd::podcast,
    stream_begins = crowd::stream_begins,
    sale_begins = crowd::sale,
    campus_behind_one_address = crowd::campus,
    referrer_spam = crowd::referrer_spam,
    handshakes_401 = programs::handshakes,
    office_after_password_change = programs::office_after_password_change,
    uploads_logged_late = programs::uploads_logged_late,
    preconnects_alone = silence::preconnects_alone,
    rapid_reset = silence::rapid_reset,
    stream_abuse = silence::stream_abuse,
    login_waves_over_30_hosts = logins::waves,
    xmlrpc_answered_200 = logins::xmlrpc,
    xmlrpc_twice_slashed = logins::xmlrpc_twice_slashed,
    login_joomla = logins::joomla,
    login_phpmyadmin = logins::phpmyadmin,
    login_router = logins::router,
    login_json_in_german = logins::json_in_german,
    login_graphql = logins::graphql,
    login_by_refused_browsers = logins::refused_browsers,
    login_by_browsers_that_get_the_form_again = logins::browsers_get_the_form_again,
    logins_refused_to_all = logins::refused_all,
    login_spread_over_thousands = logins::spread_over_thousands,
    login_spread_behind_one = logins::spread_behind_one,
    login_twice_an_hour = logins::twice_an_hour,
    login_named_by_a_setting = logins::named_by_a_setting,
    login_before_anybody_came = logins::before_anybody_came,
    scan_refused_by_the_edge = scans::refused_by_the_edge,
    scan_moved_to_https = scans::moved_to_https,
    scan_asked_twice = scans::asked_twice,
    scan_catch_all = scans::catch_all,
    scan_refused_405 = scans::refused_405,
    scan_refused_406 = scans::refused_406,
    scan_refused_421 = scans::refused_421,
    scan_slow = scans::slow,
    scan_by_many = scans::by_many,
    injection = scans::injection,
    exploit_burst_in_queries = scans::burst_in_queries,
    exploit_burst_of_commands = scans::burst_of_commands,
    attack_texts_of_many = texts::of_many,
    attack_texts_in_agents = texts::in_agents,
    attack_texts_fetched_from_within = texts::fetched_from_within,
    attack_texts_sent_back_home = texts::sent_back_home,
    attack_texts_of_every_day = texts::of_every_day,
    attack_texts_of_a_wave = texts::of_a_wave,
    attack_texts_in_a_link = texts::in_a_link,
    enumeration = scans::enumeration,
    enumeration_in_queries = scans::enumeration_in_queries,
    pictures_of_members = scans::pictures_of_members,
    pictures_in_an_app = scans::pictures_in_an_app,
    orders_of_others = scans::orders_of_others,
    asks_for_what_is_gone = scans::asks_for_what_is_gone,
    scrapers_with_own_referers = scans::scrapers_with_own_referers,
    false_googlebot = scans::false_googlebot,
    image_proxies = services::image_proxies,
    link_previews = services::link_previews,
    feed_readers = services::feed_readers,
    readers_of_one_name_at_the_hour = services::readers_of_one_name,
    crawler_from_a_dozen_networks = services::crawler_from_a_dozen,
    monitors = services::monitors,
    nightly_backup = services::nightly_backup,
    jetpack = services::jetpack,
    screens_that_wait = services::screens_that_wait,
    quota_used_up = services::quota_used_up,
    token_refresh = services::token_refresh,
    telemetry = services::telemetry,
    page_polling = services::polling,
    webhooks = services::webhooks,
    tiny_excess = services::tiny_excess,
    large_host_flooded = floods::large_host,
    random_hosts = floods::random_hosts,
    bulk_download = floods::bulk_download,
    new_program_adds_a_third = floods::new_program,
    drawn_again_by_six = draws::of_six,
    drawn_again_by_one = draws::of_one,
    drawn_once_by_each = draws::each_once,
    range_abuse = floods::range_abuse,
    pulses_of_a_resolver = pulses::of_a_resolver,
    flood_from_one_country = floods::from_one_country,
    flood_of_one_machine = costs::one_machine,
    flood_past_the_caches = costs::past_the_caches,
    flood_of_dear_searches = costs::dear_searches,
    dear_searches_of_a_busy_site = costs::dear_searches_of_a_busy_site,
    slow_pages_of_a_busy_site = costs::slow_pages_of_a_busy_site,
    dear_reports_of_few = costs::dear_reports_of_few,
    dear_reports_of_three = costs::dear_reports_of_three,
    dear_queries_for_long = costs::dear_queries_for_long,
    slow_pages_for_all = costs::slow_pages_for_all,
    flood_that_is_turned_down = costs::flood_that_is_turned_down,
    flood_that_takes_long = shields::flood_that_takes_long,
    job_that_takes_long = shields::job_that_takes_long,
    search_behind_a_job = shields::search_behind_a_job,
    brisk_crawl = costs::brisk_crawl,
    people_follow_a_link = crowd::people_follow_a_link,
    polite_crawler = services::polite_crawler,
    origin_down = faults::origin_down,
    deploy_renames_assets = faults::deploy,
    login_slow_from_hundreds = logins::slow_from_hundreds,
    login_on_a_quiet_host = logins::on_a_quiet_host,
    scraper_of_sixty_a_minute = scans::scraper_of_sixty_a_minute,
    scraper_of_fifteen_a_minute = scans::scraper_of_fifteen_a_minute,
    readers_for_an_hour = scans::readers_for_an_hour,
    one_address_of_many_names_tries_passwords = excuses::names_try_passwords,
    one_address_of_many_names_floods = excuses::names_flood,
    flood_that_succeeds = excuses::flood_that_succeeds,
    passwords_as_deliveries = excuses::deliveries_of_passwords,
    flood_behind_four_incidents = excuses::behind_four_incidents,
    passwords_behind_four_incidents = excuses::passwords_behind_four,
    search_by_known_sources = excuses::search_by_known,
    clients_challenged_each_time = excuses::challenged_clients,
    chat_polls = excuses::chat_polls,
    servers_post_alike = excuses::servers_post,
    live_video = excuses::live_video,
    two_weeks_of_evenings = seasons::two_weeks,
    bots_at_night_as_many_as_in_the_evening = seasons::at_night,
    bots_in_the_evening = seasons::in_the_evening,
    raised_over_days = seasons::raised_over_days,
    grown_over_days = seasons::grown_over_days,
    two_try_passwords_at_once = logins::two_at_once,
    crawled_downloads = quiet::crawled_downloads,
    drawn_downloads = quiet::drawn_downloads,
    quiet_host_shell_texts = quiet::shell_texts,
    quiet_host_past_the_caches = quiet::past_the_caches,
    quiet_host_newsletter = quiet::newsletter,
    quiet_host_searched_slowly = quiet::searched_slowly,
    quiet_host_passed_by_robots = quiet::passed_by_robots,
    quiet_host_pulses = quiet::pulses,
    watched_from_thirty_places = quiet::watched_from_thirty_places,
    spams_a_form_and_follows_links = quiet::spams_and_follows,
    owner_looks_through = quiet::owner_looks_through,
    misreads_links = quiet::misreads_links,
    calls_with_tokens = quiet::calls_with_tokens,
    office_in_spells = quiet::office_in_spells,
    searched_where_all_had_a_referer = quiet::searched_where_all_had_a_referer,
    app_logs_in = apps::logs_in,
    app_message_to_all_phones = apps::push,
    app_codes_by_message = apps::codes_by_message,
    app_cards_tried = apps::cards,
    app_cards_tried_by_few = apps::cards_of_few,
    app_deep_queries = apps::deep_queries,
    app_searches_as_paths = apps::searches_as_paths,
    app_members_counted = apps::members_counted,
    named_on_television = apps::television,
    tickets_on_sale = apps::ticket_sale,
    keys_guessed_by_reading = refusals::keys_guessed,
    passwords_for_folders_of_others = refusals::folders_of_others,
    application_asks_who_it_is = refusals::asked_who_it_is,
    fetched_after_a_refusal = refusals::fetched_after_a_refusal,
    closed_to_crawlers_and_old_keys = refusals::closed_to_them,
    keys_stop_working = refusals::keys_stop_working,
    guesses_with_a_key_of_its_own = refusals::guesses_with_a_key_of_its_own,
    login_broken_within_a_second = logins::broken_within_a_second,
    login_moved_for_good = logins::moved_for_good,
    login_fails_for_all = logins::fails_for_all,
    login_forms_flooded = logins::flood_of_forms,
    all_log_in_at_once = logins::all_log_in_at_once,
    login_cannot_be_asked = logins::cannot_be_asked,
    login_tried_until_it_fails = logins::tried_until_it_fails,
    codes_guessed_404 = refusals::codes_guessed,
    posts_to_what_is_gone = refusals::posts_to_what_is_gone,
    queue_handed_over = queues::handed_over,
    queue_handed_over_late = queues::handed_over_late,
    queue_of_guesses = queues::guesses_in_queries,
    queue_of_who_broke_in = queues::guesses_and_goes_on,
    editor_of_a_post = editors::of_a_post,
    editor_of_a_post_without_host = editors::of_a_post_without_host,
    editor_tries_of_a_form = editors::tries_of_a_form,
    editor_tries_of_a_form_without_host = editors::tries_of_a_form_without_host,
    editor_tries_in_the_name_of_a_page = editors::tries_in_the_name_of_a_page,
    editor_tries_of_who_was_let_in = editors::tries_of_who_was_let_in,
    page_viewed_through_a_proxy = views::through_a_proxy,
    pages_viewed_by_a_service = views::by_a_service,
    files_again_and_again = views::files_again_and_again,
    files_without_the_page = views::files_without_the_page,
    files_of_a_page_at_volume = views::files_at_volume,
    crawler_of_several_names = crawlers::of_several_names,
    crawler_that_poses_as_a_browser = crawlers::poses_as_a_browser,
    crawler_that_goes_on_as_a_browser = crawlers::goes_on_as_a_browser,
    search_under_the_name_of_a_crawler = crawlers::searches_under_a_name,
    passwords_under_the_name_of_a_crawler = crawlers::passwords_under_names,
    flood_under_the_name_of_a_crawler = crawlers::floods_under_a_name,
    links_in_scripts = misses::links_in_scripts,
    search_between_pages = misses::search_between_pages,
    walk_where_all_is_moved = misses::walk_where_all_is_moved,
    search_where_all_is_moved = misses::search_where_all_is_moved,
    links_without_a_slash = misses::links_without_a_slash,
    commands_taken = weaknesses::commands_taken,
    commands_sent_on = weaknesses::commands_sent_on,
    searches_for_commands = weaknesses::searches_for_commands,
    list_in_a_quarter_of_a_minute = weaknesses::list_in_a_quarter_of_a_minute,
    plugins_one_by_one = weaknesses::plugins_one_by_one,
    passes_under_a_tools_name = weaknesses::passes_under_a_tools_name,
    ordinary_misses = weaknesses::ordinary_misses,
    pictures_in_ever_new_sizes = origins::ever_new_sizes,
    pictures_of_a_new_album = origins::new_album,
    dearest_endpoint_of_an_application = origins::dearest_endpoint,
    strike_is_announced_to_an_application = origins::a_strike_is_announced,
    passwords_among_those_who_come_in = sprays::among_those_who_come_in,
    customers_on_payday = sprays::on_payday,
    expression_in_a_path = weaknesses::expression_in_a_path,
    packages_are_installed = packages::installations,
    packages_without_end = packages::goes_on,
    package_again_and_again = packages::asks_again,
    exam_begins = classes::exam_begins,
    exam_without_pages = classes::writes_without_pages,
}

/// Scenarios whose answer is compared over numbers of partitions.
const DEALT: &[&str] = &[
    "new_program_adds_a_third",
    "rapid_reset",
    "xmlrpc_twice_slashed",
    "people_follow_a_link",
    "scan_refused_by_the_edge",
    "swarm_of_homes_reads_paths",
    "random_hosts",
    "login_waves_over_30_hosts",
];

#[test]
fn the_answer_is_the_same_with_1_4_and_12_partitions() {
    for name in DEALT {
        let (_, make) = ALL.iter().find(|(known, _)| known == name).unwrap();
        let scenario = make(1);
        let one = scenario.dealt(1);
        assert!(!one.is_empty(), "{name}: nothing is found");
        for partitions in [4, 12] {
            assert_eq!(scenario.dealt(partitions), one, "{name} with {partitions} partitions");
        }
    }
}

#[test]
#[ignore = "prints what comes out of every scenario; ONLY=part of a name picks some, SEEDS=n takes n seeds"]
fn table() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let seeds = std::env::var("SEEDS").map_or(2, |seeds| seeds.parse().unwrap());
    for (name, make) in ALL.iter().filter(|(name, _)| name.contains(&only)) {
        for seed in 1..=seeds {
            let start = std::time::Instant::now();
            let scenario = make(seed);
            let made = start.elapsed();
            let Outcome { came, wrong, .. } = scenario.run();
            let right = if wrong.is_empty() { "right" } else { "WRONG" };
            let rows = scenario.rows.len();
            println!(
                "{right} {name} {seed} ({rows} rows, made {made:.1?}, all {:.1?})",
                start.elapsed()
            );
            for line in came {
                println!("    came  {line}");
            }
            for line in wrong {
                println!("    wrong {line}");
            }
        }
    }
}
