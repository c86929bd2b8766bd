//! Rows to incidents: windows, entropies, baselines, tests, classification, fingerprints.
