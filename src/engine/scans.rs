//! What a prefilter says of values, each of them scanned once in a transaction at most.

use super::known::Known;
use super::repeats::{Question, Repeats};
use super::rows::{Row, Rows};
use super::values::{ValueId, Values};
use crate::matching::{Candidates, Prefilter};
use crate::work::{Work, cost};

/// Rows of a prefilter's bits.
#[derive(Debug, Default)]
pub(super) struct Scans {
    /// These rows, and what others make of them.
    pub rows: Rows,
    /// By value: its row.
    of_values: Known<Row>,
    /// The same, of what plans that decode make.
    of_decoded: Known<Row>,
    /// What the prefilter writes.
    found: Candidates,
    /// What it said in earlier transactions; none where that is not kept.
    pub repeats: Option<Repeats>,
}

impl Scans {
    /// Whether what has a slot in the prefilter can match a value.
    pub(super) fn can_match(
        &mut self,
        prefilter: &Prefilter,
        slot: u32,
        value: ValueId,
        values: &Values,
        work: &Work,
    ) -> bool {
        let row = self.row(prefilter, value, values, work);
        self.rows.contains(row, slot)
    }

    /// The row of what can match a value.
    pub(super) fn row(
        &mut self,
        prefilter: &Prefilter,
        value: ValueId,
        values: &Values,
        work: &Work,
    ) -> Row {
        // The prefilter does not tell one letter case from the other.
        let value = values.in_either_case(value);
        self.of_values.get(value.index()).unwrap_or_else(|| {
            let row = self.scan(prefilter, value, values, work);
            self.of_values.keep(value.index(), row);
            row
        })
    }

    /// The row of what can match a value that a plan made that decodes.
    pub(super) fn decoded_row(
        &mut self,
        prefilter: &Prefilter,
        value: ValueId,
        values: &Values,
        work: &Work,
    ) -> Row {
        let value = values.in_either_case(value);
        self.of_decoded.get(value.index()).unwrap_or_else(|| {
            let row = self.scan(prefilter, value, values, work);
            self.of_decoded.keep(value.index(), row);
            row
        })
    }

    fn scan(&mut self, prefilter: &Prefilter, value: ValueId, values: &Values, work: &Work) -> Row {
        let asked = Question {
            prefilter: prefilter.id(),
            hash: values.hash(value),
            text: values.get(value),
        };
        let known = self.repeats.as_ref().and_then(|repeats| repeats.get(asked));
        let (row, reports) = match known {
            Some((bits, reports)) => (self.rows.add(bits), reports),
            None => {
                prefilter.candidates(asked.text, values.profile(value), &mut self.found);
                let (bits, reports) = (self.found.bits(), self.found.reports());
                if let Some(repeats) = &mut self.repeats {
                    repeats.offer(asked, bits, reports);
                }
                (self.rows.add(bits), reports)
            }
        };
        work.charge(cost::SCAN);
        work.charge_each(asked.text.len(), cost::SCAN_BYTE);
        work.charge_each(reports, cost::REPORT);
        row
    }

    /// Forgets everything about this transaction.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.of_values.clear();
        self.of_decoded.clear();
    }

    /// Gives buffers back that have grown too large.
    pub(super) fn relax(&mut self) {
        self.rows.relax();
        self.of_values.relax();
        self.of_decoded.relax();
    }

    /// Bytes of memory that it takes.
    pub(super) fn held_bytes(&self) -> usize {
        let repeats = self.repeats.as_ref().map_or(0, Repeats::held_bytes);
        self.rows
            .held_bytes()
            .saturating_add(self.of_values.held_bytes())
            .saturating_add(self.of_decoded.held_bytes())
            .saturating_add(repeats)
    }
}
