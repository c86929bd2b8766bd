//! Decodes the line of a case.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use decode::{Batcher, DecoderConfig, Format, Numbering, RawMessage};
use schemas::PositionedBatch;

use super::case::Case;

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// A row, read in this format.
    Row(Format, Row),
    /// A reject, with the reason.
    Reject(String),
    /// Neither: a blank line or a comment.
    Nothing,
}

/// The values of a row that are not null, as text, by column; `ts` in microseconds.
pub(crate) type Row = BTreeMap<String, String>;

/// The formats that a server writes, by a part of the name that outside cases give it.
const SERVERS: &[(&str, &[Format])] = &[
    ("proxy_manager", &[Format::NginxProxyManager, Format::NginxProxyManagerDefault]),
    ("npm", &[Format::NginxProxyManager, Format::NginxProxyManagerDefault, Format::Npmplus]),
    ("ingress", &[Format::IngressNginx]),
    ("nginx", &[Format::Combined, Format::VhostCombined, Format::NginxJson]),
    ("apache", &[Format::Combined, Format::Common, Format::VhostCombined]),
    ("httpd", &[Format::Combined, Format::Common, Format::VhostCombined]),
    ("bunkerweb", &[Format::VhostCombined]),
    ("speed", &[Format::Combined, Format::VhostCombined]),
    ("lighttpd", &[Format::Combined, Format::VhostCombined]),
    ("clf", &[Format::Common, Format::Combined]),
    ("alb", &[Format::Alb]),
    ("elb", &[Format::Alb]),
    ("cloudfront", &[Format::Cloudfront, Format::CloudfrontJson, Format::CloudfrontRealtime]),
    ("cloudflare", &[Format::Cloudflare]),
    ("iis", &[Format::Iis]),
    ("w3c", &[Format::Iis, Format::Cloudfront]),
    ("istio", &[Format::Istio, Format::EnvoyJson]),
    ("envoy", &[Format::Envoy, Format::EnvoyJson, Format::Istio]),
    ("haproxy", &[Format::HaproxyHttps, Format::Haproxy, Format::HaproxyClf]),
    ("traefik", &[Format::TraefikJson, Format::Traefik]),
    ("caddy", &[Format::Caddy]),
    ("fastly", &[Format::Fastly]),
    ("akamai", &[Format::Akamai]),
    ("gateway", &[Format::AzureAppGateway]),
    ("front_door", &[Format::AzureFrontDoor]),
    ("gcp", &[Format::GcpLb]),
    ("google", &[Format::GcpLb]),
    ("ocsf", &[Format::Ocsf]),
    ("ecs", &[Format::Ecs]),
    ("elastic", &[Format::Ecs]),
    ("otel", &[Format::Otel]),
    ("opentelemetry", &[Format::Otel]),
];

/// Reads the line of a case: in `format` when given; else with `auto`, and where that finds no record in the formats
/// of the server that the case names.
pub(crate) fn read(case: &Case, format: Option<&str>) -> Found {
    if let Some(format) = format {
        return read_in(format, &case.raw);
    }
    let recognised = read_in(Format::Auto.name(), &case.raw);
    if matches!(recognised, Found::Row(..) | Found::Nothing) {
        return recognised;
    }
    let by_name = formats_of(&case.format).into_iter();
    by_name
        .map(|format| read_in(format.name(), &case.raw))
        .find(|found| matches!(found, Found::Row(..)))
        .unwrap_or(recognised)
}

fn formats_of(name: &str) -> Vec<Format> {
    let name = name.to_ascii_lowercase().replace(['-', ' ', '.'], "_");
    let servers = SERVERS.iter().filter(|(part, _)| name.contains(part));
    name.parse()
        .into_iter()
        .chain(servers.flat_map(|(_, formats)| formats.iter().copied()))
        .collect()
}

fn read_in(format: &str, raw: &str) -> Found {
    let Ok(mut reader) = Batcher::new(&DecoderConfig::of(format)) else { return Found::Nothing };
    let partition: Arc<str> = "file/case".into();
    reader.push(&RawMessage {
        partition: &partition,
        topic: "case.log",
        kafka_partition: None,
        offset: 1,
        numbering: Numbering::Lines,
        arrival_us: 0,
        payload: raw.as_bytes(),
    });
    let mut batches = Vec::new();
    reader.flush(&mut batches);
    let chosen = reader.chosen_format(&partition).unwrap_or(Format::Auto);
    if let Some(row) = batches.iter().find_map(first_row) {
        return Found::Row(chosen, row);
    }
    batches.iter().find_map(first_reject).map_or(Found::Nothing, Found::Reject)
}

fn first_row(batch: &PositionedBatch) -> Option<Row> {
    let rows: &RecordBatch = batch.requests.record_batch();
    if rows.num_rows() == 0 {
        return None;
    }
    let fields = rows.schema();
    let present =
        fields.fields().iter().zip(rows.columns()).filter(|(_, column)| column.is_valid(0));
    let values = present.map(|(field, column)| {
        let value = match field.data_type() {
            DataType::Utf8 => column.as_string::<i32>().value(0).to_owned(),
            DataType::Int32 => column.as_primitive::<Int32Type>().value(0).to_string(),
            DataType::Int64 => column.as_primitive::<Int64Type>().value(0).to_string(),
            DataType::Boolean => column.as_boolean().value(0).to_string(),
            _ => column.as_primitive::<TimestampMicrosecondType>().value(0).to_string(),
        };
        (field.name().clone(), value)
    });
    Some(values.collect())
}

fn first_reject(batch: &PositionedBatch) -> Option<String> {
    let reasons = batch.rejects.column_by_name("reason")?.as_string::<i32>();
    reasons.iter().flatten().next().map(str::to_owned)
}
