//! Every limit of the detector is reached by a test.

use std::path::Path;

use crate::tidy::rust_files;

/// Where the limits are.
const LIMITS: &str = "detect/src/limits.rs";

/// What no test can fill in a machine's memory, with the assertion of the compiler that holds it.
const ASSERTED: [(&str, &str); 1] =
    [("STATE_BYTES_MAX", "const _: () = assert!(BYTES_MAX <= STATE_BYTES_MAX,")];

/// Names of the public constants of a text.
fn constants(text: &str) -> Vec<&str> {
    let names = text.lines().filter_map(|line| line.strip_prefix("pub const "));
    names.filter_map(|rest| rest.split(':').next()).collect()
}

/// What of a file is test code: of those beside the code the module at the end, of those in `tests` all. Comments and
/// imports reach nothing.
fn test_code(name: &Path, text: &str) -> String {
    let begin = if name.starts_with("detect/tests") {
        0
    } else {
        text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len())
    };
    let mut code = String::new();
    let mut imports = false;
    for line in text[begin..].lines().map(str::trim_start) {
        imports |= line.starts_with("use ");
        if !imports {
            code.push_str(line.split("//").next().unwrap_or_default());
            code.push('\n');
        }
        imports &= !line.ends_with(';');
    }
    code
}

/// Whether a text has a word.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

/// Names of the limits in `limits` that no test names.
fn unreached<'a>(limits: &'a str, tests: &[String]) -> Vec<&'a str> {
    let is_named = |name: &&str| tests.iter().any(|test| has_word(test, name));
    constants(limits).into_iter().filter(|name| !is_named(name)).collect()
}

#[test]
fn every_limit_of_the_detector_is_named_by_a_test() {
    let files = rust_files();
    let limits = files.iter().find(|(name, _)| name == Path::new(LIMITS));
    let (_, limits) = limits.expect("the limits of the detector have a file");
    assert!(constants(limits).len() > 50, "{:?}", constants(limits));
    let of_detect = files.iter().filter(|(name, _)| name.starts_with("detect"));
    let tests: Vec<String> = of_detect.map(|(name, text)| test_code(name, text)).collect();
    let mut unreached = unreached(limits, &tests);
    for (name, assertion) in ASSERTED {
        assert!(files.iter().any(|(_, text)| text.contains(assertion)), "{assertion}");
        unreached.retain(|limit| *limit != name);
    }
    assert!(unreached.is_empty(), "limits that no test reaches:\n{}", unreached.join("\n"));
}

#[test]
fn a_limit_that_no_test_reaches_is_seen() {
    let limits = "/// Hosts.\npub const HOSTS_MAX: usize = 4;\npub const MAX: usize = 5;\n";
    let unreached = |name: &str, text: &str| unreached(limits, &[test_code(Path::new(name), text)]);
    let beside = "use X::MAX;\nconst A: usize = MAX + HOSTS_MAX;\n#[cfg(test)]\nmod tests {\n";
    let code = "detect/src/a.rs";
    assert_eq!(unreached(code, beside), ["HOSTS_MAX", "MAX"]);
    assert_eq!(
        unreached(code, &format!("{beside}    use a::{{\n        MAX,\n    }};\n}}")).len(),
        2
    );
    assert_eq!(unreached(code, &format!("{beside}    // beyond MAX\n}}")).len(), 2);
    assert_eq!(unreached(code, &format!("{beside}    fill(MAX + 1);\n}}")), ["HOSTS_MAX"]);
    assert_eq!(unreached("detect/tests/a.rs", "fill(HOSTS_MAX);\n"), ["MAX"]);
}
