//! Prepared statements and portals: a portal is a statement with its values, and the rows of it that are left.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use query::postgres::{Kind, oid};
use query::{Described, Params};

use super::complaint::Complaint;
use super::kinds::as_told;
use super::message::{Bind, Form};
use super::phrase::{self, Phrase};
use super::rows::Rows;
use super::speech::{Column, Speech};
use super::values::value;
use crate::answers::Reply;

/// A statement that was prepared.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) phrase: Phrase,
    /// Types of its values, as the client has them; 0 where it leaves that to us.
    pub(super) types: Vec<u32>,
    /// What is known of it, once somebody needed to.
    pub(super) described: Option<Arc<Described>>,
}

impl Prepared {
    /// Bytes that are kept for it.
    pub(super) fn bytes(&self) -> usize {
        self.phrase.bytes() + self.types.len() * size_of::<u32>()
    }

    /// Whether somebody must tell the types of `values` values.
    pub(super) fn is_vague(&self, values: usize) -> bool {
        self.described.is_none()
            && (0..values).any(|at| self.types.get(at).is_none_or(|of| *of == 0))
    }

    /// Types of its values.
    pub(super) fn types(&self) -> Vec<u32> {
        let described = self.described.as_ref().map_or(&[][..], |of| of.params.as_slice());
        let count = described.len().max(self.types.len());
        (0..count).map(|at| self.type_of(at)).collect()
    }

    fn type_of(&self, at: usize) -> u32 {
        let said = self.types.get(at).copied().filter(|of| *of != 0);
        let known = || self.described.as_ref()?.params.get(at).copied();
        said.or_else(known).unwrap_or(oid::TEXT)
    }

    /// The values that a client binds to it.
    pub(super) fn bind(&self, bind: &Bind) -> Result<Option<Params>, Complaint> {
        if bind.values.is_empty() {
            return Ok(None);
        }
        let form = |at: usize| form_of(&bind.forms, at);
        let arrays: Vec<ArrayRef> = bind
            .values
            .iter()
            .enumerate()
            .map(|(at, given)| value(at + 1, self.type_of(at), form(at), given.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Some(Params::of_arrays(&arrays)?))
    }
}

/// The form of the value or column at `at`: one that is said is for all, and none is text.
fn form_of(forms: &[Form], at: usize) -> Form {
    match forms {
        [one] => *one,
        all => all.get(at).copied().unwrap_or(Form::Text),
    }
}

/// A statement with its values.
#[derive(Debug)]
pub(super) struct Portal {
    pub(super) phrase: Phrase,
    pub(super) params: Option<Params>,
    pub(super) wanted: Vec<Form>,
    /// Columns that were told before the values were known.
    pub(super) told: Option<SchemaRef>,
    /// Bytes of its values.
    pub(super) value_bytes: usize,
    /// Its answer, once it has begun.
    pub(super) open: Option<Open>,
}

impl Portal {
    pub(super) const fn new(phrase: Phrase) -> Self {
        Self { phrase, params: None, wanted: Vec::new(), told: None, value_bytes: 0, open: None }
    }

    /// Bytes that are kept for it, beside its answer.
    pub(super) fn bytes(&self) -> usize {
        self.phrase.bytes() + self.value_bytes
    }
}

/// An answer on its way.
pub(super) struct Open {
    reply: Option<Reply<RecordBatch>>,
    schema: SchemaRef,
    forms: Vec<Form>,
    rows: Option<Rows>,
    /// Rows that were sent.
    pub(super) sent: usize,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("sent", &self.sent).finish_non_exhaustive()
    }
}

impl Open {
    /// The answer of the core.
    pub(super) fn asked(
        reply: Reply<RecordBatch>,
        wanted: &[Form],
        told: Option<&SchemaRef>,
    ) -> Result<Self, Complaint> {
        let schema = Arc::clone(told.unwrap_or_else(|| reply.schema()));
        if schema.fields().len() != reply.schema().fields().len() {
            return Err(Complaint::new(
                "0A000",
                "the tables have other columns by now; prepare it anew",
            ));
        }
        let forms = forms(wanted, &schema);
        Ok(Self { reply: Some(reply), schema, forms, rows: None, sent: 0 })
    }

    /// The answer of `SHOW`.
    pub(super) fn shown(name: &str, value: &str, wanted: &[Form]) -> Result<Self, Complaint> {
        let batch = phrase::shown(name, value);
        let batch = batch.ok_or_else(|| Complaint::new("XX000", "a setting cannot be told"))?;
        let (schema, rows) = (batch.schema(), Some(Rows::new(&batch)?));
        let forms = forms(wanted, &schema);
        Ok(Self { reply: None, schema, forms, rows, sent: 0 })
    }

    /// Its columns, as they are told.
    pub(super) fn columns(&self) -> Vec<Column> {
        columns(&self.schema, &self.forms)
    }

    /// Whether there are rows at hand.
    pub(super) fn has_rows(&self) -> bool {
        self.rows.as_ref().is_some_and(|rows| rows.left() > 0)
    }

    /// Says the next rows at hand: as many as are wanted, or until there is much to send.
    pub(super) fn say(
        &mut self,
        wanted: usize,
        bytes: usize,
        speech: &mut Speech,
    ) -> Result<(), ArrowError> {
        if let Some(rows) = &mut self.rows {
            self.sent += rows.say(wanted, bytes, &self.forms, speech)?;
        }
        Ok(())
    }

    /// What rows come from.
    pub(super) const fn reply(&mut self) -> Option<&mut Reply<RecordBatch>> {
        self.reply.as_mut()
    }

    /// Nothing comes any more.
    pub(super) const fn end(&mut self) -> Option<Reply<RecordBatch>> {
        self.reply.take()
    }

    /// The next rows.
    pub(super) fn take(&mut self, batch: &RecordBatch) -> Result<(), Complaint> {
        self.rows = Some(Rows::new(&as_told(batch, &self.schema)?)?);
        Ok(())
    }
}

fn forms(wanted: &[Form], schema: &Schema) -> Vec<Form> {
    (0..schema.fields().len()).map(|at| form_of(wanted, at)).collect()
}

/// Columns of `schema`, as they are told.
pub(super) fn columns(schema: &Schema, forms: &[Form]) -> Vec<Column> {
    let fields = schema.fields().iter().enumerate();
    fields
        .map(|(at, field)| {
            let Kind { oid, size, .. } = Kind::of_field(field);
            let is_binary = form_of(forms, at) == Form::Binary;
            Column { name: field.name().clone(), oid, size, is_binary }
        })
        .collect()
}
