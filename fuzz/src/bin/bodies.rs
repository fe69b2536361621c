//! Any bytes as a body: each cut into chunks gives the same result, and time and memory stay within
//! a multiple of the body's length.
//!
//! The input: the kind, the settings, how the body is cut, whether a piece of it is repeated; then a
//! line with the content type (for XML: a path); then the body.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use parapet::body::coding::{Coding, Inflater};
use parapet::body::{
    Charsets, File, Kind, MemberName, Processor, Settings, Sink, XmlIntoArgs, xml,
};
use parapet::compile::{NoFiles, compile};
use parapet::limits::Limits;
use parapet::program::Program;
use parapet_fuzz::input::{Input, chunks};
use parapet_fuzz::measure::bounded;
use parapet_fuzz::seeds::{self, Seeds};
use parapet_fuzz::waf::{Exchange, variants};

fuzz_target!(init: seeds::offer(offer), |data: &[u8]| run(data));

fn run(data: &[u8]) {
    let mut input = Input(data);
    let (kind, options, cut, how) = (input.byte(), input.byte(), input.byte(), input.byte());
    let line = input.line();
    let body = input.rest(how);
    if (0x70..0x80).contains(&kind) {
        inflate(options, &body, cut);
        return;
    }
    let engine = kind >= 0x80;
    let kind = Kind::ALL[usize::from(kind) % Kind::ALL.len()];
    if engine {
        through_the_engine(kind, line, &body, cut);
        return;
    }
    let settings = settings(options);
    let partial = options & 0x40 != 0;
    let read = |sink: &mut dyn Sink, parts: &[&[u8]]| {
        let mut processor = Processor::new(kind, line, settings.clone());
        for part in parts {
            processor.feed(part, sink);
        }
        assert!(processor.no_files_length() <= body.len());
        if partial {
            processor.finish_cut(sink)
        } else {
            processor.finish(sink)
        }
    };

    let limit = settings.limits.arguments;
    let memory = (2 << 20) + 100 * body.len();
    let time = Duration::from_millis(50)
        + Duration::from_micros(4) * u32::try_from(body.len()).unwrap_or(u32::MAX);
    let finished = bounded(kind.name(), memory, time, || {
        read(&mut Counting { left: limit }, &[&body])
    });

    let mut whole = Recording::new(limit);
    assert_eq!(finished, read(&mut whole, &[&body]));
    let mut parts = Recording::new(limit);
    assert_eq!(
        finished,
        read(&mut parts, &chunks(&body, cut)),
        "cut by {cut}"
    );
    assert_eq!(whole, parts, "cut by {cut}");

    if kind == Kind::Json
        && !partial
        && settings.charsets == Charsets::Off
        && settings.limits.json_depth > 128
        && finished.error.is_some()
    {
        let other: Result<serde_json::Value, _> = serde_json::from_slice(&body);
        let refused = whole.left == 0 || finished.error.as_deref() == Some(TOO_LONG);
        assert!(other.is_err() || refused, "{:?}", finished.error);
    }
    if let Some(document) = &finished.xml {
        select(document, line, time);
    }
}

const TOO_LONG: &str = "JSON parsing error: JSON argument names too long";

fn settings(options: u8) -> Settings {
    let small = options & 1 != 0;
    Settings {
        limits: if small {
            Limits {
                arguments: 5,
                json_depth: 4,
                files: 2,
                xml_depth: 4,
                xml_nodes: 8,
                ..Limits::default()
            }
        } else {
            Limits::default()
        },
        argument_separator: if options & 2 != 0 { b';' } else { b'&' },
        xml_into_args: match options >> 2 & 3 {
            1 => XmlIntoArgs::On,
            2 => XmlIntoArgs::OnlyArgs,
            _ => XmlIntoArgs::Off,
        },
        extract_files: options & 0x10 != 0,
        other_names: options & 0x20 != 0,
        charsets: if options & 0x80 != 0 {
            Charsets::On
        } else {
            Charsets::Off
        },
    }
}

/// Any bytes as a coded body: the same for every cut, and no more than the ratio allows.
fn inflate(options: u8, body: &[u8], cut: u8) {
    const RATIO: usize = 50;
    let layers = [options & 3, options >> 2 & 3, options >> 4 & 3];
    let codings: Vec<Coding> = layers
        .into_iter()
        .filter_map(|layer| match layer {
            1 => Some(Coding::Gzip),
            2 => Some(Coding::Deflate),
            3 => Some(Coding::Brotli),
            _ => None,
        })
        .collect();
    let read = |parts: &[&[u8]]| {
        let mut inflater = Inflater::new(&codings, RATIO);
        let mut length = 0;
        let mut sum = 0u64;
        let mut take = |piece: &[u8]| {
            length += piece.len();
            for &byte in piece {
                sum = sum.wrapping_mul(31).wrapping_add(u64::from(byte));
            }
            true
        };
        for part in parts {
            inflater.feed(part, &mut take);
        }
        let end = inflater.finish(&mut take);
        (end, length, sum)
    };
    let most = body.len() * RATIO + (256 << 10);
    let time = Duration::from_millis(100) + Duration::from_nanos(50) * u32::try_from(most).unwrap();
    let whole = bounded("inflating", 64 << 20, time, || read(&[body]));
    assert!(whole.1 <= most, "{} of {}", whole.1, body.len());
    assert_eq!(whole, read(&chunks(body, cut)), "cut by {cut}");
}

fn select(document: &xml::Document, expression: &[u8], time: Duration) {
    let Ok(path) = xml::Path::parse(expression, &[(b"b", b"urn:b")]) else {
        return;
    };
    let found = bounded("selecting", 64 << 20, time, || document.select(&path).len());
    let all = xml::Path::parse(b"//*", &[]).map(|path| document.select(&path).len());
    let texts = xml::Path::parse(b"//text()", &[]).map(|path| document.select(&path).len());
    let attributes = xml::Path::parse(b"//@*", &[]).map(|path| document.select(&path).len());
    let most = all
        .unwrap()
        .max(texts.unwrap_or(usize::MAX))
        .max(attributes.unwrap());
    assert!(found <= most, "{found} of {most} nodes");
}

/// Takes everything, keeps nothing.
struct Counting {
    left: usize,
}

impl Sink for Counting {
    fn argument(&mut self, _: &[u8], _: &[u8]) -> bool {
        let fits = self.left > 0;
        self.left = self.left.saturating_sub(1);
        fits
    }

    fn file(&mut self, _: &File<'_>) {}

    fn part_header(&mut self, _: &[u8], _: &[u8]) {}
}

/// Keeps everything.
#[derive(PartialEq, Eq, Debug)]
struct Recording {
    left: usize,
    found: Vec<Found>,
}

#[derive(PartialEq, Eq, Debug)]
enum Found {
    Argument(Vec<u8>, Vec<u8>),
    Container(Vec<u8>),
    File(Vec<u8>, Vec<u8>, usize, bool),
    Header(Vec<u8>, Vec<u8>),
    Content(Vec<u8>, Vec<u8>),
}

impl Recording {
    fn new(limit: usize) -> Self {
        Self {
            left: limit,
            found: Vec::new(),
        }
    }
}

impl Sink for Recording {
    fn argument(&mut self, name: &[u8], value: &[u8]) -> bool {
        let fits = self.left > 0;
        self.left = self.left.saturating_sub(1);
        if fits {
            self.found
                .push(Found::Argument(name.to_vec(), value.to_vec()));
        }
        fits
    }

    fn file(&mut self, file: &File<'_>) {
        self.found.push(Found::File(
            file.part_name.to_vec(),
            file.file_name.to_vec(),
            file.size,
            file.extracted,
        ));
    }

    fn container(&mut self, name: &MemberName<'_>) {
        self.found.push(Found::Container(name.reported.to_vec()));
    }

    fn part_header(&mut self, part_name: &[u8], line: &[u8]) {
        self.found
            .push(Found::Header(part_name.to_vec(), line.to_vec()));
    }

    /// The pieces of a file come in any cut.
    fn file_content(&mut self, part_name: &[u8], content: &[u8]) {
        if let Some(Found::Content(name, all)) = self.found.last_mut()
            && name == part_name
        {
            all.extend_from_slice(content);
        } else if !content.is_empty() {
            self.found
                .push(Found::Content(part_name.to_vec(), content.to_vec()));
        }
    }
}

/// Rules that show what they find in their messages.
const RULES: &str = r#"
SecRuleEngine DetectionOnly
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType text/html
SecRequestBodyLimit 8192
SecRequestBodyLimitAction ProcessPartial
SecResponseBodyLimit 8192
SecParseXmlIntoArgs On
SecAction "id:1,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On"
SecRule REQUEST_HEADERS:X-Kind "@rx ^(JSON|XML|MULTIPART|URLENCODED|RAW)$" "id:2,phase:1,pass,nolog,capture,chain"
SecRule TX:1 "@streq JSON" "ctl:requestBodyProcessor=JSON"
SecRule REQUEST_HEADERS:X-Kind "@streq XML" "id:3,phase:1,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:X-Kind "@streq MULTIPART" "id:4,phase:1,pass,nolog,ctl:requestBodyProcessor=MULTIPART"
SecRule REQUEST_HEADERS:X-Kind "@streq URLENCODED" "id:5,phase:1,pass,nolog,ctl:requestBodyProcessor=URLENCODED"
SecRule ARGS|ARGS_NAMES|FILES|FILES_NAMES|FILES_SIZES|XML:/*|XML://@*|REQUEST_BODY|REQUEST_COOKIES|REQUEST_URI|REQBODY_ERROR_MSG|MULTIPART_STRICT_ERROR|MULTIPART_UNMATCHED_BOUNDARY|MULTIPART_PART_HEADERS|FILES_TMP_CONTENT|FILES_COMBINED_SIZE|ARGS_COMBINED_SIZE|URLENCODED_ERROR "@rx ." "id:6,phase:2,pass,log,msg:'%{MATCHED_VAR_NAME}=%{MATCHED_VAR}',setvar:tx.count=+1"
SecRule ARGS|REQUEST_BODY|XML:/* "@rx (?:select|<script|\.\./)" "id:7,phase:2,pass,log,t:urlDecodeUni,t:lowercase,t:htmlEntityDecode"
SecRule RESPONSE_BODY "@rx (?i)error" "id:8,phase:4,pass,log,msg:'%{RESPONSE_CONTENT_LENGTH}'"
"#;

static PROGRAM: LazyLock<Arc<Program>> = LazyLock::new(|| {
    let compiled = compile(&[("bodies.conf".to_owned(), RULES.into())], &NoFiles);
    compiled
        .program
        .unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
});

/// The whole way, twice: in one chunk and in many. The first line is header lines or the target.
fn through_the_engine(kind: Kind, line: &[u8], body: &[u8], cut: u8) {
    let (target, content_type) = match line.iter().position(|&byte| byte == b'\t') {
        Some(at) => (&line[..at], &line[at + 1..]),
        None => (&b"/"[..], line),
    };
    let headers: &[(&[u8], &[u8])] = &[
        (b"host", b"a"),
        (b"x-kind", kind.name().as_bytes()),
        (b"content-type", content_type),
        (b"cookie", target),
    ];
    let exchange = |parts: Vec<_>| Exchange {
        method: b"POST",
        target,
        headers,
        body: parts.clone(),
        response: parts,
    };
    let [normal, ablated @ ..] = variants(&PROGRAM);
    let time = Duration::from_millis(100)
        + Duration::from_micros(20) * u32::try_from(body.len() + line.len()).unwrap();
    let whole = exchange(vec![body]);
    let outcome = bounded("a transaction", 64 << 20, time, || whole.run(&normal));
    let parts = exchange(chunks(body, cut));
    assert_eq!(outcome, parts.run(&normal), "cut by {cut}");
    for waf in ablated {
        assert_eq!(outcome, parts.run(&waf), "without shortcuts");
    }
}

fn offer(seeds: &mut Seeds) {
    let multipart: &[u8] = b"multipart/form-data; boundary=b";
    for (kind, line, body) in [
        (0, &b""[..], &b"a=b&c=%41+d&e&=f&g=%zz&h=%u0041"[..]),
        (0, b"", b"a=b;c=d;a=%00"),
        (1, multipart, b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--b--\r\n"),
        (1, multipart, b"preamble\r\n--b\r\nContent-Disposition: form-data; name=f; filename*=utf-8''a%20b\r\nContent-Type: text/plain\r\n folded\r\n\r\n1\n2\r\n--b-\r\n--b--epilogue"),
        (1, b"multipart/form-data; boundary=\"a b\"", b"--a b\nContent-Disposition: form-data; name='x'; filename=\"\\\"y\"\n\n\n--a b--\n"),
        (2, b"", b"{\"a\":[1,-2.5e+3,true,null,\"\\u00e9\\ud83d\\ude00\\n\",{}],\"b\":{\"c\":\"\"}}"),
        (2, b"", b" [ [ [ ] ] , \"x\" ] \n"),
        (3, b"//b:c/@x", b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a xmlns:b='urn:b'><b:c x=\"1\">t&lt;&#x41;<![CDATA[]]]]></b:c><!-- c --><?p i?></a>"),
        (3, b"/a/b[@x='1']/text()", b"\xFF\xFE<\0a\0/\0>\0"),
        (3, b"/*", b"<!DOCTYPE a [<!ENTITY e \"v\">]><a>&e;</a>"),
        (3, b"//@*", b"<?xml version='1.0' encoding='ISO-8859-1'?><a b='\xE9'/>"),
        (4, b"", b"anything"),
    ] {
        for mode in [0, 0x80] {
            for options in [0, 0x18, 0x41, 0x47] {
                seeds.input(&[&[kind + mode, options, 0, 0], line, b"\n", body]);
                seeds.input(&[&[kind + mode, options, 7, 0xEA], line, b"\n", body]);
            }
        }
    }
    seeds.input(&[
        &[0x80, 0, 3, 0],
        b"/a?b=c%2\tapplication/x-www-form-urlencoded\nx=1",
    ]);
    seeds.words([
        "--b\r\n",
        "--b--\r\n",
        "Content-Disposition: form-data; name=\"",
        "filename=\"",
        "filename*=UTF-8''",
        "Content-Type: ",
        "boundary=",
        "Content-Transfer-Encoding: base64",
        "\r\n\r\n",
        "\\u0041",
        "\\ud83d",
        "true",
        "null",
        "1e9",
        "<!DOCTYPE",
        "<!ENTITY",
        "<![CDATA[",
        "]]>",
        "&#x41;",
        "&amp;",
        "xmlns:b='urn:b'",
        "encoding='UTF-16'",
        "<?xml version='1.0'?>",
        "/>",
        "</a>",
        "<a ",
        "//",
        "text()",
        "[@a='b']",
        "%u0041",
        "%zz",
        "&",
        "charset=utf-16",
        "charset=utf-7",
        "multipart/form-data; ",
        "application/json",
        "local-name()",
        "/a/b",
        "@*",
        "<!--",
        "-->",
    ]);
}
