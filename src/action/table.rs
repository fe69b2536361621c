//! The table of actions.

/// What kind of action it is; decides which replaces which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    /// Says something about the rule.
    Metadata,
    /// Decides the transaction; a rule has one.
    Disruptive,
    /// Changes the way through the rules.
    Flow,
    /// Has an effect at each match.
    Effect,
    /// Changes how the rule looks at its targets or is logged.
    Modifier,
}

/// Where an action may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placement {
    /// On any rule.
    Anywhere,
    /// Only on a rule that starts a chain or stands alone.
    Starter,
}

/// What an action is.
#[derive(Debug)]
pub struct Def {
    /// The name as ModSecurity's manual spells it.
    pub name: &'static str,
    /// Other spellings.
    pub aliases: &'static [&'static str],
    /// The kind.
    pub group: Group,
    /// Where it may stand (v2's rules for links of a chain).
    pub placement: Placement,
    /// Whether `name:value` needs the value (`Some(true)`), must not have it (`Some(false)`), or
    /// takes it or leaves it.
    pub value: Option<bool>,
    /// What it does.
    pub summary: &'static str,
}

macro_rules! actions {
    ($($variant:ident = $name:literal $(| $alias:literal)*, $group:ident, $place:ident, $value:expr, $summary:literal;)+) => {
        /// The name of an action; see [`Def`] for what it is.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Name { $(#[doc = $summary] $variant,)+ }

        impl Name {
            /// All of them, by name.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// What it is.
            pub const fn def(self) -> &'static Def {
                match self {
                    $(Self::$variant => &const { Def {
                        name: $name,
                        aliases: &[$($alias,)*],
                        group: Group::$group,
                        placement: Placement::$place,
                        value: $value,
                        summary: $summary,
                    } },)+
                }
            }
        }
    };
}

const NEEDED: Option<bool> = Some(true);
const NONE: Option<bool> = Some(false);
const OPTIONAL: Option<bool> = None;

actions! {
    Accuracy = "accuracy", Metadata, Starter, NEEDED, "How few false positives to expect, 1 to 9; other numbers up to 255 are taken.";
    Allow = "allow", Disruptive, Starter, OPTIONAL, "Skips the rest: all phases, the phase, or the request's phases.";
    Append = "append", Effect, Anywhere, NEEDED, "Adds text to the end of the response body.";
    AuditLog = "auditlog", Modifier, Anywhere, NONE, "Marks the transaction for the audit log.";
    Block = "block", Disruptive, Starter, NONE, "Does what the default action of the phase says.";
    Capture = "capture", Modifier, Anywhere, NONE, "Stores what matched in TX.0 to TX.9.";
    Chain = "chain", Flow, Anywhere, NONE, "The next rule must match as well.";
    Ctl = "ctl", Effect, Anywhere, NEEDED, "Changes the engine for this transaction.";
    Deny = "deny", Disruptive, Starter, NONE, "Stops the transaction with the status.";
    DeprecateVar = "deprecatevar", Effect, Anywhere, NEEDED, "Lowers a persistent counter over time.";
    Drop = "drop", Disruptive, Starter, NONE, "Closes the connection.";
    Exec = "exec", Effect, Anywhere, NEEDED, "Runs a program; a sandbox cannot.";
    ExpireVar = "expirevar", Effect, Anywhere, NEEDED, "Removes a variable after some seconds.";
    Id = "id", Metadata, Starter, NEEDED, "The number of the rule.";
    InitCol = "initcol", Effect, Anywhere, NEEDED, "Opens a persistent collection.";
    Log = "log", Modifier, Anywhere, NONE, "Writes a match to the error log, and marks for the audit log.";
    LogData = "logdata", Metadata, Starter, NEEDED, "Data to log with a match.";
    Maturity = "maturity", Metadata, Starter, NEEDED, "How well tried the rule is, 1 to 9; other numbers up to 255 are taken.";
    Msg = "msg", Metadata, Starter, NEEDED, "The message to log with a match.";
    MultiMatch = "multiMatch", Modifier, Anywhere, NONE, "Tries the operator before the first and after every transformation that changes the value.";
    NoAuditLog = "noauditlog", Modifier, Anywhere, NONE, "Does not mark the transaction for the audit log.";
    NoLog = "nolog", Modifier, Anywhere, NONE, "Does not log a match anywhere.";
    Pass = "pass", Disruptive, Starter, NONE, "Goes on.";
    Pause = "pause", Disruptive, Starter, NEEDED, "Lets the answer of the rule wait some milliseconds, a minute at most.";
    PhaseAction = "phase", Metadata, Starter, NEEDED, "The phase the rule runs in.";
    Prepend = "prepend", Effect, Anywhere, NEEDED, "Adds text to the start of the response body.";
    Proxy = "proxy", Disruptive, Starter, NEEDED, "Sends the request to another backend.";
    Redirect = "redirect", Disruptive, Starter, NEEDED, "Answers with a redirection.";
    Rev = "rev", Metadata, Starter, NEEDED, "The revision of the rule.";
    SanitiseArg = "sanitiseArg" | "sanitizeArg", Effect, Anywhere, NEEDED, "Masks an argument in the audit log.";
    SanitiseMatched = "sanitiseMatched" | "sanitizeMatched", Effect, Anywhere, NONE, "Masks the matched variable in the audit log.";
    SanitiseMatchedBytes = "sanitiseMatchedBytes" | "sanitizeMatchedBytes", Effect, Anywhere, OPTIONAL, "Masks the matched bytes in the audit log.";
    SanitiseRequestHeader = "sanitiseRequestHeader" | "sanitizeRequestHeader", Effect, Anywhere, NEEDED, "Masks a request header in the audit log.";
    SanitiseResponseHeader = "sanitiseResponseHeader" | "sanitizeResponseHeader", Effect, Anywhere, NEEDED, "Masks a response header in the audit log.";
    SetEnv = "setenv", Effect, Anywhere, NEEDED, "Sets a variable of ENV.";
    SetRsc = "setrsc", Effect, Anywhere, NEEDED, "Opens the RESOURCE collection.";
    SetSid = "setsid", Effect, Anywhere, NEEDED, "Opens the SESSION collection.";
    SetUid = "setuid", Effect, Anywhere, NEEDED, "Opens the USER collection.";
    SetVar = "setvar", Effect, Anywhere, NEEDED, "Sets, changes or removes a variable.";
    Severity = "severity", Metadata, Starter, NEEDED, "How severe a match is, 0 to 7 or by name.";
    Skip = "skip", Flow, Starter, NEEDED, "Skips some rules after a match.";
    SkipAfter = "skipAfter", Flow, Starter, NEEDED, "Goes on after a marker or rule.";
    Status = "status", Metadata, Anywhere, NEEDED, "The status of deny and redirect.";
    T = "t", Modifier, Anywhere, NEEDED, "Transforms the value before the operator sees it.";
    Tag = "tag", Metadata, Anywhere, NEEDED, "A category of the rule.";
    Ver = "ver", Metadata, Starter, NEEDED, "The version of the rule set.";
    Xmlns = "xmlns", Modifier, Anywhere, NEEDED, "A name space prefix for paths into XML.";
}

impl Name {
    /// Finds one by name or alias, whatever the letter case.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| {
            let def = action.def();
            def.name.as_bytes().eq_ignore_ascii_case(name)
                || def
                    .aliases
                    .iter()
                    .any(|alias| alias.as_bytes().eq_ignore_ascii_case(name))
        })
    }
}
