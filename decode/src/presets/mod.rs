//! The built-in formats, as data: keys of JSON dialects and format strings of text formats.

mod cdn;
mod cloud;
mod gateways;
mod json;
mod lines;
mod otel;
mod spellings;

use super::json::{FieldMap, FieldSource, marks};
use super::line::{Dialect, Optional};
use super::record::Unit;
use crate::format::Format;

/// A built-in format.
#[derive(Debug, Clone, Copy)]
pub(super) enum Preset {
    /// JSON lines.
    Json(Fields),
    /// Text lines.
    Line {
        /// Format string, of nginx or Apache, or with `$slot:` variables.
        format: &'static str,
        /// Where a line may end early.
        optional: Optional,
    },
    /// Fields named by a header, or these.
    W3c {
        /// Fields unless a header or the configuration names them.
        fields: &'static str,
        /// Who writes it.
        dialect: Dialect,
    },
}

/// Value, unit of its numbers, and the keys that hold it, the preferred first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields(pub(super) &'static [(&'static str, Unit, &'static [&'static str])]);

impl Fields {
    /// As a field map like that of the configuration; marked keys of durations are keys of them, behind the others.
    pub(super) fn to_map(self) -> FieldMap {
        let source = |unit: Unit, keys: &[&str]| FieldSource::WithUnit {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            unit,
        };
        let named = self.0.iter();
        let mut map: FieldMap =
            named.map(|(name, unit, keys)| ((*name).to_owned(), source(*unit, keys))).collect();
        let marked = self.0.iter().filter(|(name, ..)| marks::OF_DURATIONS.contains(name));
        if let Some(FieldSource::WithUnit { keys, .. }) = map.get_mut("duration") {
            for key in marked.flat_map(|(_, _, keys)| *keys) {
                if !keys.iter().any(|known| known == key) {
                    keys.push((*key).to_owned());
                }
            }
        }
        map
    }
}

const fn line(format: &'static str) -> Preset {
    Preset::Line { format, optional: Optional::Nothing }
}

/// The built-in format of that name; `None` for `auto` and the user's own format strings.
pub(super) const fn preset(format: Format) -> Option<Preset> {
    use super::line::{CLOUDFRONT_FIELDS, CLOUDFRONT_REALTIME_FIELDS, IIS_FIELDS};
    Some(match format {
        Format::Auto | Format::Custom => return None,
        Format::Cloudflare => Preset::Json(json::CLOUDFLARE),
        Format::Json => Preset::Json(Fields(&[])),
        Format::Floodmark => Preset::Json(json::FLOODMARK),
        Format::NginxJson => Preset::Json(spellings::NGINX_JSON),
        Format::Combined | Format::Common => {
            Preset::Line { format: lines::COMBINED, optional: Optional::After(7) }
        }
        Format::SslRequest => line(lines::SSL_REQUEST),
        Format::VhostCombined => {
            Preset::Line { format: lines::VHOST_COMBINED, optional: Optional::After(8) }
        }
        Format::IngressNginx => line(lines::INGRESS_NGINX),
        Format::NginxProxyManager => line(lines::NGINX_PROXY_MANAGER),
        Format::NginxProxyManagerDefault => line(lines::NGINX_PROXY_MANAGER_DEFAULT),
        Format::Npmplus => line(lines::NPMPLUS),
        Format::Zoraxy => line(lines::ZORAXY),
        Format::Alb => line(lines::ALB),
        Format::Cloudfront => {
            Preset::W3c { fields: CLOUDFRONT_FIELDS, dialect: Dialect::CloudFront }
        }
        Format::CloudfrontRealtime => {
            Preset::W3c { fields: CLOUDFRONT_REALTIME_FIELDS, dialect: Dialect::CloudFront }
        }
        Format::CloudfrontJson => Preset::Json(cloud::CLOUDFRONT),
        Format::Iis => Preset::W3c { fields: IIS_FIELDS, dialect: Dialect::Iis },
        Format::Envoy => line(lines::ENVOY),
        Format::EnvoyJson => Preset::Json(json::ENVOY),
        Format::Istio => line(lines::ISTIO),
        Format::Caddy => Preset::Json(json::CADDY),
        Format::Haproxy => line(lines::HAPROXY),
        Format::HaproxyHttps => line(lines::HAPROXY_HTTPS),
        Format::HaproxyClf => {
            Preset::Line { format: lines::HAPROXY_CLF, optional: Optional::From(18) }
        }
        Format::TraefikJson => Preset::Json(json::TRAEFIK),
        Format::Traefik => line(lines::TRAEFIK),
        Format::Fastly => Preset::Json(cloud::FASTLY),
        Format::GcpLb => Preset::Json(cloud::GCP_LB),
        Format::AzureFrontDoor => Preset::Json(cloud::AZURE_FRONT_DOOR),
        Format::AzureAppGateway => Preset::Json(cloud::AZURE_APP_GATEWAY),
        Format::Akamai => Preset::Json(cloud::AKAMAI),
        Format::Ocsf => Preset::Json(cloud::OCSF),
        Format::Ecs => Preset::Json(cloud::ECS),
        Format::Otel => Preset::Json(otel::OTEL),
        Format::AwsWaf => Preset::Json(gateways::AWS_WAF),
        Format::ApiGateway => Preset::Json(gateways::API_GATEWAY),
        Format::Kong => Preset::Json(gateways::KONG),
        Format::ApisixJson => Preset::Json(gateways::APISIX_JSON),
        Format::Apigee => Preset::Json(gateways::APIGEE),
        Format::HaproxyJson => Preset::Json(gateways::HAPROXY_JSON),
        Format::CloudflareWorkers => Preset::Json(cdn::CLOUDFLARE_WORKERS),
        Format::AkamaiSiem => Preset::Json(cdn::AKAMAI_SIEM),
        Format::Apisix => line(lines::APISIX),
        Format::Bunny => line(lines::BUNNY),
        Format::BunnyExtended => line(lines::BUNNY_EXTENDED),
        Format::Keycdn => line(lines::KEYCDN),
        Format::S3 => Preset::Line { format: lines::S3, optional: Optional::From(18) },
        Format::Elb => line(lines::ELB),
        Format::Squid => line(lines::SQUID),
    })
}
