//! One of the ways in which the lines of a partition are written.

use super::Decoder;
use super::envelope::Envelope;
use super::formats::Formats;
use super::learnt::Learnt;
use super::record::{Record, Slot};

/// One of the ways in which the lines of a partition are written.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) decoder: Decoder,
    pub(super) envelope: Envelope,
    /// The `#Fields:` header, or the fields that lines without one were found to have.
    pub(super) header: Option<String>,
    /// What its lines may lack and be of this format all the same: see [`lacks`].
    pub(super) lacks: u8,
    /// Some of its lines have fields behind those of the format, and were of no other.
    pub(super) has_more: bool,
    /// How many values its lines of JSON had, those that had the fewest.
    pub(super) says: u32,
}

impl Way {
    /// Of bare lines of which nothing else is known.
    pub(super) const fn new(decoder: Decoder) -> Self {
        let envelope = Envelope::None;
        Self { decoder, envelope, header: None, lacks: 0, has_more: false, says: 0 }
    }

    /// Whether a record, which its decoder has just read, has what those before it had, and nothing else.
    #[inline]
    pub(super) fn is_like(&self, record: &Record<'_>) -> bool {
        lacks(record) & !self.lacks == 0 && !self.decoder.has_news()
    }

    /// A way that goes on with what was learnt; `None` where the configuration says otherwise now.
    pub(super) fn resume(learnt: &Learnt, formats: &Formats) -> Option<Self> {
        let given = formats.given.as_ref();
        let decoder = match (given, &learnt.header) {
            (Some(given), _) if given.format().name() != learnt.format => {
                let beside = formats.beside.as_ref();
                beside.filter(|beside| beside.format().name() == learnt.format).cloned()
            }
            (_, Some(header)) => {
                let format = learnt.format.parse().ok();
                format.and_then(|format| formats.layouts.decoder(format, header).ok())
            }
            (Some(given), None) => Some(given.clone()),
            (None, None) => {
                let known = formats.recogniser.as_ref();
                let decoder = known.and_then(|known| known.decoder(&learnt.format));
                decoder.map(|decoder| decoder.heeding(learnt.keys))
            }
        }?;
        let Learnt { envelope, header, lacks, has_more, says, .. } = learnt.clone();
        Some(Self { decoder, envelope, header, lacks, has_more, says })
    }
}

/// Which of the things an access record has a record lacks: a bit each for client, target and status.
#[inline]
pub(super) fn lacks(record: &Record<'_>) -> u8 {
    let has = |slots: &[Slot]| slots.iter().any(|slot| record.was_seen(*slot));
    let client = has(&[Slot::ClientIp, Slot::ForwardedFor, Slot::RealIp]);
    let target = has(&[Slot::Request, Slot::Uri, Slot::Path]);
    let status = has(&[Slot::Status]);
    u8::from(!client) | u8::from(!target) << 1 | u8::from(!status) << 2
}
