//! Takes a case through compiler and engine, and keeps what can be seen from outside.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use parapet::action::Name;
use parapet::audit::audit_record;
use parapet::compile::{Compiled, Loader, compile};
use parapet::engine::{
    Clock, Connection, Disposition, Endpoint, Evaluation, Interruption, Record, RequestHead,
    ResponseHead, RuleMatch, Step, Transaction, UnixNanos, Waf,
};
use parapet::program::Program;

use super::case::{Case, End};

/// The id of the rule that is added to a case's rules to look at the variables at the end.
pub const PROBE: u64 = 4_000_000_001;

/// What the probe looks at.
const PROBED: &str = "TX|IP|GLOBAL|RESOURCE|SESSION|USER|ENV|ARGS|ARGS_GET|ARGS_POST|REQBODY_ERROR|\
    REQBODY_ERROR_MSG|REQBODY_PROCESSOR|INBOUND_DATA_ERROR|OUTBOUND_DATA_ERROR|MULTIPART_DATA_BEFORE|\
    MULTIPART_DATA_AFTER|MULTIPART_LF_LINE|MULTIPART_CRLF_LF_LINES|MULTIPART_BOUNDARY_QUOTED|\
    MULTIPART_BOUNDARY_WHITESPACE|MULTIPART_MISSING_SEMICOLON|MULTIPART_HEADER_FOLDING|\
    MULTIPART_INVALID_HEADER_FOLDING|MULTIPART_INVALID_QUOTING|MULTIPART_INVALID_PART|\
    MULTIPART_FILE_LIMIT_EXCEEDED|REQUEST_BODY|RESPONSE_BODY|RESPONSE_CONTENT_TYPE|\
    SERVER_NAME|&ARGS|&XML";

/// What the cases take for granted. Without directives v3 runs rules, but decides nothing, and reads
/// request bodies; v2 and this project do neither.
const DEFAULTS: &str = "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\n";

/// What came of a case.
#[derive(Clone)]
pub struct Seen {
    pub program: Arc<Program>,
    /// What was evaluated, without the probe.
    pub evaluations: Vec<Evaluation>,
    /// Names and values of the variables in phase 5; nothing if it did not run.
    pub variables: Option<Vec<(String, Vec<u8>)>>,
    pub matches: Vec<RuleMatch>,
    /// The audit record, if there is one.
    pub audit: Option<String>,
    /// The rules themselves.
    pub rules: String,
    pub interruption: Option<Interruption>,
    pub record: Record,
}

/// Compiles the rules of a case, with the probe or without. Gives the names of data files that are
/// not there, too.
pub fn load(case: &Case, file: &str, data: &Path, probe: bool) -> (Compiled, Vec<String>) {
    let probed = format!(
        "SecRule {PROBED} \"@unconditionalMatch\" \
         \"id:{PROBE},phase:5,pass,nolog,noauditlog,t:none\"\n"
    );
    load_with(case, file, data, if probe { &probed } else { "" })
}

/// Compiles the rules of a case and some more.
pub fn load_with(case: &Case, file: &str, data: &Path, more: &str) -> (Compiled, Vec<String>) {
    let source = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    let sources = [
        source("defaults.conf", DEFAULTS),
        source(file, &case.rules.0),
        source("more.conf", more),
    ];
    let data = Data {
        folder: data.to_owned(),
        missing: RefCell::default(),
    };
    (compile(&sources, &data), data.missing.into_inner())
}

/// Takes the request and the response through all phases: once with the rules as they are, and once
/// with the probe. The probe reads variables, and what nobody reads need not be filled.
pub fn drive(case: &Case, program: &Arc<Program>, probed: &Arc<Program>) -> Seen {
    let mut seen = run(case, program);
    seen.variables = run(case, probed).variables;
    seen
}

fn run(case: &Case, program: &Arc<Program>) -> Seen {
    let waf = Waf::new(Arc::clone(program), Rc::new(Now));
    let connection = Connection {
        client: case.client.as_ref().and_then(endpoint),
        server: case.server.as_ref().and_then(endpoint),
        unique_id: "1447123456789.012345".into(),
        request_id: Vec::new(),
    };
    let mut transaction = Transaction::new(&waf, connection);
    transaction.trace();
    let stopped = |step: Step| step.interruption.is_some();
    let request = &case.request;
    let protocol = format!(
        "HTTP/{}",
        request.http_version.as_deref().unwrap_or_default()
    );
    let headers = request.headers.pairs();
    let head = RequestHead {
        method: request.method.as_deref().unwrap_or("GET").as_bytes(),
        target: request.uri.as_deref().unwrap_or("/").as_bytes(),
        protocol: protocol.as_bytes(),
        headers: &headers,
    };
    let body = request.body.0.as_bytes();
    let headers = case.response.headers.pairs();
    let answered = case.response.protocol.as_deref().unwrap_or(&protocol);
    let response = ResponseHead {
        status: 200,
        protocol: answered.as_bytes(),
        headers: &headers,
    };
    let _ = stopped(transaction.request_head(&head))
        || (!body.is_empty() && stopped(transaction.request_body(body)))
        || stopped(transaction.end_request_body())
        || stopped(transaction.response_head(&response))
        || stopped(transaction.response_body(case.response.body.0.as_bytes()))
        || stopped(transaction.end_response_body());
    transaction.finish();
    let record = transaction.record();
    let (probes, evaluations): (Vec<_>, Vec<_>) = transaction
        .evaluations()
        .iter()
        .cloned()
        .partition(|evaluation| evaluation.rule_id == PROBE);
    let variables = probes.first().map(|probe| {
        let name = |target: &[u8]| String::from_utf8_lossy(target).into_owned();
        probe
            .asked
            .iter()
            .map(|asked| (name(&asked.target), asked.value.clone()))
            .collect()
    });
    Seen {
        program: Arc::clone(program),
        evaluations,
        variables,
        rules: case.rules.0.clone(),
        matches: transaction.drain_matches(),
        audit: audit_record(&transaction, &mut |_| false)
            .map(|record| String::from_utf8_lossy(&record).into_owned()),
        interruption: transaction.interruption().cloned(),
        record,
    }
}

impl Seen {
    /// The status a client would see: the backend's is 200.
    pub fn status(&self) -> u16 {
        self.interruption.as_ref().map_or(200, |one| one.status)
    }

    /// The values of a variable at the end.
    pub fn values(&self, name: &str) -> Vec<&[u8]> {
        self.variables
            .iter()
            .flatten()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
            .collect()
    }

    /// The transformations that the rule of a line names, such as `t:trim`.
    pub fn transformations(&self, line: u32) -> Vec<&str> {
        self.words(line, "t:")
    }

    /// The targets of the rule of a line that are paths, such as `XML:/a/b`.
    pub fn xml_paths(&self, line: u32) -> Vec<&str> {
        self.words(line, "XML:")
    }

    fn words(&self, line: u32, beginning: &str) -> Vec<&str> {
        let rule = self.line(line);
        rule.split([',', '"', ' ', '|'])
            .map(str::trim)
            .filter(|word| word.starts_with(beginning))
            .collect()
    }

    /// The actions that the rule of a line names, without their values.
    pub fn actions(&self, line: u32) -> Vec<&str> {
        let rule = self.line(line);
        let names = rule.split([',', '"', ' ']).map(|word| {
            let name = word.split(':').next().unwrap_or_default();
            name.trim()
        });
        names
            .filter(|name| Name::by_name(name.as_bytes()).is_some())
            .collect()
    }

    /// The line of the case's rules with this number.
    pub fn line(&self, line: u32) -> &str {
        let line = usize::try_from(line).unwrap().saturating_sub(1);
        self.rules.lines().nth(line).unwrap_or_default()
    }

    /// Whether a variable is 1 at the end.
    pub fn flag(&self, name: &str) -> bool {
        self.values(name) == [b"1"]
    }

    /// Whether a rule decided to end the transaction.
    pub fn is(&self, disposition: Disposition) -> bool {
        self.interruption
            .as_ref()
            .is_some_and(|one| one.disposition == disposition && one.rule_id != 0)
    }
}

fn endpoint(end: &End) -> Option<Endpoint> {
    Some(Endpoint {
        address: end.ip.parse().ok()?,
        port: end.port.parse().unwrap_or(0),
    })
}

/// The machine's clock.
struct Now;

impl Clock for Now {
    fn now(&self) -> UnixNanos {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::try_from(elapsed.as_nanos()).unwrap()
    }
}

/// The cases' data files. The cases name them as they stand in ModSecurity's own tree.
struct Data {
    folder: PathBuf,
    missing: RefCell<Vec<String>>,
}

/// The folder of the data files, as the cases call it.
const FOLDER: &str = "test-cases/data/";

impl Loader for Data {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let (_, name) = path
            .rsplit_once(FOLDER)
            .ok_or(format!("no data file `{path}`"))?;
        fs::read(self.folder.join(name)).map_err(|error| {
            self.missing.borrow_mut().push(name.to_owned());
            error.to_string()
        })
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        let Some((_, name)) = pattern.rsplit_once(FOLDER) else {
            return Ok(Vec::new());
        };
        let files = super::super::json::files(&self.folder);
        Ok(files
            .into_iter()
            .filter(|(file, _)| parapet::bytes::glob_matches(name.as_bytes(), file.as_bytes()))
            .map(|(file, _)| format!("{FOLDER}{file}"))
            .collect())
    }
}
