//! Texts as numbers, for as long as a query runs.

use std::sync::{Arc, PoisonError, RwLock};

use datafusion::arrow::array::{ArrayRef, StringBuilder, StringViewArray, UInt32Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use rapidhash::RapidHashMap;

/// The number of a missing text.
pub(super) const NULL: u32 = u32::MAX - 1;

/// Bytes that a text takes beside its own: two counts before it, a place in the list, and one in a table that is at worst
/// half empty.
const TEXT_BYTES: usize = 16 + 16 + 2 * 25;

/// Numbers of texts, the same for all who share it.
#[derive(Debug)]
pub(super) struct Interner {
    known: RwLock<Known>,
    /// What they take of the memory of queries.
    memory: MemoryReservation,
}

#[derive(Debug, Default)]
struct Known {
    numbers: RapidHashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
    bytes: usize,
}

impl Interner {
    /// Without texts; takes what it needs from `pool`.
    pub(super) fn new(pool: &Arc<dyn MemoryPool>) -> Self {
        let memory = MemoryConsumer::new("texts that rows are grouped by").register(pool);
        Self { known: RwLock::default(), memory }
    }

    /// The numbers of texts.
    pub(super) fn numbers(&self, texts: &StringViewArray) -> Result<Vec<u32>> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.bytes;
        let numbers = texts.iter().map(|text| text.map_or(NULL, |text| known.number(text)));
        let numbers = numbers.collect();
        self.memory.try_grow(known.bytes - before)?;
        Ok(numbers)
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
        self.bytes += text.len() + TEXT_BYTES;
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use datafusion::common::DataFusionError;
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    #[test]
    fn texts_take_memory_once_and_give_it_back() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1_000));
        let interner = Interner::new(&pool);
        let texts = StringViewArray::from(vec![Some("a"), None, Some("b"), Some("a")]);
        assert_eq!(interner.numbers(&texts).unwrap(), [0, NULL, 1, 0]);
        let two = 2 * (1 + TEXT_BYTES);
        assert_eq!(pool.reserved(), two);
        interner.numbers(&texts).unwrap();
        assert_eq!(pool.reserved(), two);
        let long = StringViewArray::from(vec!["x".repeat(1_000)]);
        let error = interner.numbers(&long).unwrap_err();
        assert!(matches!(error, DataFusionError::ResourcesExhausted(_)), "{error}");
        drop(interner);
        assert_eq!(pool.reserved(), 0);
    }
}
