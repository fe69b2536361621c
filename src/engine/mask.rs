//! What the audit log must not show: the `sanitise…` actions, resolved to parts of a message.

use super::state::State;
use crate::action::Mask;
use crate::variable::Variable as V;

/// A part of the transaction to be masked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Masked {
    /// Where.
    pub part: MaskedPart,
    /// The name of the argument or header, whatever its case; empty for other parts.
    pub name: Vec<u8>,
    /// How much of it.
    pub extent: Extent,
}

/// Where a masked item stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MaskedPart {
    /// An argument of the query or the body.
    Argument,
    /// A request header.
    RequestHeader,
    /// A response header.
    ResponseHeader,
    /// The whole of what a variable shows, such as REQUEST_BODY.
    Variable(V),
}

/// How much of an item is masked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Extent {
    /// Its whole value.
    Whole,
    /// Wherever these bytes stand in it, but for their first and last. A rule that saw the value
    /// transformed may have found bytes that do not stand in it; then the whole is masked.
    Bytes {
        /// What matched.
        found: Vec<u8>,
        /// How many bytes at the start of it are shown.
        first: usize,
        /// How many at its end.
        last: usize,
    },
}

/// Most masks of one transaction; a rule that matches every argument needs no more than there are.
const MAX_MASKS: usize = 1024;

impl State {
    /// Carries out a `sanitise…` action.
    pub(super) fn mask(&mut self, mask: &Mask) {
        let whole = |part, name: &[u8]| Masked {
            part,
            name: name.to_vec(),
            extent: Extent::Whole,
        };
        let masked = match mask {
            Mask::Argument(name) => Some(whole(MaskedPart::Argument, name)),
            Mask::RequestHeader(name) => Some(whole(MaskedPart::RequestHeader, name)),
            Mask::ResponseHeader(name) => Some(whole(MaskedPart::ResponseHeader, name)),
            Mask::Matched => self.matched_item(Extent::Whole),
            Mask::MatchedBytes { first, last } => {
                let value = self.values.get(self.matched.value);
                // Without `capture`, or for a negated match, what matched is not known.
                let extent = match self.captures.get(0, value) {
                    Some(found) if !found.is_empty() => Extent::Bytes {
                        found: found.to_vec(),
                        first: *first,
                        last: *last,
                    },
                    _ => Extent::Whole,
                };
                self.matched_item(extent)
            }
        };
        let Some(masked) = masked else { return };
        if self.masks.len() < MAX_MASKS && !self.masks.contains(&masked) {
            self.masks.push(masked);
        }
    }

    /// The masks. An argument that a rule names as v2 or Coraza do is masked under the name that
    /// is reported, too.
    pub(super) fn masks(&self) -> Vec<Masked> {
        let mut masks = self.masks.clone();
        for mask in &self.masks {
            if mask.part != MaskedPart::Argument {
                continue;
            }
            for (place, entry) in self.store.collection(V::Args).iter().enumerate() {
                let is_meant = |name| self.values.is_in_some_case(name, &mask.name);
                let others = self.store.other_names(V::Args, place);
                if !others.is_some_and(|others| others.into_iter().any(is_meant)) {
                    continue;
                }
                let reported = Masked {
                    name: self.values.get(entry.name).to_vec(),
                    ..mask.clone()
                };
                if masks.len() < MAX_MASKS && !masks.contains(&reported) {
                    masks.push(reported);
                }
            }
        }
        masks
    }

    /// The item that the variable matched last stands for.
    fn matched_item(&self, extent: Extent) -> Option<Masked> {
        let full = self.matched_name();
        let mut halves = full.splitn(2, |&byte| byte == b':');
        let variable = V::by_name(halves.next().unwrap_or_default())?;
        let name = halves.next().unwrap_or_default();
        let (part, name) = match variable {
            V::Args
            | V::ArgsGet
            | V::ArgsPost
            | V::ArgsNames
            | V::ArgsGetNames
            | V::ArgsPostNames => (MaskedPart::Argument, name),
            V::RequestHeaders | V::RequestHeadersNames => (MaskedPart::RequestHeader, name),
            V::RequestCookies | V::RequestCookiesNames => {
                (MaskedPart::RequestHeader, b"Cookie".as_slice())
            }
            V::RemoteUser | V::AuthType => (MaskedPart::RequestHeader, b"Authorization".as_slice()),
            V::ResponseHeaders | V::ResponseHeadersNames => (MaskedPart::ResponseHeader, name),
            other => (MaskedPart::Variable(other), b"".as_slice()),
        };
        Some(Masked {
            part,
            name: name.to_vec(),
            extent,
        })
    }
}
