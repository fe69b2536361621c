//! Makes a request smaller as long as what is to be seen can still be seen.

use crate::exchange::Exchange;
use crate::mutate::make_sendable;

/// Most attempts for one request.
const ATTEMPTS: usize = 250;

/// The smallest exchange found for which `still` holds.
pub fn shrink(exchange: &Exchange, still: &mut dyn FnMut(&Exchange) -> bool) -> Exchange {
    let mut shrinker = Shrinker {
        best: exchange.clone(),
        left: ATTEMPTS,
        still,
    };
    shrinker.attempt(|exchange| exchange.response = None);
    shrinker.attempt(|exchange| exchange.request.body.clear());
    let mut at = 0;
    while at < shrinker.best.request.headers.len() {
        if !shrinker.attempt(|exchange| drop(exchange.request.headers.remove(at))) {
            at += 1;
        }
    }
    shrinker.bytes(|exchange| Some(&mut exchange.request.body));
    shrinker.bytes(|exchange| Some(&mut exchange.request.target));
    for at in 0..shrinker.best.request.headers.len() {
        shrinker
            .bytes(move |exchange| exchange.request.headers.get_mut(at).map(|pair| &mut pair.1));
    }
    shrinker.bytes(|exchange| {
        exchange
            .response
            .as_mut()
            .map(|response| &mut response.body)
    });
    shrinker.best
}

struct Shrinker<'a> {
    best: Exchange,
    left: usize,
    still: &'a mut dyn FnMut(&Exchange) -> bool,
}

impl Shrinker<'_> {
    fn attempt(&mut self, change: impl FnOnce(&mut Exchange)) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let mut changed = self.best.clone();
        change(&mut changed);
        make_sendable(&mut changed.request);
        let holds = (self.still)(&changed);
        if holds {
            self.best = changed;
        }
        holds
    }

    /// Takes pieces out of a text, large ones first.
    fn bytes(&mut self, text: impl Fn(&mut Exchange) -> Option<&mut Vec<u8>>) {
        let length = text(&mut self.best).map_or(0, |text| text.len());
        let mut size = length.div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while text(&mut self.best).is_some_and(|text| at < text.len()) {
                let shorter = |exchange: &mut Exchange| {
                    if let Some(text) = text(exchange) {
                        let end = (at + size).min(text.len());
                        drop(text.drain(at..end));
                    }
                };
                if !self.attempt(shorter) {
                    at += size;
                }
            }
            size /= 2;
        }
    }
}
