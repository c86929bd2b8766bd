//! Makes the catalogue known to a session, as far as a statement names it.

use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, MemTable, MemorySchemaProvider, SchemaProvider as _};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::execution::FunctionRegistry as _;
use datafusion::prelude::SessionContext;

use super::declared::{DECLARED, Declared};
use super::functions::FUNCTIONS;
use super::relations::{INFORMATION, Known, Relation, SYSTEM, relations};
use super::rows::rows;

/// Where the tables of `information_schema` are for the engine, which has others of that name.
pub(super) const INFORMATION_INSIDE: &str = "pg_information";

/// The tables of the catalogue that `text` may name.
pub(crate) fn named_in(text: &str) -> Vec<&'static Declared> {
    let text = text.to_lowercase();
    if !text.contains("pg_") && !text.contains(INFORMATION.name) {
        return Vec::new();
    }
    DECLARED.iter().filter(|of| text.contains(of.name)).collect()
}

/// Makes the functions known to `context`, and the tables of the catalogue that are `named`; the views are known by now.
pub(crate) async fn register(context: &SessionContext, named: &[&'static Declared]) -> Result<()> {
    let state = context.state_ref();
    for function in FUNCTIONS.iter() {
        state.write().register_udf(Arc::clone(function))?;
    }
    if named.is_empty() {
        return Ok(());
    }
    let known = known(context).await?;
    for space in [SYSTEM, INFORMATION] {
        let schema = MemorySchemaProvider::new();
        for of in named.iter().filter(|of| of.space == space) {
            let rows = rows(of, &known)?;
            let table = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
            schema.register_table(of.name.to_owned(), Arc::new(table))?;
        }
        let inside = if space == INFORMATION { INFORMATION_INSIDE } else { space.name };
        default_catalog(context)?.register_schema(inside, Arc::new(schema))?;
    }
    Ok(())
}

fn default_catalog(context: &SessionContext) -> Result<Arc<dyn CatalogProvider>> {
    let name = context.state().config_options().catalog.default_catalog.clone();
    context.catalog(&name).ok_or_else(|| exec_datafusion_err!("there is no catalog {name}"))
}

/// Every relation with its columns.
async fn known(context: &SessionContext) -> Result<Vec<Known>> {
    let mut all = Vec::new();
    for relation in relations() {
        let schema = match own(&relation) {
            Some(of) => of.schema(),
            None => context.table_provider(relation.name).await?.schema(),
        };
        all.push(Known { relation, schema });
    }
    Ok(all)
}

fn own(relation: &Relation) -> Option<&'static Declared> {
    super::declared::declared(relation.space, relation.name)
}
