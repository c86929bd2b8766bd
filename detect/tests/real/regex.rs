//! As much of regular expressions as a predicate needs: classes, repetition, groups, alternatives, anchors.

#[derive(Debug, Clone)]
enum Node {
    Any,
    Class(Vec<(char, char)>, bool),
    Start,
    End,
    Group(Vec<Vec<Node>>),
    Repeat(Box<Node>, usize, usize),
}

fn escaped(mark: char) -> Node {
    let word = vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')];
    match mark {
        'd' => Node::Class(vec![('0', '9')], false),
        'D' => Node::Class(vec![('0', '9')], true),
        'w' => Node::Class(word, false),
        'W' => Node::Class(word, true),
        's' => Node::Class(vec![(' ', ' '), ('\t', '\r')], false),
        mark => Node::Class(vec![(mark, mark)], false),
    }
}

fn class(marks: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Node {
    let not = marks.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while let Some(mark) = marks.next() {
        match mark {
            ']' if !ranges.is_empty() => return Node::Class(ranges, not),
            '\\' => {
                let Node::Class(more, false) = escaped(marks.next().unwrap()) else {
                    panic!("a negated class in a class")
                };
                ranges.extend(more);
            }
            mark => {
                let mut ahead = marks.clone();
                if ahead.next() == Some('-') && ahead.peek() != Some(&']') {
                    marks.next();
                    ranges.push((mark, marks.next().unwrap()));
                } else {
                    ranges.push((mark, mark));
                }
            }
        }
    }
    panic!("`]` is missing")
}

fn counts(marks: &mut std::iter::Peekable<std::str::Chars<'_>>) -> (usize, usize) {
    let text: String = marks.by_ref().take_while(|mark| *mark != '}').collect();
    match text.split_once(',') {
        None => (text.parse().unwrap(), text.parse().unwrap()),
        Some((least, "")) => (least.parse().unwrap(), usize::MAX),
        Some((least, most)) => (least.parse().unwrap(), most.parse().unwrap()),
    }
}

fn alternatives(marks: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Vec<Vec<Node>> {
    let mut all = vec![Vec::new()];
    while let Some(mark) = marks.next() {
        let node = match mark {
            ')' => return all,
            '|' => {
                all.push(Vec::new());
                continue;
            }
            '(' => {
                if marks.next_if_eq(&'?').is_some() {
                    assert_eq!(marks.next(), Some(':'), "only `(?:` is known");
                }
                Node::Group(alternatives(marks))
            }
            '[' => class(marks),
            '.' => Node::Any,
            '^' => Node::Start,
            '$' => Node::End,
            '\\' => escaped(marks.next().unwrap()),
            mark => Node::Class(vec![(mark, mark)], false),
        };
        let (least, most) = match marks.peek() {
            Some('*') => (0, usize::MAX),
            Some('+') => (1, usize::MAX),
            Some('?') => (0, 1),
            Some('{') => (2, 2),
            _ => (1, 1),
        };
        let node = match marks.peek() {
            Some('{') => {
                marks.next();
                let (least, most) = counts(marks);
                Node::Repeat(Box::new(node), least, most)
            }
            Some('*' | '+' | '?') => {
                marks.next();
                Node::Repeat(Box::new(node), least, most)
            }
            _ => node,
        };
        all.last_mut().unwrap().push(node);
    }
    all
}

/// Calls `then` with every place where the nodes may end; whether one of them was good.
fn run(nodes: &[Node], text: &[char], at: usize, then: &mut dyn FnMut(usize) -> bool) -> bool {
    let Some((node, rest)) = nodes.split_first() else { return then(at) };
    match node {
        Node::Start => at == 0 && run(rest, text, at, then),
        Node::End => at == text.len() && run(rest, text, at, then),
        Node::Any => at < text.len() && run(rest, text, at + 1, then),
        Node::Class(ranges, not) => {
            let is = |mark: &char| ranges.iter().any(|(a, b)| (a..=b).contains(&mark)) != *not;
            text.get(at).is_some_and(is) && run(rest, text, at + 1, then)
        }
        Node::Group(all) => {
            all.iter().any(|one| run(one, text, at, &mut |end| run(rest, text, end, then)))
        }
        Node::Repeat(inner, least, most) => {
            let one = std::slice::from_ref(&**inner);
            let fewer =
                Node::Repeat(inner.clone(), least.saturating_sub(1), most.saturating_sub(1));
            let more = *most > 0
                && run(one, text, at, &mut |end| {
                    end > at
                        && run(std::slice::from_ref(&fewer), text, end, &mut |end| {
                            run(rest, text, end, then)
                        })
                });
            more || (*least == 0 && run(rest, text, at, then))
        }
    }
}

/// Whether the pattern is found in the text.
pub fn is_match(pattern: &str, text: &str) -> bool {
    let all = [Node::Group(alternatives(&mut pattern.chars().peekable()))];
    let text: Vec<char> = text.chars().collect();
    (0..=text.len()).any(|at| run(&all, &text, at, &mut |_| true))
}

#[test]
fn patterns_match_as_they_should() {
    assert!(is_match(r"^title=[^&]+&diff=\d+&oldid=[0-9]{4,6}$", "title=A_b&diff=1&oldid=12345"));
    assert!(!is_match(r"^title=[^&]+&diff=\d+$", "title=A&diff=1&oldid=2"));
    assert!(is_match("(?:a|bc)*d$", "xxabcad") && !is_match("^(?:a|bc)*d$", "abxd"));
    assert!(is_match(r"Chrome/(9[0-9]|10[0-9])\.", "Chrome/104.0") && is_match("[a-]+$", "--a"));
}
