//! Text that is searched for in values: fixed, or known only when it is asked for.

use memchr::memmem::{self, Finder};

/// A text to search for.
#[derive(Clone, Debug)]
pub(super) enum Needle {
    /// Known when the rule was compiled.
    Fixed(Box<Finder<'static>>),
    /// The argument, once its macros are expanded.
    Argument,
}

impl Needle {
    /// Prepares the search unless macros stand in the text.
    pub(super) fn new(argument: &[u8], has_macros: bool) -> Self {
        if has_macros {
            Self::Argument
        } else {
            Self::Fixed(Box::new(Finder::new(argument).into_owned()))
        }
    }

    /// Where the text first stands in the value. The empty text stands everywhere.
    pub(super) fn find(&self, value: &[u8], argument: &[u8]) -> Option<usize> {
        match self {
            Self::Fixed(finder) => finder.find(value),
            Self::Argument => memmem::find(value, argument),
        }
    }
}
