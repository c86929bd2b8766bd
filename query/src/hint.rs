//! Error messages in plain words, with the nearest name where one is misspelt.

use datafusion::common::DataFusionError;
use datafusion::common::utils::datafusion_strsim::normalized_levenshtein;
use datafusion::sql::sqlparser::parser::ParserError;

/// Similarity, 0–1, from which a name is offered as what was meant.
const SIMILAR_MIN: f64 = 0.5;

/// Names offered when nothing is similar, at most.
const NAMES_MAX: usize = 40;

/// `"; hint"`, or nothing.
pub(crate) fn suffix(hint: Option<&str>) -> String {
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}

/// What was meant by `name`, or what there is.
pub(crate) fn similar(name: &str, known: &[&str]) -> Option<String> {
    let lower = name.to_lowercase();
    let mut ranked: Vec<(f64, &str)> = known
        .iter()
        .map(|&known| (normalized_levenshtein(&lower, &known.to_lowercase()), known))
        .filter(|(score, _)| *score >= SIMILAR_MIN)
        .collect();
    ranked.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    ranked.dedup_by_key(|(_, name)| *name);
    if let Some((_, best)) = ranked.first() {
        return Some(format!("did you mean `{best}`?"));
    }
    let mut names = known.to_vec();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty() && names.len() <= NAMES_MAX)
        .then(|| format!("there are {}", names.join(", ")))
}

/// The parser's complaint without the name of its type.
pub(crate) fn syntax(error: &ParserError) -> String {
    match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            message.replace(" at Line: ", " at line ").replace(", Column: ", ", column ")
        }
        ParserError::RecursionLimitExceeded => {
            "the statement is nested too deeply; split it up".to_owned()
        }
    }
}

/// Class names that DataFusion puts before its messages.
const PREFIXES: [&str; 9] = [
    "Error during planning: ",
    "Schema error: ",
    "Execution error: ",
    "External error: ",
    "Arrow error: ",
    "Invalid argument error: ",
    "Compute error: ",
    "Resources exhausted: ",
    "This feature is not implemented: ",
];

/// The message of an engine error on one line, without class names, back traces and the default schema.
pub(crate) fn plain(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let mut rest = text.as_str();
    while let Some(next) = PREFIXES.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        rest = next;
    }
    // What a function says of its arguments, without what the engine says around it.
    if let Some((_, said)) =
        rest.split_once("user-defined coercion failed with: Error during planning: ")
    {
        rest = said.split_once(". No function matches").map_or(said, |(said, _)| said);
        rest = rest.split_once(" No function matches").map_or(rest, |(said, _)| said);
    }
    let of_filter = of_filter(rest);
    let words: Vec<&str> = of_filter.as_deref().unwrap_or(rest).split_whitespace().collect();
    words.join(" ").replace("datafusion.public.", "")
}

/// What failed in a condition while a file was read: it comes in the notation of the engine's own code, as
/// `ArrowError(CastError("…"), Some(""))` or `Execution("…")`.
fn of_filter(text: &str) -> Option<String> {
    let (_, told) = text.split_once("Error evaluating filter predicate: ")?;
    let inner = told.strip_prefix("ArrowError(").and_then(|told| told.rsplit_once(", "));
    let told = inner.map_or(told, |(inner, _)| inner);
    let quoted = told.split_once("(\"").and_then(|(_, said)| said.strip_suffix("\")"));
    Some(match (quoted, told) {
        (Some(said), _) => said.replace("\\\"", "\"").replace("\\\\", "\\"),
        (None, "DivideByZero") => "Divide by zero error".to_owned(),
        (None, told) => told.to_owned(),
    })
}

/// The table that a planning error misses, if that is what it complains about.
pub(crate) fn missing_table(message: &str) -> Option<&str> {
    message.strip_prefix("table '")?.strip_suffix("' not found")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered() {
        let known = ["requests", "rejects", "attacks"];
        assert_eq!(similar("requets", &known).as_deref(), Some("did you mean `requests`?"));
        assert_eq!(similar("zzz", &known).as_deref(), Some("there are attacks, rejects, requests"));
        assert_eq!(similar("zzz", &[]), None);
    }

    #[test]
    fn what_fails_in_a_condition_is_said_in_its_own_words() {
        for (told, said) in [
            ("Execution(\"'/a' is \\\"odd\\\", no?\")", "'/a' is \"odd\", no?"),
            (
                "ArrowError(CastError(\"Cannot cast string '/a', so\"), Some(\"\"))",
                "Cannot cast string '/a', so",
            ),
            ("ArrowError(DivideByZero, Some(\"\"))", "Divide by zero error"),
            ("Unheard(of)", "Unheard(of)"),
        ] {
            let text = format!(
                "Parquet error: External: Compute error: Error evaluating filter predicate: {told}"
            );
            assert_eq!(of_filter(&text).as_deref(), Some(said));
        }
        assert_eq!(of_filter("Divide by zero error"), None);
    }

    #[test]
    fn syntax_names_the_place() {
        let error = ParserError::ParserError("Expected: ), found: x at Line: 1, Column: 8".into());
        assert_eq!(syntax(&error), "Expected: ), found: x at line 1, column 8");
    }
}
