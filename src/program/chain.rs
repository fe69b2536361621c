//! Chains of transformations, shared by their beginnings.
//!
//! Most rules begin with the same few transformations. As nodes of a tree, each (beginning, next)
//! pair has one number, and a result can be kept under (value, number) whichever rule asked.

use crate::transform::{Transformation, TransformationSet};

/// A chain of transformations.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ChainId(pub u32);

impl ChainId {
    /// No transformation.
    pub const EMPTY: Self = Self(0);
}

/// All chains of a program.
#[derive(Clone, Debug, Default)]
pub struct ChainTable {
    nodes: Vec<Node>,
}

/// The last step of a chain, and all steps up to it.
#[derive(Clone, Debug)]
struct Node {
    parent: ChainId,
    last: Transformation,
    /// All steps.
    members: TransformationSet,
    /// From the first step to this one.
    path: Box<[(ChainId, Transformation)]>,
}

impl ChainTable {
    /// The number of a chain.
    pub fn intern(&mut self, steps: &[Transformation]) -> ChainId {
        steps
            .iter()
            .fold(ChainId::EMPTY, |parent, &last| self.child(parent, last))
    }

    /// The steps of a chain, each with the number of the chain up to it.
    pub fn steps(&self, chain: ChainId) -> &[(ChainId, Transformation)] {
        self.node(chain).map_or(&[], |node| &node.path)
    }

    /// The transformations of a chain. If none of them can change a value, the chain ends with the
    /// value it began with.
    pub fn members(&self, chain: ChainId) -> TransformationSet {
        self.node(chain)
            .map(|node| node.members)
            .unwrap_or_default()
    }

    /// How many chains there are, the empty one not counted.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether no rule transforms anything.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn node(&self, chain: ChainId) -> Option<&Node> {
        self.nodes
            .get(usize::try_from(chain.0).ok()?.checked_sub(1)?)
    }

    fn child(&mut self, parent: ChainId, last: Transformation) -> ChainId {
        let found = self
            .nodes
            .iter()
            .position(|node| node.parent == parent && node.last == last);
        let number = |at: usize| ChainId(u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1));
        if let Some(at) = found {
            return number(at);
        }
        let id = number(self.nodes.len());
        let mut path = self.steps(parent).to_vec();
        path.push((id, last));
        let members = self.members(parent).with(last);
        self.nodes.push(Node {
            parent,
            last,
            members,
            path: path.into(),
        });
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_shared() {
        let mut table = ChainTable::default();
        let one = table.intern(&[Transformation::Lowercase]);
        let two = table.intern(&[Transformation::Lowercase, Transformation::Lowercase]);
        assert_eq!(table.intern(&[Transformation::Lowercase]), one);
        assert_ne!(one, two);
        assert_eq!(table.len(), 2);
        assert_eq!(table.steps(two).first().map(|step| step.0), Some(one));
        assert!(table.steps(ChainId::EMPTY).is_empty());
    }
}
