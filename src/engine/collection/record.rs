//! The record of a persistent collection: its variables, and the bytes it is stored as.

use super::{Retention, StoredRecord};
use crate::bytes::{leading_integer, push_sized, take_sized, take_u64};

/// Most variables of a record; more are not kept.
pub(in crate::engine) const MAX_FIELDS: usize = 1024;
/// Most bytes of a stored record.
pub(super) const MAX_BYTES: usize = 65_536;

/// Names of the fields that every record has.
pub(in crate::engine) mod field {
    pub(in crate::engine) const TIMEOUT: &[u8] = b"timeout";
    pub(in crate::engine) const CREATE_TIME: &[u8] = b"create_time";
    pub(in crate::engine) const UPDATE_COUNTER: &[u8] = b"update_counter";
    pub(in crate::engine) const LAST_UPDATE_TIME: &[u8] = b"last_update_time";
}

/// A record. Times are seconds since 1970.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::engine) struct Record {
    /// When the whole record goes.
    pub expires: u64,
    /// See [`Retention::blocks_until`].
    pub blocks_until: u64,
    pub fields: Vec<Field>,
}

/// One variable of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::engine) struct Field {
    /// In lower case.
    pub name: Vec<u8>,
    pub value: Vec<u8>,
    /// When it goes (`expirevar`).
    pub expires: Option<u64>,
}

/// A change of a record, to be repeated on whatever is stored by then: transactions that run at
/// the same time do not undo each other's counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::engine) enum Operation {
    Set(Vec<u8>, Vec<u8>),
    /// Adds a number, which may be negative; the sum is never below 0.
    Add(Vec<u8>, i64),
    Unset(Vec<u8>),
    ExpireAt(Vec<u8>, u64),
    /// Takes an amount away for every so many seconds since the record was stored.
    Deprecate(Vec<u8>, u32, u32),
}

impl Record {
    /// A record that did not exist, with the fields that v2 gives it.
    pub(super) fn fresh(now: u64, timeout: u32) -> Self {
        let mut record = Self {
            expires: now.saturating_add(u64::from(timeout)),
            blocks_until: 0,
            fields: Vec::new(),
        };
        record.set(field::TIMEOUT, timeout.to_string().into_bytes());
        record.set(field::CREATE_TIME, now.to_string().into_bytes());
        record.set(field::UPDATE_COUNTER, b"0".to_vec());
        record
    }

    /// Reads stored bytes, and removes what has expired; none for what is no record any more.
    pub(super) fn read(bytes: &[u8], now: u64) -> Option<Self> {
        let mut record = decode(bytes)?;
        if record.expires <= now {
            return None;
        }
        record
            .fields
            .retain(|field| field.expires.is_none_or(|expires| expires > now));
        Some(record)
    }

    /// The value of a field.
    pub(super) fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let field = self.fields.iter().find(|field| field.name == name)?;
        Some(&field.value)
    }

    /// A field as a number; 0 where there is none.
    pub(super) fn number(&self, name: &[u8]) -> i64 {
        self.get(name).map_or(0, leading_integer)
    }

    fn set(&mut self, name: &[u8], value: Vec<u8>) {
        if let Some(field) = self.fields.iter_mut().find(|field| field.name == name) {
            field.value = value;
        } else if self.fields.len() < MAX_FIELDS {
            self.fields.push(Field {
                name: name.to_vec(),
                value,
                expires: None,
            });
        }
    }

    /// Repeats changes.
    pub(super) fn apply(&mut self, changes: &[Operation], now: u64) {
        for change in changes {
            match change {
                Operation::Set(name, value) => self.set(name, value.clone()),
                Operation::Add(name, amount) => {
                    let sum = self.number(name).saturating_add(*amount).max(0);
                    self.set(name, sum.to_string().into_bytes());
                }
                Operation::Unset(name) => self.fields.retain(|field| field.name != *name),
                Operation::ExpireAt(name, at) => {
                    let found = self.fields.iter_mut().find(|field| field.name == *name);
                    if let Some(field) = found {
                        field.expires = Some(*at);
                    }
                }
                Operation::Deprecate(name, amount, seconds) => {
                    let stored = self.get(field::LAST_UPDATE_TIME).map(leading_integer);
                    let before = self.get(name).map(leading_integer);
                    if let (Some(before), Some(stored)) = (before, stored) {
                        let value = deprecated(before, stored, *amount, *seconds, now);
                        self.set(name, value.to_string().into_bytes());
                    }
                }
            }
        }
    }

    /// Notes that the record is stored now; `counts` for the first time in a transaction.
    pub(super) fn stamp(&mut self, now: u64, counts: bool) {
        if counts {
            let counter = self.number(field::UPDATE_COUNTER).saturating_add(1);
            self.set(field::UPDATE_COUNTER, counter.to_string().into_bytes());
        }
        self.set(field::LAST_UPDATE_TIME, now.to_string().into_bytes());
        let timeout = u64::try_from(self.number(field::TIMEOUT)).unwrap_or(0);
        self.expires = now.saturating_add(timeout);
    }

    /// Updates a minute since the record was made; 0 within its first second, as in v2.
    pub(super) fn update_rate(&self, now: u64) -> i64 {
        let created = self.number(field::CREATE_TIME);
        let age = i64::try_from(now)
            .unwrap_or(i64::MAX)
            .saturating_sub(created);
        if age <= 0 {
            return 0;
        }
        self.number(field::UPDATE_COUNTER)
            .saturating_mul(60)
            .checked_div(age)
            .unwrap_or(0)
    }

    /// Notes that a transaction was interrupted that wrote this: it counts as what keeps a client out as
    /// long as one of its variables that expire is there, such as a mark that says so, or else as long as
    /// it is there itself.
    pub(super) fn keep_blocking(&mut self) {
        let marks = self.fields.iter().filter_map(|field| field.expires);
        let until = marks.max().unwrap_or(self.expires);
        self.blocks_until = self.blocks_until.max(until);
    }

    /// What the store is given.
    pub(super) fn stored(&self, now: u64) -> StoredRecord {
        StoredRecord {
            bytes: self.encode(),
            retention: Retention {
                expires: self.expires,
                written: now,
                blocks_until: self.blocks_until,
                updates: u64::try_from(self.number(field::UPDATE_COUNTER)).unwrap_or(0),
            },
        }
    }

    /// The bytes to store: a version, the expiry, until when it blocks, and the fields with their lengths, all numbers
    /// little-endian.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.expires.to_le_bytes());
        out.extend_from_slice(&self.blocks_until.to_le_bytes());
        for field in &self.fields {
            push_sized(&mut out, &field.name);
            push_sized(&mut out, &field.value);
            out.extend_from_slice(&field.expires.unwrap_or(NEVER).to_le_bytes());
        }
        out
    }
}

/// What `deprecatevar` makes of a number in a record that was stored at that second.
pub(in crate::engine) fn deprecated(
    before: i64,
    stored: i64,
    amount: u32,
    seconds: u32,
    now: u64,
) -> i64 {
    let age = now.saturating_sub(u64::try_from(stored).unwrap_or(0));
    let periods = age.checked_div(u64::from(seconds)).unwrap_or(0);
    let lost = periods.saturating_mul(u64::from(amount));
    before
        .saturating_sub(i64::try_from(lost).unwrap_or(i64::MAX))
        .max(0)
}

/// The form that [`Record::encode`] writes.
const VERSION: u8 = 2;
/// The expiry of a variable that has none.
const NEVER: u64 = u64::MAX;

fn decode(bytes: &[u8]) -> Option<Record> {
    let (&version, rest) = bytes.split_first()?;
    if version != VERSION {
        return None;
    }
    let (expires, rest) = take_u64(rest)?;
    let (blocks_until, mut rest) = take_u64(rest)?;
    let mut fields = Vec::new();
    while !rest.is_empty() && fields.len() < MAX_FIELDS {
        let (name, after) = take_sized(rest)?;
        let (value, after) = take_sized(after)?;
        let (at, after) = take_u64(after)?;
        fields.push(Field {
            name: name.to_vec(),
            value: value.to_vec(),
            expires: (at != NEVER).then_some(at),
        });
        rest = after;
    }
    Some(Record {
        expires,
        blocks_until,
        fields,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_were_stored() {
        let mut record = Record::fresh(1000, 60);
        record.apply(
            &[
                Operation::Set(b"a".to_vec(), b"\0\xFF".to_vec()),
                Operation::Set(b"b".to_vec(), Vec::new()),
                Operation::ExpireAt(b"b".to_vec(), 1010),
                Operation::ExpireAt(b"missing".to_vec(), 1010),
            ],
            1000,
        );
        let bytes = record.encode();
        assert_eq!(Record::read(&bytes, 1009), Some(record));
        let later = Record::read(&bytes, 1010).unwrap();
        assert_eq!(later.get(b"a"), Some(b"\0\xFF".as_slice()));
        assert_eq!(later.get(b"b"), None);
        assert_eq!(Record::read(&bytes, 1060), None);
    }

    #[test]
    fn damaged_bytes_are_no_record() {
        let bytes = Record::fresh(1000, 60).encode();
        assert_eq!(Record::read(&[], 0), None);
        for end in 1..bytes.len() {
            // A cut between fields leaves a shorter record; anywhere else, none. Neither panics.
            if let Some(record) = Record::read(&bytes[..end], 0) {
                assert!(record.fields.len() < 3);
            }
        }
        let mut other = bytes;
        other[0] = 9;
        assert_eq!(Record::read(&other, 0), None);
    }

    #[test]
    fn counters_lose_their_amount_by_age() {
        let mut record = Record::fresh(1000, 3600);
        record.apply(&[Operation::Set(b"score".to_vec(), b"100".to_vec())], 1000);
        let deprecate = [Operation::Deprecate(b"score".to_vec(), 10, 60)];
        record.apply(&deprecate, 2000);
        assert_eq!(record.get(b"score"), Some(b"100".as_slice()));
        record.stamp(1000, true);
        record.apply(&deprecate, 1059);
        assert_eq!(record.get(b"score"), Some(b"100".as_slice()));
        record.apply(&deprecate, 1185);
        assert_eq!(record.get(b"score"), Some(b"70".as_slice()));
        record.apply(&deprecate, 99_000);
        assert_eq!(record.get(b"score"), Some(b"0".as_slice()));
    }

    #[test]
    fn rates_are_updates_a_minute() {
        let mut record = Record::fresh(1000, 3600);
        for _ in 0..6 {
            record.stamp(1000, true);
        }
        record.stamp(1000, false);
        assert_eq!(record.number(field::UPDATE_COUNTER), 6);
        assert_eq!(record.update_rate(1000), 0);
        assert_eq!(record.update_rate(1030), 12);
        assert_eq!(record.update_rate(10_000), 0);
    }

    #[test]
    fn a_record_has_so_many_fields_at_most() {
        let mut record = Record::fresh(0, 1);
        for number in 0..2 * MAX_FIELDS {
            let name = number.to_string().into_bytes();
            record.apply(&[Operation::Add(name, 1)], 0);
        }
        assert_eq!(record.fields.len(), MAX_FIELDS);
    }
}
