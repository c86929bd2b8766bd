//! Texts as numbers, for as long as a query runs.

use std::sync::{Arc, PoisonError, RwLock};

use datafusion::arrow::array::{ArrayRef, StringBuilder, StringViewArray, UInt32Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use rapidhash::RapidHashMap;

/// The number of a missing text.
pub(super) const NULL: u32 = u32::MAX - 1;

/// Numbers of texts, the same for all who share it.
#[derive(Debug, Default)]
pub(super) struct Interner {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    numbers: RapidHashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Interner {
    /// The numbers of texts.
    pub(super) fn numbers(&self, texts: &StringViewArray) -> Vec<u32> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        texts.iter().map(|text| text.map_or(NULL, |text| known.number(text))).collect()
    }

    /// The texts of numbers, as `data_type`.
    pub(super) fn texts(&self, numbers: &UInt32Array, data_type: &DataType) -> Result<ArrayRef> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut texts = StringBuilder::with_capacity(numbers.len(), 0);
        for number in numbers {
            let text = number.and_then(|number| known.texts.get(usize::try_from(number).ok()?));
            texts.append_option(text);
        }
        Ok(cast(&texts.finish(), data_type)?)
    }
}

impl Known {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let text: Arc<str> = text.into();
        let number = u32::try_from(self.texts.len()).unwrap_or(NULL);
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }
}
