//! Rows of the catalogue's tables.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder;
use datafusion::sql::sqlparser::keywords::ALL_KEYWORDS;
use serde_json::{Value, json};

use super::declared::Declared;
use super::functions::listed::{LISTED, Listed};
use super::kinds::{KINDS, Kind};
use super::relations::{Known, SPACES, SYSTEM};
use super::settings::{DATABASE, SETTINGS, USER};

/// Number of the one user, as PostgreSQL numbers the first.
pub(super) const OWNER_OID: i64 = 10;

/// Number of the one database, as PostgreSQL numbers `postgres`.
const DATABASE_OID: i64 = 5;

/// Number of the way in which tables are kept.
const ACCESS_OID: i64 = 2;

/// Numbers of the catalogue's own tables, by which objects are told apart.
const CLASS_OID: i64 = 1259;

/// The number of UTF-8 among encodings.
const UTF8: i64 = 6;

/// The rows of a table; `known` are the tables and views that there are.
pub(super) fn rows(of: &Declared, known: &[Known]) -> Result<RecordBatch, ArrowError> {
    let rows: Vec<Value> = match of.name {
        "pg_namespace" => spaces(),
        "pg_class" => known.iter().map(class).collect(),
        "pg_attribute" => known.iter().flat_map(attributes).collect(),
        "pg_type" => KINDS.iter().flat_map(types).collect(),
        "pg_database" => vec![database()],
        "pg_roles" => vec![role()],
        "pg_user" => vec![json!({
            "usename": USER, "usesysid": OWNER_OID, "usecreatedb": false, "usesuper": false, "userepl": false,
            "usebypassrls": false, "passwd": "********",
        })],
        "pg_am" => {
            vec![json!({"oid": ACCESS_OID, "amname": "heap", "amhandler": "-", "amtype": "t"})]
        }
        "pg_tablespace" => {
            vec![json!({"oid": 1663, "spcname": "pg_default", "spcowner": OWNER_OID})]
        }
        "pg_settings" => SETTINGS.iter().map(|of| setting(of.name, of.value)).collect(),
        "pg_proc" => LISTED.iter().map(function).collect(),
        "pg_tables" => known.iter().filter(|of| of.relation.kind() == "r").map(table).collect(),
        "pg_views" | "views" => {
            known.iter().filter(|of| of.relation.kind() == "v").map(view).collect()
        }
        "pg_description" => known.iter().flat_map(descriptions).collect(),
        "schemata" => SPACES.map(|space| schema(space.name)).to_vec(),
        "tables" => known.iter().map(information_table).collect(),
        "columns" => known.iter().flat_map(information_columns).collect(),
        "pg_get_keywords" => ALL_KEYWORDS.iter().map(|word| keyword(word)).collect(),
        _ => Vec::new(),
    };
    batch(of, &rows)
}

fn batch(of: &Declared, rows: &[Value]) -> Result<RecordBatch, ArrowError> {
    let schema = of.schema();
    if rows.is_empty() {
        return Ok(RecordBatch::new_empty(schema));
    }
    let mut decoder =
        ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(rows.len()).build_decoder()?;
    decoder.serialize(rows)?;
    Ok(decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(schema)))
}

fn keyword(word: &str) -> Value {
    json!({
        "word": word.to_lowercase(), "catcode": "U", "barelabel": true, "catdesc": "unreserved",
        "baredesc": "can be bare label",
    })
}

fn spaces() -> Vec<Value> {
    let row = |space: super::relations::Space| json!({"oid": space.oid, "nspname": space.name, "nspowner": OWNER_OID});
    SPACES.map(row).to_vec()
}

fn class(of: &Known) -> Value {
    let relation = &of.relation;
    let is_table = relation.kind() == "r";
    json!({
        "oid": relation.oid, "relname": relation.name, "relnamespace": relation.space.oid, "reltype": 0,
        "reloftype": 0, "relowner": OWNER_OID, "relam": if is_table { ACCESS_OID } else { 0 }, "relfilenode": 0,
        "reltablespace": 0, "relpages": 0, "reltuples": -1.0, "relallvisible": 0, "reltoastrelid": 0,
        "relhasindex": false, "relisshared": false, "relpersistence": "p", "relkind": relation.kind(),
        "relnatts": of.schema.fields().len(), "relchecks": 0, "relhasrules": false, "relhastriggers": false,
        "relhassubclass": false, "relrowsecurity": false, "relforcerowsecurity": false, "relispopulated": true,
        "relreplident": "n", "relispartition": false, "relrewrite": 0, "relfrozenxid": 0, "relminmxid": 0,
    })
}

fn attributes(of: &Known) -> Vec<Value> {
    let oid = of.relation.oid;
    let row = |(number, field): (i32, &Arc<arrow::datatypes::Field>)| {
        let kind = Kind::of(field.data_type());
        let is_list = kind.category == "A";
        json!({
            "attrelid": oid, "attname": field.name(), "atttypid": kind.oid, "attlen": kind.size, "attnum": number,
            "attcacheoff": -1, "atttypmod": -1, "attndims": i32::from(is_list), "attbyval": kind.size > 0,
            "attalign": "i", "attstorage": if kind.size > 0 { "p" } else { "x" }, "attcompression": "",
            "attnotnull": !field.is_nullable(), "atthasdef": false, "atthasmissing": false, "attidentity": "",
            "attgenerated": "", "attisdropped": false, "attislocal": true, "attinhcount": 0, "attstattarget": -1,
            "attcollation": 0,
        })
    };
    (1..).zip(of.schema.fields()).map(row).collect()
}

fn types(kind: &Kind) -> Vec<Value> {
    let row = |oid: u32, name: &str, size: i16, category: &str, (item, list): (u32, u32)| {
        // By its way in, clients tell a list.
        let way = if item == 0 { name.to_owned() } else { "array_".to_owned() };
        json!({
            "oid": oid, "typname": name, "typnamespace": SYSTEM.oid, "typowner": OWNER_OID, "typlen": size,
            "typbyval": size > 0, "typtype": "b", "typcategory": category, "typispreferred": false,
            "typisdefined": true, "typdelim": ",", "typrelid": 0, "typsubscript": "-", "typelem": item,
            "typarray": list, "typinput": format!("{way}in"), "typoutput": format!("{way}out"),
            "typreceive": format!("{way}recv"), "typsend": format!("{way}send"), "typmodin": "-",
            "typmodout": "-", "typanalyze": "-", "typalign": "i", "typstorage": if size > 0 { "p" } else { "x" },
            "typnotnull": false, "typbasetype": 0, "typtypmod": -1, "typndims": 0, "typcollation": 0,
        })
    };
    let mut rows = vec![row(kind.oid, kind.name, kind.size, kind.category, (0, kind.list_oid))];
    if kind.list_oid != 0 {
        rows.push(row(kind.list_oid, &format!("_{}", kind.name), -1, "A", (kind.oid, 0)));
    }
    rows
}

fn database() -> Value {
    json!({
        "oid": DATABASE_OID, "datname": DATABASE, "datdba": OWNER_OID, "encoding": UTF8, "datlocprovider": "c",
        "datistemplate": false, "datallowconn": true, "datconnlimit": -1, "datfrozenxid": 0, "datminmxid": 0,
        "dattablespace": 1663, "datcollate": "C", "datctype": "C",
    })
}

fn role() -> Value {
    json!({
        "oid": OWNER_OID, "rolname": USER, "rolsuper": false, "rolinherit": true, "rolcreaterole": false,
        "rolcreatedb": false, "rolcanlogin": true, "rolreplication": false, "rolconnlimit": -1,
        "rolpassword": "********", "rolbypassrls": false,
    })
}

fn setting(name: &str, value: &str) -> Value {
    json!({
        "name": name, "setting": value, "category": "Floodmark", "short_desc": "", "context": "user",
        "vartype": "string", "source": "default", "boot_val": value, "reset_val": value, "pending_restart": false,
    })
}

fn function(of: &Listed) -> Value {
    json!({
        "oid": of.oid, "proname": of.name, "pronamespace": super::relations::PUBLIC.oid, "proowner": OWNER_OID,
        "prolang": 12, "procost": 1.0, "prorows": if of.is_set { 1000.0 } else { 0.0 }, "provariadic": 0,
        "prosupport": "-", "prokind": of.kind, "prosecdef": false, "proleakproof": false, "proisstrict": false,
        "proretset": of.is_set, "provolatile": "i", "proparallel": "s", "pronargs": of.takes.split(", ").count(),
        "pronargdefaults": 0, "prorettype": Kind::named(of.gives).map_or(0, |kind| kind.oid), "proargtypes": "",
        "prosrc": of.name,
    })
}

fn table(of: &Known) -> Value {
    json!({
        "schemaname": of.relation.space.name, "tablename": of.relation.name, "tableowner": USER,
        "hasindexes": false, "hasrules": false, "hastriggers": false, "rowsecurity": false,
    })
}

/// A row for `pg_views`, and for `information_schema.views`: each takes what it has.
fn view(of: &Known) -> Value {
    let (space, name) = (of.relation.space.name, of.relation.name);
    let sql = of.relation.view.map_or(String::new(), crate::views::View::query);
    json!({
        "schemaname": space, "viewname": name, "viewowner": USER, "definition": sql,
        "table_catalog": DATABASE, "table_schema": space, "table_name": name, "view_definition": sql,
        "check_option": "NONE", "is_updatable": "NO", "is_insertable_into": "NO", "is_trigger_updatable": "NO",
        "is_trigger_deletable": "NO", "is_trigger_insertable_into": "NO",
    })
}

fn descriptions(of: &Known) -> Vec<Value> {
    let row = |number: i32, text: &str| json!({"objoid": of.relation.oid, "classoid": CLASS_OID, "objsubid": number, "description": text});
    let whole = (!of.relation.doc.is_empty()).then(|| row(0, of.relation.doc));
    let columns = (1..).zip(of.schema.fields()).filter_map(|(number, field)| {
        of.relation.doc_of(field.name()).map(|text| row(number, text))
    });
    whole.into_iter().chain(columns).collect()
}

fn schema(name: &str) -> Value {
    json!({"catalog_name": DATABASE, "schema_name": name, "schema_owner": USER})
}

fn information_table(of: &Known) -> Value {
    json!({
        "table_catalog": DATABASE, "table_schema": of.relation.space.name, "table_name": of.relation.name,
        "table_type": if of.relation.kind() == "v" { "VIEW" } else { "BASE TABLE" },
        "is_insertable_into": "NO", "is_typed": "NO",
    })
}

fn information_columns(of: &Known) -> Vec<Value> {
    let row = |(number, field): (i32, &Arc<arrow::datatypes::Field>)| {
        let kind = Kind::of(field.data_type());
        let is_list = kind.category == "A";
        let udt = if is_list { format!("_{}", kind.name) } else { kind.name.to_owned() };
        // Bits of a whole number, and of the fraction of a float.
        let bits = match field.data_type() {
            DataType::Int16 => Some(16),
            DataType::Int32 => Some(32),
            DataType::Int64 => Some(64),
            DataType::Float32 => Some(24),
            DataType::Float64 => Some(53),
            _ => None,
        };
        let is_time = matches!(field.data_type(), DataType::Timestamp(..));
        json!({
            "table_catalog": DATABASE, "table_schema": of.relation.space.name, "table_name": of.relation.name,
            "column_name": field.name(), "ordinal_position": number,
            "is_nullable": if field.is_nullable() { "YES" } else { "NO" },
            "data_type": if is_list { "ARRAY" } else { kind.sql_name },
            "numeric_precision": bits, "numeric_precision_radix": bits.map(|_| 2),
            "numeric_scale": bits.filter(|_| field.data_type().is_integer()).map(|_| 0),
            "datetime_precision": is_time.then_some(6), "udt_catalog": DATABASE, "udt_schema": SYSTEM.name,
            "udt_name": udt, "dtd_identifier": number.to_string(), "is_self_referencing": "NO",
            "is_identity": "NO", "is_generated": "NEVER", "is_updatable": "NO",
        })
    };
    (1..).zip(of.schema.fields()).map(row).collect()
}
