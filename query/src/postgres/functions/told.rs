//! What is told about the connection and the server, and what there is none of here.

use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::ScalarUDF;

use super::{
    Function, Of, gives_bool, gives_number, gives_text, gives_texts, number, of_text, of_texts,
    text,
};
use crate::postgres::relations::{self, PUBLIC, SYSTEM};
use crate::postgres::settings::{DATABASE, Set, Setting, USER, VERSION};

/// What one may do with the tables, as privileges are named.
const GRANTED: [&str; 5] = ["SELECT", "USAGE", "CONNECT", "EXECUTE", "MEMBER"];

/// Functions that ask whether something may be done.
const PRIVILEGES: [&str; 11] = [
    "has_any_column_privilege",
    "has_column_privilege",
    "has_database_privilege",
    "has_function_privilege",
    "has_language_privilege",
    "has_schema_privilege",
    "has_sequence_privilege",
    "has_server_privilege",
    "has_table_privilege",
    "has_tablespace_privilege",
    "pg_has_role",
];

/// Functions whose answer is a text that is not there.
const NO_TEXT: [&str; 16] = [
    "inet_client_addr",
    "inet_server_addr",
    "pg_advisory_unlock_all",
    "pg_get_constraintdef",
    "pg_get_expr",
    "pg_get_functiondef",
    "pg_get_function_sqlbody",
    "pg_get_indexdef",
    "pg_get_partition_constraintdef",
    "pg_get_partkeydef",
    "pg_get_ruledef",
    "pg_get_serial_sequence",
    "pg_get_statisticsobjdef_columns",
    "pg_get_triggerdef",
    "pg_tablespace_location",
    "shobj_description",
];

/// Functions whose answer is a number that is not known.
const NO_NUMBER: [&str; 9] = [
    "inet_client_port",
    "inet_server_port",
    "pg_database_size",
    "pg_indexes_size",
    "pg_relation_size",
    "pg_stat_get_numscans",
    "pg_table_size",
    "pg_tablespace_size",
    "pg_total_relation_size",
];

/// Functions whose answer is no.
const NO: [&str; 5] = [
    "pg_index_column_has_property",
    "pg_indexam_has_property",
    "pg_is_in_recovery",
    "pg_is_other_temp_schema",
    "pg_relation_is_publishable",
];

/// Functions whose answer is yes.
const YES: [&str; 7] = [
    "pg_collation_is_visible",
    "pg_conversion_is_visible",
    "pg_function_is_visible",
    "pg_opclass_is_visible",
    "pg_operator_is_visible",
    "pg_statistics_obj_is_visible",
    "pg_type_is_visible",
];

/// Functions whose answer is always the same text.
const SAME: [(&str, &str); 9] = [
    ("current_catalog", DATABASE),
    ("current_database", DATABASE),
    ("current_role", USER),
    ("current_schema", PUBLIC.name),
    ("current_user", USER),
    ("pg_encoding_to_char", "UTF8"),
    ("session_user", USER),
    ("user", USER),
    ("version", VERSION),
];

pub(super) fn functions() -> Vec<ScalarUDF> {
    let mut all = vec![
        Function::by("current_schemas", gives_texts, |of| {
            let with_system = matches!(of.first(), Some(ScalarValue::Boolean(Some(true))));
            Ok(of_texts(if with_system { &[SYSTEM.name, PUBLIC.name] } else { &[PUBLIC.name] }))
        }),
        Function::by("pg_table_is_visible", gives_bool, |of| {
            let relation = number(of.first()).and_then(relations::numbered);
            let is_visible = relation.map(|of| of.space != relations::INFORMATION);
            Ok(ScalarValue::Boolean(is_visible))
        }),
        Function::by("current_setting", gives_text, current_setting),
        Function::by("set_config", gives_text, set_config),
        Function::by("pg_my_temp_schema", gives_number, |_| Ok(0_i64.into())),
        Function::by("pg_backend_pid", gives_number, |_| Ok(0_i64.into())),
        Function::by("pg_char_to_encoding", gives_number, |_| Ok(6_i64.into())),
        Function::by("pg_size_pretty", gives_text, |of| {
            Ok(of_text(number(of.first()).map(|bytes| format!("{bytes} bytes"))))
        }),
    ];
    all.extend(SAME.map(|(name, told)| Function::giving(name, gives_text, Of::Same(told))));
    all.extend(NO_TEXT.map(|name| Function::by(name, gives_text, |_| Ok(of_text(None)))));
    let no_number = |_: &[ScalarValue]| Ok(ScalarValue::Int64(None));
    all.extend(NO_NUMBER.map(|name| Function::by(name, gives_number, no_number)));
    all.extend(NO.map(|name| Function::by(name, gives_bool, |_| Ok(false.into()))));
    all.extend(YES.map(|name| Function::by(name, gives_bool, |_| Ok(true.into()))));
    all.extend(PRIVILEGES.map(|name| Function::by(name, gives_bool, is_granted)));
    all
}

/// Whether something may be done: what reads.
#[expect(clippy::unnecessary_wraps, reason = "it stands beside those that may fail")]
fn is_granted(of: &[ScalarValue]) -> Result<ScalarValue> {
    let Some(asked) = text(of.last()) else { return Ok(ScalarValue::Boolean(None)) };
    let is = |part: &str| GRANTED.contains(&part.trim().to_ascii_uppercase().as_str());
    Ok(asked.split(',').any(is).into())
}

fn current_setting(of: &[ScalarValue]) -> Result<ScalarValue> {
    let Some(name) = text(of.first()) else { return Ok(of_text(None)) };
    match Setting::named(&name) {
        Some(setting) => Ok(setting.value.into()),
        None if matches!(of.get(1), Some(ScalarValue::Boolean(Some(true)))) => Ok(of_text(None)),
        None => plan_err!("unrecognized configuration parameter \"{name}\""),
    }
}

/// Sets nothing: as with `SET`, what it is set to stays what it is.
fn set_config(of: &[ScalarValue]) -> Result<ScalarValue> {
    let name = text(of.first()).unwrap_or_default();
    match Setting::named(&name) {
        Some(setting) if setting.set == Set::Any => Ok(of_text(text(of.get(1)))),
        Some(_) => plan_err!("parameter \"{name}\" cannot be changed"),
        None => plan_err!("unrecognized configuration parameter \"{name}\""),
    }
}
