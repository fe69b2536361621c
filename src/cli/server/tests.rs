use super::{LiveBackend, ServerFactory, ServerSettings, address, split};
use crate::cli::driver::{Backend, DriverFactory, Sent};
use crate::cli::message::{Request, Response};
use std::io::{BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

/// A server that logs the marker header and, for targets with `attack`, rule 7. Every second mark
/// gets lost, and lines come late.
fn toy_server(name: &str) -> (String, PathBuf) {
    let log = std::env::temp_dir().join(format!("parapet-{name}-{}", std::process::id()));
    let mut file = std::fs::File::create(&log).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut marks = 0_usize;
        for mut stream in listener.incoming().flatten() {
            let mut input = BufReader::new(stream.try_clone().unwrap());
            let Ok(Some(request)) = super::wire::read_request(&mut input) else {
                continue;
            };
            let answer = Response {
                status: 200,
                headers: vec![(b"Content-Length".to_vec(), b"0".to_vec())],
                ..Default::default()
            };
            stream
                .write_all(&super::wire::write_response(&answer, b"GET"))
                .unwrap();
            std::thread::sleep(Duration::from_millis(20));
            if let Some(mark) = crate::cli::message::header(&request.headers, b"x-mark") {
                marks = marks.wrapping_add(1);
                if marks.is_multiple_of(2) {
                    let mark = String::from_utf8_lossy(mark);
                    writeln!(file, "[id \"1\"] {mark} and again {mark}").unwrap();
                }
            } else if request.target.ends_with(b"attack") {
                writeln!(file, "[id \"7\"]").unwrap();
            }
        }
    });
    (url, log)
}

struct Nobody;

impl Backend for Nobody {
    fn respond(&self, _: &Request) -> Response {
        Response::default()
    }
}

fn factory(url: &str, log: PathBuf, marker: &str) -> ServerFactory {
    ServerFactory {
        settings: ServerSettings {
            address: address(url).unwrap(),
            log,
            marker: marker.to_owned(),
            patience: Duration::from_secs(if marker == "X-Mark" { 10 } else { 1 }),
        },
        backend: None,
    }
}

fn get(target: &str) -> Sent {
    let bytes = format!("GET {target} HTTP/1.1\r\n\r\n").into_bytes();
    let request = Request::parse(&bytes);
    Sent::new(bytes, request)
}

#[test]
fn lines_between_marks_belong_to_the_request_between_them() {
    let (url, log) = toy_server("marks");
    let mut factory = factory(&url, log.clone(), "X-Mark");
    let mut driver = factory.driver("").unwrap();
    let mut log_of = |target| driver.exchange(&get(target), &Nobody).unwrap().log;
    assert_eq!(log_of("/attack"), [b"[id \"7\"]"]);
    assert!(log_of("/").is_empty());
    assert_eq!(log_of("/attack"), [b"[id \"7\"]"]);
    let own_answer = Sent {
        answer: Some(Response::default()),
        ..get("/")
    };
    let refused = driver.exchange(&own_answer, &Nobody).unwrap_err();
    assert!(refused.contains("--backend"), "{refused}");
    assert!(factory.driver("SecRuleEngine On").is_err());
    std::fs::remove_file(log).unwrap();
}

#[test]
fn what_cannot_work_is_told() {
    let (url, log) = toy_server("broken");
    let mut silent = factory(&url, log.clone(), "X-Other");
    let error = silent.driver("").err().unwrap();
    assert!(error.contains("no mark ever showed up"), "{error}");
    let mut missing = factory(&url, "/nonexistent/log".into(), "X-Mark");
    assert!(
        missing
            .driver("")
            .err()
            .unwrap()
            .contains("/nonexistent/log")
    );
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let mut unreachable = factory(
        &format!("http://{}", nobody.unwrap()),
        log.clone(),
        "X-Mark",
    );
    let error = unreachable.driver("").err().unwrap();
    assert!(error.contains("cannot be reached"), "{error}");
    std::fs::remove_file(log).unwrap();
}

#[test]
fn a_url_names_a_server() {
    assert_eq!(address("http://127.0.0.1:81/").unwrap().port(), 81);
    assert_eq!(address("http://127.0.0.1").unwrap().port(), 80);
    assert_eq!(address("http://[::1]").unwrap().port(), 80);
    for url in [
        "localhost:80",
        "https://localhost",
        "http://localhost/a",
        "http://:x",
    ] {
        assert!(address(url).is_err(), "{url}");
    }
}

#[test]
fn a_mark_is_cut_out_of_the_lines() {
    let mut lines: Vec<Vec<u8>> = ["a", "b m1x", "c"].map(Into::into).into();
    assert_eq!(split(&mut lines, b"m2x"), None);
    assert_eq!(split(&mut lines, b"m1x").unwrap(), [b"a"]);
    assert_eq!(lines, [b"c"]);
}

#[test]
fn the_backend_remembers_what_came_first_and_answers_as_told() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let here = port.unwrap();
    let backend = LiveBackend::start(here).unwrap();
    assert!(LiveBackend::start(here).is_err());
    let ask = |sent: &Sent| super::wire::ask(here, sent, Duration::from_secs(10)).unwrap();
    backend.expect(None);
    let told = br#"POST /reflect HTTP/1.1
Content-Length: 17

{"body": "hello"}"#;
    let told = Sent::new(told.to_vec(), Request::parse(told));
    assert_eq!(ask(&told).unwrap().body, b"hello");
    assert_eq!(backend.first().unwrap().target, b"/reflect");
    backend.expect(Some(Response {
        status: 204,
        ..Default::default()
    }));
    assert_eq!(backend.first(), None);
    assert_eq!(ask(&told).unwrap().status, 204);
}
