use super::super::fake::FakeHost;
use super::*;

struct Case {
    host: FakeHost,
    metrics: Metrics,
    collector: Collector,
    destination: Destination,
}

impl Case {
    fn new(change: impl FnOnce(&mut CollectorSettings)) -> Self {
        let mut settings = CollectorSettings {
            cluster: "collector".to_owned(),
            headers: vec![("authorization".to_owned(), "Bearer sesame".to_owned())],
            ..CollectorSettings::default()
        };
        change(&mut settings);
        let url = CollectorUrl {
            authority: "logs.example:8443".to_owned(),
            path: "/in?x=1".to_owned(),
        };
        Self {
            host: FakeHost::default(),
            metrics: Metrics::default(),
            collector: Collector::new(settings),
            destination: Destination {
                url: Arc::new(url),
                content_type: "application/x-ndjson",
            },
        }
    }

    fn offer(&self, record: &str) {
        let destination = self.destination.clone();
        let record = record.as_bytes().to_vec();
        let back = self
            .collector
            .offer(&self.host, &self.metrics, destination, record);
        assert_eq!(back, None);
    }

    /// A tick after so many milliseconds.
    fn tick(&self, after: u64) -> bool {
        let after = after.saturating_mul(MILLISECOND);
        self.host
            .state(|state| state.now = state.now.saturating_add(after));
        self.collector.tick(&self.host, &self.metrics)
    }

    fn answer(&self, token: u32, status: &str) {
        let head = [(":status", status)].into_iter().collect();
        self.host.state(|state| state.call_response = Some(head));
        let answered = !status.is_empty();
        self.collector
            .on_response(&self.host, &self.metrics, token, answered);
    }

    fn sent(&self) -> Vec<String> {
        let text = |(_, body): &(String, Vec<u8>)| String::from_utf8(body.clone()).unwrap();
        self.host
            .state(|state| state.sent.iter().map(text).collect())
    }

    fn numbers(&self) -> [i64; 3] {
        ["sent", "lost", "failures"].map(|it| self.host.metric(&format!("audit.{it}.total")))
    }
}

#[test]
fn records_go_together_after_a_while() {
    let case = Case::new(|_| {});
    assert!(!case.tick(0));
    case.offer("{1}");
    case.offer("{2}");
    assert!(case.tick(900));
    assert_eq!(case.sent().len(), 0);
    assert!(case.tick(100));
    assert_eq!(case.sent(), ["{1}\n{2}\n"]);
    let head = case.host.state(|state| state.sent[0].0.clone());
    assert_eq!(
        head,
        "collector\n:method: POST\n:path: /in?x=1\n:authority: logs.example:8443\n\
         content-type: application/x-ndjson\ncontent-length: 8\nauthorization: Bearer sesame\n"
    );
    case.answer(1, "204");
    assert!(!case.tick(200));
    assert_eq!(case.numbers(), [2, 0, 0]);
    assert_eq!(case.host.log_text(), "");
}

#[test]
fn a_full_batch_does_not_wait() {
    let case = Case::new(|settings| settings.batch_bytes = 10);
    for record in ["aaaa", "bbbb", "cccc", "a longer one than a batch", "d"] {
        case.offer(record);
    }
    case.tick(1);
    assert_eq!(
        case.sent(),
        ["aaaa\nbbbb\n", "cccc\n", "a longer one than a batch\n"]
    );
}

#[test]
fn a_collector_that_fails_is_left_alone_longer_each_time_and_nothing_is_lost_that_fits() {
    let case = Case::new(|settings| settings.queue_bytes = 20);
    case.offer("0123456789");
    case.tick(1_000);
    case.answer(1, "503");
    case.tick(400);
    assert_eq!(case.sent().len(), 1);
    case.tick(100);
    assert_eq!(case.sent().len(), 2);
    case.answer(2, "");
    case.tick(900);
    assert_eq!(case.sent().len(), 2);
    case.offer("another 01");
    case.offer("too much");
    assert_eq!(case.numbers(), [0, 1, 2]);
    case.tick(100);
    case.answer(3, "200");
    case.tick(1_000);
    case.answer(4, "200");
    assert_eq!(case.sent()[2..], ["0123456789\nanother 01\n"]);
    assert_eq!(case.numbers(), [2, 1, 2]);
    // Two failures and a loss within a minute are one line, without the header's value.
    let log = case.host.log_text();
    assert_eq!(log.lines().count(), 1);
    assert!(
        log.contains("it answers 503") && !log.contains("sesame"),
        "{log}"
    );
    // The room is there again.
    case.offer("0123456789");
    case.offer("0123456789");
    assert_eq!(case.numbers()[1], 1);
}

#[test]
fn tries_end() {
    let case = Case::new(|_| {});
    case.host.fail("call");
    case.offer("x");
    for _ in 0..TRIES {
        case.tick(31_000);
    }
    assert!(!case.tick(0));
    assert_eq!(case.numbers(), [0, 1, i64::from(TRIES)]);
}

#[test]
fn what_the_collector_refuses_is_not_tried_again() {
    let case = Case::new(|_| {});
    case.offer("x");
    case.tick(1_000);
    case.answer(1, "400");
    assert!(!case.tick(60_000));
    assert_eq!(case.numbers(), [0, 1, 1]);
}

#[test]
fn an_answer_that_never_comes_is_given_up() {
    let case = Case::new(|_| {});
    case.offer("x");
    case.tick(1_000);
    case.tick(10_001);
    case.tick(500);
    assert_eq!(case.sent(), ["x\n", "x\n"]);
    // A late one is of no call that is known.
    case.answer(1, "200");
    case.answer(2, "200");
    assert_eq!(case.numbers(), [1, 0, 1]);
}

#[test]
fn at_the_end_everything_is_given_back() {
    let case = Case::new(|settings| settings.batch_bytes = 4);
    for record in ["one", "two", "three"] {
        case.offer(record);
    }
    case.tick(0);
    let left: Vec<&[u8]> = vec![b"one", b"two", b"three"];
    assert_eq!(case.collector.close(), left);
    let late = case.collector.offer(
        &case.host,
        &case.metrics,
        case.destination.clone(),
        b"late".to_vec(),
    );
    assert_eq!(late, Some(b"late".to_vec()));
}
