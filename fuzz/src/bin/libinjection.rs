//! Compares our own libinjection with the C library: verdicts and fingerprints on random values,
//! on tokens strung together, and on mutations of given values. Ends with counts; the exit status
//! says whether all agree.

use std::os::raw::{c_char, c_int};
use std::process::ExitCode;
use std::{env, fs};

// The module alone: it needs nothing of the library, and so a build takes seconds.
#[path = "../../../src/operator/libinjection/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "the comparison asks for verdicts alone"
)]
mod libinjection;

use libinjection::{sqli, xss};

#[link(name = "injection", kind = "static")]
unsafe extern "C" {
    fn libinjection_sqli(text: *const c_char, length: usize, fingerprint: *mut c_char) -> c_int;
    fn libinjection_xss(text: *const c_char, length: usize) -> c_int;
}

/// Pieces of attacks, in the order of what they belong to: SQL, then HTML.
const PIECES: &[&[u8]] = &[
    b"'",
    b"\"",
    b"`",
    b"--",
    b"-- ",
    b"#",
    b"/*",
    b"*/",
    b"/*!",
    b"(",
    b")",
    b"((",
    b"{",
    b"}",
    b"[",
    b"]",
    b"$",
    b"$$",
    b"$a$",
    b"@",
    b"@@",
    b"@'",
    b"@`",
    b"\\",
    b"\\N",
    b";",
    b",",
    b".",
    b"..",
    b"1",
    b"0x1f",
    b"0b11",
    b"0x",
    b"1e5",
    b"1.e",
    b"1f",
    b"1d ",
    b"b'01'",
    b"x'af'",
    b"n'a'",
    b"nq'(a)'",
    b"q'[a]'",
    b"u&'a'",
    b"e'a'",
    b" ",
    b"\0",
    b"\n",
    b"\t",
    b"\xA0",
    b"\xFF",
    b"\x7F",
    b"::",
    b":",
    b":=",
    b"<=>",
    b"||",
    b"&&",
    b"!",
    b"!!",
    b"~",
    b"+",
    b"-",
    b"*",
    b"%",
    b"=",
    b"<",
    b">",
    b"sp_password",
    b"union ",
    b"all ",
    b"select ",
    b"or ",
    b"and ",
    b"not ",
    b"in ",
    b"like ",
    b"is ",
    b"null",
    b"user",
    b"if",
    b"collate ",
    b"a_b",
    b"into outfile",
    b"{``",
    b"``",
    b"user(",
    b"in(",
    b"int ",
    b"1=1",
    b"<a ",
    b"</",
    b"<!",
    b"<?",
    b"<%",
    b"%>",
    b"<!--",
    b"-->",
    b"-!>",
    b"-\0->",
    b"<![CDATA[",
    b"]]>",
    b"<!doctype",
    b"<script",
    b"<svg",
    b"<xsl",
    b"href=",
    b"src=",
    b"style=",
    b"onload",
    b"on",
    b"onfocus=",
    b"attributename=",
    b"java",
    b"script:",
    b"data:",
    b"&#106;",
    b"&#x6a;",
    b"&#",
    b"&#x",
    b"&#x14a;",
    b"import",
    b"entity",
    b"[if",
    b"xml",
    b"/>",
    b"/",
    b"xmlns",
    b"xlink:href=",
    b"view-source:",
    b"by=",
    b"to=",
];

/// Differences after which there is no point in going on.
const ENOUGH: u64 = 20;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let count = arguments
        .next()
        .map_or(1_000_000, |text| text.parse().expect("COUNT: a number"));
    let seed = arguments
        .next()
        .map_or(1, |text| text.parse().expect("SEED: a number"));
    let mut values = Values::new(seed, arguments.flat_map(seeds).collect());
    let (mut injections, mut scripts, mut differences) = (0u64, 0u64, 0u64);
    for number in 0..count {
        let value = values.next();
        let (ours, theirs) = (our_fingerprint(&value), their_fingerprint(&value));
        injections += u64::from(theirs.is_some());
        if ours != theirs {
            differences += 1;
            let show = |found: Option<Vec<u8>>| found.map(|text| text.escape_ascii().to_string());
            println!(
                "sqli \"{}\": {:?}, C {:?}",
                value.escape_ascii(),
                show(ours),
                show(theirs)
            );
        }
        let (ours, theirs) = (xss::detect(&value), their_xss(&value));
        scripts += u64::from(theirs);
        if ours != theirs {
            differences += 1;
            println!("xss \"{}\": {ours}, C {theirs}", value.escape_ascii());
        }
        if differences >= ENOUGH {
            println!("stopped after {number} values");
            break;
        }
    }
    println!("{count} values, {injections} SQLi, {scripts} XSS, {differences} differences");
    if differences == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn our_fingerprint(value: &[u8]) -> Option<Vec<u8>> {
    sqli::detect(value).map(|found| found.as_bytes().to_vec())
}

fn their_fingerprint(value: &[u8]) -> Option<Vec<u8>> {
    let text = terminated(value);
    let mut fingerprint = [0u8; 16];
    // SAFETY: the text is longer than said, and a fingerprint takes at most eight bytes.
    let found = unsafe {
        libinjection_sqli(
            text.as_ptr().cast(),
            value.len(),
            fingerprint.as_mut_ptr().cast(),
        )
    };
    (found != 0).then(|| {
        fingerprint
            .iter()
            .copied()
            .take_while(|&byte| byte != 0)
            .collect()
    })
}

fn their_xss(value: &[u8]) -> bool {
    let text = terminated(value);
    // SAFETY: the text is longer than said.
    unsafe { libinjection_xss(text.as_ptr().cast(), value.len()) != 0 }
}

/// The value and NUL bytes behind it: the C library reads beyond the end here and there.
fn terminated(value: &[u8]) -> Vec<u8> {
    [value, &[0; 64]].concat()
}

/// The lines of a file, and the parts of each between signs that part parameters.
fn seeds(path: String) -> Vec<Vec<u8>> {
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut seeds = Vec::new();
    for line in text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
        seeds.push(line.to_vec());
        seeds.extend(line.split(|byte| b"&?=".contains(byte)).map(decoded));
    }
    seeds.retain(|seed| !seed.is_empty() && seed.len() < 500);
    seeds.sort_unstable();
    seeds.dedup();
    seeds
}

/// Percent signs and plus signs undone.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        rest = behind;
        out.push(match (first, behind) {
            (b'%', [a, b, after @ ..]) if digit(*a).is_some() && digit(*b).is_some() => {
                rest = after;
                (digit(*a).unwrap() * 16 + digit(*b).unwrap()) as u8
            }
            (b'+', _) => b' ',
            _ => *first,
        });
    }
    out
}

/// Makes values.
struct Values {
    state: u64,
    seeds: Vec<Vec<u8>>,
    words: Vec<&'static [u8]>,
}

impl Values {
    fn new(seed: u64, mut seeds: Vec<Vec<u8>>) -> Self {
        if seeds.is_empty() {
            seeds.push(b"1' or '1'='1' union select a from b -- <script> <a href='x'>".to_vec());
        }
        let words = include_bytes!("../../../src/operator/libinjection/sqli/words.txt");
        let words = words
            .split(|&byte| byte == b'\n')
            .filter_map(|line| line.split(|&byte| byte == b'\t').next())
            .collect();
        // The state of this generator must not be zero.
        Self {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            seeds,
            words,
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % limit.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    fn piece(&mut self) -> &'static [u8] {
        PIECES[self.below(PIECES.len())]
    }

    fn word(&mut self) -> &'static [u8] {
        let at = self.below(self.words.len());
        self.words[at]
    }

    fn next(&mut self) -> Vec<u8> {
        match self.below(10) {
            0 => (0..self.below(24)).map(|_| self.byte()).collect(),
            1..=4 => self.strung(),
            _ => self.mutated(),
        }
    }

    /// Pieces, words and parts of seeds, one after another.
    fn strung(&mut self) -> Vec<u8> {
        let mut value = Vec::new();
        for _ in 0..=self.below(12) {
            match self.below(8) {
                0 => {
                    value.extend(self.word());
                    value.push(b' ');
                }
                1 => value.push(self.byte()),
                2 => {
                    let seed = self.below(self.seeds.len());
                    let start = self.below(self.seeds[seed].len());
                    let length = self.below(20);
                    value.extend(self.seeds[seed].iter().skip(start).take(length));
                }
                _ => value.extend(self.piece()),
            }
        }
        value
    }

    /// A seed with a few changes.
    fn mutated(&mut self) -> Vec<u8> {
        let seed = self.below(self.seeds.len());
        let mut value = self.seeds[seed].clone();
        for _ in 0..self.below(5) {
            let at = self.below(value.len() + 1);
            match self.below(6) {
                0 => {
                    value.truncate(at);
                }
                1 => drop(value.drain(..at)),
                2 => value.insert(at, self.byte()),
                3 => drop(value.splice(at..at, self.piece().iter().copied())),
                4 => drop(value.splice(at..at, self.word().iter().copied())),
                _ if at < value.len() => drop(value.remove(at)),
                _ => {}
            }
        }
        value
    }
}
