//! Bytes that a search passes over while it is in no match.
//!
//! Going from state to state waits for each state before it can look up the next. Where no match is
//! under way and a byte can begin none, there is nothing to look up: such bytes are passed over at
//! the speed of reading them.

use super::super::super::windows;
use super::condition::Context;
use super::program::Node;
use super::step::Workspace;
use super::{Direction, LazyDfa};
use crate::bytes::ClassSet;

/// Bytes above this frequency (1024 is always) are met so soon that looking for them saves nothing.
const FREQUENT: u64 = 200;

impl LazyDfa {
    /// By byte: whether a match can begin with it. `None` if passing over the others would save
    /// nothing, or would change an answer: where the empty value matches, or where the state depends
    /// on the byte before.
    pub(super) fn rousing_bytes(&self) -> Option<Box<[bool; 256]>> {
        let depends = [Context::Word, Context::LineFeed]
            .iter()
            .any(|&context| self.known.kept(context) != Context::Other);
        if self.direction == Direction::Backward || self.anchored || depends {
            return None;
        }
        let mut rousing = Box::new([false; 256]);
        let mut workspace = Workspace::default();
        for node in workspace.readers(&self.program, &self.beginnings) {
            match node {
                Node::Match => return None,
                node => {
                    for (byte, rouses) in (0..=u8::MAX).zip(rousing.iter_mut()) {
                        *rouses |= self.program.reads(node, byte);
                    }
                }
            }
        }
        let bytes = (0..=u8::MAX).zip(rousing.iter());
        let classes = bytes
            .filter(|(_, rouses)| **rouses)
            .fold(ClassSet::EMPTY, |all, (byte, _)| {
                all.union(ClassSet::of(&[byte]))
            });
        (windows::frequency_of_set(classes) <= FREQUENT).then_some(rousing)
    }
}
