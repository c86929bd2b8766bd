//! Object stores that are compiled in by cargo features.

/// Makes the schemes of the compiled-in stores known to Delta; may be called any number of times.
pub(crate) const fn register() {}
