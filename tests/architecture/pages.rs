//! README and docs hang together: every page is in the table of contents, every link leads somewhere.

use std::path::{Component, Path, PathBuf};

use tests::pages::{self, Page};
use tests::workspace;

use crate::tidy::files;

const SUMMARY: &str = "docs/SUMMARY.md";

/// Every page of the workspace.
fn every_page() -> Vec<Page> {
    let is_page = |(name, _): &(PathBuf, String)| name.extension().is_some_and(|of| of == "md");
    let pages = files().into_iter().filter(is_page);
    let pages: Vec<_> =
        pages.map(|(name, text)| Page { name: name.display().to_string(), text }).collect();
    assert!(pages.len() > 20, "{} pages", pages.len());
    pages
}

/// The path in the workspace that `target` names on `page`.
fn resolve(page: &str, target: &str) -> PathBuf {
    let mut path = PathBuf::from(page);
    path.pop();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{page}: {target} leaves the workspace"),
            part => path.push(part),
        }
    }
    path
}

/// What is wrong with a link of `page`, if anything.
fn fault(page: &Page, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path =
        if target.is_empty() { page.name.clone().into() } else { resolve(&page.name, target) };
    if !workspace::root().join(&path).exists() {
        return Some("leads nowhere".to_owned());
    }
    if page.name.starts_with("docs/") && !path.starts_with("docs") {
        return Some("leads out of the book".to_owned());
    }
    if anchor.is_empty() {
        return None;
    }
    let anchors = Page::read(path.to_str()?).anchors();
    (!anchors.iter().any(|known| known == anchor)).then(|| format!("not one of {anchors:?}"))
}

#[test]
fn every_link_leads_somewhere() {
    let mut faults = Vec::new();
    let mut links = 0;
    for page in every_page() {
        for link in page.links() {
            links += 1;
            faults.extend(fault(&page, &link).map(|why| format!("{}: {link}: {why}", page.name)));
        }
    }
    assert!(links > 100, "{links} links");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_contents_name_every_page_once_by_its_heading() {
    let summary = Page::read(SUMMARY);
    let mut listed = Vec::new();
    for line in summary.text.lines().filter(|line| line.contains("](")) {
        let (title, target) = line.trim_start_matches(['-', ' ', '[']).split_once("](").unwrap();
        let name = resolve(SUMMARY, target.trim_end_matches(')')).display().to_string();
        assert_eq!(Page::read(&name).headings().first(), Some(&title), "{name}");
        listed.push(name);
    }
    let mut there: Vec<String> = pages::all().into_iter().map(|page| page.name).collect();
    there.retain(|name| name.starts_with("docs/") && name != SUMMARY);
    listed.sort();
    there.sort();
    assert_eq!(listed, there);
}
