//! Variables: what a rule can look at.
//!
//! One line of the table each. A variable is a scalar (one value) or a collection (named values);
//! [`Source`] says where the engine takes the values from, so that views such as `ARGS` (the union
//! of `ARGS_GET`, `ARGS_POST` and `ARGS_PATH`) or `ARGS_NAMES` hold no data of their own.

mod keys;
mod selector;
mod set;
mod table;

pub use keys::{
    CAPTURE_SLOTS, KeySlot, KeyTable, LIMIT_NAMES, PCRE_LIMITS_EXCEEDED, WORK_LIMIT_EXCEEDED,
};
pub use selector::{KeyPattern, Selector};
pub use set::VariableSet;
pub use table::Variable;

/// Whether a variable has one value or many named ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// One value; a selector is an error.
    Scalar,
    /// Named values; a selector picks among them.
    Collection,
}

/// How far this version carries a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Support {
    /// Filled.
    Full,
    /// Has no meaning inside a proxy filter: always without a value, with a warning at load.
    Sandbox,
}

/// What a variable is: one line of the table.
#[derive(Debug)]
pub struct Def {
    /// The name as ModSecurity's manual spells it.
    pub name: &'static str,
    /// Other spellings.
    pub aliases: &'static [&'static str],
    /// Scalar or collection.
    pub shape: Shape,
    /// The earliest phase in which it is filled, 1 to 5.
    pub phase: u8,
    /// How far it is carried out.
    pub support: Support,
    /// What it holds.
    pub summary: &'static str,
}

impl Variable {
    /// Finds one by name or alias, whatever the letter case.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|variable| {
            let def = variable.def();
            def.name.as_bytes().eq_ignore_ascii_case(name)
                || def
                    .aliases
                    .iter()
                    .any(|alias| alias.as_bytes().eq_ignore_ascii_case(name))
        })
    }

    /// The name as the manual spells it.
    pub const fn name(self) -> &'static str {
        self.def().name
    }

    /// Whether it is a document that paths select from.
    pub const fn is_xml(self) -> bool {
        matches!(self, Self::Xml | Self::ResponseXml)
    }

    /// Whether it is a body that rules can change.
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::StreamInputBody | Self::StreamOutputBody)
    }

    /// Whether the values are named.
    pub const fn is_collection(self) -> bool {
        matches!(self.def().shape, Shape::Collection)
    }

    /// Whether it is kept with the message and not computed when asked for, and changes with the
    /// message and hardly ever by a rule: what rules find in it can be kept for a while.
    pub const fn is_settled(self) -> bool {
        use Variable as V;
        matches!(
            self,
            V::Args
                | V::ArgsGet
                | V::ArgsGetNames
                | V::ArgsNames
                | V::ArgsPath
                | V::ArgsPost
                | V::ArgsPostNames
                | V::Files
                | V::FilesNames
                | V::MultipartPartHeaders
                | V::QueryString
                | V::RequestBasename
                | V::RequestBody
                | V::RequestCookies
                | V::RequestCookiesNames
                | V::RequestFilename
                | V::RequestHeaders
                | V::RequestHeadersNames
                | V::RequestLine
                | V::RequestMethod
                | V::RequestProtocol
                | V::RequestUri
                | V::RequestUriRaw
                | V::ResponseBody
                | V::ResponseHeaders
                | V::ResponseHeadersNames
                | V::Xml
        )
    }

    /// Whether members of JSON documents are among its entries.
    pub const fn shows_json(self) -> bool {
        matches!(self, Self::Args | Self::ArgsNames | Self::ResponseArgs)
    }

    /// The base collections this one shows, and whether as values or as names.
    ///
    /// A collection with data of its own shows itself.
    pub const fn source(self) -> Source {
        use Variable as V;
        match self {
            V::Args => Source {
                of: ALL_ARGS,
                part: Part::Value,
            },
            V::ArgsNames => Source {
                of: ALL_ARGS_NAMES,
                part: Part::Name,
            },
            V::ArgsGetNames => Source {
                of: &[V::ArgsGet],
                part: Part::Name,
            },
            V::ArgsPostNames => Source {
                of: &[V::ArgsPost],
                part: Part::Name,
            },
            V::RequestHeadersNames => Source {
                of: &[V::RequestHeaders],
                part: Part::Name,
            },
            V::RequestCookiesNames => Source {
                of: &[V::RequestCookies],
                part: Part::Name,
            },
            V::ResponseHeadersNames => Source {
                of: &[V::ResponseHeaders],
                part: Part::Name,
            },
            V::FilesNames => Source {
                of: &[V::Files],
                part: Part::Name,
            },
            V::MatchedVarsNames => Source {
                of: &[V::MatchedVars],
                part: Part::Name,
            },
            _ => Source {
                of: &[],
                part: Part::Value,
            },
        }
    }
}

/// The collections that make up ARGS. The data of its own are the leaves of JSON and XML bodies,
/// which v2 and v3 show in ARGS but not in ARGS_POST.
const ALL_ARGS: &[Variable] = &[
    Variable::ArgsGet,
    Variable::ArgsPost,
    Variable::ArgsPath,
    Variable::Args,
];

/// The same with the names that have no value: members of a JSON body that hold others. Only there
/// does a name such as `roles__in` stand at the end of what a rule sees; v2 repeats it in the names
/// of an array's elements, Coraza gives it an argument.
const ALL_ARGS_NAMES: &[Variable] = &[
    Variable::ArgsGet,
    Variable::ArgsPost,
    Variable::ArgsPath,
    Variable::Args,
    Variable::ArgsNames,
];

/// Where a view takes its values from.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The collections shown, in order; none for a variable with data of its own.
    pub of: &'static [Variable],
    /// What is shown of each entry.
    pub part: Part,
}

/// The half of an entry that a view shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The value.
    Value,
    /// The name.
    Name,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<String> = Variable::ALL
            .iter()
            .flat_map(|variable| {
                let def = variable.def();
                std::iter::once(def.name).chain(def.aliases.iter().copied())
            })
            .map(str::to_ascii_uppercase)
            .collect();
        names.sort();
        let before = names.len();
        names.dedup();
        assert_eq!(before, names.len());
    }

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(Variable::by_name(b"args_Names"), Some(Variable::ArgsNames));
        assert_eq!(
            Variable::by_name(b"REQBODY_PROCESSOR_ERROR"),
            Some(Variable::ReqbodyError)
        );
        assert_eq!(Variable::by_name(b"NOPE"), None);
    }
}
