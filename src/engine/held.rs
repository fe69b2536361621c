//! What a transaction keeps in memory, as the sizes of its own arenas say.

use super::request_body::RequestBody;
use super::response::ResponseBody;
use super::state::State;
use super::transaction::Transaction;
use super::{ReplacedBody, RuleMatch};
use crate::body::xml::Document;

impl Transaction {
    /// Bytes of memory that this transaction takes now: variables, values with what became of them,
    /// and the bodies under way. What small things beside it take is not counted.
    pub fn held_bytes(&self) -> usize {
        let (request, response) = self.open_bodies();
        size_of::<Self>()
            .saturating_add(self.state().held_bytes())
            .saturating_add(request.map_or(0, RequestBody::held_bytes))
            .saturating_add(response.map_or(0, ResponseBody::held_bytes))
    }
}

impl State {
    fn held_bytes(&self) -> usize {
        let replaced =
            |body: &Option<ReplacedBody>| body.as_ref().map_or(0, |body| body.bytes.capacity());
        let document =
            |document: &Option<Document>| document.as_ref().map_or(0, Document::held_bytes);
        let counts = self.match_counts.capacity().saturating_mul(COUNT);
        [
            self.values.held_bytes(),
            self.store.held_bytes(),
            document(&self.xml),
            document(&self.response_xml),
            replaced(&self.request_stream.replaced),
            replaced(&self.response_stream.replaced),
            self.edits.prepend.capacity(),
            self.edits.append.capacity(),
            self.names.held_bytes(),
            self.kept.as_ref().map_or(0, |kept| kept.held_bytes()),
            counts,
            self.matches
                .capacity()
                .saturating_mul(size_of::<RuleMatch>()),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}

/// Bytes of an entry of [`State::match_counts`].
const COUNT: usize = 12;
