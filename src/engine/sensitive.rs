//! What of a transaction is not for the logs ([`crate::program::SensitiveNames`]).

use super::mask::Masked;
use super::state::State;
use super::target::{Subject, SubjectName};
use super::transaction::Transaction;
use super::values::ValueId;
use crate::body::xml::Document;
use crate::http;
use crate::program::{Program, SensitiveNames};
use crate::template::{Lookup, Macro};
use crate::variable::{CAPTURE_SLOTS, Variable as V};

/// What a log shows instead of a value.
pub const REDACTED: &[u8] = b"<redacted>";

/// A text up to this length is only found where it stands alone.
const SHORT_TEXT: usize = 5;

/// Most values that rules made of sensitive ones, noted in one transaction.
const MAX_DERIVED: usize = 256;

impl Transaction {
    /// The rules.
    pub fn program(&self) -> &Program {
        &self.state().program
    }

    /// What the `sanitise…` actions named so far.
    pub fn masks(&self) -> Vec<Masked> {
        self.state().masks()
    }

    /// Names and values of a collection.
    pub fn entries(&self, variable: V) -> impl Iterator<Item = (&[u8], &[u8])> {
        let State { values, store, .. } = self.state();
        let entries = store.collection(variable).iter();
        entries.map(|entry| (values.get(entry.name), values.get(entry.value)))
    }

    /// The value of a variable that is kept, if it has one.
    pub fn scalar(&self, variable: V) -> Option<&[u8]> {
        let State { values, store, .. } = self.state();
        store.scalar(variable).map(|value| values.get(value))
    }

    /// Sensitive values that are neither arguments nor headers: those in XML documents, and what
    /// rules have made of sensitive ones.
    pub fn sensitive_values(&self) -> impl Iterator<Item = &[u8]> {
        let state = self.state();
        let names = &state.program.settings.sensitive;
        let documents = [&state.xml, &state.response_xml].into_iter().flatten();
        let in_xml = documents
            .flat_map(Document::named_values)
            .filter(|(name, _)| names.is_argument(name))
            .map(|(_, value)| value);
        let derived = state.derived.iter();
        derived.map(|&value| state.values.get(value)).chain(in_xml)
    }
}

impl State {
    /// What matched last, if it is sensitive.
    pub(super) fn sensitive_match(&self) -> Option<Subject> {
        let subject = self.matched.subject.as_ref();
        subject
            .filter(|subject| self.is_sensitive(subject))
            .copied()
    }

    /// Whether a value that rules look at is.
    pub(super) fn is_sensitive(&self, subject: &Subject) -> bool {
        let names: &SensitiveNames = &self.program.settings.sensitive;
        if subject.count || !names.enabled {
            return false;
        }
        let name = match subject.name {
            SubjectName::Of(name) => self.values.get(name),
            SubjectName::None | SubjectName::Tx(_) => b"",
        };
        match subject.variable {
            V::Args | V::ArgsGet | V::ArgsPost | V::ResponseArgs => names.is_argument(name),
            V::RequestCookies => names.is_header(b"cookie"),
            V::RequestHeaders | V::ResponseHeaders => names.is_header(name),
            V::Xml => self.hides_short_text(names),
            _ => false,
        }
    }

    /// Whether a document has a sensitive value so short that nobody would find it in the text of
    /// the elements around it, where it has no edges.
    fn hides_short_text(&self, names: &SensitiveNames) -> bool {
        let documents = [&self.xml, &self.response_xml].into_iter().flatten();
        let mut values = documents.flat_map(Document::named_values);
        values.any(|(name, value)| value.len() <= SHORT_TEXT && names.is_argument(name))
    }

    /// Whether a text that came of a sensitive value gives something away: the name of a cookie does
    /// not.
    fn gives_away(&self, subject: &Subject, text: &[u8]) -> bool {
        let header = self.header_name(subject);
        header.is_none_or(|name| !http::is_public(name, self.values.get(subject.value), text))
    }

    /// Notes what rules have made of a value that is sensitive: logs show it as little as the value.
    pub(super) fn derive(&mut self, subject: &Subject, text: ValueId) {
        if !self.gives_away(subject, self.values.get(text)) {
            return;
        }
        let Some(name) = self.header_name(subject).map(<[u8]>::to_vec) else {
            self.note_derived(text);
            return;
        };
        let text = self.values.get(text).to_vec();
        for range in http::credentials(&name, &text) {
            let secret = self.values.intern(text.get(range).unwrap_or_default());
            self.note_derived(secret);
        }
    }

    fn note_derived(&mut self, value: ValueId) {
        if self.derived.len() < MAX_DERIVED && !self.derived.contains(&value) {
            self.derived.push(value);
        }
    }

    fn header_name(&self, subject: &Subject) -> Option<&[u8]> {
        match (subject.variable, subject.name) {
            (V::RequestHeaders | V::ResponseHeaders, SubjectName::Of(name)) => {
                Some(self.values.get(name))
            }
            _ => None,
        }
    }
}

/// Macros for the logs, after a match of a sensitive value: what gives that value away shows nothing.
pub(super) struct Covered<'a> {
    pub state: &'a State,
    /// What matched.
    pub subject: &'a Subject,
}

impl Lookup for Covered<'_> {
    fn expand(&self, what: &Macro, out: &mut Vec<u8>) {
        let shows = match what {
            Macro::Tx(slot) => slot.0 < CAPTURE_SLOTS,
            Macro::Variable(variable)
            | Macro::Entry(variable, _)
            | Macro::Matching(variable, _) => matches!(variable, V::MatchedVar | V::MatchedVars),
        };
        let before = out.len();
        self.state.expand_macro(what, out);
        let text = out.get(before..).unwrap_or_default();
        if shows && !text.is_empty() && self.state.gives_away(self.subject, text) {
            out.truncate(before);
            out.extend_from_slice(REDACTED);
        }
    }
}
