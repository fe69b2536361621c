//! Requests of growing size, and the page that compares their cost with it.

use super::{EngineMeasurements, Measurement, Measurements};
use crate::cli::message::Request;

/// Text for bodies: words as people write them.
const WORDS: &str = include_str!("../../../LICENSE");
/// What grows, and where it begins and ends; each size is twice the one before.
const KINDS: [Kind; 5] = [
    Kind {
        name: "json-bytes",
        what: "one text in JSON, bytes",
        sizes: (1 << 10, 1 << 20),
        request: json_text,
    },
    Kind {
        name: "json-values",
        what: "values in JSON",
        sizes: (10, 10_240),
        request: json_values,
    },
    Kind {
        name: "form-arguments",
        what: "arguments of a form",
        sizes: (10, 10_240),
        request: form,
    },
    Kind {
        name: "upload-bytes",
        what: "an uploaded file, bytes",
        sizes: (1 << 10, 1 << 20),
        request: upload,
    },
    Kind {
        name: "headers",
        what: "headers",
        sizes: (10, 1280),
        request: headers,
    },
];

/// A way to grow.
struct Kind {
    name: &'static str,
    what: &'static str,
    /// The smallest and the largest.
    sizes: (usize, usize),
    request: fn(usize) -> Request,
}

impl Kind {
    fn sizes(&self) -> impl Iterator<Item = usize> {
        let (first, last) = self.sizes;
        let doubled = |size: &usize| size.checked_mul(2);
        std::iter::successors(Some(first), doubled).take_while(move |size| *size <= last)
    }

    fn case(&self, size: usize) -> String {
        format!("{}-{size}", self.name)
    }
}

/// The requests, by name.
pub(super) fn cases() -> Vec<(String, Request)> {
    let of_kind = |kind: &'static Kind| {
        let sizes = kind.sizes();
        sizes.map(move |size| (kind.case(size), (kind.request)(size)))
    };
    KINDS.iter().flat_map(of_kind).collect()
}

/// What was measured, as Markdown: a table and a plot for each engine.
pub(super) fn page(measurements: &Measurements) -> String {
    let mut page = "# Cost against size\n\n\
        Microseconds for a request, the median of many with other words in each, with the Core Rule Set at \
        paranoia 1, and how many times as much that is as for half the size. Written by `make bench-sizes`.\n"
        .to_owned();
    for engine in &measurements.engines {
        page.push_str(&section(engine));
    }
    page
}

fn section(engine: &EngineMeasurements) -> String {
    let mut text = format!("\n## {}\n", engine.engine);
    let mut lines = String::new();
    for kind in &KINDS {
        text.push_str(&format!(
            "\n| {} | microseconds | times |\n|--:|--:|--:|\n",
            kind.what
        ));
        let mut before: Option<f64> = None;
        let mut points = Vec::new();
        for (size, cost) in kind.sizes().filter_map(|size| {
            let case = kind.case(size);
            let found = engine.requests.iter().find(|one| one.request == case);
            found.map(|one: &Measurement| (size, one.median_microseconds))
        }) {
            let times = before.map_or_else(String::new, |before| format!("{:.2}", cost / before));
            text.push_str(&format!("| {size} | {cost:.0} | {times} |\n"));
            points.push(format!("{:.2}", cost.log2()));
            before = Some(cost);
        }
        lines.push_str(&format!("    line [{}]\n", points.join(", ")));
    }
    text.push_str(&format!(
        "\nEach step to the right is twice the size, each step up twice the time (2 to the power of so \
         many microseconds); a line that climbs by one a step is linear. In the order of the tables.\n\n\
         ```mermaid\nxychart-beta\n    title \"{}\"\n    x-axis \"doublings\" 0 --> 10\n    \
         y-axis \"log2 of microseconds\" 4 --> 18\n{lines}```\n",
        engine.engine
    ));
    text
}

/// So many bytes of words.
fn words(bytes: usize) -> String {
    let each = WORDS.split_whitespace().cycle();
    let mut text = String::with_capacity(bytes.saturating_add(16));
    for word in each {
        if text.len() >= bytes {
            break;
        }
        text.extend(
            word.chars()
                .filter(|c| c.is_ascii_alphanumeric() || ",.".contains(*c)),
        );
        text.push(' ');
    }
    text.truncate(bytes);
    text
}

fn json_text(bytes: usize) -> Request {
    let body = serde_json::json!({ "text": words(bytes) }).to_string();
    post("application/json", body)
}

fn json_values(count: usize) -> Request {
    let values = (0..count).map(|number| (format!("f{number}"), value(number).into()));
    let object: serde_json::Map<String, serde_json::Value> = values.collect();
    post(
        "application/json",
        serde_json::Value::Object(object).to_string(),
    )
}

fn form(count: usize) -> Request {
    let each =
        (0..count).map(|number| format!("field{number}={}", value(number).replace(' ', "+")));
    let body = each.collect::<Vec<_>>().join("&");
    post("application/x-www-form-urlencoded", body)
}

fn upload(bytes: usize) -> Request {
    let body = format!(
        "--xBOUNDx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n{}\r\n--xBOUNDx--\r\n",
        words(bytes)
    );
    post("multipart/form-data; boundary=xBOUNDx", body)
}

fn headers(count: usize) -> Request {
    let each = (0..count).map(|number| format!("X-Custom-{number}: {}\r\n", value(number)));
    let lines: String = each.collect();
    request(&format!("GET /a?q=one+two HTTP/1.1\r\n{HEAD}{lines}\r\n"))
}

/// A short text.
fn value(number: usize) -> String {
    words(number.checked_rem(9).unwrap_or(0).saturating_add(15))
        .trim_end()
        .to_owned()
}

const HEAD: &str = "Host: www.example.com\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n";

fn post(kind: &str, body: String) -> Request {
    let length = body.len();
    request(&format!(
        "POST /a HTTP/1.1\r\n{HEAD}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

fn request(text: &str) -> Request {
    Request::parse(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::bench::Site;
    use crate::cli::config::Config;
    use crate::cli::driver::Backend;

    /// By steps, which are the same on every machine.
    #[test]
    fn twice_the_size_is_about_twice_the_work() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let config = Config::load(&[root.join("benches/sizes.json")]).unwrap();
        let Ok(engine) = config.engine() else {
            println!("skipped: run `make crs` first");
            return;
        };
        for kind in &KINDS {
            let steps = |size: usize| {
                let request = (kind.request)(size);
                let response = Site::default().respond(&request);
                engine.work(&request, &response).steps
            };
            let (_, largest) = kind.sizes;
            let [quarter, half, whole] = [largest / 4, largest / 2, largest].map(steps);
            println!("{}: {quarter}, {half}, {whole} steps", kind.name);
            assert!(
                half * 10 < quarter * 21 && whole * 10 < half * 21,
                "{}",
                kind.name
            );
        }
    }
}
