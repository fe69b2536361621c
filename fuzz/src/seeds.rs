//! Where the search begins: seeds and words, from the tables of the library and the rules beside
//! it.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs, process};

/// With `PARAPET_SEEDS` set, a target writes its seeds to that folder and its words to the file
/// `FOLDER.dict` beside it, and ends.
pub fn offer(write: impl FnOnce(&mut Seeds)) {
    let Some(folder) = env::var_os("PARAPET_SEEDS") else {
        return;
    };
    let mut seeds = Seeds::default();
    write(&mut seeds);
    let folder = Path::new(&folder);
    fs::create_dir_all(folder).expect("the folder for the seeds");
    for (number, seed) in seeds.inputs.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed).expect("a seed");
    }
    let words: String = seeds.words.iter().map(|word| line(word)).collect();
    fs::write(folder.with_extension("dict"), words).expect("the words");
    process::exit(0);
}

/// Collects seeds and words.
#[derive(Default)]
pub struct Seeds {
    inputs: BTreeSet<Vec<u8>>,
    words: BTreeSet<Vec<u8>>,
}

impl Seeds {
    /// Adds an input: the bytes that choose, and text.
    pub fn input(&mut self, parts: &[&[u8]]) {
        let input = parts.concat();
        if input.len() <= 4096 {
            self.inputs.insert(input);
        }
    }

    /// Adds words.
    pub fn words<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        for word in words {
            if (1..=60).contains(&word.len()) {
                self.words.insert(word.as_bytes().to_vec());
            }
        }
    }
}

/// A line of libFuzzer's dictionary.
fn line(word: &[u8]) -> String {
    let mut line = String::from("\"");
    for &byte in word {
        match byte {
            b'"' | b'\\' => line.extend(['\\', char::from(byte)]),
            b' '..=b'~' => line.push(char::from(byte)),
            _ => line.push_str(&format!("\\x{byte:02X}")),
        }
    }
    line + "\"\n"
}

/// The embedded rule files: our own, and the Core Rule Set where it is there.
pub fn rule_files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    parapet::rules::list()
        .filter(|name| !name.ends_with(".data"))
        .filter_map(|name| Some((name, parapet::rules::embedded(name)?)))
}

/// The files in a folder of this repository.
pub fn files(folder: &str, extension: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(folder);
    let paths = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path());
    let wanted = paths.filter(|path| path.extension().is_some_and(|it| it == extension));
    wanted.map(|path| fs::read(path).expect("a file")).collect()
}

/// The patterns of the embedded rule files.
pub fn patterns() -> Vec<Vec<u8>> {
    let mut patterns = Vec::new();
    for (_, text) in rule_files() {
        let marks = text
            .windows(5)
            .enumerate()
            .filter(|(_, five)| five.ends_with(b"@rx "));
        for (at, _) in marks {
            let rest = &text[at + 5..];
            let end = (0..rest.len()).find(|&end| rest[end] == b'"' && rest[end - 1] != b'\\');
            patterns.extend(end.map(|end| rest[..end].to_vec()));
        }
    }
    patterns
}

/// Texts that attacks and ordinary requests are made of.
pub const TEXTS: &[&[u8]] = &[
    b"",
    b"a",
    b"hello world",
    b"1' or '1'='1' -- ",
    b"<script>alert(1)</script>",
    b"../../../etc/passwd%00",
    b"() { :; }; /bin/cat /etc/passwd | sh",
    b"%252e%u0041\\x41\\u0042&#x43;&lt;=\xC3\xA9",
    b"aGVsbG8gd29ybGQ=",
    b"SELECT/*! x */1--\n# union all\r\n",
    b"/a/./b/../c//d\\e",
    b"\xFE\xFF\0<\0a",
    b"5019717010103742 123-45-6789 11145551714",
    b"192.168.2.1",
];
