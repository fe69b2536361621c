//! What is known about a member of the family besides its code.

/// One member of the family.
#[derive(Debug)]
pub struct Def {
    /// The name as ModSecurity's manual spells it.
    pub name: &'static str,
    /// Other spellings.
    pub aliases: &'static [&'static str],
    /// What it asks, in a sentence.
    pub summary: &'static str,
    /// The source it follows, and where it departs from it.
    pub spec: &'static str,
    /// What its argument is.
    pub argument: Argument,
    /// Whether `%{…}` in the argument stands for a value that is filled in at every evaluation.
    pub macros: bool,
    /// Whether it can be asked here.
    pub support: Support,
    /// At least one for a member that can be asked.
    pub examples: &'static [Example],
}

/// What an operator takes as its argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Argument {
    /// Nothing; text that stands there is ignored.
    None,
    /// Text, taken byte by byte.
    Text,
    /// A whole number.
    Number,
    /// A regular expression.
    Pattern,
    /// Phrases with blanks between them.
    Phrases,
    /// Numbers of bytes and ranges of them, with commas between.
    ByteRanges,
    /// Addresses and networks, with commas between.
    Addresses,
    /// The name of a file, or several with blanks between them.
    File,
    /// The name of a SecDataset.
    Dataset,
    /// Something of its own, told in the summary.
    Special,
}

/// Whether an operator can be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Support {
    /// It can.
    Full,
    /// It cannot, for the reason given: it never matches, negated or not.
    Sandbox(&'static str),
}

/// A question and its answer: run as a test, printed as documentation.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The argument.
    pub argument: &'static [u8],
    /// What every data file or data set holds that the argument names.
    pub data: &'static [u8],
    /// The value asked about.
    pub value: &'static [u8],
    /// The answer, not negated.
    pub matches: bool,
    /// What stands in TX.0, TX.1 and so on with `capture`.
    pub captures: &'static [&'static [u8]],
}

impl Example {
    /// The argument matches the value, and nothing is captured.
    pub(super) const fn yes(argument: &'static [u8], value: &'static [u8]) -> Self {
        Self {
            argument,
            data: b"",
            value,
            matches: true,
            captures: &[],
        }
    }

    /// The argument does not match the value.
    pub(super) const fn no(argument: &'static [u8], value: &'static [u8]) -> Self {
        Self {
            argument,
            data: b"",
            value,
            matches: false,
            captures: &[],
        }
    }

    /// The argument matches the value, with these captures.
    pub(super) const fn captures(
        argument: &'static [u8],
        value: &'static [u8],
        captures: &'static [&'static [u8]],
    ) -> Self {
        Self {
            argument,
            data: b"",
            value,
            matches: true,
            captures,
        }
    }

    /// The same with the contents of a data file or data set.
    pub(super) const fn with_data(mut self, data: &'static [u8]) -> Self {
        self.data = data;
        self
    }
}
