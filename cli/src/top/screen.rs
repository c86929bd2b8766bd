//! What is seen: lines and columns, drawn from an overview.

use chrono::{DateTime, Utc};
use ratatui::buffer::{Buffer, Cell as Symbols};
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Cell, Row, Sparkline, Table, Widget};
use schemas::text::{escape, thousands};
use serve::overview::{Open, Overview, Rate, Source};

/// Rows of the plot of all requests.
const PLOT_ROWS: u16 = 4;

/// Rows that are there in any case: the head, a row behind the plot, one behind each list but the last.
const FIXED_ROWS: u16 = 4;

/// Columns of the plot of one host.
const HOST_PLOT: usize = 30;

/// From which severity on an incident is marked as bad, and as very bad.
const SEVERITIES: [u64; 2] = [50, 80];

/// Whether colours are used. Nothing is told by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    On,
    Off,
}

impl Colours {
    /// As the environment wishes (`NO_COLOR`, `CLICOLOR`).
    pub(super) fn of_environment() -> Self {
        if console::colors_enabled() { Self::On } else { Self::Off }
    }

    fn of(self, colour: Color) -> Style {
        match self {
            Self::On => Style::new().fg(colour),
            Self::Off => Style::new(),
        }
    }

    fn severity(self, severity: u64) -> Style {
        match SEVERITIES.iter().filter(|from| severity >= **from).count() {
            0 => Style::new(),
            1 => self.of(Color::Yellow),
            _ => self.of(Color::Red).add_modifier(Modifier::BOLD),
        }
    }
}

/// An overview, and how it is shown.
pub(super) struct Screen<'a> {
    pub(super) overview: &'a Overview,
    pub(super) uri: &'a str,
    pub(super) colours: Colours,
    /// The last row.
    pub(super) footer: Option<&'a str>,
}

/// A list with its heading.
struct List<'a> {
    title: String,
    header: Vec<&'static str>,
    widths: Vec<Constraint>,
    rows: Vec<Row<'a>>,
}

impl List<'_> {
    /// Rows that it takes to show all of it: title and header included.
    fn wants(&self) -> u16 {
        u16::try_from(self.rows.len().max(1) + 2).unwrap_or(u16::MAX)
    }
}

impl<'a> Screen<'a> {
    /// Without colours and keys.
    pub(super) const fn plain(overview: &'a Overview, uri: &'a str) -> Self {
        Self { overview, uri, colours: Colours::Off, footer: None }
    }

    /// Rows that it takes to show everything.
    pub(super) fn rows(&self) -> u16 {
        let lists: u16 = self.lists().iter().map(List::wants).sum();
        lists + FIXED_ROWS + PLOT_ROWS + u16::from(self.footer.is_some())
    }

    /// Draws it into `area`, each list as far as there is room.
    pub(super) fn draw(&self, area: Rect, buffer: &mut Buffer) {
        let footer = u16::from(self.footer.is_some());
        let lists = self.lists();
        let room = area.height.saturating_sub(FIXED_ROWS + PLOT_ROWS + footer);
        let [hosts, open, sources] = shares(room, lists.each_ref().map(List::wants));
        let rows = [1, PLOT_ROWS, 1, hosts, 1, open, 1, sources];
        let areas = Layout::vertical(rows.map(Constraint::Length)).split(area);
        let at = |index: usize| areas.get(index).copied().unwrap_or_default();
        self.head(at(0), buffer);
        self.plot(at(1), buffer);
        for (list, index) in lists.into_iter().zip([3, 5, 7]) {
            Self::list(list, at(index), buffer);
        }
        if let Some(footer) = self.footer {
            let last = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
            let footer =
                Line::styled(escape(footer).into_owned(), Style::new().add_modifier(Modifier::DIM));
            footer.render(last, buffer);
        }
    }

    fn head(&self, area: Rect, buffer: &mut Buffer) {
        let Overview { from, to, step, all, .. } = self.overview;
        let strong = Style::new().add_modifier(Modifier::BOLD);
        let place = escape(self.uri);
        let time = if from == to {
            "nothing in the tables yet".to_owned()
        } else {
            format!("{} to {} UTC", from.format("%F %R"), to.format("%F %R"))
        };
        let rate = per_second(all.last(), step.num_seconds());
        let head = Line::from(vec![
            Span::styled("floodmark", strong),
            Span::raw(format!("  {place}  {time}  {} requests, {rate} now", thousands(all.sum()))),
        ]);
        head.render(area, buffer);
    }

    fn plot(&self, area: Rect, buffer: &mut Buffer) {
        let requests = fitted(&self.overview.all.requests, usize::from(area.width));
        let plot = Sparkline::default().data(requests).style(self.colours.of(Color::Cyan));
        plot.render(area, buffer);
    }

    fn list(list: List<'_>, area: Rect, buffer: &mut Buffer) {
        let [title, table] =
            Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        let strong = Style::new().add_modifier(Modifier::BOLD);
        Line::styled(list.title, strong).render(title, buffer);
        if list.rows.is_empty() {
            Line::raw("none").render(table, buffer);
            return;
        }
        let header = list.header.into_iter().map(|name| match name.strip_prefix('>') {
            Some(name) => Cell::new(Text::from(name).alignment(Alignment::Right)),
            None => Cell::new(name),
        });
        let header = Row::new(header).style(Style::new().add_modifier(Modifier::DIM));
        let table_of = Table::new(list.rows, list.widths).header(header).column_spacing(2);
        Widget::render(table_of, table, buffer);
    }

    fn lists(&self) -> [List<'a>; 3] {
        let Overview { hosts, open, has_more, sources, step, .. } = self.overview;
        let more = if *has_more { " and more" } else { "" };
        [
            List {
                title: "Hosts".to_owned(),
                header: vec!["host", ">now", ">requests", ">5xx", "over the time shown"],
                widths: vec![
                    Constraint::Fill(1),
                    Constraint::Length(9),
                    Constraint::Length(13),
                    Constraint::Length(9),
                    Constraint::Length(30),
                ],
                rows: hosts.iter().map(|host| of_host(host, step.num_seconds())).collect(),
            },
            List {
                title: format!("Open incidents: {}{more}", open.len()),
                header: vec![">bad", "what", "where", "since", ">requests", "selected by"],
                widths: vec![
                    Constraint::Length(3),
                    Constraint::Length(18),
                    Constraint::Fill(1),
                    Constraint::Length(11),
                    Constraint::Length(11),
                    Constraint::Fill(2),
                ],
                rows: open.iter().map(|open| self.of_incident(open)).collect(),
            },
            List {
                title: "Sources".to_owned(),
                header: vec!["source", ">requests", ">4xx, 5xx", ">paths a minute"],
                widths: vec![
                    Constraint::Length(43),
                    Constraint::Length(13),
                    Constraint::Length(13),
                    Constraint::Length(14),
                ],
                rows: sources.iter().map(of_source).collect(),
            },
        ]
    }

    fn of_incident(&self, open: &Open) -> Row<'a> {
        let Open { severity, kind, verdict, host, since, requests, fingerprint } = open;
        let what = match verdict.as_str() {
            "attack" => kind.replace('_', " "),
            other => format!("{} ({other})", kind.replace('_', " ")),
        };
        let place = host.as_deref().map_or("several or unknown".into(), escape);
        Row::new([
            right(severity.to_string()),
            Cell::new(what),
            Cell::new(place.into_owned()),
            Cell::new(since.as_ref().map(moment).unwrap_or_default()),
            right(thousands(*requests)),
            Cell::new(escape(fingerprint).into_owned()),
        ])
        .style(self.colours.severity(*severity))
    }
}

fn of_host<'a>(host: &Rate, step: i64) -> Row<'a> {
    let name = host.host.as_deref().map_or("none named".into(), escape);
    Row::new([
        Cell::new(name.into_owned()),
        right(per_second(host.last(), step)),
        right(thousands(host.sum())),
        right(thousands(host.errors)),
        Cell::new(bars(&fitted(&host.requests, HOST_PLOT))),
    ])
}

fn of_source<'a>(source: &Source) -> Row<'a> {
    Row::new([
        Cell::new(escape(&source.name).into_owned()),
        right(thousands(source.requests)),
        right(thousands(source.errors)),
        right(thousands(source.paths)),
    ])
}

fn right<'a>(text: String) -> Cell<'a> {
    Cell::new(Text::from(text).alignment(Alignment::Right))
}

fn moment(at: &DateTime<Utc>) -> String {
    at.format("%m-%d %R").to_string()
}

/// Requests of a step as a rate.
fn per_second(requests: u64, step: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let rate = requests as f64 / step.max(1) as f64;
    if rate >= 99.5 { format!("{rate:.0}/s") } else { format!("{rate:.1}/s") }
}

/// `values` in as many columns at most, each the greatest of those that it stands for.
fn fitted(values: &[u64], columns: usize) -> Vec<u64> {
    let each = values.len().div_ceil(columns.max(1)).max(1);
    values.rchunks(each).rev().map(|part| part.iter().copied().max().unwrap_or_default()).collect()
}

/// `values` as a plot of one row, the greatest of them the highest; of what is not nothing there is a step at least.
fn bars(values: &[u64]) -> String {
    const STEPS: u64 = 8;
    let columns = u16::try_from(values.len()).unwrap_or(u16::MAX);
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, 1));
    let most = values.iter().copied().max().unwrap_or_default();
    let shown =
        values.iter().map(|value| if *value == 0 { 0 } else { (*value).max(most.div_ceil(STEPS)) });
    Sparkline::default().data(shown).render(buffer.area, &mut buffer);
    row(&buffer, 0)
}

/// A row of what was drawn, as text.
pub(super) fn row(buffer: &Buffer, y: u16) -> String {
    let cells = (0..buffer.area.width).filter_map(|x| buffer.cell((x, y)));
    cells.map(Symbols::symbol).collect()
}

/// Divides `room` rows among those that want some: nobody gets more than wanted, and who wants least is served first.
fn shares(room: u16, wants: [u16; 3]) -> [u16; 3] {
    let mut got = [0; 3];
    let mut order = [0, 1, 2];
    order.sort_by_key(|index: &usize| wants.get(*index).copied().unwrap_or_default());
    let mut left = room;
    for (served, index) in order.into_iter().enumerate() {
        let others = u16::try_from(order.len() - served).unwrap_or(1);
        if let (Some(got), Some(wants)) = (got.get_mut(index), wants.get(index)) {
            *got = (*wants).min(left / others);
            left -= *got;
        }
    }
    got
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::text;

    fn overview() -> Overview {
        let time = |text: &str| text.parse().unwrap();
        let rate = |host: &str, requests: Vec<u64>| Rate {
            host: Some(host.to_owned()),
            requests,
            errors: 3,
        };
        Overview {
            from: time("2026-03-01T12:00:00Z"),
            to: time("2026-03-01T12:04:00Z"),
            step: chrono::TimeDelta::minutes(1),
            all: rate("", vec![10, 0, 600, 6_000]),
            hosts: vec![
                rate("shop.example", vec![10, 0, 600, 6_000]),
                rate("a\u{1b}[2J\u{202e}b", vec![0; 4]),
            ],
            open: vec![Open {
                severity: 80,
                kind: "http_flood".to_owned(),
                verdict: "attack".to_owned(),
                host: Some("shop.example".to_owned()),
                since: Some(time("2026-03-01T12:02:10Z")),
                requests: 6_400,
                fingerprint: "path = '/search'".to_owned(),
            }],
            has_more: false,
            sources: vec![Source {
                name: "203.0.113.7".to_owned(),
                requests: 6_400,
                errors: 0,
                paths: 1,
            }],
        }
    }

    #[test]
    fn the_text_has_all_of_it_and_nothing_that_a_terminal_would_obey() {
        let shown = text(&overview(), "lake");
        expect_test::expect![[r"
            floodmark  lake  2026-03-01 12:00 to 2026-03-01 12:04 UTC  6,610 requests, 100/s now
               █
               █
               █
              ▃█

            Hosts
            host                                   now       requests        5xx  over the time shown
            shop.example                         100/s          6,610          3  ▁ ▁█
            a\x1b[2J\u{202e}b                    0.0/s              0          3

            Open incidents: 1
            bad  what                where             since           requests  selected by
             80  http flood          shop.example      03-01 12:02        6,400  path = '/search'

            Sources
            source                                            requests       4xx, 5xx  paths a minute
            203.0.113.7                                          6,400              0               1
        "]]
        .assert_eq(&shown);
        assert!(!shown.contains(['\u{1b}', '\u{202e}']));
    }

    #[test]
    fn empty_tables_are_told_to_be_empty() {
        let shown = text(&Overview::default(), "lake");
        assert!(
            shown.contains("nothing in the tables yet") && shown.contains("Open incidents: 0"),
            "{shown}"
        );
    }

    #[test]
    fn a_screen_of_any_size_is_drawn() {
        let overview = overview();
        for (width, height) in [(0, 0), (1, 1), (20, 5), (80, 12), (500, 200)] {
            let screen = Screen { footer: Some("q quit"), ..Screen::plain(&overview, "lake") };
            let area = Rect::new(0, 0, width, height);
            screen.draw(area, &mut Buffer::empty(area));
        }
    }

    #[test]
    fn who_wants_little_gets_it_and_the_others_share_the_rest() {
        assert_eq!(shares(30, [22, 4, 22]), [13, 4, 13]);
        assert_eq!(shares(100, [22, 4, 22]), [22, 4, 22]);
        assert_eq!(shares(0, [3, 3, 3]), [0, 0, 0]);
    }

    #[test]
    fn bars_are_as_high_as_their_values() {
        assert_eq!(bars(&[0, 1, 13, 50, 100]), " ▁▁▄█");
        assert_eq!(fitted(&[1, 9, 2, 3, 4], 2), [9, 4]);
        assert_eq!(per_second(600, 60), "10.0/s");
    }
}
