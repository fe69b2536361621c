//! The JSON cases of the SecLang language tests: one file for each member, a list of cases each.

use std::fs;
use std::path::{Path, PathBuf};

use parapet::bytes::hex_nibble;
use serde::de::DeserializeOwned;

use super::runner::{Case, Loaded, Run};

/// Makes a case of each entry that [`read`] finds. Its id is the file's name, `#` and its place in
/// the list; its member is the file.
pub fn load<T: DeserializeOwned>(
    directory: &Path,
    mut run: impl FnMut(T) -> Result<Option<Run>, String>,
) -> Loaded {
    read(directory, &[], |loaded, name, place, case| {
        let id = format!("{name}#{place}");
        match run(case) {
            Ok(run) => loaded.cases.push(Case {
                id,
                member: name.to_owned(),
                run,
            }),
            Err(problem) => loaded.problems.push(format!("{id}: {problem}")),
        }
    })
}

/// Reads every `.json` file of a directory, in order, and gives each entry of their lists to `add`
/// with the file's name and its place from 0.
///
/// Other files are problems, unless their names are in `beside`; directories are not looked into.
pub fn read<T: DeserializeOwned>(
    directory: &Path,
    beside: &[&str],
    mut add: impl FnMut(&mut Loaded, &str, usize, T),
) -> Loaded {
    let mut loaded = Loaded::default();
    for (name, path) in files(directory) {
        if beside.contains(&name.as_str()) {
            continue;
        }
        if !name.ends_with(".json") {
            loaded.problems.push(format!("{name}: unknown file"));
            continue;
        }
        let cases: Vec<T> = match serde_json::from_slice(&fs::read(path).unwrap()) {
            Ok(cases) => cases,
            Err(error) => {
                loaded.problems.push(format!("{name}: {error}"));
                continue;
            }
        };
        if cases.is_empty() {
            loaded.problems.push(format!("{name}: no cases"));
        }
        for (place, case) in cases.into_iter().enumerate() {
            add(&mut loaded, &name, place, case);
        }
    }
    loaded
}

/// The files of a directory with their names, sorted.
pub fn files(directory: &Path) -> Vec<(String, PathBuf)> {
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect();
    files.sort();
    files
}

/// The bytes that an `input` or `output` stands for: its UTF-8, in which `\xHH` and `\uHHHH`
/// stand for one byte.
///
/// The data was made for a runner that takes any two letters or digits after `\x` for a byte and
/// reads as many hexadecimal digits from them as there are. One case relies on it, with `\xag` and
/// `\xga` in its input and again in its output; without digits the byte is undefined there and 0
/// here.
pub fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    loop {
        let (byte, after) = match rest {
            [] => return bytes,
            [b'\\', b'x', a, b, after @ ..]
                if a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric() =>
            {
                (leading_hex(&[*a, *b]), after)
            }
            [b'\\', b'u', b'0', b'0', c, d, after @ ..]
                if c.is_ascii_hexdigit() && d.is_ascii_hexdigit() =>
            {
                (leading_hex(&[*c, *d]), after)
            }
            [byte, after @ ..] => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
}

fn leading_hex(digits: &[u8]) -> u8 {
    digits
        .iter()
        .map_while(|&digit| hex_nibble(digit))
        .fold(0, |value, digit| value << 4 | digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_bytes() {
        assert_eq!(unescape(r"a\\x41\u00e9\xFF"), b"a\\A\xE9\xFF");
        assert_eq!(
            unescape(r"\n\x4\u12\u1234é"),
            b"\\n\\x4\\u12\\u1234\xC3\xA9"
        );
        assert_eq!(unescape(r"\xag\xga"), b"\x0A\0");
    }
}
