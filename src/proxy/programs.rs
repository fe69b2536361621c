//! The compiled rules of a VM: equal ones are there once.
//!
//! A VM may hold several plugins, each in several generations, because a configuration that was
//! replaced serves until its streams are over. What they are configured with is mostly the same.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use crate::compile::Layer;
use crate::program::Program;
use crate::transform::{Context, Transformation};

/// Programs by what they are made of, as long as somebody uses them.
#[derive(Debug, Default)]
pub struct Programs {
    known: RefCell<Vec<(Content, Weak<Program>)>>,
}

/// All that a program depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    lineage: Vec<Layer>,
    files: Digests,
}

impl Content {
    /// The content of a list of directives behind those that it extends, with the files that they
    /// may name. Embedded files are the same for the whole VM.
    pub fn new(lineage: &[Layer], files: &Digests) -> Self {
        Self {
            lineage: lineage.to_vec(),
            files: files.clone(),
        }
    }
}

/// Names and digests of the files of a configuration, which stand for the files themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests(Rc<[(String, Vec<u8>)]>);

impl Digests {
    /// Those of some files.
    pub fn new(files: &[(String, Vec<u8>)]) -> Self {
        let digest = |bytes: &[u8]| {
            let mut digest = Vec::new();
            Transformation::Sha1.apply(bytes, &mut digest, Context::default());
            digest
        };
        let each = files.iter();
        Self(
            each.map(|(name, bytes)| (name.clone(), digest(bytes)))
                .collect(),
        )
    }
}

impl Programs {
    /// A program of this content, if one is in use.
    pub fn find(&self, content: &Content) -> Option<Arc<Program>> {
        let known = self.known.borrow();
        let (_, program) = known.iter().find(|(known, _)| known == content)?;
        program.upgrade()
    }

    /// Remembers a program.
    pub fn keep(&self, content: Content, program: &Arc<Program>) {
        let mut known = self.known.borrow_mut();
        known.retain(|(_, program)| program.strong_count() > 0);
        known.push((content, Arc::downgrade(program)));
    }

    /// How many are in use.
    pub fn in_use(&self) -> usize {
        let known = self.known.borrow();
        known
            .iter()
            .filter(|(_, program)| program.strong_count() > 0)
            .count()
    }
}
