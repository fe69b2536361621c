//! A set of variables.

use super::Variable;

/// Which variables; empty at first.
#[derive(Clone, Debug)]
pub struct VariableSet(Box<[bool]>);

impl Default for VariableSet {
    fn default() -> Self {
        Self(vec![false; Variable::ALL.len()].into())
    }
}

impl VariableSet {
    /// Adds one.
    pub fn insert(&mut self, variable: Variable) {
        if let Some(slot) = self.0.get_mut(variable.index()) {
            *slot = true;
        }
    }

    /// Whether one is in it.
    pub fn contains(&self, variable: Variable) -> bool {
        self.0.get(variable.index()).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_added() {
        let mut set = VariableSet::default();
        set.insert(Variable::Xml);
        for &variable in Variable::ALL {
            assert_eq!(set.contains(variable), variable == Variable::Xml);
        }
    }
}
