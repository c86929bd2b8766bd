//! The report as a page of Markdown.

use std::fmt::Write as _;

use chrono::Utc;
use detect::DetectConfig;
use schemas::Verdict;
use schemas::text::thousands;

use super::figures::{garwood, wilson};
use super::tally::{Tally, bins};
use super::{Counted, DEFAULT, SETTINGS};
use crate::machine::Machine;

/// The whole page.
pub fn page(counted: &Counted, machine: &Machine) -> String {
    let mut page = format!(
        "# Calibration\n\n\
         What the detector promises beside what came. Written by `bench calibration`; nothing of it is a benchmark.\n\n\
         - Command: `cargo run --release -p bench -- {}`\n\
         - Time: {}\n\
         - Commit: {}\n",
        command(std::env::args().skip(1)),
        Utc::now().format("%Y-%m-%d %H:%M UTC"),
        machine.commit,
    );
    false_alarms(&mut page, &counted.clean, &counted.planted);
    causes(&mut page, "What raised them", &counted.clean);
    confidence(&mut page, counted);
    if counted.logs.logs > 0 {
        logs(&mut page, &counted.logs);
    }
    page
}

/// The command without the names of others' logs, which are nobody's matter.
fn command(args: impl Iterator<Item = String>) -> String {
    let mut of_logs = false;
    let mut kept = Vec::new();
    for arg in args {
        if arg.starts_with("--") {
            of_logs = arg == "--logs";
            let is_named = arg.starts_with("--logs");
            kept.push(if is_named { "--logs …".to_owned() } else { arg });
        } else if !of_logs {
            kept.push(arg);
        }
    }
    kept.join(" ")
}

/// Adds text; writing to a string cannot fail.
macro_rules! add {
    ($page:expr, $($text:tt)*) => {{ let _ = write!($page, $($text)*); }};
}

fn false_alarms(page: &mut String, clean: &Tally, planted: &Tally) {
    add!(
        page,
        "\n## False alarms: promised and observed\n\n\
         {} site-days of generated traffic without an attack ({} logs, {} records), and {} attacks planted in {} more logs.\n\
         *Of the rate* and *of votes* are alarms: how often the evidence against a host's rate or votes reached what the setting asks for, which is what the\n\
         bound of `docs/tests-and-weights.md` speaks of; most come to nothing, for no rule selects an excess that is anybody's harm.\n\
         An incident that was ever called `attack` or `suspicious` is a false alarm. *Promised* is the setting; the interval is\n\
         Garwood's, 95 %. *Found* are planted attacks on whose host something was decided before they were over for a minute;\n\
         *delay* is the median time from their first request to the decision.\n\n\
         ![Promised against observed](false-alarms.svg)\n\n\
         | promised | of the rate | of votes | a site-day | false alarms | called attack | a site-day | from | to | found | delay |\n\
         | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n",
        number(clean.site_days),
        clean.logs,
        thousands(clean.records),
        planted.attacks,
        planted.logs,
    );
    for (at, setting) in SETTINGS.iter().enumerate() {
        let count = clean.false_alarms(at).count() as u64;
        let attacks = clean.false_alarms(at).filter(|told| told.worst == Verdict::Attack).count();
        let (low, high) = garwood(count, clean.site_days);
        let alarms = clean.alarms[at];
        let delay = planted.median_delay_s(at).map_or_else(String::new, |s| format!("{s:.1} s"));
        add!(
            page,
            "| {} | {} | {} | {} | {count} | {attacks} | {} | {} | {} | {} of {} | {delay} |\n",
            setting_of(at, *setting),
            alarms.rate,
            alarms.votes,
            number(per_day(alarms.rate + alarms.votes, clean.site_days)),
            number(per_day(count, clean.site_days)),
            number(low),
            number(high),
            planted.delays_s[at].len(),
            planted.attacks,
        );
    }
}

fn setting_of(at: usize, setting: f64) -> String {
    let is_default = (setting - DetectConfig::default().false_alarms).abs() < f64::EPSILON;
    debug_assert_eq!(is_default, at == DEFAULT, "the default is one of those compared");
    if is_default { format!("**{setting}**") } else { setting.to_string() }
}

/// Which evidence was the strongest of those that were told of.
fn causes(page: &mut String, title: &str, tally: &Tally) {
    let all: Vec<Vec<(String, u64)>> = (0..SETTINGS.len()).map(|at| tally.by_feature(at)).collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in all.iter().flatten() {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    add!(page, "\n### {title}\n\n");
    if names.is_empty() {
        add!(page, "Nothing.\n");
        return;
    }
    let settings: Vec<String> = SETTINGS.iter().map(ToString::to_string).collect();
    add!(
        page,
        "| strongest evidence | {} |\n| --- |{}\n",
        settings.join(" | "),
        " --: |".repeat(SETTINGS.len())
    );
    for name in names {
        let cells: Vec<String> = all
            .iter()
            .map(|of| of.iter().find(|(known, _)| known == name).map_or(0, |(_, n)| *n).to_string())
            .collect();
        add!(page, "| `{name}` | {} |\n", cells.join(" | "));
    }
}

fn confidence(page: &mut String, counted: &Counted) {
    let both = counted.planted.judged[DEFAULT].iter().chain(&counted.clean.judged[DEFAULT]);
    add!(
        page,
        "\n## Confidence: said and right\n\n\
         Every incident of the logs above under the default, benign ones included, by the confidence it opened with: the\n\
         probability that it is an attack. It is right where a planted attack was behind it. The interval is Wilson's, 95 %. The\n\
         share depends on how many attacks there are among what stands out: here {} attacks in {} logs, with a crowd, a deployment\n\
         and an outage each.\n\n\
         ![Said against right](confidence.svg)\n\n\
         | confidence | mean said | incidents | attacks | share | from | to |\n\
         | --- | --: | --: | --: | --: | --: | --: |\n",
        counted.planted.attacks,
        counted.planted.logs,
    );
    for bin in bins(both) {
        let (low, high) = wilson(bin.right, bin.of);
        let share = per_day(bin.right, crate::measure::float(bin.of));
        add!(
            page,
            "| {}–{} | {:.3} | {} | {} | {share:.3} | {low:.3} | {high:.3} |\n",
            bin.from,
            bin.to,
            bin.said,
            bin.of,
            bin.right,
        );
    }
    causes(page, "False alarms among the planted", &counted.planted);
}

fn logs(page: &mut String, logs: &Tally) {
    add!(
        page,
        "\n## Logs of which no truth is known\n\n\
         {} logs, {} records, {} site-days (a host's day with a hundred requests or more). Attacks on real sites are among them: what\n\
         is observed here bounds the false alarms from above, and says how the setting moves them.\n\n\
         | promised | incidents | called attack | observed a site-day | from | to |\n\
         | --: | --: | --: | --: | --: | --: |\n",
        logs.logs,
        thousands(logs.records),
        number(logs.site_days),
    );
    for (at, setting) in SETTINGS.iter().enumerate() {
        let count = logs.false_alarms(at).count() as u64;
        let attacks = logs.false_alarms(at).filter(|told| told.worst == Verdict::Attack).count();
        let (low, high) = garwood(count, logs.site_days);
        add!(
            page,
            "| {} | {count} | {attacks} | {} | {} | {} |\n",
            setting_of(at, *setting),
            number(per_day(count, logs.site_days)),
            number(low),
            number(high),
        );
    }
    causes(page, "What they were found by", logs);
}

/// A count over so much.
pub fn per_day(count: u64, over: f64) -> f64 {
    crate::measure::float(count) / over.max(f64::MIN_POSITIVE)
}

/// Three digits that count.
fn number(x: f64) -> String {
    match x {
        0.0 => "0".to_owned(),
        x if x >= 100.0 => format!("{x:.0}"),
        x if x >= 1.0 => format!("{x:.2}"),
        x if x >= 0.001 => format!("{x:.4}"),
        x => format!("{x:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::watch::{Told, Watched};

    #[test]
    fn the_command_does_not_name_the_logs_of_others() {
        let told = |line: &str| command(line.split(' ').map(str::to_owned));
        assert_eq!(told("calibration --logs a b --out c"), "calibration --logs … --out c");
        assert_eq!(
            told("calibration --site-days 7 --logs=a"),
            "calibration --site-days 7 --logs …"
        );
    }

    #[test]
    fn the_page_has_a_row_for_every_setting_and_says_what_was_counted() {
        let mut watched = Watched { records: 1_234, site_days: 50.0, ..Watched::default() };
        watched.told[0].push(Told {
            host: "a".to_owned(),
            detected_us: 0,
            confidence: 0.9,
            worst: Verdict::Attack,
            feature: "request_rate".to_owned(),
        });
        watched.alarms[0] = detect::Alarms { rate: 1, votes: 2 };
        let mut counted = Counted::default();
        counted.clean.add(watched, &[]);
        let page = page(&counted, &Machine::now());
        assert!(
            page.contains("| 10 | 1 | 2 | 0.0600 | 1 | 1 | 0.0200 | 5.1e-4 | 0.1114 | 0 of 0 |"),
            "{page}"
        );
        assert!(page.contains("| **0.01** | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0.0738 |"), "{page}");
        assert!(page.contains("| `request_rate` | 1 | 0 | 0 | 0 | 0 | 0 |"), "{page}");
        assert!(!page.contains("no truth"), "{page}");
    }
}
