//! Tables to answers: SQL session, views, functions and output formats.
