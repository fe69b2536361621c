//! Shows of a failure behind a proxy that it is the proxy's doing.
//!
//! The same request goes to the same proxy without the filter, whose backend tells what arrived.
//! Two things must hold. The proxy does what the list of expected failures says: it answers itself,
//! hands the request over changed in that place, or hands over what it should refuse. And the filter did all that there was to do:
//! the engine alone finds in the request as it was handed over the very rules that the filter found,
//! or none where nothing was handed over.

use std::collections::{BTreeMap, BTreeSet};

use super::super::driver::{Driver, Sent};
use super::super::message::{Headers, Request};
use super::expected::{ExpectedFailures, ProxyDeed};
use super::format::{Stage, Test, TestFile};
use super::judge::judge;
use super::reflector::Reflector;
use super::report::{Report, StageReport, TestReport, Verdict};
use super::runner::send;

/// What a proxy does with a request when no filter is there.
pub(crate) trait ProxyAlone {
    /// Sends a request through it.
    ///
    /// # Errors
    ///
    /// A text for people: the proxy cannot be reached.
    fn hand_over(&mut self, sent: &Sent) -> Result<HandedOver, String>;
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HandedOver {
    /// The proxy answered itself, with this status if it said anything.
    Refused(Option<u16>),
    /// This is what arrived.
    Passed(Request),
}

/// All that a proof takes.
pub(crate) struct Proof<'a> {
    pub(crate) files: &'a [TestFile],
    pub(crate) expected: &'a ExpectedFailures,
    pub(crate) proxy: &'a mut dyn ProxyAlone,
    /// The engine without a proxy.
    pub(crate) engine: &'a mut dyn Driver,
}

impl Proof<'_> {
    /// Looks at every expected failure of a report and notes there which are not the proxy's doing.
    ///
    /// # Errors
    ///
    /// A text for people: the proxy cannot be reached, or a test is broken.
    pub(crate) fn examine(&mut self, report: &mut Report) -> Result<(), String> {
        let mut tests = BTreeMap::new();
        for file in self.files {
            for test in &file.tests {
                tests.insert(format!("{}-{}", file.rule_id, test.test_id), test);
            }
        }
        for told in &report.tests {
            if told.verdict != Verdict::ExpectedFailure {
                continue;
            }
            let doubt = match (tests.get(&told.test), self.expected.deed(&told.test)) {
                (Some(test), Some(deed)) => self
                    .doubt(test, told, deed)
                    .map_err(|error| format!("{}: {error}", told.test))?,
                _ => Some("the list does not say what the proxy does to it".to_owned()),
            };
            if let Some(doubt) = doubt {
                report.unproved.push(format!("{}: {doubt}", told.test));
            }
        }
        Ok(())
    }

    /// Why a failure is not the proxy's doing; `None` if it is.
    fn doubt(
        &mut self,
        test: &Test,
        told: &TestReport,
        deed: &ProxyDeed,
    ) -> Result<Option<String>, String> {
        let mut seen = false;
        let mut instead = Vec::new();
        let mut reports = told.stages.iter();
        for stage in &test.stages {
            if stage.input.follow_redirect || stage.input.save_cookie {
                return Ok(Some("its stages depend on each other".to_owned()));
            }
            for target in stage.input.targets() {
                let Some(report) = reports.next() else {
                    return Ok(Some("not all of its stages were run".to_owned()));
                };
                let sent = send(&stage.input, &target, &[])?;
                let became = self.proxy.hand_over(&sent)?;
                seen |= deed.shows(&sent.request, &became);
                instead.push(describe(&sent.request, &became));
                match self.filter_differs(stage, became, report)? {
                    Ok(only_a_refusal_is_missing) => {
                        seen |= only_a_refusal_is_missing && *deed == ProxyDeed::Accepts;
                    }
                    Err(doubt) => return Ok(Some(doubt)),
                }
            }
        }
        Ok((!seen).then(|| format!("the proxy alone {}", instead.join(", then "))))
    }

    /// Whether the filter found what the engine finds: where it did not, in the inner error.
    /// Otherwise, whether all that is missing is an answer that only a server gives.
    fn filter_differs(
        &mut self,
        stage: &Stage,
        became: HandedOver,
        report: &StageReport,
    ) -> Result<Result<bool, String>, String> {
        let ids = &report.ids;
        let request = match became {
            HandedOver::Refused(status) if status == report.status && ids.is_empty() => {
                return Ok(Ok(false));
            }
            HandedOver::Refused(status) => {
                return Ok(Err(format!(
                    "the proxy alone answers {status:?}, with the filter it was {:?} and {ids:?}",
                    report.status
                )));
            }
            HandedOver::Passed(request) => request,
        };
        let reflector = Reflector {
            fixed: stage.input.response.as_ref(),
        };
        let exchanged = self
            .engine
            .exchange(&Sent::new(Vec::new(), request), &reflector)?;
        let judgement = judge(&stage.output, &exchanged)?;
        if judgement.ids != *ids {
            return Ok(Err(format!(
                "the rules find {:?} in what the proxy hands over, the filter {ids:?}",
                judgement.ids
            )));
        }
        Ok(Ok(judgement.server_only && judgement.failures.is_empty()))
    }
}

impl ProxyDeed {
    /// Whether a proxy was seen doing this.
    fn shows(&self, sent: &Request, became: &HandedOver) -> bool {
        let arrived = match became {
            HandedOver::Refused(_) => return *self == Self::Refuses,
            HandedOver::Passed(request) => request,
        };
        match self {
            Self::Refuses | Self::Accepts => false,
            Self::Removes(name) => has(sent, name) && !has(arrived, name),
            Self::Adds(name) => !has(sent, name) && has(arrived, name),
            Self::Changes(name) => {
                has(sent, name) && has(arrived, name) && part(sent, name) != part(arrived, name)
            }
        }
    }
}

/// What a proxy did to a request, for people.
fn describe(sent: &Request, became: &HandedOver) -> String {
    let arrived = match became {
        HandedOver::Refused(Some(status)) => return format!("refuses with {status}"),
        HandedOver::Refused(None) => return "gives no answer".to_owned(),
        HandedOver::Passed(request) => request,
    };
    let headers = sent.headers.iter().chain(&arrived.headers);
    let names = headers.map(|(name, _)| String::from_utf8_lossy(name).to_ascii_lowercase());
    let lines = [":method", ":path", ":protocol", ":body"].map(str::to_owned);
    let changes = lines
        .into_iter()
        .chain(names.collect::<BTreeSet<_>>())
        .filter_map(|name| {
            let deed = match (has(sent, &name), has(arrived, &name)) {
                (true, false) => "removes",
                (false, true) => "adds",
                _ if part(sent, &name) != part(arrived, &name) => "changes",
                _ => return None,
            };
            Some(format!("{deed} {name}"))
        });
    let changes: Vec<_> = changes.collect();
    format!("hands it over and {changes:?}")
}

fn has(request: &Request, name: &str) -> bool {
    !part(request, name).is_empty()
}

/// The values of a header, or another part of a request.
fn part<'a>(request: &'a Request, name: &str) -> Vec<&'a [u8]> {
    match name {
        ":path" => vec![request.target.as_slice()],
        ":method" => vec![request.method.as_slice()],
        ":protocol" => vec![request.protocol.as_slice()],
        ":body" if request.body.is_empty() => Vec::new(),
        ":body" => vec![request.body.as_slice()],
        name => values(&request.headers, name.as_bytes()),
    }
}

fn values<'a>(headers: &'a Headers, name: &[u8]) -> Vec<&'a [u8]> {
    let named = headers
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_slice()).collect()
}

#[cfg(test)]
mod tests {
    use super::{HandedOver, Proof, ProxyAlone, ProxyDeed};
    use crate::cli::driver::{Backend, Driver, Exchanged, Sent};
    use crate::cli::ftw::expected::ExpectedFailures;
    use crate::cli::ftw::format::TestFile;
    use crate::cli::ftw::report::{Report, StageReport, TestReport, Verdict};
    use crate::cli::message::{Request, header};

    /// Refuses `/bad`, and takes `connection` off everything else.
    struct Toy;

    impl ProxyAlone for Toy {
        fn hand_over(&mut self, sent: &Sent) -> Result<HandedOver, String> {
            let mut request = sent.request.clone();
            if request.target == b"/bad" {
                return Ok(HandedOver::Refused(Some(400)));
            }
            request.headers.retain(|(name, _)| name != b"Connection");
            Ok(HandedOver::Passed(request))
        }
    }

    /// Finds 7 where there is a header `a`.
    impl Driver for Toy {
        fn exchange(&mut self, sent: &Sent, _: &dyn Backend) -> Result<Exchanged, String> {
            let found = header(&sent.request.headers, b"a").map(|_| b"[id \"7\"]".to_vec());
            Ok(Exchanged {
                log: found.into_iter().collect(),
                ..Default::default()
            })
        }
    }

    fn unproved(input: &str, entry: &str, ids: &[u64], status: u16) -> Vec<String> {
        let output = "{status: 400, log: {no_expect_ids: [9]}}";
        let yaml = format!(
            "rule_id: 1\ntests: [{{test_id: 1, stages: [{{input: {input}, output: {output}}}]}}]"
        );
        let file: TestFile = serde_saphyr::from_str(&yaml).unwrap();
        let list = std::env::temp_dir().join(format!(
            "parapet-{}-{:?}.yaml",
            std::process::id(),
            std::thread::current().id()
        ));
        let text = format!("expected_failures: [{{tests: [1-1], reason: r{entry}}}]");
        std::fs::write(&list, text).unwrap();
        let expected = ExpectedFailures::load(&list).unwrap();
        std::fs::remove_file(&list).unwrap();
        let mut report = Report {
            engine: "server".to_owned(),
            tests: vec![TestReport {
                test: "1-1".to_owned(),
                file: "f".to_owned(),
                verdict: Verdict::ExpectedFailure,
                failures: Vec::new(),
                reason: None,
                stages: vec![StageReport {
                    ids: ids.iter().copied().collect(),
                    status: Some(status),
                    server_only: false,
                }],
            }],
            stale: Vec::new(),
            unproved: Vec::new(),
        };
        let mut proof = Proof {
            files: &[file],
            expected: &expected,
            proxy: &mut Toy,
            engine: &mut Toy,
        };
        proof.examine(&mut report).unwrap();
        report.unproved
    }

    #[test]
    fn a_refusal_is_shown_by_the_same_refusal() {
        let refuses = ", proxy: refuses";
        assert!(unproved("{uri: /bad}", refuses, &[], 400).is_empty());
        assert_eq!(unproved("{uri: /bad}", refuses, &[7], 400).len(), 1);
        assert_eq!(unproved("{uri: /bad}", refuses, &[], 403).len(), 1);
        assert_eq!(unproved("{uri: /good}", refuses, &[], 200).len(), 1);
        assert_eq!(unproved("{uri: /bad}", "", &[], 400).len(), 1);
    }

    #[test]
    fn a_change_is_shown_where_the_filter_found_all_that_was_left() {
        let removes = ", proxy: {removes: connection}";
        let input = "{headers: {a: b}}";
        assert!(unproved(input, removes, &[7], 200).is_empty());
        assert!(unproved(input, removes, &[], 200)[0].contains("{7}"));
        assert_eq!(
            unproved("{stop_magic: true}", removes, &[], 200),
            ["1-1: the proxy alone hands it over and []"]
        );
    }

    #[test]
    fn what_is_accepted_lacks_a_refusal_and_nothing_else() {
        let accepts = ", proxy: accepts";
        assert!(unproved("{uri: /good}", accepts, &[], 200).is_empty());
        assert_eq!(unproved("{uri: /bad}", accepts, &[], 400).len(), 1);
        assert_eq!(unproved("{uri: /good}", accepts, &[7], 200).len(), 1);
    }

    #[test]
    fn deeds_are_seen_in_the_difference() {
        let request = |text: &str| Request::parse(text.as_bytes());
        let sent = request("GET /a HTTP/1.1\r\nA: 1\r\nB: 1\r\n\r\n");
        let arrived = request("GET /a HTTP/1.1\r\na: 2\r\nC: 1\r\n\r\n");
        let shows = |deed: ProxyDeed| deed.shows(&sent, &HandedOver::Passed(arrived.clone()));
        assert!(shows(ProxyDeed::Changes("a".into())));
        assert!(shows(ProxyDeed::Removes("b".into())));
        assert!(shows(ProxyDeed::Adds("c".into())));
        for deed in [
            ProxyDeed::Refuses,
            ProxyDeed::Accepts,
            ProxyDeed::Changes("b".into()),
            ProxyDeed::Changes(":path".into()),
            ProxyDeed::Removes("a".into()),
            ProxyDeed::Adds("a".into()),
        ] {
            assert!(!shows(deed.clone()), "{deed:?}");
        }
    }
}
