//! Content codings of bodies (Content-Encoding): from what was sent to what it stands for.
//!
//! Bytes go through in blocks of one size, wherever the chunks were cut, so that the outcome does
//! not depend on the cuts. Each layer holds its window and one piece of output. Everything that
//! any layer puts out is bounded by what came in, so the work is, too.

mod brotli;
mod deflate;
mod gzip;

#[cfg(test)]
mod tests;

use super::printable;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`, `x-gzip` (RFC 1952).
    Gzip,
    /// `deflate`: zlib's format (RFC 1950), or bare deflate (RFC 1951), which some clients send.
    Deflate,
    /// `br` (RFC 7932), with windows up to 4 MiB.
    Brotli,
}

/// The codings that the Content-Encoding headers name, in the order in which they were applied.
///
/// # Errors
/// A coding that is not known here, or more than `most` of them; the text says so.
pub fn codings(headers: &[(&[u8], &[u8])], most: usize) -> Result<Vec<Coding>, String> {
    let mut codings = Vec::new();
    let names = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"))
        .flat_map(|(_, value)| value.split(|&byte| byte == b','));
    for name in names {
        let coding = match name.trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => continue,
            b"gzip" | b"x-gzip" => Coding::Gzip,
            b"deflate" => Coding::Deflate,
            b"br" => Coding::Brotli,
            other => return Err(format!("Unknown Content-Encoding: {}", printable(other))),
        };
        if codings.len() >= most {
            return Err(format!("More than {most} layers of Content-Encoding"));
        }
        codings.push(coding);
    }
    Ok(codings)
}

/// Why a coded body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are not what the coding says.
    Corrupt,
    /// It ends too early.
    Truncated,
    /// Bytes follow its end.
    Trailing,
    /// It wants more memory than it gets.
    Window,
    /// It expands beyond the ratio.
    Expands,
}

impl Fault {
    /// The reason as the end of a sentence.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Corrupt => "it is corrupt",
            Self::Truncated => "it ends too early",
            Self::Trailing => "bytes follow its end",
            Self::Window => "its window is too large",
            Self::Expands => "it expands too much",
        }
    }
}

/// Bytes that go through at once, and that a layer puts out at once.
const BLOCK: usize = 4096;
const PIECE: usize = 16 * 1024;
/// What any body may expand to.
const FREE: usize = 128 * 1024;

/// A coded body being read.
#[derive(Debug)]
pub struct Inflater {
    /// The outermost first.
    layers: Vec<Layer>,
    block: Vec<u8>,
    ratio: usize,
    taken: usize,
    /// Something came out.
    given: bool,
    /// It is not coded at all, and passes as it is.
    plain: bool,
    /// It ended early: with a fault, or because nobody wants more.
    over: Option<Result<(), Fault>>,
}

#[derive(Debug)]
struct Layer {
    decoder: Decoder,
    piece: Vec<u8>,
    given: usize,
}

#[derive(Debug)]
enum Decoder {
    Gzip(Box<gzip::Gzip>),
    Deflate(deflate::Deflate),
    Brotli(Box<brotli::Brotli>),
}

impl Inflater {
    /// A body with these codings, in the order in which they were applied. No layer may put out
    /// more than `ratio` times the bytes that came in, and 128 KiB.
    pub fn new(codings: &[Coding], ratio: usize) -> Self {
        let layer = |coding: &Coding| Layer {
            decoder: match coding {
                Coding::Gzip => Decoder::Gzip(Box::default()),
                Coding::Deflate => Decoder::Deflate(deflate::Deflate::default()),
                Coding::Brotli => Decoder::Brotli(Box::default()),
            },
            piece: vec![0; PIECE],
            given: 0,
        };
        Self {
            layers: codings.iter().rev().map(layer).collect(),
            block: Vec::with_capacity(BLOCK),
            ratio,
            taken: 0,
            given: false,
            plain: false,
            over: None,
        }
    }

    /// Bytes of memory that the decoders take, as far as they say; brotli's window is what the body
    /// asks for.
    pub fn held_bytes(&self) -> usize {
        self.layers
            .iter()
            .fold(self.block.capacity(), |sum, layer| {
                sum.saturating_add(layer.piece.capacity())
                    .saturating_add(layer.decoder.held_bytes())
            })
    }

    /// Reads the next bytes. `take` gets what they stand for, in pieces, and says whether it wants
    /// more. A body that is not coded at all, whatever its head says, goes to `take` as it is.
    pub fn feed(&mut self, chunk: &[u8], take: &mut dyn FnMut(&[u8]) -> bool) {
        if self.plain {
            self.pass(chunk, take);
            return;
        }
        let mut rest = chunk;
        while self.over.is_none() && !rest.is_empty() {
            let room = BLOCK.saturating_sub(self.block.len());
            let (taken, after) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            self.block.extend_from_slice(taken);
            rest = after;
            if self.block.len() >= BLOCK {
                self.run(take);
                if self.plain {
                    self.pass(rest, take);
                    return;
                }
            }
        }
    }

    fn pass(&mut self, bytes: &[u8], take: &mut dyn FnMut(&[u8]) -> bool) {
        self.plain = bytes.is_empty() || take(bytes);
    }

    /// Ends the body: the last pieces, then whether all of it could be read. Where `take` wanted no
    /// more, nothing is said of the rest.
    ///
    /// # Errors
    /// The first fault.
    pub fn finish(mut self, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Fault> {
        if self.over.is_none() {
            self.run(take);
        }
        if let Some(over) = self.over {
            return over;
        }
        if self.layers.iter().all(|layer| layer.decoder.is_complete()) {
            Ok(())
        } else {
            Err(Fault::Truncated)
        }
    }

    fn run(&mut self, take: &mut dyn FnMut(&[u8]) -> bool) {
        self.taken = self.taken.saturating_add(self.block.len());
        let most = self.taken.saturating_mul(self.ratio).saturating_add(FREE);
        let block = std::mem::take(&mut self.block);
        let given = &mut self.given;
        let result = run(&mut self.layers, &block, most, &mut |piece| {
            *given = true;
            take(piece)
        });
        self.over = match result {
            Ok(true) => None,
            Ok(false) => Some(Ok(())),
            Err(fault) => Some(Err(fault)),
        };
        let first = self.taken == block.len();
        let nothing = matches!(self.over, Some(Err(Fault::Corrupt | Fault::Window)));
        if first && nothing && !self.given {
            self.pass(&block, take);
        }
        self.block = block;
        self.block.clear();
    }
}

/// Passes bytes through the layers. Recursion is as deep as there are layers. False: nobody wants
/// more.
fn run(
    layers: &mut [Layer],
    input: &[u8],
    most: usize,
    take: &mut dyn FnMut(&[u8]) -> bool,
) -> Result<bool, Fault> {
    let Some((layer, inner)) = layers.split_first_mut() else {
        return Ok(take(input));
    };
    let mut input = input;
    loop {
        let (consumed, written) = layer.decoder.step(input, &mut layer.piece)?;
        input = input.get(consumed..).unwrap_or_default();
        layer.given = layer.given.saturating_add(written);
        if layer.given > most {
            return Err(Fault::Expands);
        }
        let piece = layer.piece.get(..written).unwrap_or_default();
        if !piece.is_empty() && !run(inner, piece, most, take)? {
            return Ok(false);
        }
        if consumed == 0 && written == 0 {
            return Ok(true);
        }
    }
}

impl Decoder {
    fn held_bytes(&self) -> usize {
        match self {
            Self::Gzip(_) | Self::Deflate(_) => deflate::STATE,
            Self::Brotli(brotli) => brotli.held_bytes(),
        }
    }

    /// Reads from `input`, writes to `output`: how many bytes each. Nothing of both where it has
    /// to wait for more input.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), Fault> {
        match self {
            Self::Gzip(gzip) => gzip.step(input, output),
            Self::Deflate(deflate) => deflate.step(input, output),
            Self::Brotli(brotli) => brotli.step(input, output),
        }
    }

    fn is_complete(&self) -> bool {
        match self {
            Self::Gzip(gzip) => gzip.is_complete(),
            Self::Deflate(deflate) => deflate.is_complete(),
            Self::Brotli(brotli) => brotli.is_complete(),
        }
    }
}
