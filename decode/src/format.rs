//! The names of the log formats.

use std::fmt;
use std::str::FromStr;

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A log format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Format {
            $($(#[$doc])* $variant,)*
        }

        impl Format {
            /// Every format.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

formats! {
    /// Recognised from the lines.
    Auto = "auto",
    /// Cloudflare Logpush `http_requests`, NDJSON.
    Cloudflare = "cloudflare",
    /// nginx and Apache `combined`.
    Combined = "combined",
    /// Apache `common`: `combined` without referer and user agent.
    Common = "common",
    /// `combined` with the virtual host in front.
    VhostCombined = "vhost_combined",
    /// Apache's `ssl_request_log`.
    SslRequest = "ssl_request",
    /// JSON lines with the keys given in the configuration.
    Json = "json",
    /// JSON lines with the column names of the `requests` table as keys.
    Floodmark = "floodmark",
    /// nginx with `escape=json`, in its usual spellings.
    NginxJson = "nginx_json",
    /// nginx ingress controller: `combined` with timings.
    IngressNginx = "ingress_nginx",
    /// nginx Proxy Manager, proxied hosts.
    NginxProxyManager = "nginx_proxy_manager",
    /// nginx Proxy Manager, its own answers.
    NginxProxyManagerDefault = "nginx_proxy_manager_default",
    /// `NPMplus`.
    Npmplus = "npmplus",
    /// Zoraxy reverse proxy.
    Zoraxy = "zoraxy",
    /// Amazon Application Load Balancer.
    Alb = "alb",
    /// Amazon CloudFront standard log, W3C, version 1 or 2.
    Cloudfront = "cloudfront",
    /// Amazon CloudFront standard log version 2 as JSON lines.
    CloudfrontJson = "cloudfront_json",
    /// Amazon CloudFront real-time log; the field list comes from the configuration.
    CloudfrontRealtime = "cloudfront_realtime",
    /// Microsoft IIS, W3C.
    Iis = "iis",
    /// Envoy's default text.
    Envoy = "envoy",
    /// Envoy and Istio JSON.
    EnvoyJson = "envoy_json",
    /// Istio's default text.
    Istio = "istio",
    /// Caddy JSON.
    Caddy = "caddy",
    /// `HAProxy` `option httplog`.
    Haproxy = "haproxy",
    /// `HAProxy` `option httpslog`: the host is the TLS server name.
    HaproxyHttps = "haproxy_https",
    /// `HAProxy` `option httplog clf`.
    HaproxyClf = "haproxy_clf",
    /// Traefik JSON.
    TraefikJson = "traefik_json",
    /// Traefik common log format.
    Traefik = "traefik",
    /// Fastly JSON with the usual keys.
    Fastly = "fastly",
    /// Google Cloud HTTP(S) load balancer.
    GcpLb = "gcp_lb",
    /// Azure Front Door.
    AzureFrontDoor = "azure_front_door",
    /// Azure Application Gateway.
    AzureAppGateway = "azure_app_gateway",
    /// Akamai `DataStream` 2, JSON.
    Akamai = "akamai",
    /// OCSF HTTP Activity (class 4002).
    Ocsf = "ocsf",
    /// Elastic Common Schema.
    Ecs = "ecs",
    /// OpenTelemetry HTTP server attributes, flat or under `attributes`.
    Otel = "otel",
    /// AWS WAF, JSON.
    AwsWaf = "aws_waf",
    /// Amazon API Gateway, JSON with the keys of its documentation.
    ApiGateway = "api_gateway",
    /// Amazon S3 server access log.
    S3 = "s3",
    /// Amazon Classic Load Balancer.
    Elb = "elb",
    /// Kong, JSON of its log plugins.
    Kong = "kong",
    /// Apache APISIX, access log.
    Apisix = "apisix",
    /// Apache APISIX, JSON of its logger plugins.
    ApisixJson = "apisix_json",
    /// Apigee, JSON with the names of its analytics.
    Apigee = "apigee",
    /// `HAProxy`, JSON with the usual keys.
    HaproxyJson = "haproxy_json",
    /// Cloudflare Workers trace events, JSON.
    CloudflareWorkers = "cloudflare_workers",
    /// Akamai SIEM integration, JSON.
    AkamaiSiem = "akamai_siem",
    /// bunny.net, raw log.
    Bunny = "bunny",
    /// bunny.net, raw log with extended logging.
    BunnyExtended = "bunny_extended",
    /// `KeyCDN`, raw log.
    Keycdn = "keycdn",
    /// Squid, native access log.
    Squid = "squid",
    /// A format string given by the user.
    Custom = "custom",
}

impl Format {
    /// Every name that can be given with `--format`, for help texts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().filter(|format| **format != Self::Custom).map(|format| format.name())
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Other names of formats: servers that write one of the formats above.
pub(super) const ALIASES: &[(&str, Format)] = &[
    ("apache", Format::Combined),
    ("nginx", Format::Combined),
    ("litespeed", Format::Combined),
    ("varnishncsa", Format::Combined),
    ("varnish", Format::Combined),
    ("openlitespeed", Format::Combined),
    ("lighttpd", Format::Combined),
    ("h2o", Format::Combined),
    ("openresty_json", Format::NginxJson),
    ("tomcat", Format::Common),
    ("istio_json", Format::EnvoyJson),
    ("aws_alb", Format::Alb),
    ("aws_cloudfront", Format::Cloudfront),
    ("aws_s3", Format::S3),
    ("aws_elb", Format::Elb),
    ("aws_api_gateway", Format::ApiGateway),
    ("bunnycdn", Format::Bunny),
];

/// A format name nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown log format `{0}`; known are {names}, or a format string with `$`, `%` or `{{{{.Name}}}}` variables", names = known())]
pub struct UnknownFormat(pub String);

fn known() -> String {
    Format::names().collect::<Vec<_>>().join(", ")
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let wanted = name.to_ascii_lowercase().replace('-', "_");
        let named = Self::ALL.iter().find(|f| **f != Self::Custom && f.name() == wanted).copied();
        let alias =
            || ALIASES.iter().find(|(alias, _)| *alias == wanted).map(|(_, format)| *format);
        named.or_else(alias).ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}
