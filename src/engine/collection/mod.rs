//! Persistent collections: what rules remember from one transaction to the next.
//!
//! ModSecurity manual, "Persistent Storage", "initcol", "expirevar", "deprecatevar"; v2's
//! semantics. A transaction reads a record when a rule opens its collection, notes what rules
//! change, and repeats the changes on the record as it is stored by then: once the request is
//! decided, and at the end.

mod memory;
pub(super) mod record;

pub use memory::MemoryCollections;

use std::net::{IpAddr, Ipv6Addr};

use super::perf::Spent;
use super::state::State;
use super::store::Entry;
use crate::action::{DeprecateVar, ExpireVar, InitCol};
use crate::bytes::leading_integer;
use crate::limits::SHORT_TEXT;
use crate::template::{Lookup, Macro};
use crate::variable::Variable;
use record::{Operation, Record, field};

/// Where records are kept: the port of the engine to shared memory.
///
/// The engine gives and takes whole records as bytes, which mean nothing to the store. Transactions
/// may run at the same time, in this VM or another, so a record is only ever changed from what it
/// is at that moment.
pub trait CollectionStore: std::fmt::Debug {
    /// The record of a key, if there is one.
    fn load(&self, key: &[u8]) -> Option<Vec<u8>>;

    /// Replaces the record of a key by what `change` makes of the one stored now. Where another
    /// writer comes between, `change` is called again with that one's record (compare and swap);
    /// how often is the store's to bound.
    ///
    /// `false` says that the record could not be written: too much contention, or no room.
    fn update(&self, key: &[u8], change: &mut dyn FnMut(Option<&[u8]>) -> StoredRecord) -> bool;
}

/// A record to store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredRecord {
    /// The record.
    pub bytes: Vec<u8>,
    /// How long it is worth keeping.
    pub retention: Retention,
}

/// What a store goes by where there is no room for all records. Times are seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// When the record may be forgotten; the engine also looks at this itself.
    pub expires: u64,
    /// When it was written.
    pub written: u64,
    /// Until when somebody is kept out because of it: a transaction that had it open and wrote it was
    /// interrupted. 0 for nobody. Where there is no room, it goes last.
    pub blocks_until: u64,
    /// How many transactions wrote it. A key that somebody made up is written once.
    pub updates: u64,
}

impl Retention {
    /// Which records go before others where there is no room: those that nobody is kept out by, then
    /// those that fewer transactions wrote, in powers of two.
    pub fn standing(&self, now: u64) -> Standing {
        Standing {
            blocks: self.blocks_until > now,
            magnitude: u64::BITS.saturating_sub(self.updates.leading_zeros()),
        }
    }
}

/// See [`Retention::standing`]: what is less goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Standing {
    blocks: bool,
    magnitude: u32,
}

/// Most changes noted between two writes. Repeated additions to one variable are one change.
const MAX_CHANGES: usize = 4096;

/// A collection that a rule opened.
#[derive(Debug)]
pub(super) struct Opened {
    collection: Variable,
    /// The key in the store.
    key: Vec<u8>,
    /// The record when it was read, and after each write.
    base: Record,
    /// What happened since.
    changes: Vec<Operation>,
    /// The transaction is in UPDATE_COUNTER.
    counted: bool,
}

impl State {
    /// `initcol`, `setsid`, `setuid`, `setrsc`. A collection that is open stays as it is. Where the
    /// key is empty, or is to tell clients apart by an address that is not known, there is none:
    /// all those clients would share one record.
    pub(super) fn open_collection(&mut self, init: &InitCol) {
        let collection = init.collection;
        let mut name = Vec::new();
        init.key
            .expand_within(&KeyMacros(self), SHORT_TEXT, &mut name);
        let of_client = self.connection.client.is_none()
            && init.key.macros().any(|what| {
                matches!(
                    what,
                    Macro::Variable(Variable::RemoteAddr | Variable::RemoteHost)
                )
            });
        // Version 3 opens USER and SESSION for those without a name, too.
        let of_nobody =
            name.is_empty() && !matches!(collection, Variable::User | Variable::Session);
        if of_nobody || of_client {
            return;
        }
        // SESSIONID and USERID name the last setsid or setuid, though the record stays the first.
        match collection {
            Variable::Session => self.set(Variable::Sessionid, &name),
            Variable::User => self.set(Variable::Userid, &name),
            _ => {}
        }
        if self.is_open(collection) {
            return;
        }
        let key = self.store_key(collection, &name);
        let begun = self.begin_timing();
        let now = self.now();
        let stored = self.collections.load(&key);
        let stored = stored.and_then(|bytes| Record::read(&bytes, now));
        self.end_timing(begun, Spent::Reading);
        let is_new = stored.is_none();
        let base =
            stored.unwrap_or_else(|| Record::fresh(now, self.program.settings.collection_timeout));
        self.push(collection, b"key", &name);
        for field in &base.fields {
            self.push(collection, &field.name, &field.value);
        }
        let rate = base.update_rate(now).to_string();
        self.push(collection, b"update_rate", rate.as_bytes());
        if is_new {
            self.push(collection, b"is_new", b"1");
        }
        self.opened.push(Opened {
            collection,
            key,
            base,
            changes: Vec::new(),
            counted: false,
        });
    }

    /// Whether a rule opened a collection.
    pub(super) fn is_open(&self, collection: Variable) -> bool {
        self.opened.iter().any(|one| one.collection == collection)
    }

    /// Whether a collection takes one more variable of that name.
    pub(super) fn has_room(&self, collection: Variable, name: &[u8]) -> bool {
        let entries = self.store.collection(collection);
        entries.len() < record::MAX_FIELDS
            || entries
                .iter()
                .any(|entry| self.values.get(entry.name) == name)
    }

    /// Notes a change of an open collection.
    pub(super) fn note(&mut self, collection: Variable, change: Operation) {
        let Some(opened) = self
            .opened
            .iter_mut()
            .find(|one| one.collection == collection)
        else {
            return;
        };
        if let (Some(Operation::Add(last, total)), Operation::Add(name, amount)) =
            (opened.changes.last_mut(), &change)
            && last == name
            && total.signum() == amount.signum()
        {
            *total = total.saturating_add(*amount);
        } else if opened.changes.len() < MAX_CHANGES {
            opened.changes.push(change);
        }
    }

    /// `expirevar`: only persistent variables expire.
    pub(super) fn expire_var(&mut self, expire: &ExpireVar) {
        let Some((collection, name)) = self.persistent(&expire.name) else {
            return;
        };
        let seconds = leading_integer(&self.text(&expire.seconds));
        let at = self
            .now()
            .saturating_add(u64::try_from(seconds).unwrap_or(0));
        if seconds <= 0 {
            // v3 forgets it at once; v2, when the record is opened again.
            let found = self.values.intern(&name);
            self.store.retain(collection, |entry| entry.name != found);
        }
        self.note(collection, Operation::ExpireAt(name, at));
    }

    /// `deprecatevar`: takes an amount away for every so many seconds since the record was stored.
    /// One that was never stored has no age.
    pub(super) fn deprecate_var(&mut self, deprecate: &DeprecateVar) {
        let Some((collection, name)) = self.persistent(&deprecate.name) else {
            return;
        };
        let (amount, seconds) = (deprecate.amount, deprecate.seconds);
        let before = self.persistent_number(collection, &name);
        let stored = self.persistent_number(collection, field::LAST_UPDATE_TIME);
        let (Some(before), Some(stored)) = (before, stored) else {
            return;
        };
        let value = record::deprecated(before, stored, amount, seconds, self.now());
        if value == before {
            return;
        }
        let entry = Entry {
            name: self.values.intern(&name),
            value: self.values.intern(value.to_string().as_bytes()),
        };
        self.store.set_entry(collection, entry);
        self.note(collection, Operation::Deprecate(name, amount, seconds));
    }

    /// A variable of a collection as a number, if it is there.
    pub(super) fn persistent_number(&self, collection: Variable, name: &[u8]) -> Option<i64> {
        let entries = self.store.collection(collection);
        let entry = entries
            .iter()
            .find(|entry| self.values.get(entry.name) == name)?;
        Some(leading_integer(self.values.get(entry.value)))
    }

    /// Writes the collections that rules changed since they were read or written last.
    pub(super) fn store_collections(&mut self) {
        if self.opened.iter().all(|one| one.changes.is_empty()) {
            return;
        }
        let begun = self.begin_timing();
        let now = self.now();
        let interrupted = self.interruption.is_some();
        let mut opened = std::mem::take(&mut self.opened);
        for one in opened.iter_mut().filter(|one| !one.changes.is_empty()) {
            let mut written = None;
            let kept = self.collections.update(&one.key, &mut |stored| {
                let record = stored.and_then(|bytes| Record::read(bytes, now));
                // A record that went meanwhile starts again from what this transaction saw.
                let mut record = record.unwrap_or_else(|| one.base.clone());
                record.apply(&one.changes, now);
                record.stamp(now, !one.counted);
                if interrupted {
                    record.keep_blocking();
                }
                let stored = record.stored(now);
                written = Some(record);
                stored
            });
            if let Some(record) = written.filter(|_| kept) {
                one.base = record;
                one.counted = true;
            } else {
                self.unsaved = self.unsaved.saturating_add(1);
            }
            one.changes.clear();
        }
        self.opened = opened;
        self.end_timing(begun, Spent::Writing);
    }

    /// Seconds since 1970.
    fn now(&self) -> u64 {
        self.clock.now().checked_div(1_000_000_000).unwrap_or(0)
    }

    /// The name of a record in the store. Sessions, users and resources belong to an application
    /// (SecWebAppId).
    fn store_key(&self, collection: Variable, name: &[u8]) -> Vec<u8> {
        let application: &[u8] = match collection {
            Variable::Session | Variable::User | Variable::Resource => {
                &self.program.settings.web_app_id
            }
            _ => b"",
        };
        [collection.name().as_bytes(), application, name].join(&0)
    }
}

/// Macros of a collection's key, in which the address of an IPv6 client stands for its network
/// (SecParapetCollectionIpv6Prefix).
struct KeyMacros<'a>(&'a State);

impl KeyMacros<'_> {
    /// The network of a client that is not told apart by its whole address.
    fn network(&self) -> Option<String> {
        let prefix = self.0.program.settings.collection_ipv6_prefix;
        let IpAddr::V6(address) = self.0.connection.client?.address.to_canonical() else {
            return None;
        };
        let mask = u128::MAX.checked_shl(128_u32.checked_sub(prefix.into())?)?;
        let network = Ipv6Addr::from_bits(address.to_bits() & mask);
        (prefix < 128).then(|| format!("{network}/{prefix}"))
    }
}

impl Lookup for KeyMacros<'_> {
    fn expand(&self, what: &Macro, out: &mut Vec<u8>) {
        let is_client = matches!(
            what,
            Macro::Variable(Variable::RemoteAddr | Variable::RemoteHost)
        );
        match self.network().filter(|_| is_client) {
            Some(network) => out.extend_from_slice(network.as_bytes()),
            None => self.0.expand_macro(what, out),
        }
    }
}

#[cfg(test)]
mod tests;
