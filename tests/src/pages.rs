//! Pages in Markdown: which there are, and where their links lead.

use std::collections::HashMap;
use std::path::Path;

use crate::workspace;

/// A page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its path in the workspace, such as `docs/alerts.md`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The README and every page under `docs/`, in order of their names.
pub fn all() -> Vec<Page> {
    let mut pages = vec![Page::read("README.md")];
    walk(Path::new("docs"), &mut pages);
    pages
}

fn walk(folder: &Path, pages: &mut Vec<Page>) {
    let entries = workspace::root().join(folder).read_dir().expect("a folder of pages");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    for name in names {
        let path = folder.join(name);
        if workspace::root().join(&path).is_dir() {
            walk(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(Page::read(path.to_str().expect("names of pages are UTF-8")));
        }
    }
}

impl Page {
    /// The page at this path in the workspace.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn read(name: &str) -> Self {
        let text = std::fs::read_to_string(workspace::root().join(name));
        Self { name: name.to_owned(), text: text.unwrap_or_else(|error| panic!("{name}: {error}")) }
    }

    /// Its lines outside of fenced blocks.
    pub fn prose(&self) -> Vec<&str> {
        let mut is_fenced = false;
        let is_prose = |line: &&str| {
            let is_fence = line.trim_start().starts_with("```");
            is_fenced ^= is_fence;
            !is_fenced && !is_fence
        };
        self.text.lines().filter(is_prose).collect()
    }

    /// Where its links and pictures lead, as they are written.
    ///
    /// # Panics
    /// When a code span has no end.
    pub fn links(&self) -> Vec<String> {
        let prose = self.prose().join("\n");
        assert!(
            prose.matches('`').count().is_multiple_of(2),
            "{}: a span of code is open",
            self.name
        );
        let without_code: String = prose.split('`').step_by(2).collect();
        let targets = without_code.split("](").skip(1);
        targets.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
    }

    /// Its headings.
    pub fn headings(&self) -> Vec<&str> {
        let prose = self.prose().into_iter();
        prose
            .filter(|line| line.starts_with('#'))
            .map(|line| line.trim_matches(['#', ' ']))
            .collect()
    }

    /// What a link may name behind `#`: the headings as GitHub and mdBook make anchors of them.
    pub fn anchors(&self) -> Vec<String> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut anchor = |heading: &str| {
            let part = |c: char| match c {
                ' ' => Some('-'),
                c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c),
                _ => None,
            };
            let plain: String = heading.to_lowercase().chars().filter_map(part).collect();
            let times = seen.entry(plain.clone()).or_default();
            *times += 1;
            if *times == 1 { plain } else { format!("{plain}-{}", *times - 1) }
        };
        self.headings().into_iter().map(&mut anchor).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_anchors_are_those_of_the_prose() {
        let page = Page {
            name: "page.md".into(),
            text: "# A `b_c`: it's\n[x](y.md#z) `[no](no)` ![p](\nq.png)\n```sh\n# no\n[no](no)\n```\n# A b_c its\n"
                .into(),
        };
        assert_eq!(page.links(), ["y.md#z", "\nq.png"]);
        assert_eq!(page.anchors(), ["a-b_c-its", "a-b_c-its-1"]);
    }
}
