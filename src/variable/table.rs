//! The table of variables.

use super::{Def, Shape, Support};

/// Declares the enum and the table from one list, in alphabetical order.
macro_rules! variables {
    ($($variant:ident = $name:literal $(| $alias:literal)*, $shape:ident, $phase:literal, $support:ident, $summary:literal;)+) => {
        /// A variable; see [`Def`] for what it is.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Variable { $(#[doc = $summary] $variant,)+ }

        impl Variable {
            /// All of them, by name.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its place in [`Self::ALL`].
            #[expect(clippy::as_conversions, reason = "the discriminant is the place")]
            pub const fn index(self) -> usize {
                self as usize
            }

            /// What it is.
            pub const fn def(self) -> &'static Def {
                match self {
                    $(Self::$variant => &const { Def {
                        name: $name,
                        aliases: &[$($alias,)*],
                        shape: Shape::$shape,
                        phase: $phase,
                        support: Support::$support,
                        summary: $summary,
                    } },)+
                }
            }
        }
    };
}

variables! {
    Args = "ARGS", Collection, 1, Full, "All arguments: of the query, the body and the path.";
    ArgsCombinedSize = "ARGS_COMBINED_SIZE", Scalar, 1, Full, "Bytes of all argument names and values together.";
    ArgsGet = "ARGS_GET", Collection, 1, Full, "Arguments of the query string.";
    ArgsGetNames = "ARGS_GET_NAMES", Collection, 1, Full, "Names of the arguments of the query string.";
    ArgsNames = "ARGS_NAMES", Collection, 1, Full, "Names of all arguments.";
    ArgsPath = "ARGS_PATH", Collection, 1, Full, "Groups of @restpath.";
    ArgsPost = "ARGS_POST", Collection, 2, Full, "Arguments of the body: form fields, multipart fields, JSON leaves.";
    ArgsPostNames = "ARGS_POST_NAMES", Collection, 2, Full, "Names of the arguments of the body.";
    AuthType = "AUTH_TYPE", Scalar, 1, Full, "First word of the Authorization header.";
    Duration = "DURATION", Scalar, 1, Full, "Microseconds since the transaction began.";
    Env = "ENV", Collection, 1, Full, "Variables set with setenv in this transaction.";
    Files = "FILES", Collection, 2, Full, "File names as the client gave them, keyed by part name.";
    FilesCombinedSize = "FILES_COMBINED_SIZE", Scalar, 2, Full, "Bytes of all files together.";
    FilesNames = "FILES_NAMES", Collection, 2, Full, "Names of the file parts.";
    FilesSizes = "FILES_SIZES", Collection, 2, Full, "Bytes of each file, keyed by part name.";
    FilesTmpContent = "FILES_TMP_CONTENT", Collection, 2, Full, "Contents of the files, keyed by part name.";
    FilesTmpnames = "FILES_TMPNAMES", Collection, 2, Sandbox, "Paths of temporary files; there are none in a sandbox.";
    FullRequest = "FULL_REQUEST", Scalar, 2, Full, "Request line, headers and body in one.";
    FullRequestLength = "FULL_REQUEST_LENGTH", Scalar, 2, Full, "Bytes of FULL_REQUEST.";
    Geo = "GEO", Collection, 1, Full, "What @geoLookup found of an address: COUNTRY_CODE, COUNTRY_CODE3, COUNTRY_NAME, COUNTRY_CONTINENT, REGION, CITY, POSTAL_CODE, LATITUDE, LONGITUDE, DMA_CODE.";
    Global = "GLOBAL", Collection, 1, Full, "Persistent collection shared by all clients.";
    HighestSeverity = "HIGHEST_SEVERITY", Scalar, 1, Full, "The most severe (lowest) severity of the rules that matched; 255 before.";
    InboundDataError = "INBOUND_DATA_ERROR", Scalar, 2, Full, "1 when the request body is over its limit.";
    Ip = "IP", Collection, 1, Full, "Persistent collection, usually keyed by client address.";
    Json = "JSON", Collection, 2, Sandbox, "Coraza's, which never fills it; the members of a JSON body are in ARGS.";
    MatchedVar = "MATCHED_VAR", Scalar, 1, Full, "The value that matched last, transformed.";
    MatchedVarName = "MATCHED_VAR_NAME", Scalar, 1, Full, "The name of the target that matched last.";
    MatchedVars = "MATCHED_VARS", Collection, 1, Full, "Every value that matched in the current chain.";
    MatchedVarsNames = "MATCHED_VARS_NAMES", Collection, 1, Full, "The names of every target that matched in the current chain.";
    ModsecBuild = "MODSEC_BUILD", Scalar, 1, Full, "The ModSecurity version spoken, as a number.";
    MscPcreError = "MSC_PCRE_ERROR", Scalar, 1, Full, "1 when a pattern failed to run.";
    MscPcreLimitsExceeded = "MSC_PCRE_LIMITS_EXCEEDED", Scalar, 1, Full, "1 when a pattern used up its step limit.";
    MultipartBoundaryQuoted = "MULTIPART_BOUNDARY_QUOTED", Scalar, 2, Full, "1 when the boundary parameter is quoted.";
    MultipartBoundaryWhitespace = "MULTIPART_BOUNDARY_WHITESPACE", Scalar, 2, Full, "1 when blanks stand around the = of the boundary parameter.";
    MultipartCrlfLfLines = "MULTIPART_CRLF_LF_LINES", Scalar, 2, Full, "1 when both kinds of line end occur.";
    MultipartCrlfLine = "MULTIPART_CRLF_LINE", Scalar, 2, Full, "1 when a line ends in CR LF.";
    MultipartDataAfter = "MULTIPART_DATA_AFTER", Scalar, 2, Full, "1 when bytes follow the final boundary.";
    MultipartDataBefore = "MULTIPART_DATA_BEFORE", Scalar, 2, Full, "1 when bytes precede the first boundary.";
    MultipartFileLimitExceeded = "MULTIPART_FILE_LIMIT_EXCEEDED", Scalar, 2, Full, "1 when there are more files than SecUploadFileLimit.";
    MultipartFilename = "MULTIPART_FILENAME", Scalar, 2, Full, "The last filename attribute seen.";
    MultipartHeaderFolding = "MULTIPART_HEADER_FOLDING", Scalar, 2, Full, "1 when a part header is folded.";
    MultipartInvalidHeaderFolding = "MULTIPART_INVALID_HEADER_FOLDING", Scalar, 2, Full, "1 when a part header is folded with the wrong blank.";
    MultipartInvalidPart = "MULTIPART_INVALID_PART", Scalar, 2, Full, "1 when a part is malformed.";
    MultipartInvalidQuoting = "MULTIPART_INVALID_QUOTING", Scalar, 2, Full, "1 when a Content-Disposition is badly quoted.";
    MultipartLfLine = "MULTIPART_LF_LINE", Scalar, 2, Full, "1 when a line ends in LF alone.";
    MultipartMissingSemicolon = "MULTIPART_MISSING_SEMICOLON" | "MULTIPART_SEMICOLON_MISSING", Scalar, 2, Full, "1 when no semicolon precedes the boundary parameter.";
    MultipartName = "MULTIPART_NAME", Scalar, 2, Full, "The last name attribute seen.";
    MultipartPartHeaders = "MULTIPART_PART_HEADERS", Collection, 2, Full, "Header lines of the parts, keyed by part name.";
    MultipartStrictError = "MULTIPART_STRICT_ERROR", Scalar, 2, Full, "1 when any of the multipart flags is raised.";
    MultipartUnmatchedBoundary = "MULTIPART_UNMATCHED_BOUNDARY", Scalar, 2, Full, "1 when something looks like a boundary and is none.";
    OutboundDataError = "OUTBOUND_DATA_ERROR", Scalar, 4, Full, "1 when the response body is over its limit.";
    PathInfo = "PATH_INFO", Scalar, 1, Full, "The path of the request.";
    PerfAll = "PERF_ALL", Scalar, 5, Full, "All performance figures in one.";
    PerfCombined = "PERF_COMBINED", Scalar, 5, Full, "Microseconds spent in all phases, and writing persistent collections.";
    PerfGc = "PERF_GC", Scalar, 5, Full, "Microseconds spent removing old records: 0, stores do that by themselves.";
    PerfLogging = "PERF_LOGGING", Scalar, 5, Full, "Microseconds spent logging: 0, logs are written after phase 5.";
    PerfPhase1 = "PERF_PHASE1", Scalar, 5, Full, "Microseconds spent in phase 1.";
    PerfPhase2 = "PERF_PHASE2", Scalar, 5, Full, "Microseconds spent in phase 2.";
    PerfPhase3 = "PERF_PHASE3", Scalar, 5, Full, "Microseconds spent in phase 3.";
    PerfPhase4 = "PERF_PHASE4", Scalar, 5, Full, "Microseconds spent in phase 4.";
    PerfPhase5 = "PERF_PHASE5", Scalar, 5, Full, "Microseconds spent in phase 5.";
    PerfRules = "PERF_RULES", Collection, 5, Full, "Microseconds spent in rules slower than SecRulePerfTime, keyed by rule id.";
    PerfSread = "PERF_SREAD", Scalar, 5, Full, "Microseconds spent reading persistent collections.";
    PerfSwrite = "PERF_SWRITE", Scalar, 5, Full, "Microseconds spent writing persistent collections.";
    QueryString = "QUERY_STRING", Scalar, 1, Full, "What follows the question mark, undecoded.";
    RemoteAddr = "REMOTE_ADDR" | "USERAGENT_IP", Scalar, 1, Full, "The client's address; empty where it cannot be believed.";
    RemoteHost = "REMOTE_HOST", Scalar, 1, Full, "The client's address: names are not resolved.";
    RemotePort = "REMOTE_PORT", Scalar, 1, Full, "The client's port.";
    RemoteUser = "REMOTE_USER", Scalar, 1, Full, "The user name of a Basic Authorization header.";
    ReqbodyError = "REQBODY_ERROR" | "REQBODY_PROCESSOR_ERROR", Scalar, 2, Full, "1 when the body processor failed, else 0.";
    ReqbodyErrorMsg = "REQBODY_ERROR_MSG" | "REQBODY_PROCESSOR_ERROR_MSG", Scalar, 2, Full, "Why the body processor failed.";
    ReqbodyProcessor = "REQBODY_PROCESSOR", Scalar, 1, Full, "The body processor chosen: URLENCODED, MULTIPART, JSON, XML or nothing.";
    RequestBasename = "REQUEST_BASENAME", Scalar, 1, Full, "What follows the last slash of the decoded path.";
    RequestBody = "REQUEST_BODY", Scalar, 2, Full, "The raw body, where the processor is URLENCODED or the variable is forced.";
    RequestBodyLength = "REQUEST_BODY_LENGTH", Scalar, 2, Full, "Bytes of the body.";
    RequestCookies = "REQUEST_COOKIES", Collection, 1, Full, "The cookies.";
    RequestCookiesNames = "REQUEST_COOKIES_NAMES", Collection, 1, Full, "The names of the cookies.";
    RequestFilename = "REQUEST_FILENAME", Scalar, 1, Full, "The path without the query string, decoded.";
    RequestHeaders = "REQUEST_HEADERS", Collection, 1, Full, "The request headers.";
    RequestHeadersNames = "REQUEST_HEADERS_NAMES", Collection, 1, Full, "The names of the request headers.";
    RequestLine = "REQUEST_LINE", Scalar, 1, Full, "Method, target and protocol.";
    RequestMethod = "REQUEST_METHOD", Scalar, 1, Full, "The method.";
    RequestProtocol = "REQUEST_PROTOCOL", Scalar, 1, Full, "The protocol, such as HTTP/1.1.";
    RequestUri = "REQUEST_URI", Scalar, 1, Full, "Path and query string, without scheme and host.";
    RequestUriRaw = "REQUEST_URI_RAW", Scalar, 1, Full, "The target exactly as received.";
    ResBodyError = "RES_BODY_ERROR" | "RES_BODY_PROCESSOR_ERROR", Scalar, 4, Full, "1 when the processor of the response body failed, else 0.";
    ResBodyErrorMsg = "RES_BODY_ERROR_MSG" | "RES_BODY_PROCESSOR_ERROR_MSG", Scalar, 4, Full, "Why the processor of the response body failed.";
    ResBodyProcessor = "RES_BODY_PROCESSOR", Scalar, 3, Full, "The processor of the response body that `ctl:responseBodyProcessor` chose.";
    Resource = "RESOURCE", Collection, 1, Full, "Persistent collection of setrsc.";
    ResponseArgs = "RESPONSE_ARGS", Collection, 4, Full, "The members of a response body that `ctl:responseBodyProcessor=JSON` reads, named as in ARGS.";
    ResponseBody = "RESPONSE_BODY", Scalar, 4, Full, "The response body, where inspected.";
    ResponseContentLength = "RESPONSE_CONTENT_LENGTH", Scalar, 3, Full, "The Content-Length the response declares.";
    ResponseContentType = "RESPONSE_CONTENT_TYPE", Scalar, 3, Full, "The Content-Type of the response.";
    ResponseHeaders = "RESPONSE_HEADERS", Collection, 3, Full, "The response headers.";
    ResponseHeadersNames = "RESPONSE_HEADERS_NAMES", Collection, 3, Full, "The names of the response headers.";
    ResponseProtocol = "RESPONSE_PROTOCOL", Scalar, 3, Full, "The protocol of the response.";
    ResponseStatus = "RESPONSE_STATUS", Scalar, 3, Full, "The status code of the response.";
    ResponseXml = "RESPONSE_XML", Collection, 4, Full, "The response body that `ctl:responseBodyProcessor=XML` reads; the selector is a path.";
    Rule = "RULE", Collection, 1, Full, "Metadata of the current rule: id, rev, severity, msg, logdata, ver, maturity, accuracy.";
    ScriptBasename = "SCRIPT_BASENAME", Scalar, 1, Sandbox, "File facts of the handler; there is no file system.";
    ScriptFilename = "SCRIPT_FILENAME", Scalar, 1, Sandbox, "File facts of the handler; there is no file system.";
    ScriptGid = "SCRIPT_GID", Scalar, 1, Sandbox, "File facts of the handler; there is no file system.";
    ScriptGroupname = "SCRIPT_GROUPNAME", Scalar, 1, Sandbox, "File facts of the handler; there is no file system.";
    ScriptMode = "SCRIPT_MODE", Scalar, 1, Sandbox, "File facts of the handler; there is no file system.";
    ScriptUid = "SCRIPT_UID", Scalar, 1, Sandbox, "File facts of the handler; there is no file system.";
    ScriptUsername = "SCRIPT_USERNAME", Scalar, 1, Sandbox, "File facts of the handler; there is no file system.";
    SdbmDeleteError = "SDBM_DELETE_ERROR", Scalar, 1, Sandbox, "Failure of v2's file database.";
    ServerAddr = "SERVER_ADDR", Scalar, 1, Full, "The address the request came in on.";
    ServerName = "SERVER_NAME", Scalar, 1, Full, "The host the request names, without port.";
    ServerPort = "SERVER_PORT", Scalar, 1, Full, "The port the request came in on.";
    Session = "SESSION", Collection, 1, Full, "Persistent collection of setsid.";
    Sessionid = "SESSIONID", Scalar, 1, Full, "The key of setsid.";
    StatusLine = "STATUS_LINE" | "STATUS", Scalar, 3, Full, "Status code and reason.";
    StreamInputBody = "STREAM_INPUT_BODY", Scalar, 2, Full, "The request body, with SecStreamInBodyInspection.";
    StreamOutputBody = "STREAM_OUTPUT_BODY", Scalar, 4, Full, "The inspected response body, with SecStreamOutBodyInspection.";
    Time = "TIME", Scalar, 1, Full, "Local time as hh:mm:ss.";
    TimeDay = "TIME_DAY", Scalar, 1, Full, "Day of the month, two digits.";
    TimeEpoch = "TIME_EPOCH", Scalar, 1, Full, "Seconds since 1970.";
    TimeHour = "TIME_HOUR", Scalar, 1, Full, "Hour, two digits.";
    TimeMin = "TIME_MIN", Scalar, 1, Full, "Minute, two digits.";
    TimeMon = "TIME_MON", Scalar, 1, Full, "Month, 01 to 12.";
    TimeSec = "TIME_SEC", Scalar, 1, Full, "Second, two digits.";
    TimeWday = "TIME_WDAY", Scalar, 1, Full, "Day of the week, 0 (Sunday) to 6.";
    TimeYear = "TIME_YEAR", Scalar, 1, Full, "Year, four digits.";
    Tx = "TX", Collection, 1, Full, "Variables of this transaction; 0 to 9 are captures.";
    UniqueId = "UNIQUE_ID", Scalar, 1, Full, "The name of the transaction.";
    UrlencodedError = "URLENCODED_ERROR", Scalar, 1, Full, "1 when a percent sequence of the query or body is invalid.";
    User = "USER", Collection, 1, Full, "Persistent collection of setuid.";
    Userid = "USERID", Scalar, 1, Full, "The key of setuid.";
    Webappid = "WEBAPPID", Scalar, 1, Full, "The name set by SecWebAppId.";
    WebserverErrorLog = "WEBSERVER_ERROR_LOG", Collection, 3, Sandbox, "Log lines of the server; a filter does not see them.";
    Xml = "XML" | "REQUEST_XML", Collection, 2, Full, "The XML body; the selector is a path.";
}
