//! `fingerprint_requests('…')`: the requests that an incident's fingerprint selects.

use std::sync::{Arc, LazyLock};

use arrow::array::AsArray;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{
    Session as EngineSession, TableFunctionArgs, TableFunctionImpl, TableProvider,
};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{
    DocSection, Documentation, Expr, LogicalPlanBuilder, TableProviderFilterPushDown, TableType,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;

/// Name in SQL.
pub(crate) const NAME: &str = "fingerprint_requests";

/// What the help says.
pub(crate) static DOC: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        DocSection { include: true, label: "Incidents", description: None },
        "Requests that the fingerprint of an incident selects, at any time, as a table with the \
         columns of requests. Given a kind, the most severe incident of that kind is taken.",
        "fingerprint_requests('id or kind')",
    )
    .with_argument("id or kind", "incident_id or kind of an incident, as a literal.")
    .with_sql_example(
        "SELECT client_ip, count(*) FROM fingerprint_requests('http_flood') GROUP BY 1 ORDER BY 2 DESC;",
    )
    .build()
});

/// Newest fingerprint of the incident `$1`, or of the most severe one of kind `$1`.
const FIND: &str = "SELECT fingerprint FROM (SELECT *, row_number() OVER \
     (PARTITION BY incident_id ORDER BY revision DESC) AS newest FROM incidents \
     WHERE fingerprint IS NOT NULL AND (incident_id = $1 OR kind = $1)) \
     WHERE newest = 1 ORDER BY incident_id = $1 DESC, severity DESC, first_ts, incident_id LIMIT 1";

/// The table function.
#[derive(Debug)]
pub(crate) struct FingerprintRequests {
    /// The table `requests`.
    pub(crate) requests: Arc<dyn TableProvider>,
}

impl TableFunctionImpl for FingerprintRequests {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let [Expr::Literal(key, _)] = args.exprs() else {
            return plan_err!("{NAME} takes one text: the id or the kind of an incident");
        };
        let Some(Some(key)) = key.try_as_str() else {
            return plan_err!("{NAME} takes one text: the id or the kind of an incident");
        };
        Ok(Arc::new(Selected { key: key.to_owned(), requests: Arc::clone(&self.requests) }))
    }
}

/// `requests` behind a predicate that is read when the query starts.
#[derive(Debug)]
struct Selected {
    key: String,
    requests: Arc<dyn TableProvider>,
}

impl Selected {
    async fn fingerprint(&self, state: &SessionState) -> Result<String> {
        let context = SessionContext::new_with_state(state.clone());
        let key = ScalarValue::from(self.key.as_str());
        let found = context.sql(FIND).await?.with_param_values(vec![key])?.collect().await?;
        let text = found.iter().find(|batch| batch.num_rows() > 0).map(|batch| {
            let column = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8)?;
            Ok::<_, arrow::error::ArrowError>(column.as_string::<i32>().value(0).to_owned())
        });
        text.transpose()?.ok_or_else(|| {
            exec_datafusion_err!(
                "no incident with id or kind `{}` has a fingerprint; see \
                 `SELECT incident_id, kind, fingerprint FROM attacks`",
                self.key
            )
        })
    }
}

#[async_trait]
impl TableProvider for Selected {
    fn schema(&self) -> SchemaRef {
        self.requests.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn EngineSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let state = state
            .as_any()
            .downcast_ref::<SessionState>()
            .ok_or_else(|| exec_datafusion_err!("{NAME} needs the session of this program"))?;
        let fingerprint = self.fingerprint(state).await?;
        let source = provider_as_source(Arc::clone(&self.requests));
        let mut plan = LogicalPlanBuilder::scan("requests", source, None)?;
        let predicate = state.create_logical_expr(&fingerprint, plan.schema())?;
        plan = plan.filter(predicate)?;
        for filter in filters {
            plan = plan.filter(unqualified(filter)?)?;
        }
        if let Some(columns) = projection {
            let schema = Arc::clone(plan.schema());
            plan = plan.project(columns.iter().map(|&index| {
                Expr::Column(datafusion::common::Column::from(schema.qualified_field(index)))
            }))?;
        }
        let plan = plan.limit(0, limit)?.build()?;
        state.create_physical_plan(&plan).await
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }
}

/// `filter` over bare column names, as its table had another name in the query.
fn unqualified(filter: &Expr) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let renamed = filter.clone().transform(|expr| match expr {
        Expr::Column(column) => Ok(Transformed::yes(Expr::Column(
            datafusion::common::Column::new_unqualified(column.name),
        ))),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(renamed.data)
}
