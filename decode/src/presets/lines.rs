//! Format strings of the built-in text formats, in nginx's or Apache's notation, `$slot:` naming a value directly.

/// `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"`: Apache's documentation, "Log Files"; nginx's
/// `combined` is the same text.
pub(super) const COMBINED: &str = r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i""#;

/// Debian's `vhost_combined` is `%v:%p` before `combined`; the port is optional here.
pub(super) const VHOST_COMBINED: &str =
    r#"%v %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-agent}i""#;

/// Red Hat's and Apache's own `conf/extra/httpd-ssl.conf`: `ssl_request_log`.
pub(super) const SSL_REQUEST: &str = r#"%t %h %{SSL_PROTOCOL}x %{SSL_CIPHER}x "%r" %b"#;

/// kubernetes.github.io/ingress-nginx, "Log format".
pub(super) const INGRESS_NGINX: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$_] [$_] $_ $_ $_ $_ $req_id"#;

/// nginx Proxy Manager, `log_format proxy`; older versions lack `[Sent-to …]`.
pub(super) const NGINX_PROXY_MANAGER: &str = r#"[$time_local] $upstream_cache_status $_ $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $_"$http_user_agent" "$http_referer""#;

/// nginx Proxy Manager, `log_format standard`.
pub(super) const NGINX_PROXY_MANAGER_DEFAULT: &str = r#"[$time_local] $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $_] "$http_user_agent" "$http_referer""#;

/// `NPMplus`; as in nginx's other formats the body of the response counts, which stands before all that was sent.
pub(super) const NPMPLUS: &str = r#"[$time_local] $host $remote_addr $request_time "$request" $status $body_bytes_sent $_ $http_referer $http_user_agent"#;

/// Zoraxy.
pub(super) const ZORAXY: &str = "$_ [$slot:ts] [router:$_] [origin:$slot:host] [client: $slot:client_ip] [useragent: $slot:user_agent] $slot:method $slot:uri $slot:status";

/// Elastic Load Balancing, "Access logs for your Application Load Balancer".
pub(super) const ALB: &str = r#"$slot:scheme $slot:ts $slot:edge $slot:client_ip:$_ $_ $_ $_ $_ $slot:status $_ $slot:request_bytes $slot:response_bytes "$slot:request" "$slot:user_agent" $_ $_ $_ "$slot:request_id" "$_" "$_" $_ $slot:start "$_""#;

/// Envoy, "Default format string". It names no downstream address: the client comes from `X-Forwarded-For`.
pub(super) const ENVOY: &str = r#"[$slot:ts] "$slot:request" $slot:status $slot:aborted $slot:request_bytes $slot:response_bytes $slot:duration_ms $_ "$slot:forwarded_for" "$slot:user_agent" "$slot:request_id" "$slot:host" "$_""#;

/// Istio, "Default access log format". The client is the downstream address, which Envoy has resolved already.
pub(super) const ISTIO: &str = r#"[$slot:ts] "$slot:request" $slot:status $slot:aborted $_ $_ "$_" $slot:request_bytes $slot:response_bytes $slot:duration_ms $_ "$_" "$slot:user_agent" "$slot:request_id" "$slot:host" "$_" $_ $_ $_ $slot:client_ip $_ $_"#;

/// `HAProxy` configuration manual, 8.2.3 "HTTP log format"; captured headers stand between queue and request: host,
/// user agent and referer are told by their shape, a host also by what stood at its place in the lines before.
pub(super) const HAPROXY: &str = r#"$slot:client_ip:$_ [$slot:ts] $_ $_/$_ $_/$_/$_/$_/$slot:duration_ms $slot:status $slot:response_bytes $_ $_ $slot:aborted $_/$_/$_/$_/$_ $_/$slot:captures"$slot:haproxy_request""#;

/// `HAProxy` configuration manual, 8.2.4 "HTTPS log format".
pub(super) const HAPROXY_HTTPS: &str = r#"$slot:client_ip:$_ [$slot:ts] $_ $_/$_ $_/$_/$_/$_/$slot:duration_ms $slot:status $slot:response_bytes $_ $_ $slot:aborted $_/$_/$_/$_/$_ $_/$slot:captures"$slot:haproxy_request" $_/$_/$_/$_/$_ $slot:host/$_/$_"#;

/// `HAProxy` configuration manual, 4.2 `option httplog clf`; how the session ended has no quotes, unlike all texts. Behind
/// it are counters, cookies and captured headers.
pub(super) const HAPROXY_CLF: &str = r#"$slot:client_ip - - [$slot:ts] "$slot:request" $slot:status $slot:response_bytes "$slot:referer" "$slot:user_agent" $_ $_ "$_" "$_" "$_" $_ $_ $_ $_ $slot:duration_ms $slot:aborted $_ $_ $_ $_ $_ $_ $_ "$_" "$_""#;

/// Traefik, "Access logs", `format: common`.
pub(super) const TRAEFIK: &str = r#"$slot:client_ip - $_ [$slot:ts] "$slot:request" $slot:status $slot:response_bytes "$slot:referer" "$slot:user_agent" $_ "$_" "$_" ${slot:duration_ms}ms"#;

/// Apache APISIX, `conf/config-default.yaml`: `access_log_format`.
pub(super) const APISIX: &str = r#"$remote_addr - $remote_user [$time_local] $http_host "$request" $status $body_bytes_sent $request_time "$http_referer" "$http_user_agent" $upstream_addr $upstream_status $upstream_response_time "$_""#;

/// bunny.net, "Log format": the time is when the request was completed, in milliseconds.
pub(super) const BUNNY: &str = "$slot:cache_status|$slot:status|$slot:ts_ms|$slot:response_bytes|$_|$slot:client_ip|$slot:referer|$slot:uri|$slot:edge|$slot:user_agent|$slot:request_id|$slot:client_country";

/// bunny.net, "Log format" with extended logging: bytes of the body, and the headers Range and Authorization, which are
/// kept nowhere. With three bars too many a line without these has as many fields, and its id where Range is here.
pub(super) const BUNNY_EXTENDED: &str = "$slot:cache_status|$slot:status|$slot:ts_ms|$slot:response_bytes|$_|$slot:client_ip|$slot:referer|$slot:uri|$slot:edge|$slot:user_agent|$slot:request_id|$slot:client_country|$_|$slot:no_id|$slot:list";

/// `KeyCDN`, "Log format".
pub(super) const KEYCDN: &str = r#"$slot:ts|$slot:edge|$slot:client_ip|$slot:status|$slot:response_bytes|$_|$_|$slot:host|$slot:cache_status|"$slot:request"|[$_]|"$slot:referer"|"$slot:user_agent"|$slot:scheme|$_|$slot:client_country|$_|"$slot:client_asn"|$_"#;

/// Amazon S3, "Amazon S3 server access log format": the total time is from the request's coming to the last byte. Newer
/// lines have more fields.
pub(super) const S3: &str = r#"$_ $_ [$slot:ts] $slot:client_ip $_ $slot:request_id $_ $_ "$slot:request" $slot:status $_ $slot:response_bytes $_ $slot:duration_ms $_ "$slot:referer" "$slot:user_agent" $_ $_ $_ $_ $_ $slot:host $_ $_ $_"#;

/// Elastic Load Balancing, "Access logs for your Classic Load Balancer": the time of the back end is the longest of three.
pub(super) const ELB: &str = r#"$slot:ts $slot:edge $slot:client_ip:$_ $_ $_ $slot:duration_s $_ $slot:status $_ $slot:request_bytes $slot:response_bytes "$slot:request" "$slot:user_agent" $_ $_"#;

/// Squid, `logformat squid`: `%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt`.
pub(super) const SQUID: &str = "$slot:ts $slot:duration_ms_padded $slot:client_ip $slot:squid_result/$slot:status $slot:response_bytes $slot:method $slot:uri $_ $slot:word/$_ $_";
