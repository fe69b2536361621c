//! From the tree of a pattern to its program.

use super::super::linear::context::head;
use super::super::syntax::{Assertion, ByteSet, Condition, Node, Parsed};
use super::program::{Greed, Inst, NONE, Program};

/// Most instructions of a program.
const CODE_LIMIT: usize = 1 << 18;
/// How many of the last sets are compared with a new one.
const SETS_COMPARED: usize = 32;

/// Compiles a pattern; `None`, if it is too large. The program is as large as the tree: repetitions
/// are counted, not copied.
pub(super) fn compile(parsed: &Parsed) -> Option<Program> {
    let slots = parsed.groups.checked_add(1)?.checked_mul(2)?;
    let mut compiler = Compiler {
        code: Vec::new(),
        sets: Vec::new(),
        opens: slots,
        registers: slots.checked_add(parsed.groups)?.checked_add(1)?,
        sites: 0,
    };
    compiler.part(&parsed.root)?;
    compiler.emit(Inst::Match)?;
    Some(Program {
        code: compiler.code.into(),
        sets: compiler.sets.into(),
        references: parsed.references.clone().into(),
        registers: compiler.registers,
        sites: compiler.sites,
        first: head(&parsed.root).required(),
        anchored: is_anchored(&parsed.root, true),
    })
}

struct Compiler {
    code: Vec<Inst>,
    sets: Vec<ByteSet>,
    /// The first of the registers with the starts of groups.
    opens: usize,
    registers: usize,
    sites: usize,
}

impl Compiler {
    fn part(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Empty => {}
            Node::Set(set) => {
                let inst = match single_byte(set) {
                    Some(byte) => Inst::Byte(byte),
                    None => Inst::Set(self.set(set)?),
                };
                self.emit(inst)?;
            }
            Node::Assert(Assertion::Keep, _) => {
                self.emit(Inst::Save(0))?;
            }
            Node::Assert(assertion, _) => {
                self.emit(Inst::Assert(*assertion))?;
            }
            Node::Group(index, node) => {
                let open = number(self.opens.checked_add(*index)?)?;
                let group = number(index.checked_mul(2)?)?;
                self.emit(Inst::Save(open))?;
                self.part(node)?;
                self.emit(Inst::Close { open, group })?;
            }
            Node::Concat(parts) => {
                for part in parts {
                    self.part(part)?;
                }
            }
            Node::Alternation(branches) => self.alternation(branches)?,
            Node::Repeat {
                node,
                min,
                max,
                greedy,
            } => self.repeat(node, *min, *max, *greedy)?,
            Node::Atomic(node, _) => self.atomic(node)?,
            Node::Look { node, negated } => {
                let site = self.site()?;
                let enter = self.enter(site)?;
                self.part(node)?;
                if *negated {
                    self.emit(Inst::Refute(site))?;
                    let otherwise = self.here()?;
                    self.patch(enter, Inst::Enter { site, otherwise })?;
                } else {
                    self.emit(Inst::Commit { site, rewind: true })?;
                }
            }
            Node::Back(length) => {
                self.emit(Inst::Back(number(*length)?))?;
            }
            Node::BackReference {
                reference,
                caseless,
            } => {
                let (reference, caseless) = (number(*reference)?, *caseless);
                self.emit(Inst::Reference {
                    reference,
                    caseless,
                })?;
            }
            Node::Conditional { condition, yes, no } => self.conditional(condition, yes, no)?,
        }
        Some(())
    }

    fn alternation(&mut self, branches: &[Node]) -> Option<()> {
        let (last, others) = branches.split_last()?;
        let mut ends = Vec::new();
        for branch in others {
            let split = self.emit(Inst::Split(NONE, NONE))?;
            let first = self.here()?;
            self.part(branch)?;
            ends.push(self.emit(Inst::Jump(NONE))?);
            let second = self.here()?;
            self.patch(split, Inst::Split(first, second))?;
        }
        self.part(last)?;
        let end = self.here()?;
        ends.into_iter()
            .try_for_each(|at| self.patch(at, Inst::Jump(end)))
    }

    fn repeat(&mut self, node: &Node, min: u32, max: Option<u32>, greedy: bool) -> Option<()> {
        if let Node::Set(set) = node {
            let greed = if greedy { Greed::Greedy } else { Greed::Lazy };
            return self.run(set, min, max, greed);
        }
        match (min, max) {
            (_, Some(0)) => Some(()),
            (1, Some(1)) => self.part(node),
            (0, Some(1)) => {
                let split = self.emit(Inst::Split(NONE, NONE))?;
                let body = self.here()?;
                self.part(node)?;
                let end = self.here()?;
                self.patch(split, preferring(greedy, body, end))
            }
            (0 | 1, None) => {
                let split = match min {
                    0 => Some(self.emit(Inst::Split(NONE, NONE))?),
                    _ => None,
                };
                let body = self.here()?;
                let mark = self.mark(node)?;
                self.part(node)?;
                let exit = match mark {
                    NONE => None,
                    _ => Some(self.emit(Inst::Jump(NONE))?),
                };
                let again = self.emit(Inst::Split(NONE, NONE))?;
                let end = self.here()?;
                self.patch(again, preferring(greedy, body, end))?;
                if let Some(exit) = exit {
                    self.patch(exit, Inst::ExitIfEmpty { mark, to: end })?;
                }
                split.map_or(Some(()), |split| {
                    self.patch(split, preferring(greedy, body, end))
                })
            }
            _ => {
                let counter = self.register()?;
                self.emit(Inst::Zero(counter))?;
                let split = match min {
                    0 => Some(self.emit(Inst::Split(NONE, NONE))?),
                    _ => None,
                };
                let body = self.here()?;
                // PCRE copies the rounds of a bounded repetition, and an empty one ends nothing.
                let mark = match max {
                    None => self.mark(node)?,
                    Some(_) => NONE,
                };
                self.part(node)?;
                self.emit(Inst::Count {
                    counter,
                    mark,
                    min,
                    max: max.unwrap_or(NONE),
                    greedy,
                    body,
                })?;
                let end = self.here()?;
                split.map_or(Some(()), |split| {
                    self.patch(split, preferring(greedy, body, end))
                })
            }
        }
    }

    /// Notes where a round starts, if it can read nothing.
    fn mark(&mut self, node: &Node) -> Option<u32> {
        if head(node).required().is_some() {
            return Some(NONE);
        }
        let mark = self.register()?;
        self.emit(Inst::Save(mark))?;
        Some(mark)
    }

    fn run(&mut self, set: &ByteSet, min: u32, max: Option<u32>, greed: Greed) -> Option<()> {
        let set = self.set(set)?;
        let max = max.unwrap_or(NONE);
        self.emit(Inst::Run {
            set,
            min,
            max,
            greed,
        })?;
        Some(())
    }

    fn atomic(&mut self, node: &Node) -> Option<()> {
        if let Node::Repeat {
            node,
            min,
            max,
            greedy: true,
        } = node
            && let Node::Set(set) = &**node
        {
            return self.run(set, *min, *max, Greed::Possessive);
        }
        let site = self.site()?;
        self.enter(site)?;
        self.part(node)?;
        let rewind = false;
        self.emit(Inst::Commit { site, rewind })?;
        Some(())
    }

    fn conditional(&mut self, condition: &Condition, yes: &Node, no: &Node) -> Option<()> {
        match condition {
            Condition::Group(reference) => {
                let reference = number(*reference)?;
                let test = self.emit(Inst::Jump(NONE))?;
                let (_, otherwise) = self.branches(yes, no)?;
                self.patch(
                    test,
                    Inst::IfGroup {
                        reference,
                        otherwise,
                    },
                )
            }
            Condition::Look { node, negated } => {
                let site = self.site()?;
                let enter = self.enter(site)?;
                self.part(node)?;
                self.emit(Inst::Commit { site, rewind: true })?;
                // As in PCRE, the groups of a negated condition that does not hold are kept.
                let (holds, fails) = if *negated { (no, yes) } else { (yes, no) };
                let (_, otherwise) = self.branches(holds, fails)?;
                self.patch(enter, Inst::Enter { site, otherwise })
            }
        }
    }

    /// Both parts of a conditional group, and where they start.
    fn branches(&mut self, yes: &Node, no: &Node) -> Option<(u32, u32)> {
        let yes_at = self.here()?;
        self.part(yes)?;
        let jump = self.emit(Inst::Jump(NONE))?;
        let no_at = self.here()?;
        self.part(no)?;
        let end = self.here()?;
        self.patch(jump, Inst::Jump(end))?;
        Some((yes_at, no_at))
    }

    fn enter(&mut self, site: u32) -> Option<usize> {
        let otherwise = NONE;
        self.emit(Inst::Enter { site, otherwise })
    }

    fn emit(&mut self, inst: Inst) -> Option<usize> {
        let at = self.code.len();
        self.code.push(inst);
        (at < CODE_LIMIT).then_some(at)
    }

    fn patch(&mut self, at: usize, inst: Inst) -> Option<()> {
        *self.code.get_mut(at)? = inst;
        Some(())
    }

    fn here(&self) -> Option<u32> {
        number(self.code.len())
    }

    fn set(&mut self, set: &ByteSet) -> Option<u32> {
        let compared = self.sets.len().saturating_sub(SETS_COMPARED);
        let known = self.sets.iter().skip(compared).position(|one| one == set);
        let index = match known {
            Some(index) => index.checked_add(compared)?,
            None => {
                self.sets.push(*set);
                self.sets.len().checked_sub(1)?
            }
        };
        number(index)
    }

    fn register(&mut self) -> Option<u32> {
        let register = self.registers;
        self.registers = register.checked_add(1)?;
        number(register)
    }

    fn site(&mut self) -> Option<u32> {
        let site = self.sites;
        self.sites = site.checked_add(1)?;
        number(site)
    }
}

fn preferring(greedy: bool, body: u32, end: u32) -> Inst {
    if greedy {
        Inst::Split(body, end)
    } else {
        Inst::Split(end, body)
    }
}

fn single_byte(set: &ByteSet) -> Option<u8> {
    let mut bytes = set.iter();
    bytes.next().filter(|_| bytes.next().is_none())
}

fn number(number: usize) -> Option<u32> {
    u32::try_from(number).ok().filter(|&number| number != NONE)
}

/// Whether a search need not go on after its first place: the pattern starts with `^`, or with a
/// `.*` that reaches all other places by itself. `plain` says that no group and no atomic part
/// stands around the node.
fn is_anchored(node: &Node, plain: bool) -> bool {
    match node {
        Node::Assert(Assertion::Start | Assertion::SearchStart, _) => true,
        Node::Group(_, node) | Node::Atomic(node, _) => is_anchored(node, false),
        Node::Concat(parts) => {
            for part in parts {
                if is_anchored(part, plain) {
                    return true;
                }
                // A condition before `.*` holds at other places than the first.
                if !matches!(part, Node::Empty) {
                    return false;
                }
            }
            false
        }
        Node::Alternation(branches) => branches.iter().all(|branch| is_anchored(branch, plain)),
        Node::Repeat {
            node,
            min: 0,
            max: None,
            ..
        } => plain && matches!(**node, Node::Set(ByteSet::ALL)),
        _ => false,
    }
}
