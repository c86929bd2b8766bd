//! How large a statement may be that a stranger wrote: planning goes down a level for each term of an expression, copies a
//! named query wherever it is named, and cannot be interrupted.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectNamePart, Query, Value, Visit,
    Visitor, visit_relations,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::QueryError;
use crate::statements::named;

/// How large a statement may be.
#[derive(Debug)]
pub(crate) struct Bounds {
    /// Operators of one expression.
    operators: usize,
    /// Set operations of a statement.
    unions: usize,
    /// Queries named by WITH: their weights are worked out in as many rounds.
    named: usize,
    /// Tables that a plan reads, each as often as it is named once named queries are put in.
    relations: u64,
}

/// For whom planning takes a thread of a server, which nobody can take back. Observed: it takes a time that grows with the
/// square of the operators, seconds from here on. The others are a choice: far more than a person writes.
pub(crate) const OF_STRANGERS: Bounds =
    Bounds { operators: 2_000, unions: 200, named: 100, relations: 500 };

/// For whoever owns the process: what fits the stack of the threads that plan twice, so that it is never the end of them.
/// Observed: a stack of 64 MiB is full between ten and twenty thousand operators, and at less than five thousand set
/// operations; it holds eight thousand and two thousand, which are planned within half a minute.
pub(crate) const OF_THE_OWNER: Bounds =
    Bounds { operators: 5_000, unions: 1_000, named: 500, relations: 2_000 };

/// Refuses a text whose expressions are too long to be parsed and planned.
pub(crate) fn check_text(text: &str, bounds: &Bounds) -> Result<(), QueryError> {
    // What is no SQL is told by the parser.
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, text).tokenize() else { return Ok(()) };
    let (mut levels, mut unions) = (vec![0], 0);
    for token in &tokens {
        match token {
            Token::LParen | Token::LBrace => levels.push(0),
            Token::LBracket => {
                // `a[1][2]` goes as deep as `a + 1 + 2`.
                set(&mut levels, |count| count + 1);
                levels.push(0);
            }
            Token::RParen | Token::RBracket | Token::RBrace if levels.len() > 1 => {
                levels.pop();
            }
            Token::Comma | Token::SemiColon => set(&mut levels, |_| 0),
            Token::Word(word) => {
                unions += usize::from(is_union(word.keyword));
                if is_operator(word.keyword) {
                    set(&mut levels, |count| count + 1);
                }
            }
            Token::Whitespace(_) | Token::Number(..) | Token::SingleQuotedString(_) => {}
            _ => set(&mut levels, |count| count + 1),
        }
        if levels.last().is_some_and(|count| *count > bounds.operators) {
            return refuse(
                format!("an expression has more than {} operators", bounds.operators),
                "give values as a list: `column IN ('a', 'b')`",
            );
        }
    }
    if unions > bounds.unions {
        return refuse(
            format!("more than {} results are put together", bounds.unions),
            "ask for them one by one, or in one query with a list of values",
        );
    }
    Ok(())
}

fn set(levels: &mut [usize], next: impl Fn(usize) -> usize) {
    if let Some(last) = levels.last_mut() {
        *last = next(*last);
    }
}

const fn is_union(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::MINUS)
}

const fn is_operator(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::AND
            | Keyword::OR
            | Keyword::XOR
            | Keyword::NOT
            | Keyword::IS
            | Keyword::NOTNULL
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::SIMILAR
            | Keyword::RLIKE
            | Keyword::REGEXP
            | Keyword::OVERLAPS
            | Keyword::OPERATOR
            | Keyword::ESCAPE
            | Keyword::BETWEEN
            | Keyword::IN
            | Keyword::DIV
            | Keyword::COLLATE
            | Keyword::AT
    )
}

const fn refuse(message: String, hint: &'static str) -> Result<(), QueryError> {
    Err(QueryError::TooLarge { message, hint })
}

/// Refuses a statement whose plan would read more tables than can be planned.
pub(crate) fn check_statement(
    statement: &ParsedStatement,
    bounds: &Bounds,
) -> Result<(), QueryError> {
    let statement = match statement {
        ParsedStatement::Statement(statement) => statement,
        ParsedStatement::Explain(explain) => return check_statement(&explain.statement, bounds),
        _ => return Ok(()),
    };
    if statement.as_ref().visit(&mut Centroids).is_break() {
        let message = "approx_percentile_cont keeps 10,000 centroids at most, written as a number";
        return refuse(message.to_owned(), "leave them out: a hundred are kept then");
    }
    let mut named = Named::default();
    let _ = statement.as_ref().visit(&mut named);
    if named.queries.len() > bounds.named {
        let told = format!("more than {} queries are named by WITH", bounds.named);
        return refuse(told, "split it up");
    }
    let mut weights: BTreeMap<&str, u64> = BTreeMap::new();
    for _ in 0..named.queries.len() {
        for (name, reads) in &named.queries {
            let others = reads.iter().filter(|read| *read != name);
            let sum = others
                .map(|read| weights.get(read.as_str()).copied().unwrap_or(1))
                .fold(1, u64::saturating_add);
            // Queries of one name may stand in several places: each counts as the greatest of them.
            let weight = weights.entry(name).or_insert(sum);
            *weight = sum.max(*weight);
        }
    }
    let whole = relations(statement.as_ref());
    let sum = whole.iter().map(|read| weights.get(read.as_str()).copied().unwrap_or(1));
    if sum.fold(0, u64::saturating_add) > bounds.relations {
        return refuse(
            format!(
                "the statement reads more than {} tables, those of queries named by WITH counted wherever they are named",
                bounds.relations
            ),
            "name fewer queries, or each less often",
        );
    }
    Ok(())
}

/// Centroids of a t-digest, at most. Memory is taken for all of them at once, and a process that asks for more than there is ends.
const CENTROIDS_MAX: u32 = 10_000;

/// Looks for approximate percentiles that want more than [`CENTROIDS_MAX`].
struct Centroids;

impl Visitor for Centroids {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let name = function.name.0.last().map(|last| last.to_string().to_lowercase());
        let name = name.unwrap_or_default();
        let FunctionArguments::List(list) = &function.args else {
            return ControlFlow::Continue(());
        };
        if !name.contains("approx_percentile_cont") {
            return ControlFlow::Continue(());
        }
        // Before them stand the percentile, the weight, and the value where it stands in no clause of its own.
        let before = 1
            + usize::from(name.contains("weight"))
            + usize::from(function.within_group.is_empty());
        let centroids = list.args.get(before);
        let is_few = centroids.is_none_or(|centroids| {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) = centroids else {
                return false;
            };
            let Value::Number(number, _) = &value.value else { return false };
            number.parse().is_ok_and(|number: f64| number <= f64::from(CENTROIDS_MAX))
        });
        if is_few { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// Queries that WITH names, each with the tables and queries that it reads.
#[derive(Debug, Default)]
struct Named {
    queries: Vec<(String, Vec<String>)>,
}

impl Visitor for Named {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for of in named(query) {
            let name = of.alias.name.value.to_lowercase();
            self.queries.push((name, relations(of.query.as_ref())));
        }
        ControlFlow::Continue(())
    }
}

/// Names of the tables and queries that a part of a statement reads, in lower case, as often as it names them.
fn relations<V: Visit>(part: &V) -> Vec<String> {
    let mut names = Vec::new();
    let _ = visit_relations(part, |name| {
        // By its last part, however that is quoted: what is read of a schema counts as if a query of that name was.
        let last = name.0.last().and_then(ObjectNamePart::as_ident);
        names.push(last.map_or_else(|| name.to_string(), |of| of.value.clone()).to_lowercase());
        ControlFlow::<()>::Continue(())
    });
    names
}

#[cfg(test)]
mod tests {
    use crate::statements::{parse, parse_bounded};

    fn refusal(text: &str) -> Option<String> {
        parse_bounded(text).err().map(|error| error.to_string())
    }

    #[test]
    fn long_lists_are_fine_and_long_expressions_are_not() {
        let list: Vec<String> =
            (0..20_000).map(|n| format!("'10.0.{}.{}'", n / 256, n % 256)).collect();
        assert_eq!(refusal(&format!("SELECT 1 WHERE ip IN ({})", list.join(", "))), None);
        for expression in [
            "1+".repeat(5_000) + "1",
            "true AND ".repeat(5_000) + "true",
            "a OR (1=1) OR ".repeat(5_000) + "b",
        ] {
            let refused = refusal(&format!("SELECT ({expression})")).expect("a refusal");
            assert!(refused.contains("operators"), "{refused}");
        }
        let unions = "SELECT 1".to_owned() + &" UNION ALL SELECT 1".repeat(300);
        assert!(refusal(&unions).expect("a refusal").contains("put together"));
        assert!(refusal(&format!("SELECT {}", "(".repeat(9_999))).is_some());
    }

    #[test]
    fn percentiles_take_no_more_memory_than_there_is() {
        let within = |values: &str| {
            refusal(&format!(
                "SELECT \"Approx_Percentile_Cont\"({values}) WITHIN GROUP (ORDER BY a) FROM t"
            ))
        };
        let plain = |values: &str| refusal(&format!("SELECT approx_percentile_cont(a, {values})"));
        for few in ["0.5", "0.5, 1000"] {
            assert_eq!([within(few), plain(few)], [None, None], "{few}");
        }
        assert_eq!([within("$1"), plain("$1")], [None, None]);
        for many in ["0.5, 2000000000000", "0.5, 1000000 * 1000000", "0.5, 1e15", "0.5, (20000)"] {
            assert!(within(many).is_some() && plain(many).is_some(), "{many}");
        }
    }

    #[test]
    fn whatever_goes_deep_is_counted() {
        for part in ["[1]", " IS NULL", "::INT", " COLLATE x", " RLIKE b", " -> 'b'"] {
            let deep = format!("SELECT a{}", part.repeat(10_000));
            assert!(refusal(&deep).expect(part).contains("operators"), "{part}");
        }
    }

    #[test]
    fn the_owner_may_ask_for_more_and_not_for_all() {
        let either = |times| format!("SELECT 1 WHERE a = 1{}", " OR a = 1".repeat(times));
        let refused = |text: &str| parse(text).err().map(|error| error.to_string());
        assert!(refusal(&either(2_000)).is_some());
        // Two for each: the comparison, and what joins them.
        assert_eq!(refused(&either(2_000)), None);
        assert!(refused(&either(20_000)).expect("a refusal").contains("more than 5000 operators"));
        let unions = "SELECT 1".to_owned() + &" UNION ALL SELECT 1".repeat(5_000);
        assert!(refused(&unions).expect("a refusal").contains("more than 1000 results"));
        let nested = format!("SELECT {}1{}", "(".repeat(9_999), ")".repeat(9_999));
        assert!(refused(&nested).expect("a refusal").contains("nested too deeply"));
    }

    #[test]
    fn named_queries_count_as_often_as_they_are_named() {
        let written = |rounds: usize, quote: &str, first: &str| {
            let more = (1..=rounds).map(|n| {
                let before = n - 1;
                let other = format!("{quote}{first}{before}{quote}");
                format!(
                    ", c{n} AS (SELECT * FROM {quote}c{before}{quote} JOIN {other} AS o USING (a))"
                )
            });
            let more: String = more.collect();
            format!("WITH c0 AS (SELECT * FROM t){more} SELECT * FROM c{rounds}")
        };
        let doubling = |rounds| written(rounds, "", "C");
        assert_eq!(refusal(&doubling(3)), None);
        assert!(refusal(&doubling(30)).expect("a refusal").contains("more than 500 tables"));
        assert!(refusal(&doubling(200)).expect("a refusal").contains("named by WITH"));
        for quote in ["\"", "`"] {
            let quoted = written(30, quote, "c");
            assert!(refusal(&quoted).expect(quote).contains("more than 500 tables"));
        }
        // Others of the same names stand beside them, and weigh nothing.
        let names: Vec<String> = (0..=30).map(|n| format!("c{n} AS (SELECT 1 AS a)")).collect();
        let beside = format!("WITH {} SELECT 1", names.join(", "));
        let both = format!("SELECT * FROM ({}) AS a, ({beside}) AS b", doubling(30));
        assert!(refusal(&both).expect("a refusal").contains("more than 500 tables"));
        let itself = "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT * FROM r";
        assert_eq!(refusal(itself), None);
    }
}
