//! What no decision depends on, by the reason.

/// Why, and the names, with blanks between them.
pub(super) const ALL: &[(&str, &str)] = &[
    (
        "processes and their limits: the service manager's affair",
        "user pid daemon master_process lock_file env debug_points debug_connection working_directory \
         timer_resolution pcre_jit thread_pool load_module ssl_engine google_perftools_profiles accept_mutex \
         accept_mutex_delay multi_accept use events epoll_events worker_processes worker_connections \
         worker_cpu_affinity worker_priority worker_rlimit_core worker_rlimit_nofile worker_shutdown_timeout \
         worker_aio_requests",
    ),
    (
        "logs and counters",
        "access_log error_log log_format open_log_file_cache log_not_found log_subrequest rewrite_log \
         uninitialized_variable_warn status_zone status_format vhost_traffic_status_zone vhost_traffic_status",
    ),
    (
        "sockets, buffers and memory",
        "sendfile sendfile_max_chunk tcp_nopush tcp_nodelay aio aio_write directio directio_alignment \
         output_buffers postpone_output read_ahead send_lowat client_body_buffer_size \
         client_header_buffer_size client_body_in_single_buffer client_body_temp_path connection_pool_size \
         request_pool_size server_names_hash_bucket_size server_names_hash_max_size \
         variables_hash_bucket_size variables_hash_max_size map_hash_bucket_size map_hash_max_size \
         types_hash_bucket_size types_hash_max_size subrequest_output_buffer_size chunked_transfer_encoding \
         zone keyval_zone ssl_buffer_size \
         referer_hash_bucket_size referer_hash_max_size open_file_cache open_file_cache_errors \
         open_file_cache_events open_file_cache_min_uses open_file_cache_valid",
    ),
    (
        "how long something may take, and how fast it goes",
        "send_timeout keepalive_timeout keepalive_requests keepalive_time keepalive_disable lingering_close \
         lingering_time lingering_timeout reset_timedout_connection client_body_timeout client_header_timeout \
         limit_rate limit_rate_after auth_delay",
    ),
    ("resolution of names: `[dns]` in proxy.toml", "resolver resolver_timeout"),
    (
        "compression: the same body, in a coding that the client asked for",
        "gzip gzip_buffers gzip_comp_level gzip_disable gzip_hash gzip_http_version gzip_min_length \
         gzip_no_buffer gzip_proxied gzip_static gzip_types gzip_vary gzip_window postpone_gzipping gunzip \
         gunzip_buffers brotli brotli_static brotli_types brotli_buffers brotli_comp_level brotli_window \
         brotli_min_length zstd zstd_static zstd_types zstd_comp_level zstd_min_length zstd_buffers",
    ),
    (
        "certificates and parameters of listeners: `[listener.NAME]` in proxy.toml",
        "ssl ssl_certificate ssl_certificate_key ssl_ciphers ssl_prefer_server_ciphers ssl_dhparam \
         ssl_ecdh_curve ssl_session_cache ssl_session_tickets ssl_session_ticket_key ssl_session_timeout \
         ssl_password_file ssl_stapling ssl_stapling_file ssl_stapling_responder ssl_stapling_verify \
         ssl_early_data ssl_certificate_cache ssl_object_cache_inheritable ssl_ct ssl_ct_static_scts http2 \
         http2_body_preread_size http2_chunk_size http2_idle_timeout http2_max_concurrent_pushes \
         http2_max_concurrent_streams http2_max_field_size http2_max_header_size http2_max_requests \
         http2_pool_size http2_push http2_push_preload http2_recv_buffer_size http2_recv_timeout \
         http2_streams_index_size http3 http3_hq http3_max_concurrent_streams http3_stream_buffer_size \
         quic_active_connection_id_limit quic_bpf quic_gso quic_host_key quic_retry",
    ),
    (
        "what a file server says of its files",
        "types etag if_modified_since max_ranges fastcgi_index fastcgi_split_path_info",
    ),
    ("who made the answer: `Server` and the pages of errors", "server_tokens msie_padding"),
    ("other protocols than HTTP", "stream mail mgmt"),
    (
        "code and data that nothing uses by itself: what uses them decides",
        "js_import js_include js_path js_var js_preload_object js_shared_dict_zone js_fetch_buffer_size \
         js_fetch_ciphers js_fetch_max_response_buffer_size js_fetch_protocols js_fetch_timeout \
         js_fetch_trusted_certificate js_fetch_verify js_fetch_verify_depth js_context_reuse js_engine \
         perl_modules perl_require init_by_lua init_by_lua_block init_by_lua_file init_worker_by_lua \
         init_worker_by_lua_block init_worker_by_lua_file exit_worker_by_lua_block exit_worker_by_lua_file \
         log_by_lua log_by_lua_block log_by_lua_file lua_package_path lua_package_cpath lua_shared_dict \
         lua_code_cache lua_capture_error_log lua_check_client_abort lua_http10_buffering lua_load_resty_core \
         lua_malloc_trim lua_max_pending_timers lua_max_running_timers lua_need_request_body \
         lua_regex_cache_max_entries lua_regex_match_limit lua_sa_restart lua_socket_buffer_size \
         lua_socket_connect_timeout lua_socket_keepalive_timeout lua_socket_log_errors lua_socket_pool_size \
         lua_socket_read_timeout lua_socket_send_lowat lua_socket_send_timeout lua_ssl_certificate \
         lua_ssl_certificate_key lua_ssl_ciphers lua_ssl_conf_command lua_ssl_crl lua_ssl_protocols \
         lua_ssl_trusted_certificate lua_ssl_verify_depth lua_thread_cache_max_entries \
         lua_transform_underscores_in_response_headers lua_use_default_type lua_worker_thread_vm_pool_size \
         rewrite_by_lua_no_postpone access_by_lua_no_postpone",
    ),
    (
        "traces",
        "otel_exporter otel_service_name otel_trace otel_span_name otel_span_attr opentracing \
         opentracing_load_tracer opentracing_operation_name opentracing_tag opentracing_trace_locations \
         opentracing_location_operation_name",
    ),
];
