//! What there is: one catalog, one schema, and the tables and views in it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow_flight::sql::{
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables,
};
use query::Dialect;
use query::postgres::{DATABASE, Kind, Relation, SCHEMA, ours};
use tonic::Status;

use super::Desk;
use super::handed::handed;
use crate::answers::Question;

const TABLE: &str = "TABLE";
const VIEW: &str = "VIEW";

fn broken(error: &impl ToString) -> Status {
    Status::internal(error.to_string())
}

pub(super) fn catalogs(command: CommandGetCatalogs) -> Result<RecordBatch, Status> {
    let mut found = command.into_builder();
    found.append(DATABASE);
    found.build().map_err(|error| broken(&error))
}

pub(super) fn schemas(command: CommandGetDbSchemas) -> Result<RecordBatch, Status> {
    let mut found = command.into_builder();
    found.append(DATABASE, SCHEMA);
    found.build().map_err(|error| broken(&error))
}

pub(super) fn table_types(command: CommandGetTableTypes) -> Result<RecordBatch, Status> {
    let mut found = command.into_builder();
    for of in [TABLE, VIEW] {
        found.append(of);
    }
    found.build().map_err(|error| broken(&error))
}

impl Desk {
    /// Tables and views, with their columns where these are asked for.
    pub(super) async fn tables(&self, command: CommandGetTables) -> Result<RecordBatch, Status> {
        let with_columns = command.include_schema;
        let mut found = command.into_builder();
        for relation in ours() {
            let columns =
                if with_columns { self.columns_of(&relation).await? } else { Schema::empty() };
            let of = if relation.is_view() { VIEW } else { TABLE };
            let named = found.append(DATABASE, SCHEMA, relation.name, of, &columns);
            named.map_err(|error| broken(&error))?;
        }
        found.build().map_err(|error| broken(&error))
    }

    /// Columns of a table or view, with what each is for.
    async fn columns_of(&self, relation: &Relation) -> Result<Schema, Status> {
        let name = relation.name;
        let question = Question::own(format!("SELECT * FROM {name}")).in_dialect(Dialect::Postgres);
        let described = self.answers.describe(question, Vec::new()).await?;
        let columns = handed(&described.schema);
        let told = |(at, (field, described)): (usize, (&FieldRef, &FieldRef))| {
            let kind = Kind::of_field(described);
            let doc = relation.doc_of(field.name()).unwrap_or_default();
            let place = (at + 1).to_string();
            let metadata = [
                ("CATALOG_NAME", DATABASE),
                ("SCHEMA_NAME", SCHEMA),
                ("TABLE_NAME", name),
                ("ORDINAL_POSITION", &place),
                ("TYPE_NAME", kind.sql_name),
                ("IS_READ_ONLY", "1"),
                ("REMARKS", doc),
            ];
            let metadata = metadata
                .iter()
                .map(|(key, value)| (format!("ARROW:FLIGHT:SQL:{key}"), (*value).to_owned()));
            Arc::new(field.as_ref().clone().with_metadata(metadata.collect::<HashMap<_, _>>()))
        };
        let fields = columns.fields().iter().zip(described.schema.fields()).enumerate();
        Ok(Schema::new(fields.map(told).collect::<Vec<_>>()))
    }
}

/// Columns of the answer on primary keys: there are none.
pub(super) fn primary_keys() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        text("catalog_name", true),
        text("db_schema_name", true),
        text("table_name", false),
        text("column_name", false),
        Field::new("key_sequence", DataType::Int32, false),
        text("key_name", true),
    ]))
}

/// Columns of the answers on keys of other tables: there are none.
pub(super) fn foreign_keys() -> SchemaRef {
    let text = |name: String, nullable| Field::new(name, DataType::Utf8, nullable);
    let side = |side: &str| {
        [
            ("catalog_name", true),
            ("db_schema_name", true),
            ("table_name", false),
            ("column_name", false),
        ]
        .map(|(name, nullable)| text(format!("{side}_{name}"), nullable))
    };
    let mut fields: Vec<Field> = side("pk").into_iter().chain(side("fk")).collect();
    fields.push(Field::new("key_sequence", DataType::Int32, false));
    fields.extend(["fk_key_name", "pk_key_name"].map(|name| text(name.to_owned(), true)));
    fields.extend(
        ["update_rule", "delete_rule"].map(|name| Field::new(name, DataType::UInt8, false)),
    );
    Arc::new(Schema::new(fields))
}
