//! The order of events: requests that wait for their end, and actors that wait for their turn.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::request::Request;
use crate::world::World;

/// Something that makes requests over time.
pub(crate) trait Actor {
    /// Acts at `now_us`; returns when to act again, or nothing when it is done.
    fn wake(&mut self, now_us: i64, world: &World, queue: &mut Queue) -> Option<i64>;
}

/// What comes next.
pub(crate) enum Next {
    /// A request has ended and is logged.
    Line(Request),
    /// An actor's turn.
    Turn(i64, Box<dyn Actor>),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Line(u32),
    Actor(u32),
}

/// Requests and actors by time; those of the same time in the order in which they were put.
#[derive(Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<(i64, u64, Slot)>>,
    lines: Slab<Request>,
    actors: Slab<Box<dyn Actor>>,
    sequence: u64,
}

impl Queue {
    /// Logs a request when it ends.
    pub(crate) fn log(&mut self, request: Request) {
        let slot = Slot::Line(self.lines.put(request));
        self.push(request.end_us, slot);
    }

    /// Wakes an actor at a time.
    pub(crate) fn wake_at(&mut self, at_us: i64, actor: Box<dyn Actor>) {
        let slot = Slot::Actor(self.actors.put(actor));
        self.push(at_us, slot);
    }

    fn push(&mut self, at_us: i64, slot: Slot) {
        self.sequence += 1;
        self.heap.push(Reverse((at_us, self.sequence, slot)));
    }

    /// Takes what comes next, if it comes before `end_us`.
    pub(crate) fn pop_before(&mut self, end_us: i64) -> Option<Next> {
        let Reverse((at_us, _, slot)) = self.heap.pop()?;
        if at_us >= end_us {
            return None;
        }
        match slot {
            Slot::Line(i) => self.lines.take(i).map(Next::Line),
            Slot::Actor(i) => self.actors.take(i).map(|actor| Next::Turn(at_us, actor)),
        }
    }
}

struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    fn put(&mut self, value: T) -> u32 {
        if let Some(i) = self.free.pop() {
            self.slots[i as usize] = Some(value);
            return i;
        }
        self.slots.push(Some(value));
        u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
    }

    fn take(&mut self, i: u32) -> Option<T> {
        let value = self.slots[i as usize].take();
        self.free.push(i);
        value
    }
}
