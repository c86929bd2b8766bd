//! Rows to Delta tables and back: exactly-once commits and checkpoints.
