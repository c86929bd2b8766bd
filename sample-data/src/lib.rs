//! Generated edge logs with known attacks.
