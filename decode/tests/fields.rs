//! For every format: whatever one field says, the others are read as they are, or the row is marked malformed, or the
//! line is refused.

#![cfg(test)]

mod support;

use std::collections::BTreeSet;

use decode::DecoderConfig;
use proptest::prelude::*;
use support::{read_blocks, show};

/// A line of each format with its fields in `<>`: what stands there otherwise, and after a colon the columns that the
/// field feeds. What is before the value says how it is written: see [`written`].
const LINES: &[(&str, &str)] = &[
    (
        "combined",
        r#"<192.0.2.1:client_ip> <-:host> <-:> [01/May/2024:12:00:00 +0000] "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status aborted> <!5:response_bytes> "<"https://a.example/:referer>" "<"curl/8.5.0:user_agent>""#,
    ),
    (
        "vhost_combined",
        r#"<shop.example:host> <192.0.2.1:client_ip> <-:host> <-:> [01/May/2024:12:00:00 +0000] "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status aborted> <!5:response_bytes> "<"https://a.example/:referer>" "<"curl/8.5.0:user_agent>""#,
    ),
    (
        "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" $request_time $upstream_response_time $upstream_cache_status",
        r#"<192.0.2.1:client_ip> - <-:> [01/May/2024:12:00:00 +0000] "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status aborted> <!5:response_bytes> "<"https://a.example/:referer>" "<"curl/8.5.0:user_agent>" <!0.1:duration_us> <!0.1:> <!HIT:cache_status>"#,
    ),
    (
        "ssl_request",
        r#"[01/May/2024:12:00:00 +0000] <192.0.2.1:client_ip> <TLSv1.3:> <AES:> "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!5:response_bytes>"#,
    ),
    (
        "traefik",
        r#"<192.0.2.1:client_ip> - <-:> [01/May/2024:12:00:00 +0000] "<~GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status aborted> <!5:response_bytes> "<~-:referer>" "<~curl/8.5.0:user_agent>" <!1:> "<"r@docker:>" "<"http://10.0.0.1:>" 7ms"#,
    ),
    (
        "envoy",
        r#"[2024-05-01T12:00:00.000Z] "<~GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status aborted> <-:aborted> <!3:request_bytes> <!5:response_bytes> <!7:duration_us> <!6:> "<~192.0.2.1:client_ip>" "<~curl/8.5.0:user_agent>" "<~id-1:request_id>" "<~shop.example:host>" "<~10.0.0.1\:80:>""#,
    ),
    (
        "haproxy",
        r#"192.0.2.1:40000 [01/May/2024:12:00:00.000] <!fe:> <!be:>/<!s1:> 0/0/0/1/1 <!200:status aborted> <!50:response_bytes> - - ---- 1/1/0/0/0 0/0 "<#GET /a?b=c HTTP/1.1:method path query protocol scheme host>""#,
    ),
    (
        "iis",
        "2024-05-01 12:00:00 <!10.0.0.5:> <!GET:method> <+/a:path query> <+b=c:query> <!443:> <+-:> <!192.0.2.1:client_ip> <+curl/8.5.0:user_agent> <+https\\://a.example/:referer> <!200:status aborted> <!0:> <!0:aborted> <!7:duration_us>",
    ),
    (
        "common",
        r#"<192.0.2.1:client_ip> <-:host> <-:> [01/May/2024:12:00:00 +0000] "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status> <!5:response_bytes>"#,
    ),
    (
        "ingress_nginx",
        r#"192.0.2.1 - <-:> [01/May/2024:12:00:00 +0000] "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" 200 5 "<"https\://a.example/:referer>" "<"curl/8.5.0:user_agent>" 430 <!0.004:duration_us> [default-web-80] [] 10.0.0.7:8080 612 0.004 200 <!6f1e:request_id>"#,
    ),
    (
        "nginx_proxy_manager",
        r#"[01/May/2024:12:00:00 +0000] <!-:cache_status> <!404:> <!404:status aborted> - <!GET:method> <!https:scheme> <!shop.example:host> "<"/a?b=c:path query scheme host>" [Client 192.0.2.1] [Length 192] [Gzip 3.10] [Sent-to <!10.0.0.7:>] "<"curl/8.5.0:user_agent>" "<"https\://a.example/:referer>""#,
    ),
    (
        "nginx_proxy_manager_default",
        r#"[01/May/2024:12:00:00 +0000] <!444:status aborted> - <!GET:method> <!https:scheme> <!shop.example:host> "<"/a?b=c:path query scheme host>" [Client 192.0.2.1] [Length 192] [Gzip -] "<"curl/8.5.0:user_agent>" "<"https\://a.example/:referer>""#,
    ),
    (
        // Nothing divides referer and user agent: a blank in the one is a part of the other.
        "npmplus",
        r#"[01/May/2024:12:00:00 +0000] <!shop.example:host> 192.0.2.1 0.227 "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!207:status aborted> <!125:response_bytes> <!440:> <https\://a.example/:referer user_agent> <curl/8.5.0:user_agent>"#,
    ),
    (
        "zoraxy",
        r"2024/05/01 12:00:00 [2024-05-01 12:00:00.150624] [router:<!host-http:>] [origin:<!shop.example:host>] [client: 192.0.2.1] [useragent: <~curl/8.5.0:user_agent>] <!GET:method> <!/a?b=c:path query scheme host> <!404:status>",
    ),
    (
        "alb",
        r#"https 2024-05-01T12:00:00.120000Z <!app/edge/1:edge> 192.0.2.1:2817 <!10.0.0.1\:80:> 0.001 0.100 0.000 <!200:status aborted> 200 34 366 "<"GET https\://shop.example\:443/a?b=c HTTP/1.1:method path query protocol scheme host>" "<"curl/8.5.0:user_agent>" - - arn:aws:x "<"Root=1-5:request_id>" "<"shop.example:>" "-" 0 2024-05-01T12:00:00.019000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-""#,
    ),
    (
        "istio",
        r#"[2024-05-01T12:00:00.123Z] "<~GET /a?b=c HTTP/1.1:method path query protocol scheme host>" 418 - via_upstream - "-" 0 135 5 4 "<~203.0.113.4:>" "<~curl/8.5.0:user_agent>" "<~id-1:request_id>" "<~shop.example:host>" "10.44.1.27:80" outbound|80||a.svc 10.44.1.23:37652 10.0.45.184:8000 192.0.2.1:46520 <!-:> default"#,
    ),
    (
        "haproxy",
        r#"192.0.2.1:40000 [01/May/2024:12:00:00.000] fe be/s1 0/0/0/1/1 200 50 - - ---- 1/1/0/0/0 0/0 {<#shop.example:host referer>|<#curl/8.5.0:user_agent referer>} "<#GET /a?b=c HTTP/1.1:method path query protocol scheme host>""#,
    ),
    (
        "haproxy_https",
        r#"192.0.2.1:40000 [01/May/2024:12:00:00.000] fe~ be/s1 0/0/0/1/1 200 50 - - ---- 1/1/0/0/0 0/0 "<#GET /a?b=c HTTP/1.1:method path query protocol scheme host>" 0/0000000000000000/0/0/0 <~shop.example:host>/TLSv1.3/TLS_AES_256_GCM_SHA384"#,
    ),
    (
        "haproxy_clf",
        r#"192.0.2.1 - - [01/May/2024:12:00:00 +0000] "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" 200 2750 "" "" 33317 655 "http-in" "static" "srv1" 10 0 30 69 109 "----" 1 1 1 1 0 0 0 "" "<#x:>" "<#y:>" """#,
    ),
    (
        "cloudfront",
        "2024-05-01\t12:00:00\t<!FRA56-P2:edge>\t<!366:response_bytes>\t<!192.0.2.1:client_ip>\t<!GET:method>\td1.cloudfront.net\t<%/a:path>\t<!200:status aborted>\t<%https\\://a.example/:referer>\t<%curl/8.5.0:user_agent>\t<%b=c:query>\t<%-:>\t<!Hit:cache_status>\t<!id-1:request_id>\t<%shop.example:host>\t<!https:scheme>\t<!23:request_bytes>\t<!0.001:duration_us>\t<%-:>\tTLSv1.3\tAES\tHit\t<!HTTP/2.0:protocol>\t-\t-\t11040\t0.001\tHit\t<%text/html:>\t78\t-\t-",
    ),
    (
        "cloudfront_realtime",
        "1714564800.123\t<!192.0.2.1:client_ip>\t<!0.002:>\t<!200:status aborted>\t<!415:response_bytes>\t<!GET:method>\t<!https:scheme>\td1.cloudfront.net\t<%/a?b=c:path query>\t<!62:request_bytes>\tFRA56-P2\t<!id-1:request_id>\t<%shop.example:host>\t<!0.003:duration_us>\t<!HTTP/2.0:protocol>\tIPv4\t<%curl/8.5.0:user_agent>\t<%-:referer>\t<%-:>\t<%b=c:query>\tHit\t<%-:>\tTLSv1.3\tAES\tHit\t-\t-\ttext/html\t78\t-\t-\t51754\tHit\tDE\t<%gzip:>\t<%*/*:>\t*\t<%host\\:cdn:>\t<%host:>\t3",
    ),
    (
        "nginx_json",
        r#"{"time_iso8601":"2024-05-01T12:00:00Z","remote_addr":"<"192.0.2.1:client_ip>","request_method":"<"GET:method>","request_uri":"<"/a?b=c:path query scheme host>","http_host":"<"shop.example:host>","status":"<"200:status aborted>","body_bytes_sent":"<"5:response_bytes>","http_user_agent":"<"curl/8.5.0:user_agent>","http_referer":"<"-:referer>","request_id":"<"id-1:request_id>"}"#,
    ),
    (
        "cloudflare",
        r#"{"ClientIP":"<"192.0.2.1:client_ip>","ClientRequestHost":"<"shop.example:host>","ClientRequestMethod":"<"GET:method>","ClientRequestURI":"<"/a?b=c:path query scheme host>","EdgeEndTimestamp":"2024-05-01T12:00:00Z","EdgeResponseStatus":200,"ClientRequestUserAgent":"<"curl/8.5.0:user_agent>","RayID":"<"id-1:request_id>"}"#,
    ),
    (
        "floodmark",
        r#"{"ts":"2024-05-01T12:00:00Z","client_ip":"<"192.0.2.1:client_ip>","method":"<"GET:method>","host":"<"shop.example:host>","path":"<"/a:path>","query":"<"b=c:query>","protocol":"<"HTTP/2:protocol>","status":200,"user_agent":"<"curl/8.5.0:user_agent>","referer":"<"https\://a.example/:referer>"}"#,
    ),
    (
        "cloudfront_json",
        r#"{"date":"2024-05-01","time":"12:00:00","sc-bytes":"703","c-ip":"192.0.2.1","cs-method":"<"GET:method>","cs-uri-stem":"<"/a:path query scheme host>","sc-status":"200","cs(Referer)":"<"-:referer>","cs(User-Agent)":"<"curl/8.5.0:user_agent>","cs-uri-query":"<"b=c:query>","x-edge-request-id":"<"abc==:request_id>","x-host-header":"<"shop.example:host>","time-taken":"0.113"}"#,
    ),
    (
        "envoy_json",
        r#"{"authority":"<"shop.example:host>","bytes_received":10,"bytes_sent":1154,"downstream_remote_address":"192.0.2.1:59292","duration":11,"method":"<"GET:method>","path":"<"/a?b=c:path query scheme host>","protocol":"HTTP/2","request_id":"<"id-1:request_id>","response_code":200,"start_time":"2024-05-01T12:00:00.479Z","user_agent":"<"curl/8.5.0:user_agent>","x_forwarded_for":"<"203.0.113.4:>"}"#,
    ),
    (
        "caddy",
        r#"{"level":"info","ts":1714564800.7564995,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"10.0.0.1","client_ip":"192.0.2.1","proto":"HTTP/2.0","method":"<"GET:method>","host":"<"shop.example:host>","uri":"<"/a?b=c:path query scheme host>","headers":{"Accept":["<"*/*:>"],"User-Agent":["<"curl/8.5.0:user_agent>","second"],"Referer":["<"https\://a.example/:referer>"]}},"user_id":"<":>","duration":0.000002701,"size":12,"status":200}"#,
    ),
    (
        "traefik_json",
        r#"{"ClientAddr":"192.0.2.1:5555","ClientHost":"192.0.2.1","ClientUsername":"<"-:>","DownstreamContentSize":12,"DownstreamStatus":200,"Duration":1234567,"RequestHost":"<"shop.example:host>","RequestMethod":"<"GET:method>","RequestPath":"<"/a?b=c:path query scheme host>","RequestProtocol":"HTTP/2.0","RequestScheme":"https","StartUTC":"2024-05-01T12:00:00.123456789Z","msg":"<":>","request_User-Agent":"<"curl/8.5.0:user_agent>","time":"2024-05-01T12:00:00Z"}"#,
    ),
    (
        "fastly",
        r#"{"timestamp":"2024-05-01T12:00:00+0000","client_ip":"192.0.2.1","host":"<"shop.example:host>","url":"<"/a?b=c:path query scheme host>","request_method":"<"GET:method>","request_protocol":"HTTP/1.1","request_referer":"<":referer>","request_user_agent":"<"curl/8.5.0:user_agent>","response_state":"MISS","response_status":404,"response_body_size":564}"#,
    ),
    (
        "gcp_lb",
        r#"{"httpRequest":{"latency":"0.012345s","protocol":"HTTP/1.1","referer":"<"https\://a.example/:referer>","remoteIp":"192.0.2.1","requestMethod":"<"GET:method>","requestSize":"123","requestUrl":"<"https\://shop.example/a?b=c:path query scheme host>","responseSize":"456","status":200,"userAgent":"<"curl/8.5.0:user_agent>"},"insertId":"<"1abc:request_id>","timestamp":"2024-05-01T12:00:00.123456Z"}"#,
    ),
    (
        "azure_front_door",
        r#"{"time":"2024-05-01T12:00:00.1234567Z","category":"FrontDoorAccessLog","properties":{"trackingReference":"<"0Xyz:request_id>","httpMethod":"<"GET:method>","httpVersion":"2.0.0.0","requestUri":"<"https\://shop.example\:443/a?b=c:path query scheme host>","userAgent":"<"curl/8.5.0:user_agent>","clientIp":"192.0.2.1","clientCountry":"de","timeTaken":"0.012","httpStatusCode":"200","hostName":"<"shop.example:host>","referer":"<":referer>"}}"#,
    ),
    (
        "azure_app_gateway",
        r#"{"timeStamp":"2024-05-01T12:00:00+00:00","category":"ApplicationGatewayAccessLog","properties":{"clientIP":"192.0.2.1","httpMethod":"<"GET:method>","originalRequestUriWithArgs":"<"/a?b=c:path query scheme host>","requestUri":"<"/a:>","requestQuery":"<"b=c:query>","userAgent":"<"curl/8.5.0:user_agent>","httpStatus":200,"httpVersion":"HTTP/1.1","timeTaken":0.012,"host":"10.0.0.7","originalHost":"<"shop.example:host>"}}"#,
    ),
    (
        "akamai",
        r#"{"version":"1","reqId":"1239f220","reqTimeSec":"1714564800.123","cliIP":"192.0.2.1","statusCode":"206","proto":"HTTPS","reqHost":"<"shop.example:host>","reqMethod":"<"GET:method>","reqPath":"<"/a:path query scheme host>","UA":"<"curl/8.5.0:user_agent>","totalBytes":"5300","queryStr":"<"b=c:query>","referer":"<"-:referer>"}"#,
    ),
    (
        "ocsf",
        r#"{"class_uid":4002,"time":1714564800123,"http_request":{"http_method":"<"GET:method>","user_agent":"<"curl/8.5.0:user_agent>","version":"1.1","referrer":"<"https\://a.example/:referer>","url":{"hostname":"<"shop.example:host>","path":"<"/a:path scheme host>","query_string":"<"b=c:query>","scheme":"https"}},"http_response":{"code":200,"length":456},"src_endpoint":{"ip":"192.0.2.1"}}"#,
    ),
    (
        "ecs",
        r#"{"@timestamp":"2024-05-01T12:00:00.123Z","event":{"original":"<"192.0.2.1 - -:>"},"http":{"request":{"method":"<"GET:method>","referrer":"<"https\://a.example/:referer>"},"response":{"status_code":200},"version":"1.1"},"source":{"ip":"192.0.2.1"},"url":{"original":"<"/a?b=c:path query scheme host>","domain":"<"shop.example:host>"},"user_agent":{"original":"<"curl/8.5.0:user_agent>"},"host":{"name":"edge1"}}"#,
    ),
    (
        "otel",
        r#"{"timestamp":"2024-05-01T12:00:00.123456789Z","trace_id":"4bf9","attributes":{"http.request.method":"<"GET:method>","url.path":"<"/a:path scheme host>","url.query":"<"b=c:query>","server.address":"<"shop.example:host>","client.address":"192.0.2.1","http.response.status_code":200,"user_agent.original":"<"curl/8.5.0:user_agent>","user.name":"<"x:>"}}"#,
    ),
    (
        "aws_waf",
        r#"{"timestamp":1714564800123,"webaclId":"arn:x","action":"ALLOW","httpSourceId":"app/edge/1","responseCodeSent":<!403:status>,"httpRequest":{"clientIp":"192.0.2.1","country":"DE","headers":[{"name":"Host","value":"<"shop.example:host>"},{"name":"User-Agent","value":"<"curl/8.5.0:user_agent>"},{"name":"<"X-Forwarded-For:>","value":"<"198.51.100.1:>"},{"name":"Referer","value":"<"https\://a.example/:referer>"}],"uri":"<"/a:path>","args":"<"b=c:query>","httpVersion":"HTTP/2.0","httpMethod":"<"GET:method>","requestId":"<"id-1:request_id>"},"labels":[{"name":"<"x:>"}]}"#,
    ),
    (
        "api_gateway",
        r#"{"requestId":"id-1","ip":"192.0.2.1","caller":"<"-:>","user":"<"-:>","requestTime":"01/May/2024:12:00:00 +0000","httpMethod":"<"GET:method>","path":"<"/a:path query scheme host>","domainName":"<"shop.example:host>","status":"<!200:status>","protocol":"<"HTTP/1.1:protocol>","responseLength":"<!512:response_bytes>","userAgent":"<"curl/8.5.0:user_agent>"}"#,
    ),
    (
        "s3",
        r#"79a5 <!shop-files:> [01/May/2024:12:00:00 +0000] <!192.0.2.1:client_ip> <!-:> <!id-1:request_id> REST.GET.OBJECT <%img/a.png:> "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status> <!-:> <!113:response_bytes> <!-:> <!7:duration_us> <!5:> "<"https\://a.example/:referer>" "<"curl/8.5.0:user_agent>" <!-:> <!s9lz=:> SigV4 ECDHE AuthHeader <!shop.example:host> TLSV1.2 - -"#,
    ),
    (
        "elb",
        r#"2024-05-01T12:00:00.945958Z edge 192.0.2.1:2817 <!10.0.0.1\:80:> <!0.000073:> <!0.001048:duration_us> <!0.000057:> <!200:status aborted> <!200:> <!0:request_bytes> <!29:response_bytes> "<"GET http\://shop.example\:80/a?b=c HTTP/1.1:method path query protocol scheme host>" "<"curl/8.5.0:user_agent>" - -"#,
    ),
    (
        "kong",
        r#"{"latencies":{"request":515},"request":{"querystring":{"<"b:>":"<"c:>"},"size":"138","uri":"<"/a?b=c:path query scheme host>","url":"<"http\://shop.example/a:>","headers":{"host":"<"shop.example:host>","<"accept:>":"<"*/*:>","user-agent":"<"curl/8.5.0:user_agent>","x-forwarded-for":"<"198.51.100.1:>"},"method":"<"GET:method>","id":"f9b4"},"client_ip":"192.0.2.1","upstream_uri":"<"/a:>","response":{"headers":{"via":"<"kong:>"},"status":200,"size":"934"},"started_at":1714564800147}"#,
    ),
    (
        "apisix",
        r#"192.0.2.1 - <-:> [01/May/2024:12:00:00 +0000] <!shop.example:host> "<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>" <!200:status aborted> <!512:response_bytes> <!0.007:duration_us> "<"https\://a.example/:referer>" "<"curl/8.5.0:user_agent>" <!10.0.0.7\:1980:> <!200:> <!0.006:> "<"http\://shop.example/a:>""#,
    ),
    (
        "apisix_json",
        r#"{"client_ip":"192.0.2.1","start_time":1714564800123,"latency":9.5,"server":{"hostname":"edge1"},"request":{"size":90,"url":"<"http\://shop.example/a:>","method":"<"GET:method>","querystring":{"<"b:>":"<"c:>"},"uri":"<"/a?b=c:path query scheme host>","headers":{"host":"<"shop.example:host>","<"accept:>":"<"*/*:>","user-agent":"<"curl/8.5.0:user_agent>"}},"response":{"status":200,"size":118,"headers":{"server":"<"x:>"}},"consumer":{"username":"<"jack:>"}}"#,
    ),
    (
        "apigee",
        r#"{"organization":"shop","apiproxy":"orders","gateway_flow_id":"id-1","client_received_start_timestamp":1714564800123,"client_sent_end_timestamp":1714564800153,"ax_resolved_client_ip":"192.0.2.1","client_ip":"<"10.0.0.1:>","request_verb":"<"GET:method>","request_uri":"<"/a?b=c:path query scheme host>","request_path":"<"/a:>","response_status_code":200,"useragent":"<"curl/8.5.0:user_agent>","developer_email":"<"x:>"}"#,
    ),
    (
        "haproxy_json",
        r#"{"request_date":"01/May/2024:12:00:01.655","client_ip":"192.0.2.1","backend_name":"<"be:>","http_method":"<"GET:method>","http_uri":"<"/a?b=c:path query scheme host>","http_version":"<"HTTP/2.0:protocol>","status_code":"<!200:status aborted>","bytes_read":"<!7:response_bytes>","termination_state":"<!----:aborted>","time_active":"<!5:duration_us>","http_host":"<"shop.example:host>","http_user_agent":"<"curl/8.5.0:user_agent>"}"#,
    ),
    (
        "cloudflare_workers",
        r#"{"outcome":"ok","exceptions":[{"message":"<"x:>"}],"logs":[{"message":["<"hi:>"]}],"eventTimestamp":1714564801000,"event":{"request":{"url":"<"https\://shop.example/a?b=c:path query scheme host>","method":"<"GET:method>","headers":{"cf-connecting-ip":"192.0.2.1","<"accept:>":"<"*/*:>","user-agent":"<"curl/8.5.0:user_agent>"},"cf":{"colo":"FRA","asn":64500,"country":"DE","httpProtocol":"HTTP/2"}},"response":{"status":200}}}"#,
    ),
    (
        "akamai_siem",
        r#"{"attackData":{"clientIP":"192.0.2.1","rules":"<%OTUw:>"},"geo":{"asn":"64500","country":"DE"},"httpMessage":{"bytes":"266","host":"<"shop.example:host>","method":"<"GET:method>","path":"<"/a:path query scheme host>","protocol":"HTTP/2","query":"<%b=c:query>","requestHeaders":"<%User-Agent%3a%20curl:>","requestId":"<%id-1:request_id>","start":"1714564800","status":"200"},"type":"akamai_siem"}"#,
    ),
    (
        "bunny",
        r"<!HIT:cache_status>|<!200:status>|1714564800421|<!412:response_bytes>|<!390:>|192.0.2.1|<~-:referer>|<%https\://shop.example/a?b=c:path query scheme host>|<!WA:edge>|<~curl/8.5.0:user_agent>|322b688b|<!DE:client_country>",
    ),
    (
        "bunny_extended",
        r"<!HIT:cache_status>|<!200:status>|1714564800421|<!412:response_bytes>|<!390:>|192.0.2.1|<~-:referer>|<%https\://shop.example/a?b=c:path query scheme host>|<!WA:edge>|<~curl/8.5.0:user_agent>|322b688b|<!DE:client_country>|<!40:>|<~-:>|<~-:>",
    ),
    (
        "keycdn",
        r#"1714564800.123|<!usla:edge>|192.0.2.1|<!200:status>|<!253061:response_bytes>|<!u:>|<!z:>|<!shop.example:host>|<!HIT:cache_status>|"<"GET /a?b=c HTTP/1.1:method path query protocol scheme host>"|[01/May/2024:14:00:00 +0200]|"<"https\://a.example/:referer>"|"<"curl/8.5.0:user_agent>"|<!https:scheme>|<!TLSv1.2:>|<!US:client_country>|CA|"AS64500 Shop"|<-:>"#,
    ),
    (
        "squid",
        r"1714564800.779    180 192.0.2.1 <!TCP_MISS:cache_status aborted>/<!200:status> <!411:response_bytes> <!GET:method> <%http\://shop.example/a?b=c:path query scheme host> <%anna:> <!HIER_DIRECT:>/<!203.0.113.96:> <!text_html:>",
    ),
];

/// A piece of a line: text, or a field.
enum Part {
    Text(String),
    Field { mark: Option<char>, value: String, columns: Vec<String> },
}

fn parts(line: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some((text, behind)) = rest.split_once('<') {
        parts.push(Part::Text(text.to_owned()));
        let (field, tail) = behind.split_once('>').unwrap();
        let at = field
            .match_indices(':')
            .map(|(at, _)| at)
            .rfind(|at| !field[..*at].ends_with('\\'))
            .unwrap();
        let (value, columns) = (field[..at].replace("\\:", ":"), &field[at + 1..]);
        let mark =
            value.chars().next().filter(|mark| matches!(mark, '"' | '#' | '+' | '!' | '%' | '~'));
        let value = value[mark.map_or(0, char::len_utf8)..].to_owned();
        parts.push(Part::Field {
            mark,
            value,
            columns: columns.split_whitespace().map(str::to_owned).collect(),
        });
        rest = tail;
    }
    parts.push(Part::Text(rest.to_owned()));
    parts
}

/// A text as the writer of a field writes it: nobody writes a quote as it is, some escape
/// blanks, some write single words, and others (`~`) any text as it is.
fn written(mark: Option<char>, text: &str) -> String {
    match mark {
        Some('"') => text.replace('\\', "\\\\").replace('"', "\\\""),
        Some('#') => text
            .replace('#', "#23")
            .replace('"', "#22")
            .replace('{', "#7B")
            .replace('|', "#7C")
            .replace('}', "#7D"),
        Some('+') => text.replace(' ', "+").replace('"', "%22"),
        Some('%') => text.replace('%', "%25").replace([' ', '\t'], "%20").replace('"', "%22"),
        Some('~') => text.to_owned(),
        Some('!') => text.replace([' ', '/', '"', '\t'], "_"),
        _ => text.replace('"', "\\x22"),
    }
}

/// The line, with another text in one of its fields; the columns of that field.
fn line(parts: &[Part], other: Option<(usize, &str)>) -> (String, BTreeSet<String>) {
    let (mut line, mut fed, mut index) = (String::new(), BTreeSet::new(), 0);
    for part in parts {
        match part {
            Part::Text(text) => line.push_str(text),
            Part::Field { mark, value, columns } => {
                match other {
                    Some((at, text)) if at == index => {
                        line.push_str(&written(*mark, text));
                        fed.extend(columns.iter().cloned());
                    }
                    _ => line.push_str(value),
                }
                index += 1;
            }
        }
    }
    (line, fed)
}

/// The columns of the only row, without those of `fed`; `None` where there is none, or it is malformed.
fn row(format: &str, line: &str, fed: &BTreeSet<String>) -> Option<Vec<String>> {
    let (batches, _) = read_blocks(&DecoderConfig::of(format), [line.as_bytes()]);
    let shown = show(&batches);
    let shown = shown.strip_prefix("1 ")?.trim_end();
    if shown.starts_with("REJECT") || shown.contains(" malformed=true") {
        return None;
    }
    // Columns are told apart by the quotes around texts.
    let (mut columns, mut is_quoted, mut is_escaped) = (vec![String::new()], false, false);
    for character in shown.chars() {
        is_quoted ^= character == '"' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        if character == ' ' && !is_quoted {
            columns.push(String::new());
        } else {
            columns.last_mut().unwrap().push(character);
        }
    }
    columns.retain(|column| {
        let name = column.split('=').next().unwrap();
        !fed.iter().any(|fed| fed == name)
    });
    Some(columns)
}

/// What somebody sends who wants to be taken for somebody else.
const HOSTILE: &[&str] = &[
    "\" 200 5 \"",
    "] \"GET /evil HTTP/1.1\" 200 1 \"-\" \"x",
    "x] \"GET /evil HTTP/1.1\" 200 1 \"-\" \"x\"",
    "\" \"198.51.100.66\" \"x",
    "x\" \"198.51.100.66",
    "x\" 7 \"r\" \"u\" 9ms",
    "x\" \"y\" \"z\" \"evil.example\" \"10.0.0.9:80",
    "GET /evil HTTP/1.1\" 500 1 \"-\" \"x",
    "GET /evil HTTP/1.1\" 500 - 1 1 1 1 \"198.51.100.66\" \"x\" \"y\" \"evil.example\" \"z",
    "[02/May/2024:12:00:00 +0000]",
    "198.51.100.66",
    "198.51.100.66 - - [02/May/2024:12:00:00 +0000] \"GET /evil HTTP/1.1\" 200 1",
    "x 198.51.100.66",
    "198.51.100.66 ",
    " 198.51.100.66 x",
    "198.51.100.66, ",
    "evil.example 198.51.100.66",
    " - ",
    " ",
    "-",
    "- -",
    "\\",
    "\"",
    "\"x",
    "x\"",
    "|",
    ", ",
    " : ",
    "{x|y}",
    "} {",
    "web-1  | ",
    "web-1  | 198.51.100.66",
    "GET /evil HTTP/1.1",
    "200",
    "1 2 3",
    "#22",
    "%22",
    "/",
    "\u{1b}[0m",
    "é",
    "\t",
    "\ta\tb",
    "\0",
    "\u{feff}",
    "] POST /evil 500",
    "x] [client: 198.51.100.66] [useragent: y",
    "https://evil.example/",
    "May  1 12:00:00 h x: ",
    "May  1 12:00:00 h x: 198.51.100.66",
    "h x: 198.51.100.66",
    "x: 198.51.100.66",
    "2024-05-02T12:00:00Z ",
    "2024-05-02T12:00:00Z stdout F 198.51.100.66",
    "<134>1 - - - - - - 198.51.100.66",
    "\"}",
    "\",\"status\":500,\"x\":\"",
    "}{",
    "[error] ",
    "level=error ",
    "x{y}{z}",
    "x}{",
    "| x: 198.51.100.66",
    "198.51.100.66 [02/May/2024:12:00:00 +0000]",
    "198.51.100.66 evil.example 198.51.100.66-",
    "] POST /evil 500 - ",
    "GET /evil HTTP/1.1\" 200 5 \"",
    "GET /evil HTTP/1.1\" 7 \"r\" \"u\" 9ms ",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(HOSTILE.to_vec());
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// Whether a text in field `at` of a line leaves the others as they are, or is seen to be odd; what it came to if not.
fn judge(format: &str, parts: &[Part], at: usize, text: &str) -> Result<(), String> {
    let (changed, fed) = line(parts, Some((at, text)));
    let expected = row(format, &line(parts, None).0, &fed);
    match (row(format, &changed, &fed), expected) {
        (_, None) => Err(format!("{format}: the line itself is not read")),
        (Some(found), Some(expected)) if found != expected => {
            let other = |one: &[String], two: &[String]| {
                one.iter().filter(|value| !two.contains(value)).cloned().collect::<Vec<_>>()
            };
            let (lost, new) = (other(&expected, &found), other(&found, &expected));
            Err(format!("{format}: {changed}\n    lost {lost:?}, new {new:?}"))
        }
        (_, Some(_)) => Ok(()),
    }
}

fn count_fields(parts: &[Part]) -> usize {
    parts.iter().filter(|part| matches!(part, Part::Field { .. })).count()
}

#[test]
fn no_text_in_any_field_of_any_format_changes_another() {
    let mut wrong = Vec::new();
    for (format, template) in LINES {
        let parts = parts(template);
        for at in 0..count_fields(&parts) {
            for text in HOSTILE {
                wrong.extend(judge(format, &parts, at, text).err());
            }
        }
    }
    assert!(wrong.is_empty(), "{} lines are misread:\n{}", wrong.len(), wrong.join("\n"));
}

/// The line with its own end, in which numbers and addresses are others, in a field that is a text of the client, as it is:
/// once whole, once with a quote that makes the quotes of the line even, and both without its last word.
fn own_ends(parts: &[Part], at: usize) -> Vec<String> {
    let is_text = |part: &&Part| matches!(part, Part::Field { mark: Some('"' | '~'), .. });
    let field = parts.iter().filter(|part| matches!(part, Part::Field { .. })).nth(at);
    if !field.as_ref().is_some_and(is_text) {
        return Vec::new();
    }
    let (plain, _) = line(parts, None);
    let (marked, _) = line(parts, Some((at, "\u{1}")));
    let (before, tail) = marked.split_once('\u{1}').unwrap();
    let tail = tail.replace("192.0.2.1", "198.51.100.66").replace(['1', '4', '5'], "3");
    let shorter = tail.rsplit_once(' ').map_or("", |(tail, _)| tail);
    let ends = [tail.clone(), format!("{tail} \"x"), shorter.to_owned(), format!("{shorter} \"x")];
    let rest = plain.get(before.len()..).unwrap_or_default();
    ends.iter().map(|end| format!("{before}x{end}{rest}")).collect()
}

/// Writers that escape quotes and whose lines may have any fields behind them: what is added cannot be told from what was
/// not escaped, which they never write.
fn is_open(format: &str) -> bool {
    ["combined", "vhost_combined", "ssl_request", "haproxy", "alb"].contains(&format)
        || format.contains('$')
}

#[test]
fn the_end_of_a_line_in_a_field_changes_no_other() {
    let mut wrong = Vec::new();
    for (format, template) in LINES {
        let parts = parts(template);
        let (plain, _) = line(&parts, None);
        for at in 0..count_fields(&parts) {
            let (_, fed) = line(&parts, Some((at, "")));
            for text in own_ends(&parts, at) {
                let text = text.strip_prefix(&*plain).unwrap_or(&text);
                wrong.extend(judge(format, &parts, at, text).err());
                let expected = row(format, &plain, &fed);
                let found = row(format, text, &fed).filter(|_| !is_open(format));
                if found.is_some_and(|found| Some(found) != expected) {
                    wrong.push(format!("{format}: {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} lines are misread:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_format_has_a_line_here() {
    for name in decode::Format::names().filter(|name| !matches!(*name, "auto" | "json")) {
        assert!(LINES.iter().any(|(format, _)| *format == name), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8_000))]

    #[test]
    fn a_field_changes_no_other(
        (format, template) in prop::sample::select(LINES.to_vec()),
        at in any::<prop::sample::Index>(),
        text in hostile(),
    ) {
        let parts = parts(template);
        let at = at.index(count_fields(&parts));
        prop_assert_eq!(judge(format, &parts, at, &text), Ok(()));
    }
}
