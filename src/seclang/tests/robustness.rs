//! Texts that nobody would write: no panic, no place outside the text, no quadratic work.

use super::{SOURCE, read, take_apart};
use crate::diagnostic::SourceMap;
use crate::seclang::parse;

/// Rules that use everything the language has.
const SEEDS: &[&str] = &[
    "SecRule REQUEST_HEADERS:User-Agent|!ARGS:/^a\\/b|c$/|&TX:'x|y'|XML:/*|XML://@* \\\n    \
     \"!@rx (?i)[\\\"'`]\\s+\\x5c\" \\\n    \"id:1,\\\n    phase:2,\\\n    t:none,t:lowercase,\\\n    \
     msg:'It\\'s %{MATCHED_VAR}, so: there',\\\n    setvar:'tx.a=+%{tx.b}',\\\n    chain\"\n",
    "SecDataset words `\n# comment\none\ntwo\n`\nSecAction \"id:2,pass,nolog\"\r\n",
    "# comment \\\nSecRuleEngine On\n<IfModule a>\nSecFilter x\n</IfModule>\n",
    "SecDefaultAction 'phase:1,log,auditlog,pass' \\ \n# x\nSecMarker END\n",
    "SecRule ARGS:a,TX.b|XML:/a[b='c,d'] ! @pm a b c id:3,xmlns:s='u,v',t:none t:lowercase\n",
];

/// A generator of numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let limit = u64::try_from(limit.max(1)).unwrap();
        usize::try_from(self.0.checked_rem(limit).unwrap()).unwrap()
    }
}

#[test]
fn mutated_rules_never_panic() {
    let seed: Vec<u8> = SEEDS.concat().into_bytes();
    let special = b"\"'`\\\n\r\t #<>/|,:&!@.=%{}[]()\0\xff\xef\xbb\xbfA1;";
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    for _ in 0..20_000 {
        let start = numbers.below(seed.len());
        let length = 1 + numbers.below(seed.len() - start);
        let mut text = seed[start..start + length].to_vec();
        for _ in 0..numbers.below(12) {
            let at = numbers.below(text.len());
            let byte = special[numbers.below(special.len())];
            match numbers.below(4) {
                0 if !text.is_empty() => drop(text.remove(at)),
                1 => text.insert(at, byte),
                2 if !text.is_empty() => text[at] = byte,
                _ => {
                    let end = at + numbers.below(text.len() - at);
                    let copy = text[at..end].to_vec();
                    let to = numbers.below(text.len());
                    text.splice(to..to, copy);
                }
            }
        }
        let (_, diagnostics) = read(&text);
        let mut sources = SourceMap::default();
        sources.add("f", text);
        for diagnostic in &diagnostics {
            crate::diagnostic::render(diagnostic, &sources);
        }
    }
}

/// Texts that a quadratic reader would not finish.
#[test]
fn long_texts_are_read_in_linear_time() {
    for unit in [
        "\\",
        "\"",
        "'",
        "`",
        "\n",
        "\\\n",
        "\\ ",
        "\\ \n",
        "#\\\n",
        "<",
        "</a>\n",
        ":'",
        "='\\",
        "SecRule ",
        "SecRule\n",
        "SecRule A \"\n",
        "SecRule \\\n",
        "SecDataset a `\n",
        "SecDataset a ",
        "#",
        "# \\\n#",
        "\r",
        " ",
        "|",
        "a,",
        "a:'",
        "&",
        "!",
        "/",
        "\0",
    ] {
        let lead = [
            "",
            "SecRule ",
            "SecRule \"",
            "SecRule A \"!@x",
            "SecRule A B \"",
            "# ",
            "SecDataset a `",
        ];
        for lead in lead {
            let text = lead.to_owned() + &unit.repeat(400_000 / unit.len());
            let mut diagnostics = Vec::new();
            let directives = parse(SOURCE, text.as_bytes(), &mut diagnostics);
            take_apart(&directives, &mut diagnostics);
        }
    }
}
