//! From the values of a line to a row of the `requests` table.
//!
//! One place decides what the values mean for every format: which of several times is `ts`, what `malformed` says,
//! how addresses and hosts are spelt. Values go straight into the column builders.

use std::sync::Arc;

use arrow_array::builder::BooleanBuilder;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use schemas::RequestBatch;
use schemas::column::UTC;
use schemas::tables::REQUESTS;

use crate::format::Format;
use crate::identity::{Claim, Clients};

use super::address::{canonical_host, canonical_other, is_plain_ip};
use super::columns::{NumberColumn, TextColumn, TruthColumn};
use super::ending::is_aborted;
use super::lanes::{contains, is};
use super::line::sound::is_sound_client;
use super::memo::Memo;
use super::moment::{date_and_clock, duration, is_believed, time};
use super::numbers::{Numbers, count, first_count, has_unreadable_duration};
use super::record::{Peer, Record, Slot};
use super::request::{Target, is_method, is_target, split_request, split_target};
use super::shares::Run;
use super::spelling::{canonical_cache, canonical_country, canonical_scheme};
use super::text::plain;
use super::time::TimeParser;
use super::zone::{Near, Zone};

/// Where a line came from, for the position columns.
#[derive(Debug, Clone, Copy)]
pub struct Position<'a> {
    /// Kafka topic or file name.
    pub topic: &'a str,
    /// Kafka partition.
    pub kafka_partition: Option<i32>,
    /// Kafka offset or line number.
    pub offset: i64,
    /// Index within the Kafka message.
    pub record_index: i32,
    /// When its message arrived, microseconds UTC, by Kafka's clock; `None` for files.
    pub arrival_us: Option<i64>,
}

/// Memory reused from line to line.
#[derive(Debug, Default)]
pub struct Scratch {
    times: TimeParser,
    /// The same for starts: in one parser start and end would push each other's second out of its memory.
    starts: TimeParser,
    plain: String,
    folded: String,
    target: String,
    query: String,
    agents: Memo,
}

impl Scratch {
    /// Memory for lines whose times are of that zone where they do not say.
    pub fn new(zone: Zone) -> Self {
        let times = TimeParser::new(zone);
        Self { starts: times.clone(), times, ..Self::default() }
    }
}

/// How sure it must be that the values of a record are what they are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Numbers are numbers, and the client can be one.
    Sound,
    /// Whatever could be read is better than nothing.
    Whatever,
}

/// Why a record is no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has no readable time.
    NoTime,
    /// Something stands where something else must.
    Unsound,
}

/// How many bytes a text column held last time: the capacity it starts with next time.
pub type Hint = [usize; TEXT_COLUMNS];

const TEXT_COLUMNS: usize = 15;

/// Builders of the columns of [`REQUESTS`].
#[derive(Debug)]
pub struct Rows {
    ts: Vec<i64>,
    edge: TextColumn,
    client_ip: TextColumn,
    client_asn: NumberColumn<Int64Type>,
    client_country: TextColumn,
    method: TextColumn,
    scheme: TextColumn,
    host: TextColumn,
    path: TextColumn,
    query: TextColumn,
    protocol: TextColumn,
    status: NumberColumn<Int32Type>,
    request_bytes: NumberColumn<Int64Type>,
    response_bytes: NumberColumn<Int64Type>,
    duration_us: NumberColumn<Int64Type>,
    user_agent: TextColumn,
    referer: TextColumn,
    cache_status: TextColumn,
    ja3: TextColumn,
    ja4: TextColumn,
    request_id: TextColumn,
    malformed: Vec<bool>,
    aborted: TruthColumn,
    /// Marks of those who are never judged; empty where nobody is.
    exempt: BooleanBuilder,
    topic_offset: Vec<i64>,
    record_index: Vec<i32>,
    /// When each arrived; empty for files.
    arrivals: Vec<i64>,
    /// Time of the row before the first.
    before_us: Option<i64>,
}

impl Rows {
    /// Builders with room for `rows` rows and for as much text as last time, behind a row of time `before_us`, microseconds
    /// UTC.
    pub fn new(rows: usize, hint: &Hint, before_us: Option<i64>) -> Self {
        let mut bytes = hint.iter();
        let mut text = || TextColumn::new(rows, bytes.next().copied().unwrap_or_default());
        Self {
            ts: Vec::with_capacity(rows),
            edge: text(),
            client_ip: text(),
            client_asn: NumberColumn::new(rows),
            client_country: text(),
            method: text(),
            scheme: text(),
            host: text(),
            path: text(),
            query: text(),
            protocol: text(),
            status: NumberColumn::new(rows),
            request_bytes: NumberColumn::new(rows),
            response_bytes: NumberColumn::new(rows),
            duration_us: NumberColumn::new(rows),
            user_agent: text(),
            referer: text(),
            cache_status: text(),
            ja3: text(),
            ja4: text(),
            request_id: text(),
            malformed: Vec::with_capacity(rows),
            aborted: TruthColumn::new(rows),
            exempt: BooleanBuilder::new(),
            topic_offset: Vec::with_capacity(rows),
            record_index: Vec::with_capacity(rows),
            arrivals: Vec::new(),
            before_us,
        }
    }

    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.ts.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.ts.is_empty()
    }

    /// Event time of the last row, or of the one before the first, microseconds UTC.
    pub fn last_us(&self) -> Option<i64> {
        self.ts.last().copied().or(self.before_us)
    }

    /// Appends a row. With [`Trust::Sound`] a record of a line of text is only taken if what must be a number or an
    /// address is one; otherwise the row is marked malformed.
    ///
    /// # Errors
    /// [`Refusal`], with nothing appended.
    pub fn append(
        &mut self,
        record: &Record<'_>,
        position: &Position<'_>,
        (trust, default_host): (Trust, Option<&str>),
        clients: &mut Clients,
        scratch: &mut Scratch,
    ) -> Result<(), Refusal> {
        let numbers = Numbers::of(record);
        let has_plain_client = match record.peer {
            Peer::Plain => true,
            Peer::Sound => false,
            Peer::Unknown => {
                record.get(Slot::ClientIp).is_some_and(|client| is_plain_ip(client.text))
            }
        };
        let mut is_doubtful = record.is_text
            && (numbers.is_unreadable
                || !(has_plain_client || record.peer == Peer::Sound || has_sound_client(record)));
        if is_doubtful && trust == Trust::Sound {
            return Err(Refusal::Unsound);
        }
        let Scratch { times, starts, plain: buffer, .. } = scratch;
        if times.is_ambiguous() {
            let near = Near { arrival_us: position.arrival_us, before_us: self.last_us() };
            times.set_near(near);
            starts.set_near(near);
        }
        let start = time(record, Slot::Start, starts, buffer);
        let logged = time(record, Slot::Time, times, buffer);
        let logged = logged.or_else(|| date_and_clock(record, times, buffer));
        let ts = logged.or(start).ok_or(Refusal::NoTime)?;
        let duration = duration(record, logged.zip(start), buffer);
        if duration.is_none() && record.is_text && has_unreadable_duration(record) {
            is_doubtful = true;
            if trust == Trust::Sound {
                return Err(Refusal::Unsound);
            }
        }
        self.ts.push(ts);
        self.duration_us.append(duration.filter(|us| is_believed(*us)));
        self.append_target(record, is_doubtful, default_host, scratch);
        self.append_client(record, has_plain_client, clients, scratch);
        self.append_software(record, scratch);
        self.append_response(record, &numbers, scratch);
        self.topic_offset.push(position.offset);
        self.record_index.push(position.record_index);
        self.arrivals.extend(position.arrival_us);
        Ok(())
    }

    /// Method, scheme, host, path, query, protocol, malformed.
    fn append_target(
        &mut self,
        record: &Record<'_>,
        is_doubtful: bool,
        default_host: Option<&str>,
        scratch: &mut Scratch,
    ) {
        let Scratch { plain: buffer, folded, target: target_buffer, query: query_buffer, .. } =
            scratch;
        let mut malformed = record.is_partial() || is_doubtful;
        let mut method = record.get(Slot::Method).map(|value| value.text);
        let mut protocol = record.get(Slot::Protocol).map(|value| value.text);
        let mut target = record.get(Slot::Uri).map(|value| plain(value, target_buffer));
        let mut is_told = false;
        if let Some(value) = record.get(Slot::Request) {
            let line = split_request(plain(value, buffer));
            // The parts are what a server made of it, or a shipper's: they count where the line cannot be understood.
            let is_alone = target.is_none() && record.get(Slot::Path).is_none();
            is_told = !line.malformed && !line.protocol.is_empty();
            if is_alone || is_told {
                malformed |= line.malformed;
                target = Some(line.target).filter(|target| !target.is_empty());
            }
            method = method.or(Some(line.method).filter(|method| !method.is_empty()));
            protocol = protocol.or(Some(line.protocol).filter(|protocol| !protocol.is_empty()));
        } else if record.was_seen(Slot::Request) {
            malformed |= record.get(Slot::Uri).is_none() && record.get(Slot::Path).is_none();
        } else {
            malformed |= is_unreadable(record, method, target);
        }
        self.method.append(method);
        self.protocol.append(protocol);
        let unreadable = malformed && method.is_none();
        let parts = match (target, record.get(Slot::Path)) {
            (Some(text), _) if unreadable => Target { path: Some(text), ..Target::default() },
            (Some(target), _) => split_target(method.unwrap_or_default(), target),
            (None, Some(path)) => {
                let path = plain(path, target_buffer);
                // A writer who has no other place for the query leaves it where it is.
                let is_whole = !record.was_seen(Slot::Query) && contains(path.as_bytes(), is(b'?'));
                if is_whole {
                    split_target(method.unwrap_or_default(), path)
                } else {
                    Target { path: Some(path), ..Target::default() }
                }
            }
            (None, None) => Target::default(),
        };
        let scheme = record.get(Slot::Scheme).map(|value| value.text).or(parts.scheme);
        self.scheme.append(scheme.map(|scheme| canonical_scheme(scheme, folded)));
        self.path.append(parts.path);
        let query = record.get(Slot::Query).map(|value| plain(value, query_buffer));
        let query =
            query.map(|query| query.strip_prefix('?').unwrap_or(query)).filter(|_| !is_told);
        self.query.append(parts.query.or(query.filter(|query| !query.is_empty())));
        let host = record.get(Slot::Host).map(|value| value.text).or(parts.host);
        let host = host.and_then(|host| canonical_host(host, folded)).or(default_host);
        self.host.append(host);
        self.malformed.push(malformed);
    }

    /// Who asked.
    fn append_client(
        &mut self,
        record: &Record<'_>,
        has_plain_client: bool,
        clients: &mut Clients,
        scratch: &mut Scratch,
    ) {
        let folded = &mut scratch.folded;
        let peer = record.get(Slot::ClientIp).map(|value| value.text);
        let claims = record.claims_another_client();
        let asn =
            record.get(Slot::Asn).map(|value| value.text.strip_prefix("AS").unwrap_or(value.text));
        let asn = asn.and_then(|asn| count(asn).or_else(|| first_count(asn)));
        let asn = asn.filter(|asn| *asn > 0);
        let country = record.get(Slot::Country).map(|value| value.text);
        // Where the format has no peer, an address that stands alone in the list is the client.
        let has_place = record.was_seen(Slot::ClientIp);
        let lone = record.get(Slot::ForwardedFor).filter(|_| !has_place);
        let lone = lone.map(|value| value.text).filter(|text| is_plain_ip(text));
        let is_plain = match peer {
            Some(peer) => has_plain_client || !contains(peer.as_bytes(), is(b',')),
            None => !claims || lone.is_some() || has_place,
        };
        if clients.are_peers() && is_plain {
            if claims && lone.is_none() {
                clients.pass_over();
            }
            let client = if has_plain_client { peer } else { client_of(peer, folded) };
            self.client_ip.append(lone.or(client));
            self.client_asn.append(asn);
            let country = country.and_then(|country| canonical_country(country, folded));
            self.client_country.append(country);
            return;
        }
        self.identify_client(record, clients, scratch, (asn, country));
    }

    /// Who asked, by all that is known.
    fn identify_client(
        &mut self,
        record: &Record<'_>,
        clients: &mut Clients,
        scratch: &mut Scratch,
        (asn, country): (Option<i64>, Option<&str>),
    ) {
        let Scratch { plain: buffer, folded, target: forwarded_buffer, agents, .. } = scratch;
        // A place that says nothing is no proxy's: nobody vouches for the headers.
        let nobody = record.was_seen(Slot::ClientIp).then_some("-");
        let peer = record.get(Slot::ClientIp).map(|value| value.text).or(nobody);
        let client = clients.identify(Claim {
            peer,
            named: record.get(Slot::RealIp).map(|value| plain(value, buffer)),
            forwarded: record.get(Slot::ForwardedFor).map(|value| plain(value, forwarded_buffer)),
        });
        let (actual, origin) = (client.actual, client.origin);
        self.client_ip.append(client.address);
        let asn = asn.or_else(|| origin.asn.map(i64::from));
        self.client_asn.append(asn);
        let country = country.and_then(|country| canonical_country(country, folded));
        self.client_country.append(country.or_else(|| origin.country()));
        if let Some(list) = clients.allow_list() {
            let user_agent = record.get(Slot::UserAgent).map(|value| agents.plain(value));
            self.exempt.append_value(list.covers(actual, asn, user_agent.unwrap_or_default()));
        }
    }

    /// What they asked with.
    fn append_software(&mut self, record: &Record<'_>, scratch: &mut Scratch) {
        let Scratch { plain: buffer, agents, .. } = scratch;
        self.user_agent.append(record.get(Slot::UserAgent).map(|value| agents.plain(value)));
        for (slot, column) in [
            (Slot::Referer, &mut self.referer),
            (Slot::Ja3, &mut self.ja3),
            (Slot::Ja4, &mut self.ja4),
        ] {
            column.append(record.get(slot).map(|value| plain(value, buffer)));
        }
    }

    /// What the edge answered.
    fn append_response(&mut self, record: &Record<'_>, numbers: &Numbers, scratch: &mut Scratch) {
        let Scratch { plain: buffer, folded, .. } = scratch;
        self.edge.append(record.get(Slot::Edge).map(|value| plain(value, buffer)));
        let id = record.get(Slot::RequestId).map(|value| plain(value, buffer));
        // Fields before it can hold blanks (nginx lists upstreams so); ids do not.
        let id = id.map(|id| {
            if contains(id.as_bytes(), is(b' ')) { id.rsplit(' ').next().unwrap_or(id) } else { id }
        });
        self.request_id.append(id);
        let cache = record
            .get(Slot::CacheStatus)
            .map(|value| canonical_cache(plain(value, buffer), folded));
        self.cache_status.append(cache);
        self.status.append(numbers.status);
        self.aborted.append(is_aborted(record, numbers.status));
        self.request_bytes.append(numbers.request_bytes);
        self.response_bytes.append(numbers.response_bytes);
    }

    /// The rows as a batch in the row schema of [`REQUESTS`], and the sizes of its text columns. All rows come from
    /// one topic and partition, and were read in these formats one behind the other.
    #[expect(clippy::expect_used, reason = "the columns are those of the schema, of one length")]
    pub(super) fn finish(
        mut self,
        topic: &str,
        kafka_partition: Option<i32>,
        formats: &[Run],
    ) -> (RequestBatch, Hint) {
        let mut hint = [0; TEXT_COLUMNS];
        let mut sizes = hint.iter_mut();
        let mut text = |column: TextColumn| {
            let (array, bytes) = column.finish();
            if let Some(size) = sizes.next() {
                *size = bytes;
            }
            array
        };
        let rows = self.ts.len();
        let ts = TimestampMicrosecondArray::from(self.ts).with_timezone(UTC);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(ts),
            text(self.edge),
            text(self.client_ip),
            self.client_asn.finish(),
            text(self.client_country),
            text(self.method),
            text(self.scheme),
            text(self.host),
            text(self.path),
            text(self.query),
            text(self.protocol),
            self.status.finish(),
            self.request_bytes.finish(),
            self.response_bytes.finish(),
            self.duration_us.finish(),
            text(self.user_agent),
            text(self.referer),
            text(self.cache_status),
            text(self.ja3),
            text(self.ja4),
            text(self.request_id),
            Arc::new(BooleanArray::from(self.malformed)),
            Arc::new(StringArray::new_repeated(topic, rows)),
            Arc::new(kafka_partition.map_or_else(
                || Int32Array::new_null(rows),
                |partition| Int32Array::from_value(partition, rows),
            )),
            Arc::new(Int64Array::from(self.topic_offset)),
            Arc::new(Int32Array::from(self.record_index)),
            self.aborted.finish(),
            Arc::new(names_of(formats)),
        ];
        let batch = RecordBatch::try_new(REQUESTS.row_schema(), columns).expect("rows fit");
        let batch = RequestBatch::try_new(batch).expect("rows fit");
        let exempt = self.exempt.finish();
        let batch = if exempt.is_empty() { batch } else { batch.with_exempt(exempt) };
        let arrivals = Int64Array::from(self.arrivals);
        (if arrivals.is_empty() { batch } else { batch.with_arrivals(arrivals) }, hint)
    }
}

/// The names of the formats of rows.
fn names_of(formats: &[Run]) -> StringArray {
    // Nearly always.
    if let [(Some(format), rows)] = formats {
        return StringArray::new_repeated(format.name(), *rows);
    }
    let names = |(format, rows): &Run| std::iter::repeat_n(format.map(Format::name), *rows);
    formats.iter().flat_map(names).collect()
}

/// Whether the parts of the request, logged one by one, are there but make no request.
fn is_unreadable(record: &Record<'_>, method: Option<&str>, target: Option<&str>) -> bool {
    let target = target.or_else(|| record.get(Slot::Path).map(|value| value.text));
    let target_seen = record.was_seen(Slot::Uri) || record.was_seen(Slot::Path);
    let bad_method = method.map_or(record.was_seen(Slot::Method), |method| !is_method(method));
    let bad_target =
        target.map_or(target_seen, |target| !is_target(method.unwrap_or_default(), target));
    bad_method || bad_target
}

/// Whether the client, if any, can be one.
#[cold]
fn has_sound_client(record: &Record<'_>) -> bool {
    record.get(Slot::ClientIp).is_none_or(|client| is_sound_client(client.text, "", None))
}

/// The address of a client that is no plain one; of what has stray quotes around it nothing is sure.
#[inline]
fn client_of<'a>(peer: Option<&'a str>, scratch: &'a mut String) -> Option<&'a str> {
    let peer = peer?;
    if peer.starts_with('"') && !peer.ends_with('"') {
        None
    } else {
        canonical_other(peer, scratch)
    }
}
