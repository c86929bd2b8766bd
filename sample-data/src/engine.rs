//! Runs a world and writes what its edges log.

use std::io::Write;

use crate::config::{GenerateConfig, GenerateError};
use crate::format::LineWriter;
use crate::queue::{Next, Queue};
use crate::schedule::{plan, populate};
use crate::truth::{Tally, Truth};
use crate::world::World;

/// Bytes gathered before they are written out.
const BUFFER_BYTES: usize = 1 << 18;

/// Writes the log of a run to `out`, a line each request, in the order in which requests ended.
///
/// The same configuration gives the same bytes, on every platform and however `out` takes them.
///
/// # Errors
/// [`GenerateError::Config`] before anything is written; [`GenerateError::Write`] when `out` fails.
///
/// # Example
/// ```
/// # use sample_data::{Format, GenerateConfig, Scenario, generate};
/// let config = GenerateConfig {
///     duration_s: 60,
///     scenario: Scenario::Quiet,
///     format: Format::Combined,
///     ..GenerateConfig::default()
/// };
/// let mut log = Vec::new();
/// let truth = generate(&config, &mut log)?;
/// assert_eq!(truth.lines, log.iter().filter(|byte| **byte == b'\n').count() as u64);
/// # Ok::<(), sample_data::GenerateError>(())
/// ```
pub fn generate(config: &GenerateConfig, out: &mut dyn Write) -> Result<Truth, GenerateError> {
    generate_labelled(config, out, None)
}

/// As [`generate`]; `labels` gets a line `line number,request id,event` for each request of an event,
/// numbers counting from 1 and the event being its place in [`Truth::events`], from 0.
///
/// # Errors
/// As [`generate`].
pub fn generate_labelled(
    config: &GenerateConfig,
    out: &mut dyn Write,
    mut labels: Option<&mut dyn Write>,
) -> Result<Truth, GenerateError> {
    config.check()?;
    let mut world = World::new(config);
    let planned = plan(config, &world);
    let mut queue = Queue::default();
    populate(config, &planned, &mut world, &mut queue);

    let mut tally = Tally::new(planned.len());
    let writer = LineWriter::new(config);
    let mut buffer = Vec::with_capacity(BUFFER_BYTES + (1 << 12));
    let end_us = config.start_us + config.duration_s * 1_000_000;
    while config.lines_max.is_none_or(|max| tally.lines() < max) {
        match queue.pop_before(end_us) {
            None => break,
            Some(Next::Turn(now_us, mut actor)) => {
                if let Some(at_us) = actor.wake(now_us, &world, &mut queue) {
                    // Time moves on even where a gap rounds to nothing.
                    queue.wake_at(at_us.max(now_us + 1), actor);
                }
            }
            Some(Next::Line(request)) if request.end_us < config.start_us => {}
            Some(Next::Line(request)) => {
                tally.add(&request);
                writer.write(&request, tally.lines(), &world, &mut buffer);
                if let (Some(labels), Some(event)) = (labels.as_mut(), request.event.checked_sub(1))
                {
                    let id = writer.request_id(tally.lines());
                    writeln!(labels, "{},{id:016x},{event}", tally.lines())?;
                }
                if buffer.len() >= BUFFER_BYTES {
                    out.write_all(&buffer)?;
                    buffer.clear();
                }
            }
        }
    }
    out.write_all(&buffer)?;
    out.flush()?;
    Ok(tally.truth(config, &planned, &world))
}
