//! `--format auto`: which format a line is written in.
//!
//! The first line that follows a format to its end decides for its stream; lines before it are rejects. One line is
//! enough, and only one keeps the answer independent of how the stream was cut.

use super::address::without_port;
use super::line::sound::{has_two_addresses, is_address, is_host, is_name, is_sound_client};
use super::line::{
    CLOUDFRONT_FIELDS, CLOUDFRONT_REALTIME_FIELDS, Fit, IIS_FIELDS, IIS_FORWARDED_FIELDS,
    IIS_OTHER_FIELDS, fields_shown,
};
use super::numbers::is_digits;
use super::reasons::lack_of;
use super::record::{Record, Slot};
use super::request::is_method;
use super::time::TimeParser;
use super::{ConfigError, Decoder, DecoderConfig, RejectReason};
use crate::format::Format;

/// JSON dialects; the one that fills most values wins, the earlier one of equals.
pub(super) const JSON: &[Format] = &[
    Format::Cloudflare,
    Format::Floodmark,
    Format::Caddy,
    Format::EnvoyJson,
    Format::TraefikJson,
    Format::CloudfrontJson,
    Format::GcpLb,
    Format::AzureFrontDoor,
    Format::AzureAppGateway,
    Format::Akamai,
    Format::Ocsf,
    Format::Ecs,
    Format::Otel,
    Format::AwsWaf,
    Format::Kong,
    Format::ApisixJson,
    Format::Apigee,
    Format::ApiGateway,
    Format::CloudflareWorkers,
    Format::AkamaiSiem,
    Format::Fastly,
    Format::HaproxyJson,
    Format::NginxJson,
];

/// Text formats, the more particular first.
const LINES: &[Format] = &[
    Format::Alb,
    Format::Elb,
    Format::S3,
    Format::Bunny,
    Format::BunnyExtended,
    Format::Keycdn,
    Format::Squid,
    Format::HaproxyHttps,
    Format::Haproxy,
    Format::Istio,
    Format::Envoy,
    Format::Traefik,
    Format::HaproxyClf,
    Format::Apisix,
    Format::IngressNginx,
    Format::NginxProxyManager,
    Format::NginxProxyManagerDefault,
    Format::Npmplus,
    Format::Zoraxy,
    Format::Cloudfront,
    Format::CloudfrontRealtime,
    Format::SslRequest,
    Format::VhostCombined,
    Format::Combined,
];

/// Those that begin like [`Format::Combined`] and have more behind it: what ends like one of them is no `combined` with
/// fields that were added.
const LONGER: [Format; 2] = [Format::Traefik, Format::IngressNginx];

/// Bytes from which on a word is an id by what it is made of.
const ID_BYTES_MIN: usize = 12;

/// Methods, which stand where the host of other formats does.
const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND"];

/// Fewest bytes of a time that is surely one: of a day, or of seconds since 1970.
const TIME_BYTES_MIN: usize = 10;

/// A decoder of every format, to try lines with.
#[derive(Debug, Clone)]
pub struct Recogniser {
    json: Vec<Decoder>,
    lines: Vec<Decoder>,
    common: Decoder,
    iis: Decoder,
    /// Somebody named the fields of W3C lines.
    has_fields: bool,
}

/// A format, as a line shows it.
#[derive(Debug, Clone)]
pub struct Recognised {
    /// Decodes its lines.
    pub decoder: Decoder,
    /// Its fields, of a W3C file without header.
    pub fields: Option<String>,
}

impl From<Decoder> for Recognised {
    fn from(decoder: Decoder) -> Self {
        Self { decoder, fields: None }
    }
}

impl Recognised {
    /// The format of `decoder`, and, of CloudFront's logs without a header, the fields that the line shows.
    #[cold]
    pub(super) fn shown(decoder: &Decoder, line: &str) -> Self {
        let fields = match decoder.format() {
            Format::Cloudfront => CLOUDFRONT_FIELDS,
            Format::CloudfrontRealtime => CLOUDFRONT_REALTIME_FIELDS,
            _ => return decoder.clone().into(),
        };
        let fields = fields_shown(fields, line);
        match DecoderConfig::w3c_decoder(decoder.format(), &fields) {
            Ok(decoder) => Self { decoder, fields: Some(fields) },
            Err(_) => decoder.clone().into(),
        }
    }
}

impl Recogniser {
    /// One decoder for each format, with the field map of `config`.
    ///
    /// # Errors
    /// [`ConfigError`] when the field map makes no sense.
    pub fn new(config: &DecoderConfig) -> Result<Self, ConfigError> {
        let decoders = |formats: &[Format]| {
            formats.iter().map(|format| config.decoder(*format)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            json: decoders(JSON)?,
            lines: decoders(LINES)?,
            common: config.decoder(Format::Common)?,
            iis: config.decoder(Format::Iis)?,
            has_fields: config.w3c_fields.is_some(),
        })
    }

    /// The format of `line`; `None` when it follows none. With [`Reading::Loose`] it need not follow it byte by byte.
    pub fn recognise(&mut self, line: &str, reading: Reading) -> Option<Recognised> {
        let start = line.trim_ascii_start();
        if start.starts_with('{') || start.starts_with("[{") {
            return match reading {
                Reading::Strict => self.recognise_json(line).map(Recognised::from),
                Reading::Loose => None,
            };
        }
        if has_two_addresses(line) {
            return None;
        }
        let mut record = Record::default();
        let mut reads = |decoder: &mut Decoder| {
            record.clear();
            flaw(decoder, line, reading, &mut record).is_none()
                && (decoder.format() != Format::VhostCombined || has_sure_host(&record))
        };
        let position = self.lines.iter_mut().position(&mut reads);
        let Some(position) = position else {
            if reading == Reading::Loose {
                return None;
            }
            let is_named = self.has_fields && follows(&mut self.iis, line, reading);
            if is_named {
                return Some(self.iis.clone().into());
            }
            return recognise_iis(line);
        };
        let is_longer = |decoder: &&Decoder| LONGER.contains(&decoder.format());
        let is_forged = self.lines.iter().filter(is_longer).any(|longer| longer.is_forged(line));
        let decoder = self.lines.get_mut(position)?;
        if decoder.format() == Format::Combined && is_forged {
            return None;
        }
        let mut record = Record::default();
        let read = reading.read(decoder, line, &mut record);
        let tail_is_missing = read.is_ok() && !record.was_seen(Slot::UserAgent);
        if decoder.format() == Format::Combined && tail_is_missing {
            return Some(self.common.clone().into());
        }
        Some(if self.has_fields {
            decoder.clone().into()
        } else {
            Recognised::shown(decoder, line)
        })
    }

    /// Whether a line of text in one of the formats begins so.
    #[cold]
    pub(super) fn begins_line(&mut self, text: &str) -> bool {
        self.lines.iter_mut().any(|decoder| begins_line(decoder, text))
    }

    /// A decoder for the format of that name.
    pub(super) fn decoder(&self, format: &str) -> Option<Decoder> {
        let all = self.json.iter().chain(&self.lines).chain([&self.common, &self.iis]);
        all.into_iter().find(|decoder| decoder.format().name() == format).cloned()
    }

    fn recognise_json(&mut self, line: &str) -> Option<Decoder> {
        // The earlier one of equals.
        let mut best: Option<((u32, bool), &Decoder)> = None;
        let mut record = Record::default();
        for decoder in &mut self.json {
            record.clear();
            let Some(score) = score_of_dialect(decoder, line, &mut record) else { continue };
            if best.is_none_or(|(other, _)| score > other) {
                best = Some((score, decoder));
            }
        }
        best.map(|(_, decoder)| decoder.clone())
    }
}

/// How much a line of JSON says in a dialect: its values, and, which decides between equals, whether they contradict each
/// other nowhere. `None` when it is no access record in it.
pub(super) fn score_of_dialect<'a>(
    decoder: &mut Decoder,
    line: &'a str,
    record: &mut Record<'a>,
) -> Option<(u32, bool)> {
    let is_whole = decoder.decode_first(line, record) == Ok(Fit::Whole);
    let is_record = is_whole
        && !has_sentence_for_method(record)
        && has_time(record)
        && lack_of(record, decoder.format(), true).is_none()
        && says_who_or_what(record)
        && (decoder.format() != Format::Fastly || has_answer_to_target(record));
    is_record.then(|| (record.filled(), !record.is_partial()))
}

/// Whether a record has a target, and a status or who asked: what collects events puts those of anybody where Fastly's stand.
fn has_answer_to_target(record: &Record<'_>) -> bool {
    let has = |slot| record.was_seen(slot);
    has(Slot::Uri) && (has(Slot::Status) || has(Slot::ClientIp))
}

/// Whether a record says who asked or what for: records of anything have a status.
fn says_who_or_what(record: &Record<'_>) -> bool {
    let slots = [
        Slot::ClientIp,
        Slot::ForwardedFor,
        Slot::RealIp,
        Slot::Request,
        Slot::Uri,
        Slot::Path,
        Slot::Method,
    ];
    slots.iter().any(|slot| record.was_seen(*slot))
}

/// How closely a line must follow its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Byte by byte.
    Strict,
    /// Field by field.
    Loose,
}

impl Reading {
    fn read<'a>(
        self,
        decoder: &mut Decoder,
        line: &'a str,
        record: &mut Record<'a>,
    ) -> Result<Fit, RejectReason> {
        match self {
            Self::Strict => decoder.decode_first(line, record),
            Self::Loose => decoder.decode_loosely(line, record),
        }
    }
}

/// Which of the usual lists of fields a line of IIS has that comes without a header. Behind the usual ones may be a
/// field that was added: the addresses that a balancer forwards.
#[cold]
pub(super) fn recognise_iis(line: &str) -> Option<Recognised> {
    // All of the usual lists begin with a date.
    let [year @ .., b'-'] = line.as_bytes().first_chunk::<5>()? else { return None };
    if !year.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let words = |text: &str| text.split(' ').count();
    let line = line.trim_ascii_end();
    let found = words(line);
    // A status of 0 stands for none. It is thought of last: in another list its field is one that mostly is 0.
    let fields = ["", "0"].into_iter().find_map(|no_status| {
        let reads =
            |fields: &&'static str| words(fields) == found && reads_iis(fields, line, no_status);
        let mut listed = [IIS_FIELDS].into_iter().chain(IIS_OTHER_FIELDS).filter(reads);
        match (listed.next(), listed.next()) {
            (None, _) => IIS_FORWARDED_FIELDS.into_iter().find(reads),
            (first, None) => first,
            // Which of two it has nobody can tell.
            (Some(_), Some(_)) => None,
        }
    })?;
    let decoder = DecoderConfig::w3c_decoder(Format::Iis, fields).ok()?;
    Some(Recognised { decoder, fields: Some(fields.to_owned()) })
}

/// Whether a line has these fields: IIS writes a number for each of those that are one, and three digits, or `no_status`, for
/// a status.
fn reads_iis(fields: &str, line: &str, no_status: &str) -> bool {
    let is_sound = |(name, value): (&str, &str)| match name {
        "sc-status" => (value.len() == 3 && is_digits(value)) || value == no_status,
        "sc-substatus" | "sc-win32-status" | "time-taken" | "sc-bytes" | "cs-bytes" => {
            is_digits(value)
        }
        _ => true,
    };
    let decoder = DecoderConfig::w3c_decoder(Format::Iis, fields);
    fields.split(' ').zip(line.split(' ')).all(is_sound)
        && decoder.is_ok_and(|mut decoder| follows(&mut decoder, line, Reading::Strict))
}

/// Why a line is not of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It is written otherwise from some place on.
    Otherwise,
    /// It ends before its format does.
    Short,
    /// No address or name stands where the client does.
    Client,
    /// No host stands where the host does.
    Host,
    /// No method stands where the method does.
    Method,
    /// It has no time that can be read.
    Time,
    /// It says nothing of a request.
    Request,
    /// A status or a size is no number.
    Number,
}

/// Whether a line follows the format of `decoder` to its end, and makes sense in it.
pub(super) fn follows(decoder: &mut Decoder, line: &str, reading: Reading) -> bool {
    fit(decoder, line, reading, &mut Record::default()).is_ok()
}

/// Why a line does not; `record` holds what was read of it.
pub(super) fn flaw<'a>(
    decoder: &mut Decoder,
    line: &'a str,
    reading: Reading,
    record: &mut Record<'a>,
) -> Option<Flaw> {
    fit(decoder, line, reading, record).err()
}

/// How well it does, or why not.
pub(super) fn fit<'a>(
    decoder: &mut Decoder,
    line: &'a str,
    reading: Reading,
    record: &mut Record<'a>,
) -> Result<Fit, Flaw> {
    let fit = match reading.read(decoder, line, record) {
        Ok(Fit::Whole | Fit::Extra) if record.truncated => return Err(Flaw::Short),
        Ok(fit @ (Fit::Whole | Fit::Extra)) => fit,
        Ok(Fit::Cut) => return Err(Flaw::Short),
        Ok(Fit::Several | Fit::No) | Err(_) => return Err(Flaw::Otherwise),
    };
    flaw_of(decoder.format(), record).map_or(Ok(fit), Err)
}

/// What makes no sense in a record.
fn flaw_of(format: Format, record: &Record<'_>) -> Option<Flaw> {
    let text = |slot| record.get(slot).map(|value| value.text);
    let is_sound = |client: &str| is_sound_client(client, "", None);
    let is_client = match format {
        // `HostnameLookups on`, and sockets.
        Format::Combined
        | Format::Common
        | Format::Custom
        | Format::Haproxy
        | Format::HaproxyHttps
        | Format::HaproxyClf
        | Format::Squid => text(Slot::ClientIp).is_none_or(is_sound),
        // Without an address it is `combined` with a name as client.
        Format::VhostCombined | Format::Apisix | Format::Iis => {
            text(Slot::ClientIp).is_some_and(is_address)
        }
        _ => text(Slot::ClientIp).is_none_or(is_address),
    };
    // The first of their fields: what is around the line may be in it.
    let is_bare = match format {
        Format::Bunny | Format::BunnyExtended => text(Slot::CacheStatus).is_none_or(is_name),
        Format::Alb => text(Slot::Scheme).is_none_or(is_name),
        _ => true,
    };
    let is_host = match format {
        Format::VhostCombined | Format::Apisix => text(Slot::Host).is_none_or(is_host),
        Format::Iis => text(Slot::Uri).is_some_and(|uri| uri.starts_with('/')),
        _ => true,
    };
    let numbers = [Slot::Status, Slot::ResponseBytes, Slot::RequestBytes];
    [
        (is_bare, Flaw::Otherwise),
        (is_client, Flaw::Client),
        (is_host, Flaw::Host),
        (text(Slot::Method).is_none_or(is_method), Flaw::Method),
        (has_time(record), Flaw::Time),
        (record.has_request(), Flaw::Request),
        (numbers.iter().all(|slot| text(*slot).is_none_or(is_number)), Flaw::Number),
    ]
    .into_iter()
    .find_map(|(is_so, flaw)| (!is_so).then_some(flaw))
}

/// Whether a line of a format begins so, as far as can be told: a time, an address where the client is, and behind them
/// the request, or what of it there is.
#[cold]
pub(super) fn begins_line(decoder: &mut Decoder, text: &str) -> bool {
    let mut record = Record::default();
    let is_read = decoder.decode_anyhow(text, &mut record).is_ok() && has_time(&record);
    // Any short number could be one: a status, a size.
    let slots = [Slot::Time, Slot::Start, Slot::Date];
    let times = slots.iter().filter_map(|slot| record.get(*slot));
    let is_time = times.map(|time| time.text.len()).max() >= Some(TIME_BYTES_MIN);
    let is_client = record.get(Slot::ClientIp).is_none_or(|client| is_address(client.text));
    let requests = [Slot::Request, Slot::Uri, Slot::Path, Slot::Method, Slot::Status];
    is_read && is_time && is_client && requests.iter().any(|slot| record.was_seen(*slot))
}

/// Whether what stands in front of the client is surely the host that was asked for. In front of an address may as well
/// stand the peer, with the client's own word behind it, or an id; of a name that could be one, a port or a dot tells.
fn has_sure_host(record: &Record<'_>) -> bool {
    let Some(host) = record.get(Slot::Host).map(|value| value.text) else { return true };
    if is_address(host) && !host.starts_with('[') {
        return without_port(host).is_some();
    }
    // What nginx calls a server for requests to hosts of no other.
    host == "_" || host.contains(['.', ':']) || is_label(host)
}

/// Whether a word without a dot is a name: no number, scheme, method or country, and no id, which is long and of hexadecimal
/// digits or of letters of both sizes.
fn is_label(word: &str) -> bool {
    let has = |is_so: fn(&u8) -> bool| word.as_bytes().iter().any(is_so);
    let behind_first = word.as_bytes().get(1..).unwrap_or_default();
    let is_mixed = has(u8::is_ascii_lowercase) && behind_first.iter().any(u8::is_ascii_uppercase);
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_id = word.len() >= ID_BYTES_MIN && (is_mixed || is_hex);
    let is_country = word.len() == 2 && !has(u8::is_ascii_lowercase);
    word.starts_with(|first: char| first.is_ascii_alphabetic())
        && !is_id
        && !is_country
        && !matches!(word, "http" | "https")
        && !METHODS.contains(&word)
}

/// Whether blanks stand in the method, which ends at the first: a dialect calls something else so.
fn has_sentence_for_method(record: &Record<'_>) -> bool {
    record.get(Slot::Method).is_some_and(|method| method.text.contains(' '))
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_time(record: &Record<'_>) -> bool {
    let mut times = TimeParser::default();
    let mut readable =
        |slot| record.get(slot).is_some_and(|value| times.parse(value.text, value.unit).is_some());
    let is_date = |text: &str| text.len() == 10 && text.as_bytes().get(4) == Some(&b'-');
    readable(Slot::Time)
        || readable(Slot::Start)
        || record.get(Slot::Date).is_some_and(|date| is_date(date.text))
}
