//! An incident revision as a short block a person can read.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use schemas::incident::rfc3339_utc;
use schemas::{Incident, State, Verdict};

use super::escape;

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

/// Sources named in the block; the table has up to 1,000.
const SOURCES_SHOWN: usize = 5;

/// Writes one revision: a headline, the summary, the predicate with its predicted quality, the sources.
///
/// Colours are written as ANSI escapes; the stream strips them where they are not wanted.
///
/// # Errors
/// Whatever the stream reports.
pub fn write(out: &mut impl Write, incident: &Incident) -> io::Result<()> {
    headline(out, incident)?;
    writeln!(out, "  {}", escape(&incident.summary))?;
    if let Some(fingerprint) = &incident.fingerprint {
        writeln!(out, "  {DIM}where{DIM:#}    {}{}", escape(fingerprint), quality(incident))?;
    }
    if !incident.sources.is_empty() {
        writeln!(out, "  {DIM}sources{DIM:#}  {}", sources(incident))?;
    }
    Ok(())
}

fn headline(out: &mut impl Write, incident: &Incident) -> io::Result<()> {
    let style = style(incident);
    let target = match (&incident.target_host, &incident.target_path) {
        (Some(host), Some(path)) => format!("{host}{path}"),
        (Some(host), None) => host.clone(),
        (None, Some(path)) => path.clone(),
        (None, None) => "all hosts".to_owned(),
    };
    writeln!(
        out,
        "{time} {style}{verdict} {state}{style:#}  {BOLD}{kind}{BOLD:#} on {BOLD}{target}{BOLD:#}  \
         severity {severity} ({level})  {DIM}id {id} revision {revision}{DIM:#}",
        time = rfc3339_utc(incident.revision_ts),
        verdict = incident.verdict.as_str().to_uppercase(),
        state = incident.state,
        kind = incident.kind,
        target = escape(&target),
        severity = incident.severity,
        level = level(incident.severity),
        id = escape(&incident.incident_id),
        revision = incident.revision,
    )
}

fn style(incident: &Incident) -> Style {
    let color = match (incident.state, incident.verdict) {
        (State::Close, _) => AnsiColor::Green,
        (_, Verdict::Attack) => AnsiColor::Red,
        (_, Verdict::Suspicious) => AnsiColor::Yellow,
        (_, Verdict::Benign) => AnsiColor::Cyan,
    };
    Style::new().bold().fg_color(Some(color.into()))
}

/// The word for a severity, as in the reference of the `severity` column.
pub const fn level(severity: i32) -> &'static str {
    match severity {
        80.. => "critical",
        60.. => "high",
        35.. => "medium",
        _ => "low",
    }
}

fn quality(incident: &Incident) -> String {
    let parts: Vec<String> = [
        ("recall", incident.fingerprint_recall),
        ("precision", incident.fingerprint_precision),
        ("collateral", incident.fingerprint_collateral),
    ]
    .into_iter()
    .filter_map(|(name, share)| share.map(|share| format!("{name} {}", percent(share))))
    .collect();
    if parts.is_empty() { String::new() } else { format!("  ({})", parts.join(", ")) }
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
    let shown: Vec<_> = incident.sources.iter().take(SOURCES_SHOWN).map(|s| escape(s)).collect();
    let total = usize::try_from(incident.source_count).unwrap_or(0).max(incident.sources.len());
    match total.saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::tests::incident;

    #[test]
    fn a_block_reads_well() {
        let mut out = anstream::StripStream::new(Vec::new());
        write(&mut out, &incident()).unwrap();
        expect_test::expect![[r"
            2023-11-14T22:13:23.000000Z ATTACK open  http_flood on shop.example  severity 80 (critical)  id a1b2 revision 0
              flood of \u{1b}[31m1,000 req/s
              where    path = '/'  (recall 98 %, precision 97 %, collateral 0.10 %)
              sources  192.0.2.1, 2001:db8::/64
        "]]
        .assert_eq(&String::from_utf8(out.into_inner()).unwrap());
    }

    #[test]
    fn shares_are_never_rounded_to_a_false_zero() {
        assert_eq!([0.0, 0.00001, 0.004, 0.5].map(percent), ["0 %", "< 0.01 %", "0.40 %", "50 %"]);
    }
}
