//! An engine whose rules are words: phase N denies what holds `evilN`, or another word.

use std::cell::RefCell;
use std::rc::Rc;

use crate::engine::{
    BodyEdits, BodyPlan, Connection, Disposition, Interruption, LimitsReached, ReplacedBody,
    RequestHead, ResponseHead, RuleMatch, Step,
};
use crate::proxy::host::Direction;
use crate::proxy::inspect::{Inspect, Rules};

/// A rule set.
#[derive(Clone, Debug)]
pub struct FakeRules {
    pub name: &'static str,
    /// What it denies, with the number of the phase behind it.
    pub word: &'static str,
    /// TX variables.
    pub variables: &'static [(&'static str, &'static str)],
    /// Whether bodies are wanted.
    pub request_body: bool,
    pub response_body: bool,
    /// After so many bytes the phase is decided on the prefix.
    pub partial: Option<usize>,
    /// More than so many bytes are denied with 413 by no rule.
    pub reject: Option<usize>,
    /// Whether bodies that are larger than the host keeps are streamed.
    pub streams_large: bool,
    pub disposition: Disposition,
    /// DetectionOnly: matches are told of, nothing is interrupted.
    pub detects: bool,
    /// Milliseconds that a denial waits.
    pub pause: u32,
    /// What the body is replaced by where it says `secret`, as far as it was taken.
    pub replacement: Option<&'static str>,
    /// What goes around responses.
    pub edits: BodyEdits,
    /// SecDisableBackendCompression.
    pub plain: bool,
    /// SecServerSignature.
    pub signature: Option<&'static str>,
    /// Whether rules look at our end of the connection.
    pub reads_server: bool,
    /// What the transactions saw, in order.
    pub seen: Rc<RefCell<Vec<String>>>,
}

impl Default for FakeRules {
    fn default() -> Self {
        Self {
            name: "rules",
            word: "evil",
            variables: &[],
            request_body: true,
            response_body: true,
            partial: None,
            reject: None,
            streams_large: false,
            disposition: Disposition::Deny,
            detects: false,
            pause: 0,
            replacement: None,
            edits: BodyEdits::default(),
            plain: false,
            signature: None,
            reads_server: false,
            seen: Rc::default(),
        }
    }
}

impl Rules for FakeRules {
    type Transaction = FakeTransaction;

    fn begin(&self, connection: &Rc<Connection>) -> FakeTransaction {
        let client = connection.client.map(|client| client.address.to_string());
        self.seen
            .borrow_mut()
            .push(format!("{} {}", self.name, client.unwrap_or_default()));
        FakeTransaction {
            rules: self.clone(),
            head: Vec::new(),
            request: Vec::new(),
            response: Vec::new(),
            phases: 0,
            interruption: None,
            matches: Vec::new(),
            replaced: [None, None],
        }
    }

    fn reads_server(&self) -> bool {
        self.reads_server
    }
}

/// A transaction.
#[derive(Debug)]
pub struct FakeTransaction {
    rules: FakeRules,
    head: Vec<u8>,
    request: Vec<u8>,
    response: Vec<u8>,
    phases: u8,
    interruption: Option<Interruption>,
    matches: Vec<RuleMatch>,
    replaced: [Option<ReplacedBody>; 2],
}

impl FakeTransaction {
    fn phase(&mut self, phase: u8, seen: &[u8], wants: bool) -> Step {
        if self.interruption.is_none() && phase > self.phases {
            self.phases = phase;
            if let (2 | 4, Some(replacement)) = (phase, self.rules.replacement) {
                let body = if phase == 2 {
                    &self.request
                } else {
                    &self.response
                };
                let text = String::from_utf8_lossy(body).into_owned();
                let replaced = text.contains("secret").then(|| ReplacedBody {
                    bytes: text.replace("secret", replacement).into_bytes(),
                    replaces: body.len(),
                });
                self.replaced[usize::from(phase == 4)] = replaced;
            }
            let text = String::from_utf8_lossy(seen).into_owned();
            let word = format!("{}{phase}", self.rules.word);
            if text.contains(&word) {
                let interruption = Interruption {
                    rule_id: 1000 + u64::from(phase),
                    phase,
                    disposition: self.rules.disposition,
                    status: 403,
                    location: None,
                };
                self.matches.push(RuleMatch {
                    rule_id: interruption.rule_id,
                    phase,
                    file: "rules".into(),
                    line: 1,
                    severity: Some(2),
                    log: true,
                    audit: true,
                    interruption: (!self.rules.detects).then(|| interruption.clone()),
                    ..RuleMatch::default()
                });
                if !self.rules.detects {
                    self.interruption = Some(interruption);
                }
            }
            self.rules
                .seen
                .borrow_mut()
                .push(format!("phase {phase}: {text}"));
        }
        let body = if wants {
            BodyPlan::Inspect
        } else {
            BodyPlan::Skip
        };
        Step {
            interruption: self.interruption.clone(),
            body,
        }
    }

    fn body(&mut self, phase: u8, length: usize) -> Option<Step> {
        if self.rules.reject.is_some_and(|limit| length > limit) {
            self.interruption.get_or_insert(Interruption {
                rule_id: 0,
                phase,
                disposition: Disposition::Deny,
                status: 413,
                location: None,
            });
        }
        self.rules.partial.filter(|&limit| length >= limit)?;
        let body = self.evidence(phase);
        Some(self.phase(phase, &body, false))
    }

    fn evidence(&self, phase: u8) -> Vec<u8> {
        match phase {
            2 => [&self.head[..], b"|", &self.request].concat(),
            _ => self.response.clone(),
        }
    }

    fn step(&self) -> Step {
        Step {
            interruption: self.interruption.clone(),
            body: BodyPlan::Inspect,
        }
    }
}

impl Inspect for FakeTransaction {
    fn request_head(&mut self, head: &RequestHead<'_>) -> Step {
        self.head = head.target.to_vec();
        for (name, value) in head.headers {
            self.head
                .extend_from_slice(&[b" ", *name, b"=", value].concat());
        }
        let head = [head.method, b" ", head.protocol, b" ", &self.head].concat();
        self.phase(1, &head, self.rules.request_body)
    }

    fn request_body(&mut self, bytes: &[u8]) -> Step {
        assert!(!bytes.is_empty(), "an empty piece");
        self.request.extend_from_slice(bytes);
        self.body(2, self.request.len())
            .unwrap_or_else(|| self.step())
    }

    fn end_request_body(&mut self) -> Step {
        let evidence = self.evidence(2);
        self.phase(2, &evidence, false)
    }

    fn response_head(&mut self, head: &ResponseHead<'_>) -> Step {
        let mut text = head.status.to_string().into_bytes();
        for (name, value) in head.headers {
            text.extend_from_slice(&[b" ", *name, b"=", value].concat());
        }
        self.phase(3, &text, self.rules.response_body)
    }

    fn response_body(&mut self, bytes: &[u8]) -> Step {
        assert!(!bytes.is_empty(), "an empty piece");
        self.response.extend_from_slice(bytes);
        self.body(4, self.response.len())
            .unwrap_or_else(|| self.step())
    }

    fn end_response_body(&mut self) -> Step {
        let evidence = self.evidence(4);
        self.phase(4, &evidence, false)
    }

    fn streams_large_body(&self, _: Direction) -> bool {
        self.rules.streams_large
    }

    fn body_limit(&self, _: Direction) -> usize {
        let limits = self.rules.partial.into_iter().chain(self.rules.reject);
        limits.min().unwrap_or(usize::MAX)
    }

    fn held_bytes(&self) -> usize {
        self.head.len() + self.request.len() + self.response.len()
    }

    fn pause(&self) -> u32 {
        self.rules.pause
    }

    fn has_news(&self) -> bool {
        !self.matches.is_empty()
    }

    fn take_limits_reached(&mut self) -> LimitsReached {
        LimitsReached::default()
    }

    fn finish(&mut self) {
        let head = std::mem::take(&mut self.head);
        self.phases = self.phases.max(4);
        self.interruption = None;
        let _: Step = self.phase(5, &head, false);
    }

    fn replaced_body(&self, direction: Direction) -> Option<&ReplacedBody> {
        self.replaced[usize::from(direction == Direction::Response)].as_ref()
    }

    fn response_edits(&self) -> &BodyEdits {
        &self.rules.edits
    }

    fn wants_plain_response(&self) -> bool {
        self.rules.plain
    }

    fn server_signature(&self) -> Option<&[u8]> {
        self.rules.signature.map(str::as_bytes)
    }

    fn tx_variable(&self, name: &[u8]) -> Option<&[u8]> {
        let mut variables = self.rules.variables.iter();
        let (_, value) = variables.find(|(known, _)| known.as_bytes() == name)?;
        Some(value.as_bytes())
    }

    fn drain_matches(&mut self) -> Vec<RuleMatch> {
        std::mem::take(&mut self.matches)
    }

    fn log_lines(&self, matches: &[RuleMatch]) -> Vec<Vec<u8>> {
        let line = |matched: &RuleMatch| format!("[id \"{}\"]", matched.rule_id).into_bytes();
        matches.iter().map(line).collect()
    }
}
