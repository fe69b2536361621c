//! Deflate, in zlib's wrapper or without.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::Fault;

/// A `deflate` body.
#[derive(Debug, Default)]
pub(super) struct Deflate {
    stream: Option<Stream>,
}

/// Bytes of one decoder: the window of 32 KiB and its tables.
pub(super) const STATE: usize = size_of::<InflateState>();

impl Deflate {
    pub(super) fn step(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(usize, usize), Fault> {
        let Some(&first) = input.first() else {
            return self
                .stream
                .as_mut()
                .map_or(Ok((0, 0)), |stream| stream.step(input, output));
        };
        let stream = self.stream.get_or_insert_with(|| {
            // No bare stream that an encoder makes begins with zlib's mark for deflate.
            Stream::new(if first & 0x0F == 8 {
                DataFormat::Zlib
            } else {
                DataFormat::Raw
            })
        });
        if stream.is_complete() {
            return Err(Fault::Trailing);
        }
        stream.step(input, output)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.stream.as_ref().is_some_and(Stream::is_complete)
    }
}

/// One stream of deflate. Its window is 32 KiB.
pub(super) struct Stream {
    state: Box<InflateState>,
    complete: bool,
}

impl Stream {
    pub(super) fn new(format: DataFormat) -> Self {
        Self {
            state: InflateState::new_boxed(format),
            complete: false,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn step(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(usize, usize), Fault> {
        if self.complete {
            return Ok((0, 0));
        }
        let result = inflate(&mut self.state, input, output, MZFlush::None);
        match result.status {
            Ok(MZStatus::StreamEnd) => self.complete = true,
            // No progress without more input is no fault.
            Ok(_) | Err(MZError::Buf) => {}
            Err(_) => return Err(Fault::Corrupt),
        }
        Ok((result.bytes_consumed, result.bytes_written))
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("complete", &self.complete)
            .finish_non_exhaustive()
    }
}
