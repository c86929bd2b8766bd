//! Who writes each format, and a line of it: the first of the lines with which it is tested.

use super::format::{ALIASES, Format};

/// Who writes a format, and its test lines.
type Writer = (Format, &'static str, &'static [u8]);

const WRITERS: &[Writer] = &[
    (
        Format::Cloudflare,
        "Cloudflare Logpush, HTTP requests",
        include_bytes!("../tests/conformance/cloudflare.log"),
    ),
    (
        Format::Combined,
        "nginx, Apache, LiteSpeed, Varnish, lighttpd, H2O",
        include_bytes!("../tests/conformance/combined.log"),
    ),
    (Format::Common, "Apache, Tomcat", include_bytes!("../tests/conformance/common.log")),
    (
        Format::VhostCombined,
        "Apache, nginx, BunkerWeb",
        include_bytes!("../tests/conformance/vhost_combined.log"),
    ),
    (
        Format::SslRequest,
        "Apache, `ssl_request_log`",
        include_bytes!("../tests/conformance/ssl_request.log"),
    ),
    (
        Format::Floodmark,
        "JSON with the columns of `requests`",
        include_bytes!("../tests/conformance/floodmark.log"),
    ),
    (
        Format::NginxJson,
        "nginx `escape=json`",
        include_bytes!("../tests/conformance/nginx_json.log"),
    ),
    (
        Format::IngressNginx,
        "ingress-nginx",
        include_bytes!("../tests/conformance/ingress_nginx.log"),
    ),
    (
        Format::NginxProxyManager,
        "nginx Proxy Manager, proxied hosts",
        include_bytes!("../tests/conformance/nginx_proxy_manager.log"),
    ),
    (
        Format::NginxProxyManagerDefault,
        "nginx Proxy Manager, its own answers",
        include_bytes!("../tests/conformance/nginx_proxy_manager_default.log"),
    ),
    (Format::Npmplus, "NPMplus", include_bytes!("../tests/conformance/npmplus.log")),
    (Format::Zoraxy, "Zoraxy", include_bytes!("../tests/conformance/zoraxy.log")),
    (Format::Alb, "AWS Application Load Balancer", include_bytes!("../tests/conformance/alb.log")),
    (
        Format::Cloudfront,
        "Amazon CloudFront standard log",
        include_bytes!("../tests/conformance/cloudfront.log"),
    ),
    (
        Format::CloudfrontJson,
        "Amazon CloudFront standard log 2, JSON",
        include_bytes!("../tests/conformance/cloudfront_json.log"),
    ),
    (
        Format::CloudfrontRealtime,
        "Amazon CloudFront real-time log",
        include_bytes!("../tests/conformance/cloudfront_realtime.log"),
    ),
    (Format::Iis, "Microsoft IIS, W3C", include_bytes!("../tests/conformance/iis.log")),
    (Format::Envoy, "Envoy, default text", include_bytes!("../tests/conformance/envoy.log")),
    (
        Format::EnvoyJson,
        "Envoy, Istio, Envoy Gateway, JSON",
        include_bytes!("../tests/conformance/envoy_json.log"),
    ),
    (Format::Istio, "Istio, default text", include_bytes!("../tests/conformance/istio.log")),
    (Format::Caddy, "Caddy 2", include_bytes!("../tests/conformance/caddy.log")),
    (
        Format::Haproxy,
        "HAProxy `option httplog`",
        include_bytes!("../tests/conformance/haproxy.log"),
    ),
    (
        Format::HaproxyHttps,
        "HAProxy `option httpslog`",
        include_bytes!("../tests/conformance/haproxy_https.log"),
    ),
    (
        Format::HaproxyClf,
        "HAProxy `option httplog clf`",
        include_bytes!("../tests/conformance/haproxy_clf.log"),
    ),
    (Format::TraefikJson, "Traefik JSON", include_bytes!("../tests/conformance/traefik_json.log")),
    (Format::Traefik, "Traefik common log", include_bytes!("../tests/conformance/traefik.log")),
    (Format::Fastly, "Fastly JSON, usual keys", include_bytes!("../tests/conformance/fastly.log")),
    (
        Format::GcpLb,
        "Google Cloud load balancers",
        include_bytes!("../tests/conformance/gcp_lb.log"),
    ),
    (
        Format::AzureFrontDoor,
        "Azure Front Door",
        include_bytes!("../tests/conformance/azure_front_door.log"),
    ),
    (
        Format::AzureAppGateway,
        "Azure Application Gateway",
        include_bytes!("../tests/conformance/azure_app_gateway.log"),
    ),
    (
        Format::Akamai,
        "Akamai DataStream 2, JSON",
        include_bytes!("../tests/conformance/akamai.log"),
    ),
    (Format::Ocsf, "OCSF HTTP Activity 4002", include_bytes!("../tests/conformance/ocsf.log")),
    (Format::Ecs, "Elastic Common Schema", include_bytes!("../tests/conformance/ecs.log")),
    (
        Format::Otel,
        "OpenTelemetry HTTP server spans and logs",
        include_bytes!("../tests/conformance/otel.log"),
    ),
    (Format::AwsWaf, "AWS WAF", include_bytes!("../tests/conformance/aws_waf.log")),
    (
        Format::ApiGateway,
        "Amazon API Gateway, JSON",
        include_bytes!("../tests/conformance/api_gateway.log"),
    ),
    (Format::S3, "Amazon S3 server access log", include_bytes!("../tests/conformance/s3.log")),
    (Format::Elb, "AWS Classic Load Balancer", include_bytes!("../tests/conformance/elb.log")),
    (Format::Kong, "Kong, log plugins", include_bytes!("../tests/conformance/kong.log")),
    (
        Format::Apisix,
        "Apache APISIX, access log",
        include_bytes!("../tests/conformance/apisix.log"),
    ),
    (
        Format::ApisixJson,
        "Apache APISIX, logger plugins",
        include_bytes!("../tests/conformance/apisix_json.log"),
    ),
    (
        Format::Apigee,
        "Apigee, names of its analytics",
        include_bytes!("../tests/conformance/apigee.log"),
    ),
    (
        Format::HaproxyJson,
        "HAProxy, JSON format strings in use",
        include_bytes!("../tests/conformance/haproxy_json.log"),
    ),
    (
        Format::CloudflareWorkers,
        "Cloudflare Workers trace events, `wrangler tail`",
        include_bytes!("../tests/conformance/cloudflare_workers.log"),
    ),
    (
        Format::AkamaiSiem,
        "Akamai SIEM integration",
        include_bytes!("../tests/conformance/akamai_siem.log"),
    ),
    (Format::Bunny, "bunny.net, raw log", include_bytes!("../tests/conformance/bunny.log")),
    (
        Format::BunnyExtended,
        "bunny.net, raw log with extended logging",
        include_bytes!("../tests/conformance/bunny_extended.log"),
    ),
    (Format::Keycdn, "KeyCDN, raw log", include_bytes!("../tests/conformance/keycdn.log")),
    (Format::Squid, "Squid, native log", include_bytes!("../tests/conformance/squid.log")),
];

impl Format {
    /// Who writes it; empty for those that somebody has to describe.
    pub fn writer(self) -> &'static str {
        match self {
            Self::Json => "JSON with keys that `[fields]` of the configuration names",
            Self::Auto => "any of the others, by what its lines look like",
            _ => self.row().map_or("", |(_, writer, _)| writer),
        }
    }

    /// An ordinary line of it, if it has any without being described; the headers of W3C files go before.
    pub fn example(self) -> Option<&'static str> {
        let (_, _, lines) = self.row()?;
        let mut lines = lines.split(|byte| *byte == b'\n');
        std::str::from_utf8(lines.find(|line| !line.is_empty() && !line.starts_with(b"#"))?).ok()
    }

    fn row(self) -> Option<&'static Writer> {
        WRITERS.iter().find(|(format, ..)| *format == self)
    }

    /// Other names by which it can be asked for.
    pub fn aliases(self) -> impl Iterator<Item = &'static str> {
        ALIASES.iter().filter(move |(_, format)| *format == self).map(|(alias, _)| *alias)
    }
}
