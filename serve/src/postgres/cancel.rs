//! Cancelling: a connection of its own names another by number and secret.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::answers::QueryId;

/// Bytes of a secret in protocol 3.0, and in 3.2.
const SHORT: usize = 4;
const LONG: usize = 32;

#[derive(Debug)]
struct Conversation {
    secret: Vec<u8>,
    query: Option<QueryId>,
}

#[derive(Debug, Default)]
struct Known {
    last: i32,
    open: BTreeMap<i32, Conversation>,
}

/// The conversations of one server.
#[derive(Debug, Clone, Default)]
pub(super) struct Cancels(Arc<Mutex<Known>>);

impl Cancels {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a conversation.
    pub(super) fn enter(&self, is_long: bool) -> Ticket {
        // Version 4 has 122 random bits.
        let random: Vec<u8> =
            [Uuid::new_v4(), Uuid::new_v4()].iter().flat_map(|id| *id.as_bytes()).collect();
        let secret: Vec<u8> = random.into_iter().take(if is_long { LONG } else { SHORT }).collect();
        let mut known = self.known();
        let number = loop {
            known.last = known.last.checked_add(1).unwrap_or(1);
            if !known.open.contains_key(&known.last) {
                break known.last;
            }
        };
        known.open.insert(number, Conversation { secret: secret.clone(), query: None });
        drop(known);
        Ticket { cancels: self.clone(), number, secret }
    }

    /// The query that runs in a conversation, to those who know its secret.
    pub(super) fn query(&self, number: i32, secret: &[u8]) -> Option<QueryId> {
        let known = self.known();
        let of = known.open.get(&number)?;
        bool::from(of.secret.ct_eq(secret)).then_some(of.query)?
    }
}

/// A conversation in the list; off it when this is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    cancels: Cancels,
    pub(super) number: i32,
    pub(super) secret: Vec<u8>,
}

impl Ticket {
    /// The query that runs in another conversation. All are of one user, who may stop what is his.
    pub(super) fn other_query(&self, number: i32) -> Option<QueryId> {
        self.cancels.known().open.get(&number)?.query
    }

    /// Takes note of the query that runs.
    pub(super) fn runs(&self, query: QueryId) {
        if let Some(of) = self.cancels.known().open.get_mut(&self.number) {
            of.query = Some(query);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.cancels.known().open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_secret_learns_what_to_cancel() {
        let cancels = Cancels::default();
        let ticket = cancels.enter(false);
        let id = QueryId::random();
        assert_eq!(cancels.query(ticket.number, &ticket.secret), None);
        ticket.runs(id);
        assert_eq!(cancels.query(ticket.number, &ticket.secret), Some(id));
        let long = cancels.enter(true);
        assert_eq!((ticket.secret.len(), long.secret.len()), (4, 32));
        assert_eq!(cancels.query(ticket.number, &long.secret), None);
        let (number, secret) = (ticket.number, ticket.secret.clone());
        drop(ticket);
        assert_eq!(cancels.query(number, &secret), None);
    }
}
