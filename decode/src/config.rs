//! What the user says about the log format.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::delimited::Delimited;
use super::ending::Ending;
use super::json::{FieldMap, JsonDecoder, marks};
use super::line::{FormatError, Notation, Plan, W3cPlan};
use super::presets::{Preset, preset};
use super::record::Slot;
use super::zone::Zone;
use super::{Decoder, Engine};
use crate::format::{Format, UnknownFormat};
use crate::identity::ClientsConfig;

/// How lines are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecoderConfig {
    /// Name of a format, or a format string of nginx, Apache, HAProxy, Envoy, API Gateway or Logpush.
    pub format: String,
    /// For JSON formats: value (named as in [`Slot::NAMES`]) → key, or keys in order of preference, or
    /// `{ keys = [...], unit = "ms" }`. They replace those of a preset, value by value.
    pub fields: FieldMap,
    /// For formats whose lines are fields in a configured order (CloudFront real-time logs, W3C files without header, and the
    /// values of a JSON dialect as CSV or with tabs, bars or blanks between them): their names, blanks between them.
    pub w3c_fields: Option<String>,
    /// Host of records whose log does not name one.
    pub default_host: Option<String>,
    /// The zone of times that carry no offset.
    #[serde(skip)]
    pub time_zone: Zone,
    /// Who is trusted to name clients, and how much of their addresses is kept.
    #[serde(skip)]
    pub clients: ClientsConfig,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self {
            format: Format::Auto.name().to_owned(),
            fields: FieldMap::new(),
            w3c_fields: None,
            default_host: None,
            time_zone: Zone::default(),
            clients: ClientsConfig::default(),
        }
    }
}

/// A decoder configuration that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The format is not known.
    #[error(transparent)]
    Format(#[from] UnknownFormat),
    /// The log format string cannot be compiled.
    #[error("format `{format}`: {source}")]
    FormatString {
        /// The string.
        format: String,
        /// What is wrong with it.
        source: FormatError,
    },
    /// A field map for a value nobody knows.
    #[error("fields: unknown value `{0}`; known are {names}", names = slot_names())]
    UnknownField(String),
    /// One key for two values.
    #[error("fields: key `{key}` feeds both `{first}` and `{second}`; give it to one of them")]
    KeyTwice {
        /// The key.
        key: String,
        /// One value.
        first: String,
        /// The other value.
        second: String,
    },
    /// `json` without a time.
    #[error(
        "format `json` needs a field map with at least `ts`, such as `fields = {{ ts = \"time\", client_ip = \"ip\" }}`"
    )]
    NoTimeField,
    /// Names of W3C fields for a format that has none.
    #[error(
        "format `{0}` has no fields in columns: `w3c-fields` is for cloudfront, cloudfront_realtime, iis and JSON formats"
    )]
    W3cFields(Format),
    /// A field map for a format without keys.
    #[error("format `{0}` has no keys: `fields` is for JSON formats")]
    FieldsWithoutKeys(Format),
}

/// The fields of Logpush's templates.
fn logpush_fields() -> FieldMap {
    match preset(Format::Cloudflare) {
        Some(Preset::Json(fields)) => fields.to_map(),
        _ => FieldMap::new(),
    }
}

/// Whether a dialect writes the values of headers `%XX`.
const fn is_percent(format: Format) -> bool {
    matches!(format, Format::Akamai | Format::CloudfrontJson)
}

fn slot_names() -> String {
    Slot::NAMES.map(|(name, _)| name).join(", ")
}

impl DecoderConfig {
    /// The configuration for one format, all else default.
    pub fn of(format: &str) -> Self {
        Self { format: format.to_owned(), ..Self::default() }
    }

    /// The format it names: [`Format::Custom`] for a log format string.
    ///
    /// # Errors
    /// [`ConfigError::Format`] when it is no name of a format and no format string.
    pub fn format(&self) -> Result<Format, ConfigError> {
        if Notation::of(&self.format).is_some() {
            return Ok(Format::Custom);
        }
        Ok(self.format.parse()?)
    }

    /// Checks it as a whole.
    ///
    /// # Errors
    /// [`ConfigError`] says what is wrong and what would be right.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self.format()? {
            Format::Auto => {
                self.check_fields()?;
                // Of the formats with W3C fields any one shows whether these can be read.
                self.decoder(Format::Iis).map(|_| ())
            }
            format => self.decoder(format).map(|_| ()),
        }
    }

    /// A decoder for `format`, with this configuration's field map.
    pub(super) fn decoder(&self, format: Format) -> Result<Decoder, ConfigError> {
        let preset = preset(format);
        let is_given = self.format()? == format;
        if let (Some(Preset::Json(_)), Some(names), true) = (preset, &self.w3c_fields, is_given) {
            return self.columns_decoder(format, names);
        }
        if !matches!(preset, Some(Preset::W3c { .. })) {
            self.refuse(self.w3c_fields.is_some(), ConfigError::W3cFields(format))?;
        }
        let engine = match preset {
            Some(Preset::Json(fields)) => {
                self.check_fields()?;
                let mut fields = fields.to_map();
                fields.extend(self.fields.clone());
                // Whoever names a key says its unit.
                if self.fields.keys().any(|name| Slot::named(name) == Some(Slot::Duration)) {
                    for mark in marks::OF_DURATIONS {
                        fields.remove(mark);
                    }
                }
                if format == Format::Json
                    && !fields
                        .keys()
                        .any(|name| matches!(Slot::named(name), Some(Slot::Time | Slot::Start)))
                {
                    return Err(ConfigError::NoTimeField);
                }
                let json = JsonDecoder::new(&fields).with_percent(is_percent(format));
                let is_free = format == Format::NginxJson;
                Engine::Json(if is_free { json.with_any_spelling() } else { json })
            }
            Some(Preset::Line { format: string, optional }) => {
                self.refuse(!self.fields.is_empty(), ConfigError::FieldsWithoutKeys(format))?;
                let plan = Self::compile(string)?.with_optional(optional);
                Engine::Line(match format {
                    Format::VhostCombined => plan.with_sure_client(),
                    Format::Envoy | Format::Istio | Format::Traefik => plan.with_raw_quotes(),
                    Format::IngressNginx | Format::Apisix => plan.with_escaped_quotes(),
                    Format::S3 => plan.with_escaped_quotes().with_one_reading(),
                    Format::NginxProxyManager
                    | Format::NginxProxyManagerDefault
                    | Format::Npmplus => plan.with_fixed_quotes(),
                    Format::Zoraxy => plan.with_one_reading(),
                    Format::Bunny => plan.with_bars_in_agent(),
                    _ => plan,
                })
            }
            Some(Preset::W3c { fields, .. }) => {
                self.refuse(!self.fields.is_empty(), ConfigError::FieldsWithoutKeys(format))?;
                let fields = self.w3c_fields.as_deref().unwrap_or(fields);
                return Self::w3c_decoder(format, fields);
            }
            None if self.fields.is_empty() => {
                let engine = Engine::Line(Self::compile(&self.format)?);
                return Ok(Decoder { format, engine, ending: Ending::of_string(&self.format) });
            }
            None => return Err(ConfigError::FieldsWithoutKeys(format)),
        };
        Ok(Decoder::new(format, engine))
    }

    /// A decoder for lines that have the values of a JSON dialect in columns of these names, or under this header.
    pub(super) fn columns_decoder(
        &self,
        format: Format,
        names: &str,
    ) -> Result<Decoder, ConfigError> {
        let Some(Preset::Json(fields)) = preset(format) else {
            return Err(ConfigError::W3cFields(format));
        };
        let mut fields = fields.to_map();
        fields.extend(self.fields.clone());
        let plan = Delimited::new(names, &fields, format == Format::NginxJson)
            .map_err(|source| ConfigError::FormatString { format: names.to_owned(), source })?;
        Ok(Decoder::new(format, Engine::Columns(plan.with_percent(is_percent(format)))))
    }

    /// A decoder for lines whose fields a header names, or a text that was learnt as one: of JSON dialects also the format
    /// string of what the same writer writes as text.
    pub(super) fn header_decoder(
        &self,
        format: Format,
        header: &str,
    ) -> Result<Decoder, ConfigError> {
        match preset(format) {
            Some(Preset::Json(_)) if Notation::of(header).is_some() => {
                Ok(Decoder::new(format, Engine::Line(Self::compile(header)?)))
            }
            Some(Preset::Json(_)) => self.columns_decoder(format, header),
            _ => Self::w3c_decoder(format, header),
        }
    }

    /// A decoder for lines with these W3C fields; the words of a `#Fields:` header, or the header.
    pub(super) fn w3c_decoder(format: Format, fields: &str) -> Result<Decoder, ConfigError> {
        let Some(Preset::W3c { dialect, .. }) = preset(format) else {
            return Err(ConfigError::FieldsWithoutKeys(format));
        };
        let plan = W3cPlan::new(fields, dialect)
            .map_err(|source| ConfigError::FormatString { format: fields.to_owned(), source })?;
        Ok(Decoder::new(format, Engine::W3c(plan)))
    }

    /// Refuses a setting that a format has no use for, if the format was asked for by name.
    fn refuse(&self, is_set: bool, error: ConfigError) -> Result<(), ConfigError> {
        if is_set && self.format()? != Format::Auto { Err(error) } else { Ok(()) }
    }

    fn compile(format: &str) -> Result<Plan, ConfigError> {
        Plan::compile(format, &logpush_fields())
            .map_err(|source| ConfigError::FormatString { format: format.to_owned(), source })
    }

    fn check_fields(&self) -> Result<(), ConfigError> {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, source) in &self.fields {
            if Slot::named(name).is_none() {
                return Err(ConfigError::UnknownField(name.clone()));
            }
            for key in source.keys() {
                if let Some(first) = seen.insert(key, name) {
                    return Err(ConfigError::KeyTwice {
                        key: key.clone(),
                        first: first.to_owned(),
                        second: name.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}
