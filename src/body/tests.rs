//! What all processors have in common: names, cuts of the body, limits, and that nothing panics.
//! Their own tests read bodies through [`Case`], which checks every cut on the way.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]

use super::*;

/// What a processor reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Argument(Vec<u8>, Vec<u8>),
    File {
        part: Vec<u8>,
        name: Vec<u8>,
        size: usize,
        extracted: bool,
    },
    PartHeader(Vec<u8>, Vec<u8>),
    /// What v2 and Coraza call the argument that follows.
    OtherNames(Vec<u8>, Vec<u8>),
    /// All content of a file so far.
    Content(Vec<u8>, Vec<u8>),
}

#[derive(Default)]
struct Recorder {
    events: Vec<Event>,
    arguments: usize,
    limit: usize,
}

impl Sink for Recorder {
    fn argument(&mut self, name: &[u8], value: &[u8]) -> bool {
        if self.arguments >= self.limit {
            return false;
        }
        self.arguments += 1;
        self.events
            .push(Event::Argument(name.to_vec(), value.to_vec()));
        true
    }

    fn member(&mut self, name: &MemberName<'_>, value: &[u8]) -> bool {
        if let Some([v2, coraza]) = name.others {
            self.events
                .push(Event::OtherNames(v2.to_vec(), coraza.to_vec()));
        }
        self.argument(name.reported, value)
    }

    fn file(&mut self, file: &File<'_>) {
        self.events.push(Event::File {
            part: file.part_name.to_vec(),
            name: file.file_name.to_vec(),
            size: file.size,
            extracted: file.extracted,
        });
    }

    fn part_header(&mut self, part_name: &[u8], line: &[u8]) {
        self.events
            .push(Event::PartHeader(part_name.to_vec(), line.to_vec()));
    }

    fn file_content(&mut self, part_name: &[u8], content: &[u8]) {
        if let Some(Event::Content(part, all)) = self.events.last_mut()
            && part == part_name
        {
            all.extend_from_slice(content);
        } else {
            self.events
                .push(Event::Content(part_name.to_vec(), content.to_vec()));
        }
    }
}

/// A generator of test data, the same in every run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

/// How a body is read.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) kind: Kind,
    pub(super) content_type: Vec<u8>,
    pub(super) settings: Settings,
}

/// What came of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) events: Vec<Event>,
    pub(super) finished: Finished,
}

impl Case {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            content_type: Vec::new(),
            settings: Settings::default(),
        }
    }

    pub(super) fn multipart(content_type: &str) -> Self {
        Self {
            content_type: content_type.as_bytes().to_vec(),
            ..Self::new(Kind::Multipart)
        }
    }

    /// Reads a body whole, byte by byte and in random cuts: the outcome must be the same.
    pub(super) fn read(&self, body: &[u8]) -> Outcome {
        let whole = self.read_in_chunks([body]);
        if body.len() < 20_000 {
            assert_eq!(whole, self.read_in_chunks(body.chunks(1)), "byte by byte");
        }
        for seed in 0..4 {
            let mut random = Random::new(seed);
            let longest = [3, 17, 100, 5000][usize::try_from(seed).unwrap()];
            let mut chunks = Vec::new();
            let mut rest = body;
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at((random.below(longest) + 1).min(rest.len()));
                chunks.push(chunk);
                chunks.push(&[]);
                rest = after;
            }
            assert_eq!(whole, self.read_in_chunks(chunks), "cut with seed {seed}");
        }
        whole
    }

    /// Reads the beginning of a body.
    pub(super) fn read_cut(&self, body: &[u8]) -> Outcome {
        let whole = self.read_to([body], End::Cut);
        assert_eq!(
            whole,
            self.read_to(body.chunks(1), End::Cut),
            "byte by byte"
        );
        whole
    }

    fn read_in_chunks<'a>(&self, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
        self.read_to(chunks, End::Complete)
    }

    fn read_to<'a>(&self, chunks: impl IntoIterator<Item = &'a [u8]>, end: End) -> Outcome {
        let mut sink = Recorder {
            limit: self.settings.limits.arguments,
            ..Recorder::default()
        };
        let mut processor = Processor::new(self.kind, &self.content_type, self.settings.clone());
        for chunk in chunks {
            processor.feed(chunk, &mut sink);
        }
        let finished = match end {
            End::Complete => processor.finish(&mut sink),
            End::Cut => processor.finish_cut(&mut sink),
        };
        Outcome {
            events: sink.events,
            finished,
        }
    }
}

impl Outcome {
    /// The arguments as `name=value`, with escapes for what is not plain ASCII.
    pub(super) fn arguments(&self) -> Vec<String> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Argument(name, value) => {
                    Some(format!("{}={}", name.escape_ascii(), value.escape_ascii()))
                }
                _ => None,
            })
            .collect()
    }

    pub(super) fn error(&self) -> &str {
        self.finished.error.as_deref().unwrap_or("")
    }
}

#[test]
fn names_have_no_case() {
    for kind in Kind::ALL {
        assert_eq!(
            Kind::by_name(kind.name().to_ascii_lowercase().as_bytes()),
            Some(kind)
        );
    }
    assert_eq!(Kind::by_name(b"Json"), Some(Kind::Json));
    assert_eq!(Kind::by_name(b"TEXT"), None);
}

#[test]
fn content_types_choose_forms_only() {
    for (content_type, kind) in [
        ("application/x-www-form-urlencoded", Some(Kind::UrlEncoded)),
        (
            "Application/X-WWW-Form-URLEncoded; charset=utf-8",
            Some(Kind::UrlEncoded),
        ),
        ("multipart/form-data; boundary=x", Some(Kind::Multipart)),
        ("multipart/mixed; boundary=x", None),
        ("application/json", None),
        ("text/xml", None),
        ("", None),
    ] {
        assert_eq!(
            Kind::for_content_type(content_type.as_bytes()),
            kind,
            "{content_type}"
        );
    }
}

#[test]
fn forms() {
    let case = Case::new(Kind::UrlEncoded);
    let outcome = case.read(b"a=1&b=%41+%42&&c&=d&");
    assert_eq!(outcome.arguments(), ["a=1", "b=A B", "=", "c=", "=d"]);
    assert!(!outcome.finished.url_encoded_error);
    assert_eq!(outcome.finished.no_files_length, 20);
    let outcome = case.read(b"a=%4&b=%");
    assert_eq!(outcome.arguments(), ["a=%4", "b=%"]);
    assert!(outcome.finished.url_encoded_error);
    assert_eq!(outcome.error(), "");
    assert!(case.read(b"").events.is_empty());
}

#[test]
fn the_separator_of_forms_is_a_setting() {
    let mut case = Case::new(Kind::UrlEncoded);
    case.settings.argument_separator = b';';
    assert_eq!(case.read(b"a=1;b=2&c").arguments(), ["a=1", "b=2&c"]);
}

#[test]
fn forms_over_the_arguments_limit_go_on_without_arguments() {
    let mut case = Case::new(Kind::UrlEncoded);
    case.settings.limits.arguments = 2;
    let outcome = case.read(b"a&b&c&d=%");
    assert_eq!(outcome.arguments(), ["a=", "b="]);
    assert_eq!(outcome.error(), "SecArgumentsLimit exceeded");
    assert!(outcome.finished.url_encoded_error);
    assert_eq!(case.read(b"a&b").error(), "");
}

#[test]
fn raw_bodies_are_only_counted() {
    let outcome = Case::new(Kind::Raw).read(b"a=1&b");
    assert!(outcome.events.is_empty());
    assert_eq!(outcome.finished.no_files_length, 5);
    assert_eq!(outcome.error(), "");
}

/// Bytes that mean something to some processor, so that random bodies get deep.
const PIECES: &[&[u8]] = &[
    b"--b\r\n",
    b"--b\n",
    b"--b--\r\n",
    b"--b--",
    b"--",
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\xFF",
    b"Content-Disposition: form-data; name=\"a\"\r\n",
    b"\r\n\r\nx\r\n",
    b"Content-Disposition: form-data; name=a; filename='f'\r\n",
    b" folded\r\n",
    b"x: y\n",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\"",
    b"\"k\":",
    b"1e",
    b"-0.",
    b"true",
    b"nul",
    b"\\u",
    b"d83d",
    b"\\ude00",
    b"\\",
    b"<a>",
    b"</a>",
    b"<a/>",
    b"<b x=\"1\" y='&lt;'>",
    b"</b>",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"&amp;",
    b"&#x41;",
    b"&e;",
    b"<?xml version='1.0'?>",
    b"<!DOCTYPE a [<!ENTITY e \"v&e;\">]>",
    b"<p:c xmlns:p='u' p:d='1'>",
    b"</p:c>",
    b"=",
    b"&",
    b"%",
    b"%4",
    b"%41",
    b"+",
    b"\xC3\xA9",
    b"\xED\xA0",
    b" ",
    b"x",
];

#[test]
fn nothing_panics_and_every_cut_is_the_same() {
    for kind in Kind::ALL {
        let mut case = Case::new(kind);
        case.content_type = b"multipart/form-data; boundary=b".to_vec();
        case.settings.xml_into_args = XmlIntoArgs::On;
        case.settings.extract_files = true;
        case.settings.limits = Limits {
            arguments: 20,
            json_depth: 6,
            files: 2,
            xml_depth: 6,
            xml_nodes: 30,
        };
        for seed in 0..400 {
            let mut random = Random::new(seed);
            let mut body = Vec::new();
            for _ in 0..random.below(40) {
                match random.below(12) {
                    0 => body.push(u8::try_from(random.below(256)).unwrap()),
                    1 => body.extend(vec![b'x'; random.below(5000)]),
                    _ => body.extend_from_slice(PIECES[random.below(PIECES.len())]),
                }
            }
            case.read(&body);
            case.read_cut(&body);
        }
    }
}

#[test]
fn a_cut_body_is_read_as_far_as_it_goes() {
    let multipart = Case::multipart("multipart/form-data; boundary=0000");
    let json = Case::new(Kind::Json);
    let mut xml = Case::new(Kind::Xml);
    xml.settings.xml_into_args = XmlIntoArgs::On;
    let form = Case::new(Kind::UrlEncoded);
    const A: &str = "--0000\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
    const B: &str = "--0000\r\nContent-Disposition: form-data; name=b\r\n\r\n";
    for (case, body, arguments) in [
        (&multipart, A.to_owned(), &["a=1"][..]),
        (&multipart, format!("{A}--00"), &["a=1"]),
        (&multipart, format!("{A}--0000-"), &["a=1"]),
        (&multipart, format!("{A}--0000\r"), &["a=1"]),
        (&multipart, format!("{A}--0000--"), &["a=1"]),
        (&multipart, format!("{A}2"), &["a=1\\r\\n2"]),
        (&multipart, format!("{A}{B}"), &["a=1"]),
        (&multipart, format!("{A}{B}2"), &["a=1", "b=2"]),
        (&multipart, format!("{A}--0000\r\nContent-Dispo"), &["a=1"]),
        (
            &json,
            "{\"a\":1,\"b\":\"xy".into(),
            &["json.a=1", "json.b=xy"],
        ),
        (&json, "{\"a\":1,\"b".into(), &["json.a=1"]),
        (
            &json,
            "{\"a\":1,\"b\":\"x\\".into(),
            &["json.a=1", "json.b=x"],
        ),
        (
            &json,
            "[1,23".into(),
            &["json.array_0=1", "json.array_1=23"],
        ),
        (&json, "[1,tr".into(), &["json.array_0=1"]),
        (&json, "[1".into(), &["json.array_0=1"]),
        (&xml, "<a><b>1</b><c>2".into(), &["xml.a.b=1"]),
        (&xml, "<a><b>1</b><c x='".into(), &["xml.a.b=1"]),
        (&xml, "<a><b>1</b>&am".into(), &["xml.a.b=1"]),
        (&xml, "<a><b>1</b></".into(), &["xml.a.b=1"]),
        (&form, "a=1&b=2".into(), &["a=1", "b=2"]),
    ] {
        let outcome = case.read_cut(body.as_bytes());
        assert_eq!(outcome.arguments(), arguments, "{body:?}");
        assert_eq!(outcome.error(), "", "{body:?}");
        assert!(!outcome.finished.multipart.strict_error(), "{body:?}");
    }
    // What is wrong before the cut still is.
    for (case, body) in [
        (&multipart, "--0000\r\nno colon\r\n"),
        (&multipart, "no boundary"),
        (&json, "{]"),
        (&xml, "<a><b></c>x"),
        (&xml, "<a></b>"),
        (&xml, "<a>&foo; x"),
    ] {
        assert_ne!(case.read_cut(body.as_bytes()).error(), "", "{body:?}");
    }
}

#[test]
fn no_content_type_panics() {
    const WORDS: &[&[u8]] = &[
        b"multipart/form-data",
        b";",
        b" ",
        b"boundary",
        b"BOUNDARY",
        b"=",
        b"\"",
        b"b",
        b"\xFF",
        b"\t",
        b"charset",
        b"\0",
        b",",
        b"'",
    ];
    for seed in 0..2000 {
        let mut random = Random::new(seed);
        let mut content_type = b"multipart/form-data; boundary".to_vec();
        content_type.truncate(random.below(40));
        for _ in 0..random.below(8) {
            content_type.extend_from_slice(WORDS[random.below(WORDS.len())]);
        }
        let case = Case {
            content_type,
            ..Case::new(Kind::Multipart)
        };
        case.read_in_chunks([&b"--b\r\n\r\n--b--"[..]]);
    }
}
