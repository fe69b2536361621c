//! Operators: `@name argument`, a question asked of a value.
//!
//! One file and one line of [`table!`] each. An operator sees bytes only: the engine expands macros
//! in its argument first, so that no operator knows a transaction. What an argument costs to read
//! is paid once, in [`Operator::compile`]; [`Operator::eval`] answers in time linear in the value.
//! Members that need what a sandbox has not got are known by name ([`Support::Sandbox`]): rules with
//! them load and never match, and whoever loads them is told.

mod address;
mod candidates;
mod def;
mod error;
mod eval;
mod expression;
mod files;
mod geography;
pub mod libinjection;
mod needle;
mod number;
mod phrases;
mod sandboxed;
mod text;

use crate::bytes::ClassSet;
use crate::diagnostic::suggest;
use crate::matching::{Dialect, Pattern, PhrasePool, PhraseSet, PrefilterBuilder};

pub use def::{Argument, Def, Example, Support};
pub use error::{CompileError, CompileErrorKind};
pub use eval::{Capture, Captures, Eval, Product, RxCache};
pub use geography::{Geography, GeographyError, Place};
pub use number::Comparison;
use sandboxed::Sandboxed;

/// Where operators take the contents of data files and data sets from.
pub trait DataFiles {
    /// The contents of a file, named as the rule names it.
    ///
    /// # Errors
    /// Why the file cannot be read, in a phrase without a final stop.
    fn read(&mut self, name: &str) -> Result<Vec<u8>, String>;

    /// The lines of a SecDataset of that name.
    fn dataset(&self, name: &str) -> Option<&[Vec<u8>]>;
}

/// What compiling an operator needs besides its argument.
pub struct Compile<'a> {
    /// Data files and data sets.
    pub files: &'a mut dyn DataFiles,
    /// Phrase lists that rules share.
    pub phrases: &'a mut PhrasePool,
    /// How patterns are read.
    pub dialect: Dialect,
    /// The argument contains a macro and the operator takes macros: its text is known only when it
    /// is asked.
    pub has_macros: bool,
}

/// Declares the modules, the enum, the table and the name look-up from one list.
macro_rules! table {
    ($($module:ident: $variant:ident,)+) => {
        $(mod $module;)+

        /// An operator with its argument; see [`Def`] for what it is.
        #[derive(Clone, Debug)]
        #[expect(private_interfaces, reason = "members are used through the methods alone")]
        pub enum Operator {
            $(
                #[doc = concat!("See `", stringify!($module), "`.")]
                $variant($module::$variant),
            )+
            /// One that cannot be asked here: it never matches.
            Sandboxed(Sandboxed),
        }

        /// All members that can be asked, by name.
        const MEMBERS: &[&Def] = &[$(&$module::$variant::DEF,)+];

        impl Operator {
            /// What it is.
            pub const fn def(&self) -> &'static Def {
                match self {
                    $(Self::$variant(_) => &$module::$variant::DEF,)+
                    Self::Sandboxed(Sandboxed(def)) => def,
                }
            }

            fn compile_member(
                def: &'static Def,
                argument: &[u8],
                cx: &mut Compile<'_>,
            ) -> Result<Self, CompileError> {
                $(
                    if def.name == $module::$variant::DEF.name {
                        return $module::$variant::compile(argument, cx).map(Self::$variant);
                    }
                )+
                Ok(Self::Sandboxed(Sandboxed(def)))
            }

            /// The answer, not negated. `argument` is the expanded argument; members that take no
            /// macros do not look at it.
            pub fn eval(&self, value: &[u8], argument: &[u8], eval: &mut Eval<'_>) -> bool {
                match self {
                    $(Self::$variant(member) => member.eval(value, argument, eval),)+
                    Self::Sandboxed(_) => false,
                }
            }

            /// Its pattern, if it has one that was known when it was compiled.
            pub fn pattern(&self) -> Option<&Pattern> {
                match self {
                    $(Self::$variant(member) => member.pattern(),)+
                    Self::Sandboxed(_) => None,
                }
            }

            /// Its phrases, if it looks for some.
            pub fn phrases(&self) -> Option<&PhraseSet> {
                match self {
                    $(Self::$variant(member) => member.phrases(),)+
                    Self::Sandboxed(_) => None,
                }
            }

            /// Classes of bytes of which a value has at least one if the answer is yes, for members
            /// that are asked neither for a pattern nor for phrases; none if nothing is known.
            fn classes(&self) -> Option<ClassSet> {
                match self {
                    $(Self::$variant(member) => member.classes(),)+
                    Self::Sandboxed(_) => None,
                }
            }

            /// Adds what is known of the values it finds something in to a prefilter, and returns
            /// its slot; `None` if nothing is known.
            pub fn add_to(&self, prefilter: &mut PrefilterBuilder) -> Option<u32> {
                if let Some(pattern) = self.pattern() {
                    return Some(prefilter.add_pattern(pattern));
                }
                if let Some(phrases) = self.phrases() {
                    return Some(prefilter.add_phrases(phrases));
                }
                self.classes().map(|classes| prefilter.add_classes(classes))
            }

            /// Names of the groups it captures, for members that name them: entry 1 of the
            /// captures belongs to the first name.
            pub fn group_names(&self) -> &[Box<[u8]>] {
                match self {
                    $(Self::$variant(member) => member.group_names(),)+
                    Self::Sandboxed(_) => &[],
                }
            }

            /// How it compares numbers, and the fixed one that it compares with, if that is all it does.
            pub fn comparison(&self) -> Option<(Comparison, i64)> {
                match self {
                    $(Self::$variant(member) => member.comparison(),)+
                    Self::Sandboxed(_) => None,
                }
            }

            fn explain_match(&self, found: &Match<'_>) -> Vec<u8> {
                match self {
                    $(Self::$variant(member) => member.explain(found),)+
                    Self::Sandboxed(_) => Vec::new(),
                }
            }
        }
    };
}

table! {
    begins_with: BeginsWith,
    contains: Contains,
    contains_word: ContainsWord,
    detect_sqli: DetectSqli,
    detect_xss: DetectXss,
    ends_with: EndsWith,
    eq: Eq,
    ge: Ge,
    geo_lookup: GeoLookup,
    gt: Gt,
    ip_match: IpMatch,
    ip_match_from_dataset: IpMatchFromDataset,
    ip_match_from_file: IpMatchFromFile,
    le: Le,
    lt: Lt,
    no_match: NoMatch,
    pm: Pm,
    pm_from_dataset: PmFromDataset,
    pm_from_file: PmFromFile,
    rest_path: RestPath,
    rsub: Rsub,
    rx: Rx,
    rx_global: RxGlobal,
    streq: Streq,
    strmatch: Strmatch,
    unconditional_match: UnconditionalMatch,
    validate_byte_range: ValidateByteRange,
    validate_nid: ValidateNid,
    validate_url_encoding: ValidateUrlEncoding,
    validate_utf8_encoding: ValidateUtf8Encoding,
    verify_cc: VerifyCc,
    verify_cpf: VerifyCpf,
    verify_ssn: VerifySsn,
    verify_svnr: VerifySvnr,
    within: Within,
}

impl Operator {
    /// Every operator there is, also those that cannot be asked here.
    pub fn all() -> impl Iterator<Item = &'static Def> {
        MEMBERS
            .iter()
            .copied()
            .chain(sandboxed::DEFS.iter().copied())
    }

    /// Finds one by name or alias, whatever the letter case.
    pub fn def_by_name(name: &str) -> Option<&'static Def> {
        Self::all().find(|def| {
            def.name.eq_ignore_ascii_case(name)
                || def
                    .aliases
                    .iter()
                    .any(|alias| alias.eq_ignore_ascii_case(name))
        })
    }

    /// Reads the argument of an operator and prepares it.
    ///
    /// # Errors
    /// There is no such operator, or the argument is not one it takes.
    pub fn compile(
        name: &str,
        argument: &[u8],
        cx: &mut Compile<'_>,
    ) -> Result<Self, CompileError> {
        match Self::def_by_name(name) {
            Some(def) => Self::compile_member(def, argument, cx),
            None => Err(unknown(name)),
        }
    }

    /// Why it can never be asked, whether its rule negates it or not; none for one that can.
    pub const fn sandboxed(&self) -> Option<&'static str> {
        match self.def().support {
            Support::Full => None,
            Support::Sandbox(reason) => Some(reason),
        }
    }

    /// Whether it only compares: the answer follows from the value and the expanded argument alone,
    /// and is found in no more time than it takes to go over both.
    pub const fn compares(&self) -> bool {
        matches!(
            self,
            Self::Eq(_)
                | Self::Ge(_)
                | Self::Gt(_)
                | Self::Le(_)
                | Self::Lt(_)
                | Self::Streq(_)
                | Self::BeginsWith(_)
                | Self::EndsWith(_)
                | Self::Contains(_)
                | Self::Within(_)
                | Self::NoMatch(_)
                | Self::UnconditionalMatch(_)
        )
    }

    /// Whether it changes what it is asked about.
    pub const fn replaces(&self) -> bool {
        matches!(self, Self::Rsub(_))
    }

    /// Whether it looks into the database of SecGeoLookupDb.
    pub const fn needs_geography(&self) -> bool {
        matches!(self, Self::GeoLookup(_))
    }

    /// Says why the rule matched, for the error log, in the words of version 2 where it has some.
    /// `value` is the value asked about, `target` its name, such as `ARGS:x`.
    pub fn explain(
        &self,
        negated: bool,
        argument: &[u8],
        captures: &Captures,
        value: &[u8],
        target: &[u8],
    ) -> Vec<u8> {
        if negated {
            return text::Line::new("Match of \"")
                .text(self.def().name)
                .text(" ")
                .bytes(argument)
                .text("\" against \"")
                .bytes(target)
                .text("\" required.")
                .done();
        }
        self.explain_match(&Match {
            argument,
            captures,
            value,
            target,
        })
    }
}

/// What a member of the table is.
trait Member: Sized {
    /// What is known about it.
    const DEF: Def;

    /// Reads the argument.
    fn compile(argument: &[u8], cx: &mut Compile<'_>) -> Result<Self, CompileError>;

    /// The answer.
    fn eval(&self, value: &[u8], argument: &[u8], eval: &mut Eval<'_>) -> bool;

    /// Why the answer was "yes".
    fn explain(&self, found: &Match<'_>) -> Vec<u8>;

    fn pattern(&self) -> Option<&Pattern> {
        None
    }

    fn phrases(&self) -> Option<&PhraseSet> {
        None
    }

    fn classes(&self) -> Option<ClassSet> {
        None
    }

    fn group_names(&self) -> &[Box<[u8]>] {
        &[]
    }

    fn comparison(&self) -> Option<(Comparison, i64)> {
        None
    }
}

/// A "yes" that is to be explained.
struct Match<'a> {
    argument: &'a [u8],
    captures: &'a Captures,
    value: &'a [u8],
    target: &'a [u8],
}

impl Match<'_> {
    /// The matched part, where it was captured.
    fn whole(&self) -> Option<&[u8]> {
        self.captures.get(0, self.value)
    }
}

fn unknown(name: &str) -> CompileError {
    let names = Operator::all()
        .flat_map(|def| std::iter::once(def.name).chain(def.aliases.iter().copied()));
    let suggestion = suggest(name, names);
    CompileError {
        kind: CompileErrorKind::Unknown { suggestion },
        message: format!("unknown operator @{name}"),
        offset: None,
        hint: suggestion.map(|known| format!("did you mean @{known}?")),
    }
}

/// A small database for tests.
#[cfg(test)]
pub(crate) use geography::tests::small as small_geography;

#[cfg(test)]
mod tests;
