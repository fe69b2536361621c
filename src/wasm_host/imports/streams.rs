//! Going on, stopping, answering.

use super::super::exchange::LocalReply;
use super::super::guest::{self, Fault, Guest, answer, status};
use super::super::pairs;
use super::super::stream::Direction;

/// `proxy_continue_stream`
pub(super) fn resume(mut guest: Guest<'_>, stream_type: u32) -> u32 {
    let direction = match stream_type {
        0 => Direction::Request,
        1 => Direction::Response,
        _ => return status::BAD_ARGUMENT,
    };
    let Some(stream) = guest.data_mut().stream_mut() else {
        return status::BAD_ARGUMENT;
    };
    stream.side_mut(direction).resumed = true;
    status::OK
}

/// `proxy_close_stream`
pub(super) fn close(mut guest: Guest<'_>, stream_type: u32) -> u32 {
    let Some(stream) = guest.data_mut().stream_mut() else {
        return status::BAD_ARGUMENT;
    };
    if stream_type > 3 {
        return status::BAD_ARGUMENT;
    }
    stream.closed = true;
    status::OK
}

/// `proxy_send_local_response`: the first one counts.
#[expect(clippy::too_many_arguments, reason = "the ABI's signature")]
pub(super) fn send_local_response(
    mut guest: Guest<'_>,
    code: u32,
    details: u32,
    details_length: u32,
    body: u32,
    body_length: u32,
    headers: u32,
    headers_length: u32,
    grpc_status: i32,
) -> u32 {
    let result = (|| {
        let status = u16::try_from(code)
            .ok()
            .filter(|code| (200..600).contains(code))
            .ok_or(Fault(status::BAD_ARGUMENT))?;
        let details = guest::read(&mut guest, details, details_length)?;
        let body = guest::read(&mut guest, body, body_length)?;
        let headers = guest::read(&mut guest, headers, headers_length)?;
        let headers = pairs::decode(&headers);
        let stream = guest
            .data_mut()
            .stream_mut()
            .ok_or(Fault(status::BAD_ARGUMENT))?;
        stream.local_reply.get_or_insert(LocalReply {
            status,
            // Envoy makes the details one word of the access log.
            details: details
                .into_iter()
                .map(|b| if b == b' ' { b'_' } else { b })
                .collect(),
            headers,
            body,
            grpc_status: u32::try_from(grpc_status).ok(),
        });
        Ok(())
    })();
    answer(result)
}
