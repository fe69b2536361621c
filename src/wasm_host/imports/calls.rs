//! Calls to other services. The host has no clusters, so every one is unknown.

use super::super::guest::{Guest, status};

/// `proxy_http_call`
#[expect(clippy::too_many_arguments, reason = "the ABI's signature")]
pub(super) fn http(
    _guest: Guest<'_>,
    _upstream: u32,
    _upstream_length: u32,
    _headers: u32,
    _headers_length: u32,
    _body: u32,
    _body_length: u32,
    _trailers: u32,
    _trailers_length: u32,
    _timeout: u32,
    _token_at: u32,
) -> u32 {
    status::BAD_ARGUMENT
}

/// `proxy_grpc_call`: the service is described by bytes that do not parse here.
#[expect(clippy::too_many_arguments, reason = "the ABI's signature")]
pub(super) fn grpc(
    _guest: Guest<'_>,
    _upstream: u32,
    _upstream_length: u32,
    _service: u32,
    _service_length: u32,
    _method: u32,
    _method_length: u32,
    _metadata: u32,
    _metadata_length: u32,
    _message: u32,
    _message_length: u32,
    _timeout: u32,
    _token_at: u32,
) -> u32 {
    status::PARSE_FAILURE
}

/// `proxy_grpc_stream`: see [`grpc`].
#[expect(clippy::too_many_arguments, reason = "the ABI's signature")]
pub(super) fn grpc_stream(
    _guest: Guest<'_>,
    _upstream: u32,
    _upstream_length: u32,
    _service: u32,
    _service_length: u32,
    _method: u32,
    _method_length: u32,
    _metadata: u32,
    _metadata_length: u32,
    _stream_at: u32,
) -> u32 {
    status::PARSE_FAILURE
}

/// `proxy_grpc_send`: there is no such stream.
pub(super) fn grpc_send(
    _guest: Guest<'_>,
    _token: u32,
    _message: u32,
    _message_length: u32,
    _end_of_stream: u32,
) -> u32 {
    status::NOT_FOUND
}

/// `proxy_grpc_cancel`, `proxy_grpc_close`: there is no such call.
pub(super) fn grpc_end(_guest: Guest<'_>, _token: u32) -> u32 {
    status::NOT_FOUND
}
