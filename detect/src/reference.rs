//! The detector's tables as a page for people: `docs/tests-and-weights.md`, which a test writes.

use std::fmt::Write as _;

use crate::config::DEFAULT_FALSE_ALARMS;
use crate::judge::evidence::{ATTACK, CROWD, PRIOR, WEIGHTS};
use crate::judge::{benign, kind};
use crate::normal::population::Population;
use crate::record::attribute::Attribute;
use crate::suspect::budget::{Budget, LOOKS};
use crate::suspect::source::table::{Shared, TESTS, Test};
use crate::suspect::source::{Circumstances, Solo, evidence as nats_of};

/// Features of the evidence that no table holds, with what each says.
const OTHER_FEATURES: [(&str, &str); 8] = [
    ("request_rate", "the host gets more requests than its forecast allows"),
    ("fingerprint", "a rule selects more than its ordinary share"),
    (
        "work_of_origin",
        "answers take the origin more than five times the ordinary time, in seconds a second; the score is the logarithm of how many \
         times",
    ),
    ("credentials_of_an_hour", "many sources try credentials within an hour, each of them seldom"),
    (
        "attack_texts_of_an_hour",
        "many sources send texts of attacks within an hour, each of them seldom, more than is usual",
    ),
    ("sources_reading_alone", "more sources than usual read pages alone, minute after minute"),
    ("requests_for_unknown_hosts", "more is asked of hosts that nobody knows than is usual"),
    (
        "rate_over_days",
        "more comes, for minutes and hours, than twice what the busiest minutes of an ordinary day bring: it was raised slowly",
    ),
];

/// Every feature that the evidence of an incident may name.
pub fn features() -> Vec<String> {
    let of_sources = Solo::ALL.iter().map(|solo| solo.feature().to_owned());
    let of_votes = Attribute::ALL.iter().map(|attribute| attribute.feature());
    let others = OTHER_FEATURES.iter().map(|(name, _)| (*name).to_owned());
    of_sources.chain(of_votes).chain(others).collect()
}

/// The page.
pub fn page() -> String {
    let mut page = String::from(
        "# Tests and weights\n\nWhat the detector looks for and how it judges what it finds: the numbers of its tests \
         and weights with where they come from. Where that is \"a choice\",\nit was chosen, not derived. This page is written from the \
         tables in `detect/src` by a test; `UPDATE_EXPECT=1 cargo test -p detect`\nrewrites it.\n",
    );
    false_alarms(&mut page);
    tests(&mut page);
    weights(&mut page);
    rules(&mut page);
    evidence(&mut page);
    page
}

fn line(page: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    // writing to a string cannot fail
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

/// What a test allows on a host of which nothing is known but that it has visitors with browsers.
fn usual(test: &Test) -> f64 {
    let population = Population { assets: 0.5, ..Population::default() };
    (test.envelope)(&Circumstances {
        population: &population,
        level: 1.0,
        learned: true,
        watched_s: 86_400,
        leads_away: false,
        origin_fails: false,
        budget: Budget::of(DEFAULT_FALSE_ALARMS),
        usual_writes_600: 0.0,
    })
}

fn false_alarms(page: &mut String) {
    let nats = Budget::of(DEFAULT_FALSE_ALARMS).nats;
    let borne = |nats: f64| libm::round(DEFAULT_FALSE_ALARMS * libm::exp(nats));
    let _ = write!(
        page,
        "\n## False alarms\n\n`suspect/budget.rs`. `false-alarms` is how many a site-day are allowed by chance, while a \
         host does what is ordinary for it;\n{DEFAULT_FALSE_ALARMS} unless set. What is looked at so often a day needs evidence \
         of ln(looks / `false-alarms`) nats, all together: {nats:.1} at\nthe default. Ten times fewer need 2.3 nats more.\n\n\
         | looked at | looks a site-day | because |\n| --- | --: | --- |\n",
    );
    for one in LOOKS {
        line(page, &[one.what, &one.a_day.to_string(), one.why]);
    }
    let _ = write!(
        page,
        "\nThe nats of a single source below were chosen, and move with the setting by the same bound: `k` times fewer false \
         alarms need\nln `k` nats more, `k` times more need ln `k` less, but never less than none. So that the promise holds for \
         such a row, no more\nordinary counts a site-day than `false-alarms` times eⁿ may go beyond its usual: {} at ten nats, {} at seven. \
         Where the floor is what\ntells (no nats), the setting has no say until it is so strict that it asks for more than the floor. \
         The gain that a rule needs, and\na campaign, move in the same way; floors on what is anybody's harm (`judge/worth.rs`) do not \
         move. `bench calibration` compares\nwhat was promised with what comes.\n",
        borne(10.0),
        borne(7.0),
    );
}

fn tests(page: &mut String) {
    page.push_str(
        "\n## Tests of a single source\n\n`suspect/source/table.rs`. A source stands out when its count, decayed with \
         so many seconds, reaches the floor, is at least\nthe share of what the source asks for, and is evidence of \
         so many nats that it is above the usual. *Quiet* is the floor on a host\nthat hardly has traffic; *usual* \
         is what is allowed where nothing is known of the host yet, and\n*at floor* the evidence of the floor against it. *Shared* is how an address is judged with five user\n\
         agents and more that loads assets or shows three JA4: like any other, by floor and usual times so many for each \
         user agent, or not at all.\n\n\
         | test | evidence | seconds | floor | quiet | usual | nats | at floor | share | shared |\n\
         | --- | --- | --: | --: | --: | --: | --: | --: | --: | --- |\n",
    );
    let some = |x: f64, is: bool| if is { x.to_string() } else { String::new() };
    for test in TESTS {
        let quiet = some(test.quiet_floor, test.quiet_floor.is_finite());
        let share = some(test.share, test.share > 0.0);
        let [seconds, floor, usual, nats] =
            [test.scale_s, test.floor, usual(test), test.nats].map(|x| x.to_string());
        let at_floor = format!("{:.1}", nats_of(test.floor, self::usual(test)));
        let feature = format!("`{}`", test.solo.feature());
        let name = format!("`{}`", test.name);
        let shared = match test.shared {
            Shared::AsOne => "like any other".to_owned(),
            Shared::AsMany(each) => format!("times {each} each"),
            Shared::Skipped => "not".to_owned(),
        };
        line(
            page,
            &[&name, &feature, &seconds, &floor, &quiet, &usual, &nats, &at_floor, &share, &shared],
        );
    }
    page.push_str("\nWhere the numbers come from:\n\n");
    for test in TESTS {
        let mut says = vec![("floor", test.why), ("usual", test.usual), ("nats", test.why_nats)];
        says.extend(test.quiet_floor.is_finite().then_some(("quiet", test.why_quiet)));
        says.extend((test.share > 0.0).then_some(("share", test.why_share)));
        let says: Vec<String> =
            says.iter().map(|(what, why)| format!("*{what}*: {why}.")).collect();
        let _ = writeln!(page, "- `{}` {}", test.name, says.join(" "));
    }
}

fn weights(page: &mut String) {
    let _ = write!(
        page,
        "\n## Weights of evidence\n\n`judge/evidence.rs`. What many sources have in common is judged by the sum of\n\
         these: log odds, of {PRIOR} before anything is known (of the sudden excesses on public sites about one in \
         five is hostile).\nFrom {ATTACK} on (seven to one, a choice) it is an attack; below {CROWD} (three to one against, a \
         choice) it is a crowd; between, it is\nsuspicious.\n\n\
         | evidence | weight | least | most | the weight comes from | the limits come from |\n\
         | --- | --: | --: | --: | --- | --- |\n",
    );
    for weight in WEIGHTS {
        let name = format!("`{}`", weight.name);
        let [nats, least, most] =
            [weight.weight, weight.clamp.0, weight.clamp.1].map(|x| x.to_string());
        line(page, &[&name, &nats, &least, &most, weight.why, weight.why_clamp]);
    }
}

fn rules(page: &mut String) {
    let head = "| rule | kind | fits when | the numbers come from |\n| --- | --- | --- | --- |\n";
    for (about, rules) in [
        (
            "## What is no attack\n\n`judge/benign.rs`. The first rule that fits is the answer, whatever the weights say.",
            benign::RULES,
        ),
        (
            "## What kind of attack\n\n`judge/kind.rs`. The first rule that fits is the answer; where none does, it is \
             an `http_flood`.",
            kind::RULES,
        ),
    ] {
        let _ = write!(page, "\n{about}\n\n{head}");
        for rule in rules {
            let (name, kind) = (format!("`{}`", rule.name), format!("`{}`", rule.kind));
            line(page, &[&name, &kind, rule.says, rule.why]);
        }
    }
}

fn evidence(page: &mut String) {
    page.push_str(
        "\n## Other evidence\n\nBesides the tests of single sources, the `evidence` of an incident names:\n\n\
         | evidence | says |\n| --- | --- |\n",
    );
    for (name, says) in OTHER_FEATURES {
        line(page, &[&format!("`{name}`"), says]);
    }
    for attribute in Attribute::ALL {
        let says = format!(
            "more sources than usual have one value of this in common; \
             the evidence counts votes of negative-binomial size {}",
            attribute.size()
        );
        line(page, &[&format!("`{}`", attribute.feature()), &says]);
    }
}
