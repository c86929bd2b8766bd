//! An incident as a person reads it: a block when it opens, a line when something that matters has changed, a line when
//! it is over.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use schemas::incident::{rfc3339_utc, subject};
use schemas::text::{escape, thousands};
use schemas::{Incident, State, Verdict};

use super::campaign::Totals;
use super::printed::{Changes, Telling};

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

/// Sources named in the block.
const SOURCES_SHOWN: usize = 5;

/// Characters shown of a target or a source.
const WORD_CHARS_MAX: usize = 80;

/// Characters shown of a fingerprint, in a block and in a line.
const FINGERPRINT_CHARS_MAX: [usize; 2] = [480, 160];

/// Writes what is to be told of a revision.
///
/// Colours are written as ANSI escapes; the stream strips them where they are not wanted.
///
/// # Errors
/// Whatever the stream reports.
pub(super) fn write(
    out: &mut impl Write,
    incident: &Incident,
    telling: &Telling,
) -> io::Result<()> {
    match telling {
        Telling::Nothing => Ok(()),
        Telling::Block => block(out, incident),
        Telling::Update(changes) => update(out, incident, *changes),
        Telling::Also => also(out, incident),
        Telling::Close(campaign) => {
            close(out, incident)?;
            campaign.map_or(Ok(()), |totals| end(out, incident, totals))
        }
        Telling::End(totals) => end(out, incident, *totals),
    }
}

fn block(out: &mut impl Write, incident: &Incident) -> io::Result<()> {
    let style = style(incident.verdict);
    let verdict = incident.verdict.as_str().to_uppercase();
    let since = match incident.state {
        State::Open => String::new(),
        State::Update | State::Close => format!("  since {}", time(incident.first_ts)),
    };
    writeln!(
        out,
        "{} {style}{verdict} {}{style:#}  {}{since}",
        time(incident.revision_ts),
        severity(incident.severity),
        whom(incident),
    )?;
    writeln!(out, "  {DIM}{}{DIM:#}", incident.kind.row().says)?;
    let (rate, amount) = summary(incident);
    line(out, "rate", &escape(rate))?;
    if let Some(amount) = amount {
        line(out, "so far", &escape(amount))?;
    }
    if !incident.sources.is_empty() {
        line(out, "from", &sources(incident))?;
    }
    if let Some(fingerprint) = &incident.fingerprint {
        line(out, "where", &shortened(fingerprint, FINGERPRINT_CHARS_MAX[0]))?;
        if let Some(quality) = quality(incident) {
            line(out, "", &quality)?;
        }
    }
    line(out, "id", &escape(&incident.incident_id))
}

fn line(out: &mut impl Write, label: &str, text: &str) -> io::Result<()> {
    writeln!(out, "  {DIM}{label:<6}{DIM:#}  {text}")
}

/// The summary's part on how fast, and that on how much, without whom it is about: the headline says that.
fn summary(incident: &Incident) -> (&str, Option<&str>) {
    let whom = subject(incident.kind, incident.verdict, incident.target_host.as_deref());
    let rest = incident.summary.strip_prefix(&whom).and_then(|rest| rest.strip_prefix(": "));
    match rest.and_then(|rest| rest.split_once("; ")) {
        Some((rate, amount)) => (rate, Some(amount)),
        None => (rest.unwrap_or(&incident.summary), None),
    }
}

fn update(out: &mut impl Write, incident: &Incident, changes: Changes) -> io::Result<()> {
    let mut news = Vec::new();
    if let Some(before) = changes.verdict {
        news.push(format!("held to be {} → {}", before, incident.verdict));
    }
    if let Some(before) = changes.kind {
        news.push(format!("kind {} → {}", before, incident.kind));
    }
    if let Some(before) = changes.severity {
        news.push(format!("severity {} → {}", severity(before), severity(incident.severity)));
    }
    if changes.target {
        news.push("target changed".to_owned());
    }
    if changes.fingerprint {
        let fingerprint = incident.fingerprint.as_deref();
        let now = fingerprint.map_or_else(
            || "none any more".to_owned(),
            |text| shortened(text, FINGERPRINT_CHARS_MAX[1]),
        );
        let quality = quality(incident).map_or_else(String::new, |text| format!(" ({text})"));
        news.push(format!("where {now}{quality}"));
    }
    let style = style(incident.verdict);
    one_line(out, incident, &format!("{style}UPDATE{style:#}"), &news.join("; "))
}

fn close(out: &mut impl Write, incident: &Incident) -> io::Result<()> {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Green.into()));
    let count = |number: i64| thousands(u64::try_from(number).unwrap_or(0));
    let noun = if incident.source_count == 1 { "source" } else { "sources" };
    // Of most attacks nothing is ordinary.
    let above = match incident.excess_requests {
        excess if excess >= incident.requests => String::new(),
        excess => format!(", {} above the forecast,", count(excess)),
    };
    let totals = format!(
        "lasted {}: {} requests{above} from {} {noun}; held to be {}, severity {}",
        duration(incident.last_ts - incident.first_ts),
        count(incident.requests),
        count(incident.source_count),
        incident.verdict,
        severity(incident.severity),
    );
    one_line(out, incident, &format!("{style}OVER{style:#}"), &totals)
}

/// The same attack on one more host.
fn also(out: &mut impl Write, incident: &Incident) -> io::Result<()> {
    let style = style(incident.verdict);
    let hosts = thousands(incident.campaign_hosts.unwrap_or(0).unsigned_abs().into());
    let campaign = escape(incident.campaign_id.as_deref().unwrap_or_default());
    let news = format!(
        "{hosts} hosts in all; severity {}; campaign {campaign}",
        severity(incident.severity)
    );
    one_line(out, incident, &format!("{style}ALSO{style:#}"), &news)
}

/// All of a campaign is over.
fn end(out: &mut impl Write, incident: &Incident, totals: Totals) -> io::Result<()> {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Green.into()));
    let campaign = incident.campaign_id.as_deref().unwrap_or(&incident.incident_id);
    writeln!(
        out,
        "{} {style}OVER{style:#} {BOLD}{} hosts{BOLD:#} in all  lasted {}: {} requests  {DIM}campaign {}{DIM:#}",
        time(incident.revision_ts),
        thousands(totals.hosts.unsigned_abs().into()),
        duration(totals.last_ts - totals.first_ts),
        thousands(u64::try_from(totals.requests).unwrap_or(0)),
        escape(campaign),
    )
}

fn one_line(out: &mut impl Write, incident: &Incident, word: &str, news: &str) -> io::Result<()> {
    let id = escape(&incident.incident_id);
    let time = time(incident.revision_ts);
    writeln!(out, "{time} {word} {}  {news}  {DIM}id {id}{DIM:#}", whom(incident))
}

/// `http_flood on shop.example/login`, in bold.
fn whom(incident: &Incident) -> String {
    let target = match (&incident.target_host, &incident.target_path) {
        (Some(host), Some(path)) => word(&format!("{host}{path}")),
        (Some(one), None) | (None, Some(one)) => word(one),
        (None, None) => "all hosts".to_owned(),
    };
    format!("{BOLD}{}{BOLD:#} on {BOLD}{target}{BOLD:#}", incident.kind)
}

/// Event time to the second; the tables have the rest.
fn time(us: i64) -> String {
    let text = rfc3339_utc(us);
    text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

fn style(verdict: Verdict) -> Style {
    let color = match verdict {
        Verdict::Attack => AnsiColor::Red,
        Verdict::Suspicious => AnsiColor::Yellow,
        Verdict::Benign => AnsiColor::Cyan,
    };
    Style::new().bold().fg_color(Some(color.into()))
}

fn severity(severity: i32) -> String {
    format!("{severity} {}", level(severity))
}

/// The word for a severity, as in the reference of the `severity` column.
pub(super) const fn level(severity: i32) -> &'static str {
    match severity {
        80.. => "critical",
        60.. => "high",
        35.. => "medium",
        _ => "low",
    }
}

/// What is predicted of the fingerprint, with the bounds that count: what it misses at worst, and whom it hits.
fn quality(incident: &Incident) -> Option<String> {
    let recall =
        ("at least", incident.fingerprint_recall_lower.map(|bound| outwards(bound, f64::floor)));
    let collateral =
        ("at most", incident.fingerprint_collateral_upper.map(|bound| outwards(bound, f64::ceil)));
    let part = |name: &str, share: Option<f64>, (word, bound): (&str, Option<f64>)| {
        let share = percent(share?);
        let bound = bound.map(percent).filter(|bound| *bound != share);
        let bound = bound.map_or_else(String::new, |bound| format!(" ({word} {bound})"));
        Some(format!("{name} {share}{bound}"))
    };
    let parts: Vec<String> = [
        part("recall", incident.fingerprint_recall, recall),
        part("precision", incident.fingerprint_precision, ("", None)),
        part("collateral", incident.fingerprint_collateral, collateral),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() { None } else { Some(parts.join(", ")) }
}

/// A bound rounded as it is shown, so that it still is one.
fn outwards(bound: f64, round: fn(f64) -> f64) -> f64 {
    let steps = if bound >= 0.01 { 100.0 } else { 10_000.0 };
    // what is a step but for the last bits stays
    round(round(bound * steps * 1e6) / 1e6) / steps
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 1.0 {
        format!("{percent:.0} %")
    } else if percent >= 0.01 {
        format!("{percent:.2} %")
    } else {
        "< 0.01 %".to_owned()
    }
}

fn sources(incident: &Incident) -> String {
    let shown = incident.sources.iter().take(SOURCES_SHOWN);
    let shown: Vec<_> = shown.map(|source| word(source)).collect();
    let total = usize::try_from(incident.source_count).unwrap_or(0).max(incident.sources.len());
    match total.saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), thousands(more as u64)),
    }
}

/// `1 min 58 s`: the two greatest units.
fn duration(us: i64) -> String {
    let s = us.max(0) / 1_000_000;
    match s {
        0..60 => format!("{s} s"),
        60..3_600 => format!("{} min {} s", s / 60, s % 60),
        3_600..86_400 => format!("{} h {} min", s / 3_600, s / 60 % 60),
        _ => format!("{} d {} h", s / 86_400, s / 3_600 % 24),
    }
}

/// A target or a source, without blanks: what follows it in the line is ours.
fn word(text: &str) -> String {
    shortened(&text.replace(' ', "\\x20"), WORD_CHARS_MAX)
}

/// A text made safe, and cut with a mark that says how much is left out.
fn shortened(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => escape(text).into_owned(),
        Some((at, _)) => {
            let (begin, rest) = text.split_at(at);
            format!("{}… (+{} characters)", escape(begin), thousands(rest.chars().count() as u64))
        }
    }
}

#[cfg(test)]
mod tests;
