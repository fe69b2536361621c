//! Streams of several encoders, whole and broken.

use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

use super::*;
use crate::body::tests::Random;

const TEXT: &[u8] = b"id=1%27+or+1&note=hello+hello+hello";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A member around deflated text, with a head of these flags and fields.
fn gzip_with(flags: u8, fields: &[u8], text: &[u8]) -> Vec<u8> {
    let mut check = 0xFFFF_FFFFu32;
    for &byte in text {
        check ^= u32::from(byte);
        for _ in 0..8 {
            check = (check >> 1) ^ (0xEDB8_8320 & 0u32.wrapping_sub(check & 1));
        }
    }
    let mut out = vec![0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 3];
    out.extend_from_slice(fields);
    out.extend(compress_to_vec(text, 6));
    out.extend((!check).to_le_bytes());
    out.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    out
}

fn gzip(text: &[u8]) -> Vec<u8> {
    gzip_with(0, &[], text)
}

fn brotli() -> Vec<u8> {
    bytes("1b2200f84537d79296252d265b53f0201f9c075471809f4a130ff0c1f4f2774eef12")
}

/// A mebibyte of `a`.
fn brotli_bomb() -> Vec<u8> {
    bytes("5bffff8f5f222c1e0b0472ef1f00")
}

fn read_in_chunks(codings: &[Coding], body: &[u8], chunk: usize) -> (Vec<u8>, Result<(), Fault>) {
    let mut inflater = Inflater::new(codings, 200);
    let mut out = Vec::new();
    let mut take = |piece: &[u8]| {
        assert!(!piece.is_empty());
        out.extend_from_slice(piece);
        true
    };
    for chunk in body.chunks(chunk) {
        inflater.feed(chunk, &mut take);
    }
    let result = inflater.finish(&mut take);
    (out, result)
}

/// Reads a body in cuts of several sizes, with one outcome.
fn read(codings: &[Coding], body: &[u8]) -> (Vec<u8>, Result<(), Fault>) {
    let whole = read_in_chunks(codings, body, body.len().max(1));
    for chunk in [1, 3, 1000, 4096, 5000] {
        assert_eq!(
            read_in_chunks(codings, body, chunk),
            whole,
            "chunks of {chunk}"
        );
    }
    whole
}

#[test]
fn what_encoders_write_is_read() {
    use Coding::{Brotli, Deflate, Gzip};
    let node = bytes(
        "1f8b0800000000000003cb4cb135543532d7ce2fd23654cbcb2f49b5cd48cdc9c9d74622015658bde723000000",
    );
    let tool = bytes(
        "1f8b0808656c036b00036e6f74652e74787400cb4cb135543532d7ce2fd2\
         3654cbcb2f49b5cd48cdc9c9d74622015658bde723000000",
    );
    for (coding, body) in [
        (Gzip, node),
        (Gzip, tool),
        (Gzip, gzip(TEXT)),
        (Gzip, gzip_with(4, b"\x03\0abc", TEXT)),
        (Gzip, gzip_with(4, b"\0\0", TEXT)),
        (Gzip, gzip_with(31, b"\x01\0xname\0comment\0\x12\x34", TEXT)),
        (Deflate, compress_to_vec_zlib(TEXT, 9)),
        (Deflate, compress_to_vec(TEXT, 9)),
        (Deflate, compress_to_vec(TEXT, 0)),
        (Brotli, brotli()),
    ] {
        assert_eq!(read(&[coding], &body), (TEXT.to_vec(), Ok(())));
    }
    for coding in [Gzip, Deflate] {
        for length in [0, 1, 4096, 32_768, 100_000] {
            let mut random = Random::new(7);
            let text: Vec<u8> = (0..length).map(|_| b"abcdefgh"[random.below(8)]).collect();
            let body = match coding {
                Gzip => gzip(&text),
                _ => compress_to_vec_zlib(&text, 6),
            };
            assert_eq!(read(&[coding], &body), (text, Ok(())));
        }
    }
}

#[test]
fn members_follow_each_other() {
    let body = [gzip(b"a=1&"), gzip(b""), gzip(b"b=2")].concat();
    assert_eq!(read(&[Coding::Gzip], &body), (b"a=1&b=2".to_vec(), Ok(())));
}

#[test]
fn layers_are_taken_off_from_the_outside() {
    use Coding::{Brotli, Deflate, Gzip};
    let twice = gzip(&compress_to_vec_zlib(TEXT, 6));
    assert_eq!(read(&[Deflate, Gzip], &twice), (TEXT.to_vec(), Ok(())));
    let thrice = gzip(&gzip(&brotli()));
    assert_eq!(
        read(&[Brotli, Gzip, Gzip], &thrice),
        (TEXT.to_vec(), Ok(()))
    );
    assert_eq!(read(&[Gzip, Deflate], &twice).1, Err(Fault::Corrupt));
    assert_eq!(read(&[], TEXT), (TEXT.to_vec(), Ok(())));
}

#[test]
fn broken_streams_are_faults() {
    use Coding::{Brotli, Deflate, Gzip};
    let whole = [
        (Gzip, gzip(TEXT)),
        (Deflate, compress_to_vec_zlib(TEXT, 6)),
        (Deflate, compress_to_vec(TEXT, 6)),
        (Brotli, brotli()),
    ];
    for (coding, body) in whole {
        for length in 0..body.len() {
            let (out, result) = read(&[coding], &body[..length]);
            assert_eq!(result, Err(Fault::Truncated), "{coding:?} {length}");
            assert!(TEXT.starts_with(&out));
        }
        let longer = [&body[..], b"&x=1"].concat();
        let (out, result) = read(&[coding], &longer);
        assert_eq!((out, result), (TEXT.to_vec(), Err(Fault::Trailing)));
        let none = b"\xFF\xFF\xFF\xFF";
        let (out, result) = read(&[coding], none);
        assert_eq!(out, none);
        assert!(matches!(result, Err(Fault::Corrupt | Fault::Window)));
    }
    let mut wrong_sum = gzip(TEXT);
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 1;
    assert_eq!(read(&[Gzip], &wrong_sum).1, Err(Fault::Corrupt));
    let mut wrong_size = gzip(TEXT);
    let at = wrong_size.len() - 1;
    wrong_size[at] ^= 1;
    assert_eq!(read(&[Gzip], &wrong_size).1, Err(Fault::Corrupt));
    assert_eq!(
        read(&[Gzip], &gzip_with(0x20, &[], TEXT)).1,
        Err(Fault::Corrupt)
    );
    let long = TEXT.repeat(1000);
    for text in [TEXT, &long] {
        assert_eq!(read(&[Gzip], text), (text.to_vec(), Err(Fault::Corrupt)));
    }
    // A dictionary that nobody has.
    assert_eq!(
        read(&[Deflate], b"\x78\xBB\0\0\0\x01\x03\0").1,
        Err(Fault::Corrupt)
    );
}

#[test]
fn windows_have_a_limit() {
    let wide = "1f2200f84537d79296252d265b53f0201f9c075471809f4a130ff0c1f4f2774eef12";
    let beyond = "115e8800e017dd5c4b5a96b4986c4dc1837c701e50c501fc549a78800fa697bf737a9700";
    for hex in [wide, beyond] {
        let body = bytes(hex);
        assert_eq!(
            read(&[Coding::Brotli], &body),
            (body.clone(), Err(Fault::Window))
        );
    }
}

#[test]
fn a_bomb_stops() {
    let zeros = vec![0; 10 << 20];
    let bombs = [
        (vec![Coding::Gzip], gzip(&zeros)),
        (vec![Coding::Deflate], compress_to_vec(&zeros, 9)),
        (vec![Coding::Brotli], brotli_bomb()),
        (vec![Coding::Gzip, Coding::Gzip], gzip(&gzip(&zeros))),
        // A layer that puts out nothing, however much its own layer puts out: empty blocks.
        (
            vec![Coding::Deflate, Coding::Gzip],
            gzip(&b"\0\0\0\xFF\xFF".repeat(1 << 20)),
        ),
    ];
    for (codings, body) in bombs {
        let (out, result) = read(&codings, &body);
        assert_eq!(result, Err(Fault::Expands), "{codings:?}");
        assert!(out.len() <= FREE + 200 * body.len() + PIECE);
    }
}

#[test]
fn nothing_goes_on_when_nobody_wants_more() {
    let body = gzip(&vec![b'a'; 60_000]);
    let mut inflater = Inflater::new(&[Coding::Gzip], 1000);
    let mut pieces = 0;
    let mut take = |_: &[u8]| {
        pieces += 1;
        false
    };
    inflater.feed(&body, &mut take);
    assert_eq!(inflater.finish(&mut take), Ok(()));
    assert_eq!(pieces, 1);
}

#[test]
fn no_bytes_panic_or_depend_on_their_cuts() {
    use Coding::{Brotli, Deflate, Gzip};
    let seeds = [
        gzip(TEXT),
        compress_to_vec_zlib(TEXT, 6),
        compress_to_vec(TEXT, 6),
        brotli(),
        brotli_bomb(),
        gzip(&brotli()),
    ];
    let lists: [&[Coding]; 5] = [
        &[Gzip],
        &[Deflate],
        &[Brotli],
        &[Brotli, Gzip],
        &[Gzip, Gzip],
    ];
    for seed in 0..3000 {
        let mut random = Random::new(seed);
        let mut body = seeds[random.below(seeds.len())].clone();
        for _ in 0..random.below(5) {
            let at = random.below(body.len());
            match random.below(3) {
                0 => body[at] = u8::try_from(random.below(256)).unwrap(),
                1 => drop(body.splice(at..at, (0..random.below(9)).map(|_| 0xA5))),
                _ => body[at] ^= 1 << random.below(8),
            }
        }
        let codings = lists[random.below(lists.len())];
        let whole = read_in_chunks(codings, &body, body.len());
        assert_eq!(read_in_chunks(codings, &body, 1), whole);
    }
}

#[test]
fn headers_name_codings() {
    let list = |values: &[&str]| {
        let headers: Vec<(&[u8], &[u8])> = values
            .iter()
            .map(|value| (&b"Content-Encoding"[..], value.as_bytes()))
            .chain([(&b"accept-encoding"[..], &b"br"[..])])
            .collect();
        codings(&headers, 3)
    };
    assert_eq!(list(&[]), Ok(vec![]));
    assert_eq!(list(&["identity", ""]), Ok(vec![]));
    assert_eq!(
        list(&["GZIP , br", "deflate"]),
        Ok(vec![Coding::Gzip, Coding::Brotli, Coding::Deflate])
    );
    assert_eq!(list(&["x-gzip"]), Ok(vec![Coding::Gzip]));
    assert_eq!(
        list(&["zstd\x01"]),
        Err("Unknown Content-Encoding: zstd\\x01".to_owned())
    );
    assert!(list(&["gzip, gzip", "gzip, gzip"]).is_err());
}
