//! Texts → batches, through the same door as in production: a `Batcher` that is handed blocks of lines.

use std::collections::BTreeMap;
use std::sync::Arc;

use decode::learnt::Learnt;
use decode::{Batcher, ConfigError, DecoderConfig, Numbering, RawMessage};
use schemas::PositionedBatch;

/// Reads texts in one configuration, each from the start.
#[derive(Debug)]
pub struct Reader {
    batcher: Batcher,
    partition: Arc<str>,
}

impl Reader {
    /// A reader that has read nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] when the configuration makes no sense.
    pub fn new(config: &DecoderConfig) -> Result<Self, ConfigError> {
        Ok(Self { batcher: Batcher::new(config)?, partition: "file/fuzz".into() })
    }

    /// The batches of one text, handed over in these blocks.
    pub fn read<'a>(&mut self, blocks: impl IntoIterator<Item = &'a [u8]>) -> Vec<PositionedBatch> {
        self.batcher.discard(&self.partition);
        let (mut batches, _) = self.push(blocks, 1);
        self.end(&mut batches);
        batches
    }

    /// The same, with the process started anew between the two parts: what was learnt is all that is left.
    pub fn read_restarted(&mut self, before: &[u8], after: &[u8]) -> Vec<PositionedBatch> {
        self.batcher.discard(&self.partition);
        let (mut batches, offset) = self.push([before], 1);
        let learnt = serde_json::to_string(&self.batcher.learnt()).expect("it can be written");
        let learnt: BTreeMap<String, Learnt> =
            serde_json::from_str(&learnt).expect("it can be read");
        self.batcher.discard(&self.partition);
        if let Some(learnt) = learnt.get(&*self.partition) {
            self.batcher.resume(&self.partition, learnt);
        }
        // Behind the last line the process is started for nothing but the end of the file.
        if !after.is_empty() {
            batches.extend(self.push([after], offset).0);
        }
        self.end(&mut batches);
        batches
    }

    /// The file ends: what still waited for more lines is all there is of it.
    fn end(&mut self, batches: &mut Vec<PositionedBatch>) {
        self.batcher.close(&self.partition);
        self.batcher.flush(batches);
    }

    /// The batches of one text as a single Kafka message.
    pub fn read_message(&mut self, payload: &[u8]) -> Vec<PositionedBatch> {
        self.batcher.discard(&self.partition);
        self.batcher.push(&RawMessage {
            partition: &self.partition,
            topic: "fuzz",
            kafka_partition: Some(0),
            offset: 1,
            numbering: Numbering::Records,
            arrival_us: 7,
            payload,
        });
        let mut batches = Vec::new();
        self.batcher.flush(&mut batches);
        batches
    }

    /// Pushes blocks whose first line has the number `offset`; the batches, and the number of the line behind.
    fn push<'a>(
        &mut self,
        blocks: impl IntoIterator<Item = &'a [u8]>,
        mut offset: i64,
    ) -> (Vec<PositionedBatch>, i64) {
        let mut batches = Vec::new();
        for payload in blocks {
            self.batcher.push(&RawMessage {
                partition: &self.partition,
                topic: "fuzz",
                kafka_partition: None,
                offset,
                numbering: Numbering::Lines,
                arrival_us: 7,
                payload,
            });
            let lines = payload.split(|byte| *byte == b'\n').count();
            offset += i64::try_from(lines - 1).expect("few lines");
            while let Some(batch) = self.batcher.take_ready() {
                batches.push(batch);
            }
        }
        self.batcher.flush(&mut batches);
        (batches, offset)
    }
}
