//! A function of the engine that is called by way of something of ours; in all else it is what it was.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};

/// What stands before a function.
pub(crate) trait Way: Debug + Clone + Eq + Hash + Send + Sync + 'static {
    /// Calls it, or does its work.
    fn call(&self, function: &ScalarUDF, args: ScalarFunctionArgs) -> Result<ColumnarValue>;
}

/// A function with something before it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Over<W> {
    function: Arc<ScalarUDF>,
    way: W,
}

/// The function, called this way.
pub(crate) fn over<W: Way>(function: Arc<ScalarUDF>, way: W) -> ScalarUDF {
    ScalarUDF::from(Over { function, way })
}

impl<W: Way> ScalarUDFImpl for Over<W> {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, of: &[DataType]) -> Result<DataType> {
        self.function.return_type(of)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.function.return_field_from_args(args)
    }

    fn coerce_types(&self, of: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(of)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let function = Arc::new(self.function.inner().with_updated_config(config)?);
        Some(over(function, self.way.clone()))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.way.call(&self.function, args)
    }
}
