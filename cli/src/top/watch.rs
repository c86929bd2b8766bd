//! The terminal, as long as somebody looks.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::TimeDelta;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use serve::answers::{Answers, Fault};
use serve::overview::Overview;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::screen::{Colours, Screen};
use super::{SPANS, look};
use crate::signals::StopFlag;

/// How long a key may wait to be seen.
const GLANCE: Duration = Duration::from_millis(100);

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Leave,
    Pause,
    Longer,
    Shorter,
    Now,
}

fn wish(key: KeyEvent) -> Option<Wish> {
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c') if is_control => Wish::Leave,
        KeyCode::Char('q') | KeyCode::Esc => Wish::Leave,
        KeyCode::Char('p' | ' ') => Wish::Pause,
        KeyCode::Char('+') | KeyCode::Right => Wish::Longer,
        KeyCode::Char('-') | KeyCode::Left => Wish::Shorter,
        KeyCode::Char('r') => Wish::Now,
        _ => return None,
    })
}

/// Shows the tables until somebody leaves or a stop is asked for; the terminal is then as it was before.
///
/// - `minutes`: how much of the past, where that is not one of the usual spans.
///
/// # Errors
/// When the terminal cannot be written to.
pub fn watch(
    engine: &Runtime,
    answers: &Answers,
    minutes: Option<u32>,
    every: Duration,
    stop: &StopFlag,
) -> anyhow::Result<()> {
    let mut terminal = ratatui::try_init().context("cannot take the terminal; try --once")?;
    let shown = Watch::new(engine, answers, minutes, every).run(&mut terminal, stop);
    let restored = ratatui::try_restore().context("cannot give the terminal back; try `reset`");
    shown.and(restored)
}

type Looked = Result<Overview, Fault>;

struct Watch<'a> {
    engine: &'a Runtime,
    answers: &'a Answers,
    every: Duration,
    spans: Vec<TimeDelta>,
    span: usize,
    is_paused: bool,
    /// Whether a key asked for a look.
    is_asked: bool,
    overview: Overview,
    fault: Option<String>,
    colours: Colours,
    /// When it is looked next; `None` while somebody looks.
    next: Option<Instant>,
    tell: mpsc::Sender<Looked>,
    told: mpsc::Receiver<Looked>,
}

impl<'a> Watch<'a> {
    fn new(
        engine: &'a Runtime,
        answers: &'a Answers,
        minutes: Option<u32>,
        every: Duration,
    ) -> Self {
        let mut spans = SPANS.to_vec();
        let wanted = minutes.map_or(SPANS[0], |minutes| TimeDelta::minutes(i64::from(minutes)));
        spans.push(wanted);
        spans.sort_unstable();
        spans.dedup();
        let span = spans.iter().position(|span| *span == wanted).unwrap_or_default();
        let (tell, told) = mpsc::channel(1);
        Self {
            engine,
            answers,
            every,
            spans,
            span,
            is_paused: false,
            is_asked: false,
            overview: Overview::default(),
            fault: None,
            colours: Colours::of_environment(),
            next: Some(Instant::now()),
            tell,
            told,
        }
    }

    fn run(
        mut self,
        terminal: &mut ratatui::DefaultTerminal,
        stop: &StopFlag,
    ) -> anyhow::Result<()> {
        loop {
            if self.is_due() {
                self.look();
            }
            terminal.draw(|frame| self.screen().draw(frame.area(), frame.buffer_mut()))?;
            if event::poll(GLANCE)?
                && let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
                && let Some(wish) = wish(key)
                && !self.grant(wish)
            {
                return Ok(());
            }
            if stop.is_set() {
                return Ok(());
            }
            while let Ok(looked) = self.told.try_recv() {
                self.take(looked);
            }
        }
    }

    fn screen(&self) -> Screen<'_> {
        let keys = if self.is_paused {
            "paused   p go on   ←/→ span   q quit"
        } else {
            "p pause   r now   ←/→ span   q quit"
        };
        Screen {
            overview: &self.overview,
            uri: self.answers.uri(),
            colours: self.colours,
            footer: Some(self.fault.as_deref().unwrap_or(keys)),
        }
    }

    /// Does what a key asks for.
    ///
    /// - returns: whether to go on.
    fn grant(&mut self, wish: Wish) -> bool {
        match wish {
            Wish::Leave => return false,
            Wish::Pause => self.is_paused = !self.is_paused,
            Wish::Longer => self.span = (self.span + 1).min(self.spans.len() - 1),
            Wish::Shorter => self.span = self.span.saturating_sub(1),
            Wish::Now => {}
        }
        self.is_asked = !self.is_paused || wish != Wish::Pause;
        true
    }

    /// Whether it is time to look: nobody looks, and a key asked for it or it was long ago.
    fn is_due(&self) -> bool {
        let is_late = |next: Instant| !self.is_paused && next <= Instant::now();
        self.next.is_some_and(|next| self.is_asked || is_late(next))
    }

    fn look(&mut self) {
        (self.next, self.is_asked) = (None, false);
        let (answers, tell) = (self.answers.clone(), self.tell.clone());
        let length = self.spans.get(self.span).copied().unwrap_or(SPANS[0]);
        self.engine.spawn(async move {
            // Nobody may be looking any more.
            let _ = tell.send(look(&answers, length).await).await;
        });
    }

    fn take(&mut self, looked: Looked) {
        self.next = Some(Instant::now() + self.every);
        match looked {
            Ok(overview) => (self.overview, self.fault) = (overview, None),
            Err(fault) => self.fault = Some(format!("cannot look: {fault}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_other_programs() {
        let of = |code, modifiers| wish(KeyEvent::new(code, modifiers));
        assert_eq!(of(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Wish::Leave));
        assert_eq!(of(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(of(KeyCode::Char('q'), KeyModifiers::NONE), Some(Wish::Leave));
        assert_eq!(of(KeyCode::Right, KeyModifiers::NONE), Some(Wish::Longer));
    }
}
