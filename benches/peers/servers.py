"""Each proxy with a configuration that asks the same of it: one core, kept connections to one upstream, the same
headers added. A function takes a `Setting` and gives the command that runs in its folder."""

import json
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVOY = ROOT / "target/peers/envoy/envoy/_bin/envoy"
KEPT = 128


@dataclass
class Setting:
    """What a case wants of every proxy."""

    folder: Path = None
    upstream: int = 0
    clear: int = 0
    tls: int = 0
    certificate: Path = None
    key: Path = None
    secured: bool = False
    log: bool = False
    #: As nginx and rulec write them: modifier and pattern.
    locations: list = field(default_factory=list)
    #: What `/version` is answered with.
    version: str = "1"


def nginx(setting):
    locations = "\n".join(f"    location {location} {{ proxy_pass http://upstream; }}" for location in setting.locations)
    log = f"{setting.folder}/access.log combined buffer=64k flush=1s" if setting.log else "off"
    (setting.folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; error_log {setting.folder}/error.log crit; pid {setting.folder}/pid; pcre_jit on;
worker_rlimit_nofile 20000;
events {{ worker_connections 16000; }}
http {{
  access_log {log};
  keepalive_requests 1000000000;
  # As rulec: bodies are passed on as they come, and nothing goes to a file.
  proxy_request_buffering off; proxy_max_temp_file_size 0; client_max_body_size 0;
  client_body_temp_path {setting.folder}/t1; proxy_temp_path {setting.folder}/t2; fastcgi_temp_path {setting.folder}/t3;
  uwsgi_temp_path {setting.folder}/t4; scgi_temp_path {setting.folder}/t5;
  proxy_http_version 1.1; proxy_set_header Connection "";
  proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $host;
  proxy_set_header X-Request-Id $request_id;
  add_header X-Request-Id $request_id always;
  upstream upstream {{ server 127.0.0.1:{setting.upstream}; keepalive {KEPT}; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{setting.clear} backlog=16384;
    listen 127.0.0.1:{setting.tls} ssl http2 backlog=16384;
    ssl_certificate {setting.certificate}; ssl_certificate_key {setting.key};
    ssl_protocols TLSv1.2 TLSv1.3;
{locations}
    location = /version {{ return 200 {setting.version}; }}
    location / {{ proxy_pass http://upstream; }}
  }}
}}
""")
    return ["/usr/sbin/nginx", "-c", setting.folder / "nginx.conf", "-p", setting.folder, "-e", setting.folder / "error.log"]


def haproxy(setting):
    pem = setting.folder / "both.pem"
    pem.write_text(setting.certificate.read_text() + setting.key.read_text())
    log = "log stdout format raw local0\n  option httplog" if setting.log else ""
    (setting.folder / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout client 75s
  timeout connect 3s
  timeout server 60s
  {log}
frontend clients
  bind 127.0.0.1:{setting.clear} backlog 16384
  bind 127.0.0.1:{setting.tls} ssl crt {pem} alpn h2,http/1.1 backlog 16384
  option forwardfor
  unique-id-format %[rand(4294967295),hex]%[rand(4294967295),hex]
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Request-Id %[unique-id]
  http-request return status 200 content-type text/plain string {setting.version} if {{ path /version }}
  http-response set-header X-Request-Id %[unique-id]
  default_backend upstream
backend upstream
  http-reuse always
  server upstream 127.0.0.1:{setting.upstream} pool-max-conn {KEPT}
""")
    return ["/usr/sbin/haproxy", "-W", "-f", setting.folder / "haproxy.cfg"]


def h2o(setting):
    log = f"access-log: {setting.folder}/access.log\n" if setting.log else ""
    (setting.folder / "h2o.conf").write_text(f"""
num-threads: 1
max-connections: 16000
{log}http1-request-timeout: 75
proxy.preserve-host: ON
proxy.timeout.keepalive: 60000
hosts:
  default:
    listen: {{ host: 127.0.0.1, port: {setting.clear} }}
    listen:
      host: 127.0.0.1
      port: {setting.tls}
      ssl: {{ certificate-file: "{setting.certificate}", key-file: "{setting.key}" }}
    paths:
      "/":
        proxy.reverse.url: http://127.0.0.1:{setting.upstream}/
""")
    return ["/usr/bin/h2o", "-c", setting.folder / "h2o.conf"]


def caddy(setting):
    log = f"log {{\n output file {setting.folder}/access.log\n }}" if setting.log else ""
    proxied = f"""
  reverse_proxy 127.0.0.1:{setting.upstream} {{
    header_up X-Request-Id {{http.request.uuid}}
    header_down X-Request-Id {{http.request.uuid}}
    transport http {{
      keepalive_idle_conns_per_host {KEPT}
      compression off
    }}
  }}
  {log}"""
    (setting.folder / "Caddyfile").write_text(f"""{{
  admin off
  auto_https off
}}
http://:{setting.clear} {{
  bind 127.0.0.1{proxied}
}}
https://:{setting.tls} {{
  bind 127.0.0.1
  tls {setting.certificate} {setting.key}{proxied}
}}
""")
    return ["env", "GOMAXPROCS=1", f"HOME={setting.folder}", "/usr/bin/caddy", "run", "--config", "Caddyfile"]


def envoy(setting):
    kind = "type.googleapis.com/envoy.extensions."
    manager = {
        "@type": kind + "filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "clients", "codec_type": "AUTO", "use_remote_address": True, "generate_request_id": True,
        "always_set_request_id_in_response": True,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "60s"}}]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": kind + "filters.http.router.v3.Router"}}],
    }
    if setting.log:
        manager["access_log"] = [{"name": "file", "typed_config": {
            "@type": kind + "access_loggers.file.v3.FileAccessLog", "path": str(setting.folder / "access.log")}}]
    filters = [{"name": "http", "typed_config": manager}]

    def listener(name, port, **more):
        address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
        return {"name": name, "address": address, "filter_chains": [{"filters": filters, **more}]}

    secured = {"name": "tls", "typed_config": {
        "@type": kind + "transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {"alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [{
            "certificate_chain": {"filename": str(setting.certificate)},
            "private_key": {"filename": str(setting.key)}}]}}}
    endpoint = {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": setting.upstream}}}}
    most = {"max_connections": 16000, "max_pending_requests": 16000, "max_requests": 16000}
    (setting.folder / "envoy.json").write_text(json.dumps({"static_resources": {
        "listeners": [listener("clear", setting.clear), listener("tls", setting.tls, transport_socket=secured)],
        "clusters": [{"name": "upstream", "type": "STATIC", "circuit_breakers": {"thresholds": [most]},
                      "load_assignment": {"cluster_name": "upstream", "endpoints": [{"lb_endpoints": [endpoint]}]}}],
    }}))
    return [ENVOY, "-c", setting.folder / "envoy.json", "--concurrency", "1", "--disable-hot-restart", "-l", "off"]


def rulec(setting, binary=ROOT / "target/release/rulec-proxy"):
    locations = "\n".join(f"    location {location} {{ proxy upstream; }}" for location in setting.locations)
    (setting.folder / "bench.rules").write_text(f"""
upstream upstream {{ server 127.0.0.1:{setting.upstream}; keepalive {KEPT} idle=55s; }}
service bench default {{
    server_name bench.test;
{locations}
    location = /version {{ return 200 {setting.version}; }}
    location / {{ proxy upstream; }}
}}
""")
    secured = f"""
[listener.secured]
address = "127.0.0.1:{setting.tls}"
tls = [{{ certificate = "{setting.certificate}", key = "{setting.key}" }}]
"""
    # What nginx writes, too; JSON says three times as much.
    (setting.folder / "proxy.toml").write_text(f"""
[log]
format = "combined"
[listener.clear]
address = "127.0.0.1:{setting.clear}"
{secured if setting.secured else ""}""")
    return [binary, "bench.rulec", "--config", "proxy.toml", "--threads", "1", "--access-log", "stdout" if setting.log else "off"]


#: The signal on which one takes its configuration anew; rulec looks at the file itself. h2o wants another process for it,
#: caddy and envoy a request.
RELOADS = {"rulec": None, "nginx": signal.SIGHUP, "haproxy": signal.SIGUSR2}
#: By the column they get; rulec's rules are compiled before it is started.
SERVERS = {"rulec": rulec, "nginx": nginx, "haproxy": haproxy, "h2o": h2o, "caddy": caddy, "envoy": envoy}


def installed(name):
    return ENVOY.exists() if name == "envoy" else shutil.which(name, path="/usr/sbin:/usr/bin") is not None
