//! Batches: where they are cut, what positions they carry, and how bad configurations are refused.

#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::Array;
use decode::json::FieldSource;
use decode::learnt::Learnt;
use decode::{Batcher, DecoderConfig, Format, Numbering, RawMessage};
use expect_test::expect;
use schemas::limits::{BATCH_ROWS_MAX, LINE_BYTES_MAX};

const LINE: &str =
    "192.0.2.1 - - [01/May/2024:12:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"Wget\"\n";

fn message<'a>(partition: &'a Arc<str>, offset: i64, payload: &'a [u8]) -> RawMessage<'a> {
    RawMessage {
        partition,
        topic: "logs",
        kafka_partition: Some(3),
        offset,
        numbering: Numbering::Records,
        arrival_us: 7,
        payload,
    }
}

fn flush(reader: &mut Batcher) -> Vec<schemas::PositionedBatch> {
    let mut batches = Vec::new();
    reader.flush(&mut batches);
    batches
}

#[test]
fn records_of_one_kafka_message_share_its_offset() {
    let mut reader = Batcher::new(&DecoderConfig::default()).unwrap();
    let partition: Arc<str> = "logs/3".into();
    let lines = format!("{LINE}\nrubbish\r\n{LINE}");
    reader.push(&message(&partition, 41, lines.as_bytes()));
    assert_eq!(reader.pending_rows(), 3);
    let batches = flush(&mut reader);
    let [batch] = &batches[..] else { panic!("{} batches", batches.len()) };
    assert_eq!(batch.next_position, 42);
    assert_eq!(batch.requests.topic_offset().values(), &[41, 41]);
    assert_eq!(batch.requests.record_index().values(), &[0, 2]);
    assert_eq!(batch.requests.topic().value(0), "logs");
    assert_eq!(batch.requests.topic_partition().value(0), 3);
    assert_eq!(batch.rejects.num_rows(), 1);
    assert_eq!((reader.pending_rows(), flush(&mut reader).len()), (0, 0));
}

#[test]
fn rows_of_kafka_know_their_arrival_and_those_of_files_do_not() {
    let mut reader = Batcher::new(&DecoderConfig::default()).unwrap();
    let (topic, file): (Arc<str>, Arc<str>) = ("logs/3".into(), "file/1".into());
    for (offset, arrival_us) in [(1, 70), (2, 80)] {
        let lines = format!("rubbish\n{LINE}{LINE}");
        reader.push(&RawMessage { arrival_us, ..message(&topic, offset, lines.as_bytes()) });
    }
    let line = RawMessage { kafka_partition: None, ..message(&file, 1, LINE.as_bytes()) };
    reader.push(&RawMessage { numbering: Numbering::Lines, ..line });
    let batches = flush(&mut reader);
    let arrivals = |batch: &schemas::PositionedBatch| {
        (0..batch.requests.rows()).map(|row| batch.requests.arrival_us(row)).collect::<Vec<_>>()
    };
    assert_eq!(arrivals(&batches[0]), [None]);
    assert_eq!(arrivals(&batches[1]), [Some(70), Some(70), Some(80), Some(80)]);
}

#[test]
fn times_without_an_offset_are_of_the_zone_and_do_not_go_back_in_autumn() {
    let time_zone = "Europe/Berlin".parse().unwrap();
    let format = "$remote_addr [$time_iso8601] \"$request\"";
    let config = DecoderConfig { time_zone, ..DecoderConfig::of(format) };
    for kafka_partition in [None, Some(3)] {
        let mut reader = Batcher::new(&config).unwrap();
        let partition: Arc<str> = "logs/3".into();
        let mut minutes = Vec::new();
        // Minutes after 01:30 on the clock, and after that moment.
        for (clock, minute) in [(0, 0), (40, 40), (80, 80), (40, 100), (80, 140), (100, 160)] {
            let (hour, past) = (1 + (30 + clock) / 60, (30 + clock) % 60);
            let line =
                format!("192.0.2.1 [2024-10-27T{hour:02}:{past:02}:00] \"GET / HTTP/1.1\"\n");
            let arrival_us = 1_729_985_401_000_000 + minute * 60_000_000;
            let line = message(&partition, minute, line.as_bytes());
            reader.push(&RawMessage { kafka_partition, arrival_us, ..line });
            for batch in flush(&mut reader) {
                minutes.extend(
                    batch
                        .requests
                        .ts()
                        .values()
                        .iter()
                        .map(|ts| (ts - 1_729_985_400_000_000) / 60_000_000),
                );
            }
        }
        assert_eq!(minutes, [0, 40, 80, 100, 140, 160], "{kafka_partition:?}");
    }
}

#[test]
fn each_record_of_a_list_has_its_own_place() {
    let record =
        |path: &str| format!("{{\"time\":1714564800,\"ip\":\"192.0.2.1\",\"uri\":\"{path}\"}}");
    let list = format!("[{},{{}}, {}]\n{},\n", record("/a"), record("/b"), record("/c"));
    let fields = [("ts", "time"), ("client_ip", "ip"), ("uri", "uri")];
    let fields = fields.map(|(name, key)| (name.to_owned(), FieldSource::Key(key.to_owned())));
    let config = DecoderConfig { fields: fields.into(), ..DecoderConfig::of("json") };
    let partition: Arc<str> = "logs/3".into();
    for (numbering, offsets, indexes) in
        [(Numbering::Records, [7, 7, 7], [0, 2, 3]), (Numbering::Lines, [7, 7, 8], [0, 2, 0])]
    {
        let mut reader = Batcher::new(&config).unwrap();
        reader.push(&RawMessage { numbering, ..message(&partition, 7, list.as_bytes()) });
        let batches = flush(&mut reader);
        let [batch] = &batches[..] else { panic!("{} batches", batches.len()) };
        let paths: Vec<_> = batch.requests.path().iter().flatten().collect();
        assert_eq!(paths, ["/a", "/b", "/c"]);
        assert_eq!(batch.requests.topic_offset().values(), &offsets);
        assert_eq!(batch.requests.record_index().values(), &indexes);
        assert!(batch.requests.malformed().iter().all(|malformed| malformed == Some(false)));
        assert_eq!(batch.rejects.num_rows(), 1);
    }
}

#[test]
fn batches_are_cut_between_messages_when_full() {
    let mut reader = Batcher::new(&DecoderConfig::of("combined")).unwrap();
    let partition: Arc<str> = "logs/3".into();
    let payload = LINE.repeat(1000);
    for offset in 0..10 {
        reader.push(&message(&partition, offset, payload.as_bytes()));
    }
    let first = reader.take_ready().unwrap();
    assert_eq!((first.requests.rows(), first.next_position), (8000, 8));
    assert!(first.requests.rows() <= BATCH_ROWS_MAX);
    assert!(reader.take_ready().is_none());
    let rest = flush(&mut reader);
    assert_eq!((rest[0].requests.rows(), rest[0].next_position), (2000, 10));
}

#[test]
fn a_message_larger_than_a_batch_stays_whole() {
    let mut reader = Batcher::new(&DecoderConfig::of("combined")).unwrap();
    let partition: Arc<str> = "logs/3".into();
    reader.push(&message(&partition, 5, LINE.repeat(BATCH_ROWS_MAX + 7).as_bytes()));
    let batch = reader.take_ready().unwrap();
    assert_eq!((batch.requests.rows(), batch.next_position), (BATCH_ROWS_MAX + 7, 6));
}

#[test]
fn partitions_come_in_the_order_of_their_names() {
    let mut reader = Batcher::new(&DecoderConfig::of("combined")).unwrap();
    let names: [Arc<str>; 3] = ["logs/2".into(), "logs/0".into(), "logs/1".into()];
    for name in &names {
        reader.push(&message(name, 0, LINE.as_bytes()));
    }
    let order: Vec<_> = flush(&mut reader).iter().map(|b| b.partition.to_string()).collect();
    assert_eq!(order, ["logs/0", "logs/1", "logs/2"]);
}

#[test]
fn a_message_without_records_still_moves_the_position() {
    let mut reader = Batcher::new(&DecoderConfig::default()).unwrap();
    let partition: Arc<str> = "logs/3".into();
    reader.push(&message(&partition, 9, b""));
    let batches = flush(&mut reader);
    assert_eq!((batches[0].records(), batches[0].next_position), (0, 10));
}

#[test]
fn a_line_too_long_is_a_reject_with_all_its_bytes() {
    let mut reader = Batcher::new(&DecoderConfig::of("combined")).unwrap();
    let partition: Arc<str> = "logs/3".into();
    let payload = vec![b'x'; LINE_BYTES_MAX + 1];
    reader.push(&message(&partition, 9, &payload));
    let batches = flush(&mut reader);
    let raw = batches[0].rejects.column_by_name("raw").unwrap();
    assert_eq!((raw.len(), raw.get_buffer_memory_size() > LINE_BYTES_MAX), (1, true));
}

#[test]
fn a_partition_taken_away_is_forgotten() {
    let mut reader = Batcher::new(&DecoderConfig::default()).unwrap();
    let partition: Arc<str> = "logs/3".into();
    reader.push(&message(&partition, 0, LINE.as_bytes()));
    assert_eq!(reader.chosen_format("logs/3"), Some(Format::Combined));
    reader.discard("logs/3");
    assert_eq!((reader.pending_rows(), reader.chosen_format("logs/3")), (0, None));
}

#[test]
fn configurations_that_make_no_sense_are_refused() {
    let refuse = |json: &str| {
        let config: DecoderConfig = serde_json::from_str(json).unwrap();
        Batcher::new(&config).unwrap_err().to_string() + "\n"
    };
    let errors: String = [
        r#"{"format":"$status only"}"#,
        r#"{"format":"${status"}"#,
        r#"{"format":"$time_local$status"}"#,
        r#"{"format":"json"}"#,
        r#"{"format":"json","fields":{"ts":"t","adress":"ip"}}"#,
        r#"{"format":"json","fields":{"ts":"t","start":["x","t"]}}"#,
        r#"{"format":"combined","fields":{"ts":"t"}}"#,
    ]
    .map(refuse)
    .concat();
    expect![[r#"
        format `$status only`: it has no time, such as `$time_local`, `%t` or, among W3C fields, `timestamp`
        format `${status`: broken variable at `${status` of the log format string
        format `$time_local$status`: no text between variable 1 and the next one of the log format string: put a blank there
        format `json` needs a field map with at least `ts`, such as `fields = { ts = "time", client_ip = "ip" }`
        fields: unknown value `adress`; known are ts, start, date, clock, edge, client_ip, forwarded_for, real_ip, client_asn, client_country, method, scheme, host, request, uri, path, query, protocol, status, request_bytes, response_bytes, duration, user_agent, referer, cache_status, ja3, ja4, request_id, aborted, kind, message
        fields: key `t` feeds both `start` and `ts`; give it to one of them
        format `combined` has no keys: `fields` is for JSON formats
    "#]].assert_eq(&errors);
}

#[test]
fn json_keys_come_from_the_configuration() {
    let config: DecoderConfig = serde_json::from_str(
        r#"{"format":"json","default_host":"Site.Example",
            "fields":{"ts":{"keys":["meta.at"],"unit":"ms"},"client_ip":["meta.ip","peer"],
                      "request":"line","duration":{"keys":["took"],"unit":"ms"}}}"#,
    )
    .unwrap();
    let mut reader = Batcher::new(&config).unwrap();
    let partition: Arc<str> = "logs/3".into();
    let line = br#"{"line":"GET /a?b HTTP/1.1","took":1.5,"peer":"192.0.2.9","meta":{"at":1714564800123,"ip":"192.0.2.1"}}"#;
    reader.push(&message(&partition, 0, line));
    let batch = &flush(&mut reader)[0].requests;
    assert_eq!(batch.ts().value(0), 1_714_564_800_123_000);
    assert_eq!(batch.client_ip().value(0), "192.0.2.1");
    assert_eq!((batch.path().value(0), batch.query().value(0)), ("/a", "b"));
    assert_eq!(batch.duration_us().value(0), 1_500);
    assert_eq!(batch.host().value(0), "site.example");
}

#[test]
fn a_restart_goes_on_with_what_was_learnt() {
    let partition: Arc<str> = "logs/3".into();
    let header = "#Fields: date time c-ip cs-method cs-uri-stem sc-status sc-win32-status time-taken x y z w\n";
    let line = "2024-05-01 12:00:00 192.0.2.1 GET /a 200 0 7 - - - -\n";
    let mut before = Batcher::new(&DecoderConfig::default()).unwrap();
    before.push(&message(&partition, 0, header.as_bytes()));
    let learnt = serde_json::to_string(&before.learnt()).unwrap();
    expect![[r##"{"logs/3":{"format":"iis","envelope":"none","header":"#Fields: date time c-ip cs-method cs-uri-stem sc-status sc-win32-status time-taken x y z w"}}"##]].assert_eq(&learnt);

    let learnt: BTreeMap<String, Learnt> = serde_json::from_str(&learnt).unwrap();
    let mut after = Batcher::new(&DecoderConfig::default()).unwrap();
    after.resume(&partition, &learnt["logs/3"]);
    after.push(&message(&partition, 1, line.as_bytes()));
    let batches = flush(&mut after);
    assert_eq!((batches[0].requests.rows(), after.chosen_format("logs/3")), (1, Some(Format::Iis)));
    assert_eq!(batches[0].requests.duration_us().value(0), 7_000);
}

#[test]
fn a_restart_remembers_what_captured_headers_are() {
    let line = |agent: &str| {
        format!(
            "192.0.2.1:4000 [01/May/2024:12:00:00.000] f b/s 0/0/0/1/1 200 5 - - ---- 1/1/0/0/0 0/0 {{{agent}}} \"GET / HTTP/1.1\"\n"
        )
    };
    for format in ["auto", "haproxy"] {
        let host_behind = |ordinary: &str| {
            let partition: Arc<str> = "logs/3".into();
            let mut before = Batcher::new(&DecoderConfig::of(format)).unwrap();
            before.push(&message(&partition, 0, line(ordinary).as_bytes()));
            let learnt = serde_json::to_string(&before.learnt()).unwrap();
            let learnt: BTreeMap<String, Learnt> = serde_json::from_str(&learnt).unwrap();
            let mut after = Batcher::new(&DecoderConfig::of(format)).unwrap();
            after.resume(&partition, &learnt["logs/3"]);
            after.push(&message(&partition, 1, line("evil.example").as_bytes()));
            let host = flush(&mut after)[0].requests.host().clone();
            host.is_valid(0).then(|| host.value(0).to_owned())
        };
        assert_eq!(host_behind("Mozilla/5.0 (X11)"), None, "{format}");
        assert_eq!(host_behind("shop.example").as_deref(), Some("evil.example"), "{format}");
    }
}
