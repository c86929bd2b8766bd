//! Ordered rules that give a case its kind; the first that fits wins.

use schemas::Kind;

use crate::judge::evidence::Case;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Name in the reference.
    pub name: &'static str,
    /// What it is called when the rule fits.
    pub kind: Kind,
    /// What it fits.
    pub says: &'static str,
    /// Where its numbers come from.
    pub why: &'static str,
    /// Whether it fits.
    pub fits: fn(&Case) -> bool,
}

/// Kind of the first rule that fits.
pub fn first_fit(rules: &[Rule], case: &Case) -> Option<Kind> {
    rules.iter().find(|rule| (rule.fits)(case)).map(|rule| rule.kind)
}

#[cfg(test)]
mod tests {
    use crate::judge::{benign, kind};

    #[test]
    fn every_rule_has_a_name_and_says_where_its_numbers_come_from() {
        for rules in [benign::RULES, kind::RULES] {
            let names: std::collections::BTreeSet<&str> =
                rules.iter().map(|rule| rule.name).collect();
            assert_eq!(names.len(), rules.len());
            for rule in rules {
                assert!(rule.says.len() >= 20 && rule.why.len() >= 20, "{}", rule.name);
            }
        }
    }
}
