//! What the directives set, with ModSecurity's defaults.

use std::sync::Arc;

use super::SensitiveNames;
use crate::action::XmlArgs;
use crate::body::Charsets;
use crate::limits::Limits;
use crate::matching::Pattern;
use crate::operator::Geography;
use crate::transform::UnicodeMap;

/// SecRuleEngine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EngineMode {
    /// Rules run and decide.
    On,
    /// Rules run and decide nothing.
    DetectionOnly,
    /// No rule runs.
    #[default]
    Off,
}

/// What happens beyond a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BodyLimitAction {
    /// The transaction is refused.
    #[default]
    Reject,
    /// What is within the limit is inspected, the rest passes.
    ProcessPartial,
}

/// What becomes of a body that is larger than the host keeps while it is inspected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LargeBody {
    /// It is refused.
    #[default]
    Reject,
    /// Its pieces go on as they are inspected; what is found at the end cuts the stream.
    Stream,
}

/// SecCookieFormat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CookieFormat {
    /// 0: Netscape.
    #[default]
    Netscape,
    /// 1: RFC 2109.
    Rfc2109,
}

/// SecAuditEngine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AuditEngine {
    /// Every transaction.
    On,
    /// None.
    #[default]
    Off,
    /// Those that a rule or the status marks.
    RelevantOnly,
}

/// SecAuditLogFormat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AuditFormat {
    /// Parts between boundary lines.
    #[default]
    Native,
    /// One JSON object, a superset of v3's.
    Json,
    /// One JSON object in the shape of v2's.
    JsonLegacy,
    /// One JSON object in the shape of Coraza's.
    Coraza,
    /// Open Cybersecurity Schema Framework.
    Ocsf,
}

/// SecAuditLogType.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuditLogType {
    /// The proxy's log: all types that write files, too.
    Log,
    /// An HTTP collector.
    Https,
}

/// An HTTP collector of audit records, as SecAuditLog names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CollectorUrl {
    /// Host, and port if there is one.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

/// What the text of a secret key of `parapet keygen` begins with.
pub const SECRET_KEY: &str = "parapet-secret-key:";

/// The SecAudit… directives.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// SecAuditEngine.
    pub engine: AuditEngine,
    /// SecAuditLogParts.
    pub parts: Box<[u8]>,
    /// SecAuditLogFormat.
    pub format: AuditFormat,
    /// SecAuditLogType.
    pub to: AuditLogType,
    /// SecAuditLog, where it names a collector.
    pub collector: Option<Arc<CollectorUrl>>,
    /// SecAuditLogRelevantStatus.
    pub relevant_status: Option<Pattern>,
    /// SecParapetAuditBodyLimit: most bytes of a body in a record.
    pub body_limit: usize,
    /// SecParapetLogCutLengths.
    pub cut: CutLengths,
    /// SecParapetSealKey: the X25519 public key that what matched is sealed to.
    pub seal_key: Option<[u8; 32]>,
}

/// Most bytes of what an error log line shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CutLengths {
    /// Of a message, a tag, the logged data, an address.
    pub value: usize,
    /// Of the match text and of the address of the request.
    pub text: usize,
}

/// The state of the engine before the first rule.
#[derive(Clone, Debug)]
pub struct Settings {
    /// SecRuleEngine.
    pub engine: EngineMode,
    /// SecRequestBodyAccess.
    pub request_body_access: bool,
    /// SecRequestBodyLimit, bytes.
    pub request_body_limit: usize,
    /// SecRequestBodyNoFilesLimit, bytes.
    pub request_body_no_files_limit: usize,
    /// SecRequestBodyLimitAction.
    pub request_body_limit_action: BodyLimitAction,
    /// SecResponseBodyAccess.
    pub response_body_access: bool,
    /// SecResponseBodyLimit, bytes.
    pub response_body_limit: usize,
    /// SecResponseBodyLimitAction.
    pub response_body_limit_action: BodyLimitAction,
    /// SecResponseBodyMimeType, lower case; `null` stands for responses without a type.
    pub response_body_mime_types: Vec<Box<[u8]>>,
    /// SecArgumentsLimit, SecRequestBodyJsonDepthLimit, SecUploadFileLimit,
    /// SecParapetInflateLayersLimit, SecParapetInflateRatioLimit.
    pub limits: Limits,
    /// SecParapetWorkLimit, steps (see [`crate::work`]); 0 for no limit.
    pub work_limit: u64,
    /// SecParapetWorkLimitAction.
    pub work_limit_action: BodyLimitAction,
    /// SecArgumentSeparator.
    pub argument_separator: u8,
    /// SecCookieFormat.
    pub cookie_format: CookieFormat,
    /// SecCookieV0Separator, where it is set.
    pub cookie_v0_separator: Option<u8>,
    /// SecParseXmlIntoArgs.
    pub xml_into_args: XmlArgs,
    /// SecParapetDecodeCharsets.
    pub decode_charsets: Charsets,
    /// SecParapetInflateRequestBody.
    pub inflate_request_body: bool,
    /// SecParapetInflateResponseBody.
    pub inflate_response_body: bool,
    /// SecParapetLargeRequestBody.
    pub large_request_body: LargeBody,
    /// SecParapetLargeResponseBody.
    pub large_response_body: LargeBody,
    /// SecUnicodeMapFile.
    pub unicode_map: Option<UnicodeMap>,
    /// SecGeoLookupDb.
    pub geography: Option<Arc<Geography>>,
    /// SecPcreMatchLimit, steps; above
    /// [`Scratch::MAX_STEPS`](crate::matching::Scratch::MAX_STEPS) it means that many.
    pub pcre_match_limit: usize,
    /// SecInterceptOnError.
    pub intercept_on_error: bool,
    /// SecWebAppId.
    pub web_app_id: Box<[u8]>,
    /// SecSensorId.
    pub sensor_id: Box<[u8]>,
    /// SecServerSignature: what the host writes into the `server` header of responses.
    pub server_signature: Option<Box<[u8]>>,
    /// SecDisableBackendCompression: the host asks the backend for plain responses.
    pub disable_backend_compression: bool,
    /// SecContentInjection: `append` and `prepend` have an effect.
    pub content_injection: bool,
    /// SecStreamInBodyInspection: STREAM_INPUT_BODY is filled.
    pub stream_input: bool,
    /// SecStreamOutBodyInspection: STREAM_OUTPUT_BODY is filled.
    pub stream_output: bool,
    /// SecUploadKeepFiles: files are extracted, and SecUploadFileLimit binds, also where no rule
    /// reads their contents.
    pub keep_files: bool,
    /// SecTmpSaveUploadedFiles: the same.
    pub save_files: bool,
    /// SecRulePerfTime, microseconds; 0 times no rule.
    pub rule_perf_time: u64,
    /// SecRuleInheritance: whether a profile that extends another begins with its rules.
    pub inherit_rules: bool,
    /// SecComponentSignature, in the order given.
    pub components: Vec<Box<[u8]>>,
    /// SecCollectionTimeout, seconds.
    pub collection_timeout: u32,
    /// SecParapetCollectionIpv6Prefix: how many bits of an IPv6 client's address tell it apart in keys.
    pub collection_ipv6_prefix: u8,
    /// SecDebugLogLevel, 0 to 9.
    pub debug_log_level: u8,
    /// The SecAudit… directives.
    pub audit: AuditSettings,
    /// SecParapetRedaction, SecParapetRedactArguments, SecParapetRedactHeaders.
    pub sensitive: SensitiveNames,
}

/// 128 MiB, v2's default request body limit.
const REQUEST_BODY_LIMIT: usize = 134_217_728;
/// 1 MiB, v2's default limit of what is not a file.
const NO_FILES_LIMIT: usize = 1_048_576;
/// The number of steps in ModSecurity's recommended configuration.
const PCRE_MATCH_LIMIT: usize = 100_000;
/// Less than 50 ms of the worst requests that `parapet worst` finds, in wasm and with cold caches, and
/// enough for 128 KiB of prose, the most that `@recommended-conf` lets in, at paranoia 1.
const WORK_LIMIT: u64 = 44_000_000;
/// 64 KiB: what people look at when they ask why.
const AUDIT_BODY_LIMIT: usize = 65_536;
/// 512 KiB, v2's default response body limit.
const RESPONSE_BODY_LIMIT: usize = 524_288;

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: EngineMode::Off,
            request_body_access: false,
            request_body_limit: REQUEST_BODY_LIMIT,
            request_body_no_files_limit: NO_FILES_LIMIT,
            request_body_limit_action: BodyLimitAction::Reject,
            response_body_access: false,
            response_body_limit: RESPONSE_BODY_LIMIT,
            response_body_limit_action: BodyLimitAction::Reject,
            response_body_mime_types: vec![b"text/plain"[..].into(), b"text/html"[..].into()],
            limits: Limits::default(),
            work_limit: WORK_LIMIT,
            work_limit_action: BodyLimitAction::Reject,
            argument_separator: b'&',
            cookie_format: CookieFormat::Netscape,
            cookie_v0_separator: None,
            xml_into_args: XmlArgs::Off,
            decode_charsets: Charsets::Off,
            inflate_request_body: false,
            inflate_response_body: false,
            large_request_body: LargeBody::Reject,
            large_response_body: LargeBody::Reject,
            unicode_map: None,
            geography: None,
            pcre_match_limit: PCRE_MATCH_LIMIT,
            intercept_on_error: false,
            web_app_id: b"default"[..].into(),
            sensor_id: Box::default(),
            server_signature: None,
            disable_backend_compression: false,
            content_injection: false,
            stream_input: false,
            stream_output: false,
            keep_files: false,
            save_files: false,
            rule_perf_time: 0,
            inherit_rules: true,
            components: Vec::new(),
            collection_timeout: 3600,
            collection_ipv6_prefix: 128,
            debug_log_level: 0,
            audit: AuditSettings {
                engine: AuditEngine::Off,
                parts: b"ABCFHZ"[..].into(),
                format: AuditFormat::Native,
                to: AuditLogType::Log,
                collector: None,
                relevant_status: None,
                body_limit: AUDIT_BODY_LIMIT,
                cut: CutLengths {
                    value: 512,
                    text: 1024,
                },
                seal_key: None,
            },
            sensitive: SensitiveNames::default(),
        }
    }
}
