//! The conformance runner: what it counts, shows and answers with.

use std::io::Write as _;

use expect_test::{Expect, expect};

use super::runner;

/// Runs over `cases` and compares status, standard output and standard error.
fn check(options: &[&str], cases: &str, expected: &Expect) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("outside.jsonl");
    std::fs::File::create(&file).unwrap().write_all(cases.as_bytes()).unwrap();
    let file = file.to_str().unwrap();
    let arguments: Vec<String> = options.iter().copied().chain([file]).map(str::to_owned).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = runner::run(&arguments, &mut out, &mut err);
    let text = [out, err].map(|text| String::from_utf8(text).unwrap().replace(file, "FILE"));
    expected.assert_eq(&format!("{}{}exit status {status}\n", text[0], text[1]));
}

const COMBINED: &str = r#"192.0.2.1 - - [01/May/2024:12:00:00 +0200] \"GET /a?b=1 HTTP/1.1\" 200 5 \"-\" \"a \\x22b\\x22\""#;

fn case(source: &str, format: &str, raw: &str, expect: &str) -> String {
    format!(r#"{{"source":"{source}","format":"{format}","raw":"{raw}","expect":{expect}}}"#) + "\n"
}

#[test]
fn values_are_equal_under_any_usual_name_and_notation() {
    let ours = r#"{"ts":"2024-05-01T10:00:00Z","client_ip":"::ffff:192.0.2.1","path":"/a","query":"b=1","status":200,"response_bytes":5,"referer":null,"user_agent":"a \"b\"","malformed":false}"#;
    let theirs = r#"{"source_ip":"192.0.2.1","http_status":"200","http_path":"/a?b=1","parsed_request":"/a?b=1","http_verb":"GET","parsed_http_user_agent":"a \\x22b\\x22","parsed_http_referer":"-","parsed_time_local":"01/May/2024:12:00:00 +0200","unknown_to_all":1}"#;
    let cases = case("a", "nginx", COMBINED, ours) + &case("b", "apache2", COMBINED, theirs);
    check(
        &[],
        &cases,
        &expect![[r"
            source  format   cases  rows  equal  differ  missed  not compared
            a       nginx        1     1      1       0       0             0
            b       apache2      1     1      1       0       0             1
            all                  2     2      2       0       0             1
            exit status 0
        "]],
    );
}

#[test]
fn names_of_other_parsers_are_known() {
    let ecs = r#"{"@timestamp":"2024-05-01T10:00:00Z","source":{"ip":"192.0.2.1"},"http":{"version":"1.1","request":{"method":"GET"},"response":{"status_code":200,"body":{"bytes":5}}},"url":{"path":"/a","query":"b=1"},"tags":["x"]}"#;
    let grok = r#"{"clientip":"192.0.2.1","verb":"GET","request":"/a?b=1","httpversion":"1.1","response":"200","bytes":"5"}"#;
    let apache = r#"{"host":"192.0.2.1","code":"200","size":"5","agent":"a \\x22b\\x22"}"#;
    let cases = [ecs, grok, apache].map(|expect| case("a", "nginx", COMBINED, expect)).concat();
    check(
        &["--show", "3"],
        &cases,
        &expect![[r"
            source  format  cases  rows  equal  differ  missed  not compared
            a       nginx       3     3      3       0       0             1
            exit status 0
        "]],
    );
}

#[test]
fn differences_are_shown_on_request() {
    let wrong = r#"{"status":404,"host":"shop.example","referer":null,"path":"/b"}"#;
    let cases = case("a", "nginx", COMBINED, wrong) + &case("a", "nginx", "nothing", "{}");
    check(
        &["--show", "5"],
        &cases,
        &expect![[r#"
            FILE:1 a nginx read as combined
              host: expected "shop.example", found nothing
              path: expected "/b", found "/a?b=1"
              status: expected 404, found "200"
              "192.0.2.1 - - [01/May/2024:12:00:00 +0200] \"GET /a?b=1 HTTP/1.1\" 200 5 \"-\" \"a \\x22b\\x22\""
            FILE:2 a nginx
              rejected: format not recognised
              "nothing"

            source  format  cases  rows  equal  differ  missed  not compared
            a       nginx       2     1      0       1       1             0
            exit status 1
        "#]],
    );
}

#[test]
fn rejects_can_be_expected() {
    let error = "2024/05/01 12:00:00 [error] 7#7: *1 open() failed, client: 192.0.2.1";
    let cases = case("a", "nginx", error, r#"{"reject":true}"#)
        + &case("a", "nginx", error, r#"{"log_type":"http_error-log","source_ip":"192.0.2.1"}"#)
        + &case("a", "nginx", error, r#"{"reject":"timestamp"}"#)
        + &case("a", "nginx", COMBINED, r#"{"reject":true}"#);
    check(
        &["--show", "1"],
        &cases,
        &expect![[r#"
            FILE:3 a nginx
              expected a reject for "timestamp", found "a line of an error log"
              "2024/05/01 12:00:00 [error] 7#7: *1 open() failed, client: 192.0.2.1"

            source  format  cases  rows  equal  differ  missed  not compared
            a       nginx       4     1      2       2       0             0
            exit status 1
        "#]],
    );
}

#[test]
fn one_format_can_be_asked_for() {
    let raw = "200 192.0.2.1 [01/May/2024:12:00:00 +0000]";
    let cases = case("a", "odd", raw, r#"{"status":200,"client_ip":"192.0.2.1"}"#);
    check(
        &["--format", "$status $remote_addr [$time_local]"],
        &cases,
        &expect![[r"
            source  format  cases  rows  equal  differ  missed  not compared
            a       odd         1     1      1       0       0             0
            exit status 0
        "]],
    );
}

#[test]
fn what_is_no_case_is_said() {
    check(
        &[],
        "no json\n{\"raw\":\"x\"}\n",
        &expect![[r"
            source  format  cases  rows  equal  differ  missed  not compared
            conformance: FILE:1: expected ident at line 1 column 2
            conformance: FILE:2: no `expect` object; a case looks as --help shows
            exit status 1
        "]],
    );
    check(
        &["--show"],
        "",
        &expect![[r"
        conformance: --show needs a number, not `FILE`
        exit status 2
    "]],
    );
}
