//! What matched, sealed to a key (SecParapetSealKey): the values that records do not show.

use crypto_box::PublicKey;
use crypto_box::aead::rand_core::{CryptoRng, Error, RngCore};
use serde::Serialize;

use super::text::Text;
use crate::bytes::base64;
use crate::engine::Transaction;

/// What a sealed text begins with. Base64 without padding follows, of a sealed box as libsodium's
/// `crypto_box_seal` makes it: the public half of a key made for it, then XSalsa20-Poly1305.
pub(super) const SEALED: &str = "parapet:sealed:1:";

/// Most bytes of all values; a single one has 4096 at most.
const MOST: usize = 65_536;

/// Where random bytes come from: fills what it is given, and says whether they are random.
pub type Random<'a> = dyn FnMut(&mut [u8]) -> bool + 'a;

/// What is sealed.
#[derive(Serialize)]
struct Content<'a> {
    /// UNIQUE_ID.
    unique_id: Text<'a>,
    matches: Vec<Match<'a>>,
    /// How many matches had no room.
    #[serde(skip_serializing_if = "is_none")]
    left_out: usize,
}

#[derive(Serialize)]
struct Match<'a> {
    /// 0 where a limit of the configuration decided.
    rule_id: u64,
    phase: u8,
    /// What matched, such as `ARGS:x`.
    target: Text<'a>,
    /// Its value after transformation.
    value: Text<'a>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_none(count: &usize) -> bool {
    *count == 0
}

/// The matches of a transaction, sealed; none where there is no key or nothing to seal, and where nothing
/// is random: others could open it then.
pub(super) fn seal(transaction: &Transaction, random: &mut Random<'_>) -> Option<String> {
    let key = transaction.program().settings.audit.seal_key?;
    let mut room = MOST;
    let all = || {
        transaction
            .all_matches()
            .filter(|found| !found.target.is_empty())
    };
    let matches: Vec<Match<'_>> = all()
        .map_while(|found| {
            let size = found.target.len().saturating_add(found.value.len());
            room = room.checked_sub(size)?;
            Some(Match {
                rule_id: found.rule_id,
                phase: found.phase,
                target: Text::from(&*found.target),
                value: Text::from(&*found.value),
            })
        })
        .collect();
    if matches.is_empty() {
        return None;
    }
    let content = Content {
        unique_id: transaction.connection().unique_id.to_string().into(),
        left_out: all().count().saturating_sub(matches.len()),
        matches,
    };
    let key = PublicKey::from_bytes(key);
    let mut drawn = Drawn {
        random,
        failed: false,
    };
    let sealed = key.seal(&mut drawn, &super::in_json(&content)).ok()?;
    if drawn.failed {
        return None;
    }
    let mut text = SEALED.as_bytes().to_vec();
    base64::encode(&sealed, &mut text);
    let text = String::from_utf8(text).ok()?;
    Some(text.trim_end_matches('=').to_owned())
}

/// Random bytes as the library takes them.
struct Drawn<'a, 'r> {
    random: &'a mut Random<'r>,
    /// Some were not random.
    failed: bool,
}

impl RngCore for Drawn<'_, '_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.failed |= !(self.random)(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Drawn<'_, '_> {}

/// The reader's side: `parapet keygen` and `parapet decrypt`.
#[cfg(feature = "cli")]
mod reader {
    use crypto_box::SecretKey;

    use super::SEALED;
    use crate::bytes::base64;
    use crate::program::SECRET_KEY;

    /// A secret key: it opens what was sealed to its public key.
    #[derive(Debug)]
    pub struct SealKey(SecretKey);

    impl SealKey {
        /// A key of random bytes; none where there are none.
        pub fn generate(random: &mut super::Random<'_>) -> Option<Self> {
            let mut bytes = [0; 32];
            random(&mut bytes).then(|| Self(SecretKey::from_bytes(bytes)))
        }

        /// Reads a file of `parapet keygen`: comments, and one line with the key.
        pub fn read(text: &str) -> Option<Self> {
            let mut lines = text.lines().map(str::trim);
            let key = lines.find_map(|line| line.strip_prefix(SECRET_KEY))?;
            let bytes = base64::decode(key.trim().as_bytes())?;
            Some(Self(SecretKey::from_bytes(bytes.try_into().ok()?)))
        }

        /// What [`Self::read`] reads.
        pub fn secret(&self) -> String {
            format!("{SECRET_KEY}{}", in_base64(&self.0.to_bytes()))
        }

        /// What SecParapetSealKey takes.
        pub fn public(&self) -> String {
            in_base64(&self.0.public_key().to_bytes())
        }

        /// Opens all sealed texts in bytes that may say anything else, in order: their JSON, or `None`
        /// for one that was sealed to another key or is damaged.
        pub fn open<'b>(
            &self,
            bytes: &'b [u8],
        ) -> impl Iterator<Item = Option<Vec<u8>>> + use<'b, '_> {
            memchr::memmem::find_iter(bytes, SEALED).map(|at| {
                let start = at.saturating_add(SEALED.len());
                let text = bytes.get(start..)?;
                let end = text.iter().position(|&byte| base64::sextet(byte).is_none());
                let sealed = base64::decode(text.get(..end.unwrap_or(text.len()))?)?;
                self.0.unseal(&sealed).ok()
            })
        }
    }

    fn in_base64(bytes: &[u8]) -> String {
        let mut text = Vec::new();
        base64::encode(bytes, &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }
}

#[cfg(feature = "cli")]
pub use reader::SealKey;

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::SealKey;

    /// Sealed by libsodium (PyNaCl) to the public key of this secret one.
    const OF_LIBSODIUM: &str = "parapet:sealed:1:fgnkEMzO57/sahoRTkryi5dQgcsro9zdOYasYh0LDXBZO2cZJ/12HRAfQHDm\
                                igZfCe9DUA8aDpTbalg3jlfwsN3JotBXVlzvU+oqbnX9";
    const KEY: &str =
        "# a comment\nparapet-secret-key:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n";

    #[test]
    fn what_libsodium_sealed_can_be_opened() {
        let key = SealKey::read(KEY).unwrap();
        assert_eq!(key.public(), "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=");
        let log = format!("x {OF_LIBSODIUM}\" and parapet:sealed:1:AAAA {OF_LIBSODIUM}");
        let opened: Vec<_> = key.open(log.as_bytes()).collect();
        let content = Some(b"{\"unique_id\":\"u\",\"matches\":[]}".to_vec());
        assert_eq!(opened, [content.clone(), None, content]);
    }

    #[test]
    fn a_damaged_text_or_another_key_opens_nothing() {
        let key = SealKey::read(KEY).unwrap();
        for at in "parapet:sealed:1:".len()..OF_LIBSODIUM.len() {
            let mut damaged = OF_LIBSODIUM.as_bytes().to_vec();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            let opened = key.open(&damaged).next().unwrap();
            // The last digit has bits that mean nothing.
            assert!(opened.is_none() || at + 1 == OF_LIBSODIUM.len(), "{at}");
        }
        let other = SealKey::generate(&mut |bytes| {
            bytes.fill(7);
            true
        });
        let other = other.unwrap();
        assert_eq!(other.open(OF_LIBSODIUM.as_bytes()).next(), Some(None));
        assert!(SealKey::read(&other.secret()).unwrap().public() == other.public());
        assert!(SealKey::generate(&mut |_| false).is_none());
        assert!(SealKey::read("parapet-secret-key:AAAA").is_none());
    }
}
