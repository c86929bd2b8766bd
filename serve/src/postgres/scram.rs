//! SCRAM-SHA-256 (RFC 5802, RFC 7677): who asks proves to know the token, and never sends it.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{digest, hmac, pbkdf2};
use subtle::ConstantTimeEq as _;

use crate::doors::Token;

/// Name of the mechanism.
pub(super) const NAME: &str = "SCRAM-SHA-256";

/// Rounds that a guess costs, as RFC 7677 asks for: a token cannot be guessed anyway.
const ROUNDS: NonZeroU32 = NonZeroU32::new(4096).unwrap();

/// Random bytes of a salt and of a nonce, as PostgreSQL has them.
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 18;

/// Who asks did not prove to know the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unproven;

/// What is known of the token: enough to tell who knows it.
pub(super) struct Verifier {
    salt: [u8; SALT_BYTES],
    stored_key: [u8; digest::SHA256_OUTPUT_LEN],
    server_key: hmac::Key,
    random: SystemRandom,
}

fn mac(key: &[u8], text: &[u8]) -> [u8; digest::SHA256_OUTPUT_LEN] {
    of_tag(&hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text))
}

fn of_tag(tag: &hmac::Tag) -> [u8; digest::SHA256_OUTPUT_LEN] {
    let mut bytes = [0; digest::SHA256_OUTPUT_LEN];
    bytes.copy_from_slice(tag.as_ref());
    bytes
}

fn hash(bytes: &[u8]) -> [u8; digest::SHA256_OUTPUT_LEN] {
    let mut out = [0; digest::SHA256_OUTPUT_LEN];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

fn salted(token: &str, salt: &[u8]) -> [u8; digest::SHA256_OUTPUT_LEN] {
    let mut out = [0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, token.as_bytes(), &mut out);
    out
}

impl Verifier {
    /// - returns: `None` when the system has no random bytes.
    pub(super) fn new(token: &Token) -> Option<Self> {
        let random = SystemRandom::new();
        let mut salt = [0; SALT_BYTES];
        random.fill(&mut salt).ok()?;
        let salted = salted(token.secret(), &salt);
        let stored_key = hash(&mac(&salted, b"Client Key"));
        let server_key = hmac::Key::new(hmac::HMAC_SHA256, &mac(&salted, b"Server Key"));
        Some(Self { salt, stored_key, server_key, random })
    }

    /// Answers what a client says first.
    pub(super) fn challenge(&self, first: &[u8]) -> Result<Challenge<'_>, Unproven> {
        let mut nonce = [0; NONCE_BYTES];
        self.random.fill(&mut nonce).map_err(|_| Unproven)?;
        self.challenge_with(first, &STANDARD.encode(nonce))
    }

    fn challenge_with(&self, first: &[u8], nonce: &str) -> Result<Challenge<'_>, Unproven> {
        let first = std::str::from_utf8(first).map_err(|_| Unproven)?;
        // How it is bound to the channel, which is not offered; for whom, which is not asked.
        let mut parts = first.splitn(3, ',');
        let (Some(binding @ ("n" | "y")), Some(whom), Some(bare)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(Unproven);
        };
        let theirs = bare.split(',').find_map(|part| part.strip_prefix("r="));
        let theirs = theirs.filter(|nonce| !nonce.is_empty()).ok_or(Unproven)?;
        let nonce = format!("{theirs}{nonce}");
        let said = format!("r={nonce},s={},i={ROUNDS}", STANDARD.encode(self.salt));
        Ok(Challenge {
            verifier: self,
            header: STANDARD.encode(format!("{binding},{whom},")),
            text: format!("{bare},{said}"),
            nonce,
            said,
        })
    }
}

/// A question that those who know the token can answer.
pub(super) struct Challenge<'a> {
    verifier: &'a Verifier,
    header: String,
    nonce: String,
    text: String,
    /// What to say.
    pub(super) said: String,
}

impl Challenge<'_> {
    /// Checks what a client says last.
    ///
    /// - returns: what proves to the client that the server knows the token.
    pub(super) fn check(&self, last: &[u8]) -> Result<String, Unproven> {
        let last = std::str::from_utf8(last).map_err(|_| Unproven)?;
        let (without, proof) = last.rsplit_once(",p=").ok_or(Unproven)?;
        let mut parts = without.split(',');
        let is_of = |part: Option<&str>, name: &str, value: &str| {
            part.and_then(|part| part.strip_prefix(name)) == Some(value)
        };
        if !is_of(parts.next(), "c=", &self.header) || !is_of(parts.next(), "r=", &self.nonce) {
            return Err(Unproven);
        }
        let proof = STANDARD.decode(proof).map_err(|_| Unproven)?;
        if proof.len() != digest::SHA256_OUTPUT_LEN {
            return Err(Unproven);
        }
        let text = format!("{},{without}", self.text);
        let signature = mac(&self.verifier.stored_key, text.as_bytes());
        let key: Vec<u8> = proof.iter().zip(signature).map(|(proof, of)| proof ^ of).collect();
        if !bool::from(hash(&key).ct_eq(&self.verifier.stored_key)) {
            return Err(Unproven);
        }
        let own = hmac::sign(&self.verifier.server_key, text.as_bytes());
        Ok(format!("v={}", STANDARD.encode(own)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(token: &str, challenge: &Challenge<'_>, salt: &[u8], header: &str) -> String {
        let salted = salted(token, salt);
        let client_key = mac(&salted, b"Client Key");
        let without = format!("c={header},r={}", challenge.nonce);
        let text = format!("{},{without}", challenge.text);
        let signature = mac(&hash(&client_key), text.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, of)| key ^ of).collect();
        format!("{without},p={}", STANDARD.encode(proof))
    }

    /// The example of RFC 7677, section 3.
    #[test]
    fn the_example_of_the_standard_is_reproduced() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let salted = salted("pencil", &salt);
        let verifier = Verifier {
            salt: salt.try_into().unwrap(),
            stored_key: hash(&mac(&salted, b"Client Key")),
            server_key: hmac::Key::new(hmac::HMAC_SHA256, &mac(&salted, b"Server Key")),
            random: SystemRandom::new(),
        };
        let first = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
        let challenge = verifier.challenge_with(first, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0").unwrap();
        assert_eq!(
            challenge.said,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                    p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let said = challenge.check(last.as_bytes()).unwrap();
        assert_eq!(said, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn only_who_knows_the_token_and_this_challenge_is_let_in() {
        let token = Token::new("0123456789abcdef").unwrap();
        let verifier = Verifier::new(&token).unwrap();
        let challenge = verifier.challenge(b"n,,n=,r=abc").unwrap();
        let right = last(token.secret(), &challenge, &verifier.salt, "biws");
        assert!(challenge.check(right.as_bytes()).is_ok());
        let wrong = last("0123456789abcdeg", &challenge, &verifier.salt, "biws");
        assert_eq!(challenge.check(wrong.as_bytes()), Err(Unproven));
        let bound = last(token.secret(), &challenge, &verifier.salt, "eSws");
        assert_eq!(challenge.check(bound.as_bytes()), Err(Unproven));
        let other = verifier.challenge(b"n,,n=,r=abc").unwrap();
        assert_eq!(other.check(right.as_bytes()), Err(Unproven), "it cannot be replayed");
        for junk in ["", "n", "n,,", "p=x,,n=,r=abc", "n,,n=,r=", "\u{0}"] {
            assert!(verifier.challenge(junk.as_bytes()).is_err(), "{junk}");
        }
        for junk in ["", ",p=", "c=biws,r=abc,p=AAAA"] {
            assert!(challenge.check(junk.as_bytes()).is_err(), "{junk}");
        }
    }
}
