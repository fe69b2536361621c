//! Brotli.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::Fault;

/// A `br` body.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    started: bool,
    complete: bool,
    /// Bytes of the window that the stream asks for, once it has.
    window: usize,
}

/// Base 2 logarithm of the largest window: what encoders choose unless told otherwise. The format
/// goes to 16 MiB, which is too much to give to every request that asks.
const WINDOW: u32 = 22;

impl Default for Brotli {
    fn default() -> Self {
        let alloc = StandardAlloc::default;
        Self {
            state: BrotliState::new_strict(alloc(), alloc(), alloc()),
            started: false,
            complete: false,
            window: 0,
        }
    }
}

impl Brotli {
    pub(super) fn step(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(usize, usize), Fault> {
        let Some(&first) = input.first() else {
            if self.complete || !self.started {
                return Ok((0, 0));
            }
            return self.run(input, output);
        };
        if self.complete {
            return Err(Fault::Trailing);
        }
        if !std::mem::replace(&mut self.started, true) {
            let window = window(first);
            if window > WINDOW {
                return Err(Fault::Window);
            }
            self.window = 1_usize.checked_shl(window).unwrap_or(0);
        }
        self.run(input, output)
    }

    fn run(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), Fault> {
        let (mut input_left, mut consumed) = (input.len(), 0);
        let (mut output_left, mut written) = (output.len(), 0);
        let result = BrotliDecompressStream(
            &mut input_left,
            &mut consumed,
            input,
            &mut output_left,
            &mut written,
            output,
            &mut 0,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => return Err(Fault::Corrupt),
            BrotliResult::ResultSuccess => self.complete = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok((consumed, written))
    }

    pub(super) fn held_bytes(&self) -> usize {
        size_of::<Self>().saturating_add(self.window)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }
}

impl std::fmt::Debug for Brotli {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Brotli")
            .field("complete", &self.complete)
            .finish_non_exhaustive()
    }
}

/// Base 2 logarithm of the window that the first byte of a stream asks for.
fn window(first: u8) -> u32 {
    let three = |shift: u32| u32::from(first >> shift) & 7;
    match (first & 1, three(1), three(4)) {
        (0, _, _) => 16,
        (_, 0, 0) => 17,
        // The mark of windows beyond the format.
        (_, 0, 1) => u32::MAX,
        (_, 0, bits) => bits.saturating_add(8),
        (_, bits, _) => bits.saturating_add(17),
    }
}
