//! The floodmark binary: arguments, configuration, the pipeline and the alert writer.
