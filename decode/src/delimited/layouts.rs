//! Which columns lines have: those that a header names, or one of the layouts that are known without one.

use super::may_be_header;
use crate::Decoder;
use crate::config::{ConfigError, DecoderConfig};
use crate::format::Format;
use crate::line::Notation;
use crate::recognise::{JSON, Reading, Recognised, follows};

/// Layouts without header, with the names that the same writer's JSON has: Akamai `DataStream` 2, "Log format",
/// structured, with every field in the order of the documentation; Amazon API Gateway, "Set up `CloudWatch` logging", CSV, of
/// version 1 and, with one id less, as it is shortened, and CLF, with the blank that its documentation lacks and without.
const KNOWN: [(Format, &str); 5] = [
    (
        Format::Akamai,
        "version streamId cp reqId reqTimeSec bytes cliIP statusCode proto reqHost reqMethod reqPath reqPort \
         rspContentLen rspContentType UA tlsOverheadTimeMSec tlsVersion objSize uncompressedSize overheadBytes totalBytes \
         queryStr breadcrumbs accLang cookie range referer xForwardedFor maxAgeSec reqEndTimeMSec errorCode \
         turnAroundTimeMSec transferTimeMSec dnsLookupTimeMSec cacheStatus edgeIP country state city serverCountry \
         billingRegion cacheable securityRules",
    ),
    (
        Format::ApiGateway,
        "ip caller user requestTime httpMethod resourcePath protocol status responseLength requestId extendedRequestId",
    ),
    (
        Format::ApiGateway,
        "ip caller user requestTime httpMethod resourcePath protocol status responseLength requestId",
    ),
    (
        Format::ApiGateway,
        "$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime]\
         \"$context.httpMethod $context.resourcePath $context.protocol\" $context.status $context.responseLength \
         $context.requestId",
    ),
    (
        Format::ApiGateway,
        "$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] \
         \"$context.httpMethod $context.resourcePath $context.protocol\" $context.status $context.responseLength \
         $context.requestId",
    ),
];

/// Finds out which columns lines have.
#[derive(Debug)]
pub(crate) struct Layouts {
    /// Whose field map adds to those of the dialects.
    config: DecoderConfig,
    /// The dialects whose names columns may have.
    dialects: Vec<Format>,
    known: Vec<Recognised>,
}

impl Layouts {
    /// The layouts of a format, or of all for [`Format::Auto`], with the field map of `config`.
    pub(crate) fn new(config: &DecoderConfig, given: Format) -> Self {
        let is_wanted = |format: Format| given == Format::Auto || given == format;
        // Unasked, what has more fields than its format string could be of another format that begins alike.
        let is_sure = |names: &str| given != Format::Auto || Notation::of(names).is_none();
        let known = KNOWN.into_iter().filter(|(it, names)| is_wanted(*it) && is_sure(names));
        let known = known.filter_map(|(format, names)| {
            // Where the field map takes the time from elsewhere, it is another layout.
            let decoder = config.header_decoder(format, names).ok()?;
            Some(Recognised { decoder, fields: Some(names.to_owned()) })
        });
        let mut dialects: Vec<Format> = JSON.iter().copied().filter(|it| is_wanted(*it)).collect();
        if given == Format::Json {
            dialects.push(given);
        }
        Self { config: config.clone(), dialects, known: known.collect() }
    }

    /// Which of the known layouts a line has.
    #[cold]
    pub(crate) fn recognise(&mut self, line: &str) -> Option<Recognised> {
        self.known
            .iter_mut()
            .find_map(|it| follows(&mut it.decoder, line, Reading::Strict).then(|| it.clone()))
    }

    /// A decoder for the lines under a header, if it names what makes an access record: of the JSON dialects that have
    /// such names, the one that knows most of them.
    #[cold]
    pub(crate) fn recognise_header(&self, line: &str) -> Option<Decoder> {
        if !may_be_header(line) {
            return None;
        }
        let plans = self.dialects.iter().filter_map(|format| {
            let decoder = self.config.columns_decoder(*format, line).ok()?;
            Some((decoder.columns_of_record()?, decoder))
        });
        // The earlier one of equals.
        let best = plans.reduce(|best, other| if other.0 > best.0 { other } else { best });
        best.map(|(_, decoder)| decoder)
    }

    /// A decoder for lines whose fields a header, or a text that was learnt as one, names.
    pub(crate) fn decoder(&self, format: Format, header: &str) -> Result<Decoder, ConfigError> {
        self.config.header_decoder(format, header)
    }
}
