"""The upstream of all: an nginx that answers from memory, beside the load on its core."""

from process import Process


def start(folder, port, core):
    (folder / "www").mkdir()
    (folder / "www/64k").write_text("x" * 65536)
    (folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; error_log {folder}/error.log crit; pid {folder}/pid;
worker_rlimit_nofile 20000;
events {{ worker_connections 16000; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; sendfile on; tcp_nopush on;
  client_body_buffer_size 128k; client_max_body_size 0; open_file_cache max=16;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen 127.0.0.1:{port} backlog=16384;
    root {folder}/www;
    location / {{ return 200 "{'x' * 1024}"; }}
    location = /64k {{ }}
    # Read whole, then answered: an answer before the body's end would let a proxy close the connection.
    location = /upload {{ proxy_pass http://unix:{folder}/taken; proxy_pass_request_body off; proxy_set_header Content-Length ""; }}
  }}
  server {{ listen unix:{folder}/taken; location / {{ return 200 "taken"; }} }}
}}
""")
    return Process(["/usr/sbin/nginx", "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log"], core, folder)
