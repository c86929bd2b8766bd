//! Reads that were refused for want of credentials, and which of them were no more than the first half of a request: clients of NTLM,
//! Digest, Basic and the like are refused first, several requests at a time.

use serde::{Deserialize, Serialize};

/// Refusals that one success takes back at most: a handshake of NTLM has two.
const HANDSHAKE: usize = 2;

/// Refused reads that wait for a success: a browser opens six connections, a few more are allowed for. A choice.
const WAITING: usize = 8;

/// Addresses at which a source was refused of late, the last first; 0 for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Challenges {
    at: [u32; WAITING],
}

/// What is remembered of an address.
const fn short(endpoint: u64) -> u32 {
    let short = (endpoint >> 32) as u32;
    if short == 0 { 1 } else { short }
}

impl Challenges {
    /// Takes in that a read was refused.
    pub fn refused(&mut self, endpoint: u64) {
        self.at.rotate_right(1);
        self.at[0] = short(endpoint);
    }

    /// Takes in that a read was answered; how many refusals that shows to have been its first half.
    pub fn answered(&mut self, endpoint: u64) -> usize {
        let short = short(endpoint);
        let waiting = self.at.iter_mut().filter(|at| **at == short).take(HANDSHAKE);
        waiting.map(|at| *at = 0).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::hash::mix;

    #[test]
    fn a_success_takes_back_a_handshake_at_its_address_and_no_more() {
        let mut challenges = Challenges::default();
        for _ in 0..3 {
            challenges.refused(mix(1));
            challenges.refused(mix(2));
        }
        assert_eq!(challenges.answered(mix(3)), 0);
        assert_eq!((challenges.answered(mix(1)), challenges.answered(mix(2))), (2, 2));
        assert_eq!((challenges.answered(mix(1)), challenges.answered(mix(1))), (1, 0));
    }

    #[test]
    fn what_was_refused_long_before_stays_refused() {
        let mut challenges = Challenges::default();
        (0..20).for_each(|n| challenges.refused(mix(n)));
        assert_eq!((challenges.answered(mix(5)), challenges.answered(mix(15))), (0, 1));
    }
}
