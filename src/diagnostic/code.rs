//! The codes of messages. A code is never reused; a retired one stays in the table as retired.

use super::Severity;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal, $severity:ident;)+) => {
        /// The stable code of a message.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The text a person sees and searches for, such as `P0101`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// How bad a message of this code is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// What the code stands for, in a sentence.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii_start(),)+ }
            }
        }
    };
}

// P01xx: text and syntax.  P02xx: names.  P03xx: arguments and values.  P04xx: rules and chains.
// P05xx: files and includes.  P06xx: plugin configuration.  P08xx: warnings.  P09xx: notes.
codes! {
    /// A quoted word is not closed.
    UnclosedQuote = "P0101", Error;
    /// A NUL byte in a rule file.
    NulByte = "P0102", Error;
    /// A directive has too few or too many arguments.
    ArgumentCount = "P0103", Error;
    /// A target list cannot be read.
    TargetSyntax = "P0104", Error;
    /// An operator cannot be read.
    OperatorSyntax = "P0105", Error;
    /// An action list cannot be read.
    ActionSyntax = "P0106", Error;
    /// A macro `%{…}` cannot be read.
    MacroSyntax = "P0107", Error;
    /// Text directly after a closing quote.
    TextAfterQuote = "P0108", Error;
    /// A directive that a backslash at the end of the line above makes an argument.
    ContinuedDirective = "P0109", Error;
    /// A line that does not begin with the name of a directive.
    DirectiveName = "P0110", Error;
    /// A section of an Apache httpd configuration.
    ApacheSection = "P0111", Error;
    /// Unknown directive.
    UnknownDirective = "P0201", Error;
    /// Unknown variable.
    UnknownVariable = "P0202", Error;
    /// Unknown operator.
    UnknownOperator = "P0203", Error;
    /// Unknown transformation.
    UnknownTransformation = "P0204", Error;
    /// Unknown action.
    UnknownAction = "P0205", Error;
    /// Unknown option of the ctl action.
    UnknownCtl = "P0206", Error;
    /// Unknown data set.
    UnknownDataset = "P0207", Error;
    /// Retired: a member of the language that was known but not carried out.
    NotYet = "P0208", Error;
    /// A directive of mod_security 1, which no longer exists.
    RetiredDirective = "P0209", Error;
    /// A value that the directive does not take.
    DirectiveValue = "P0301", Error;
    /// A regular expression that cannot be compiled.
    BadRegex = "P0302", Error;
    /// An argument that the operator does not take.
    OperatorArgument = "P0303", Error;
    /// A value that the action does not take.
    ActionValue = "P0304", Error;
    /// A selector that the variable does not take.
    BadSelector = "P0305", Error;
    /// A rule without an id.
    MissingId = "P0401", Error;
    /// Two rules with one id.
    DuplicateId = "P0402", Error;
    /// A chain whose next rule is missing.
    OpenChain = "P0403", Error;
    /// An action that only the first rule of a chain may have.
    ActionInChain = "P0404", Error;
    /// An action that SecDefaultAction may not have, or one that it must have and has not.
    DefaultAction = "P0405", Error;
    /// An action that the rule's phase does not allow.
    ActionPhase = "P0406", Error;
    /// A rule whose targets are all exclusions.
    NoTarget = "P0407", Error;
    /// Transformations that multiply the length of a value beyond reason.
    TooMuchGrowth = "P0408", Error;
    /// A file that cannot be read.
    FileNotFound = "P0501", Error;
    /// An include that includes itself.
    IncludeCycle = "P0502", Error;
    /// Too many or too deeply nested includes.
    IncludeLimit = "P0503", Error;
    /// A database that is damaged, or of a format that is not read.
    BadDatabase = "P0504", Error;
    /// A plugin configuration that is not the JSON expected.
    PluginConfig = "P0601", Error;
    /// An unknown key in the plugin configuration.
    UnknownKey = "P0602", Error;
    /// A profile that extends itself, directly or through others.
    ProfileCycle = "P0603", Error;
    /// A name of a profile that is not in `directives_map`.
    UnknownProfile = "P0604", Error;
    /// A directive that an overlay may not use.
    OverlayDirective = "P0611", Error;
    /// An action or operator that an overlay may not use.
    OverlayAction = "P0612", Error;
    /// A rule of an overlay whose id is not one for overlays.
    OverlayId = "P0613", Error;
    /// A name of the base that an overlay takes for its own.
    OverlayName = "P0614", Error;
    /// A rule of the base that an overlay may not change, or too many that it removes.
    LockedRule = "P0615", Error;
    /// A directive that has no meaning in a sandbox and is ignored.
    IgnoredDirective = "P0801", Warning;
    /// A member of the language that a sandbox cannot carry out.
    SandboxLimit = "P0802", Warning;
    /// skipAfter to a marker that does not exist.
    UnknownMarker = "P0803", Warning;
    /// An include pattern that matches no file.
    EmptyInclude = "P0804", Warning;
    /// A removal or update that matches no rule.
    UnusedUpdate = "P0805", Warning;
    /// A line that a comment swallows because it ends with a backslash.
    SwallowedDirective = "P0806", Warning;
    /// The quoted value of the last action of a list is not closed.
    UnclosedValue = "P0807", Warning;
    /// An operator whose database no directive names: it never matches.
    NoDatabase = "P0808", Warning;
    /// A target that the operator cannot be asked about: it never matches there.
    OperatorTarget = "P0809", Warning;
    /// A comment between the lines of one directive.
    CommentInDirective = "P0901", Note;
    /// A line that goes on although blanks follow its last backslash.
    BlankAfterBackslash = "P0902", Note;
    /// A regular expression that cannot run in linear time: its searches have a limit of steps.
    Backtracks = "P0903", Note;
    /// A removal or update above the rule it changes: ModSecurity 2 and Coraza would not see the rule.
    UpdateBeforeRule = "P0904", Note;
}

impl Code {
    /// Whether it says that somebody may not do what he wrote: such a rule is never just left out.
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::OverlayDirective
                | Self::OverlayAction
                | Self::OverlayId
                | Self::OverlayName
                | Self::LockedRule
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Severity};

    #[test]
    fn codes_are_unique() {
        let mut seen: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        seen.sort_unstable();
        let before = seen.len();
        seen.dedup();
        assert_eq!(before, seen.len());
    }

    #[test]
    fn codes_say_how_bad_and_what_they_are() {
        for code in Code::ALL {
            let text = code.as_str();
            let expected = match text.as_bytes() {
                [b'P', b'0', b'1'..=b'6', _, _] => Severity::Error,
                [b'P', b'0', b'8', _, _] => Severity::Warning,
                [b'P', b'0', b'9', _, _] => Severity::Note,
                _ => panic!("{text} has no severity by its number"),
            };
            assert_eq!(code.severity(), expected, "{text}");
            let description = code.description();
            assert!(
                description.ends_with('.') && !description.starts_with(' '),
                "{text}"
            );
        }
    }
}
