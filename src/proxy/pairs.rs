//! Header pairs as the host hands them over: one block of bytes and the places in it.

use super::host::HostError;

/// The pairs of a header map, in the order of the host.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pairs {
    data: Vec<u8>,
    /// Start of the name, start of the value, end of the value.
    places: Vec<(usize, usize, usize)>,
}

impl Pairs {
    /// Reads the ABI's serialized map: a count, then the length of each name and value, then each
    /// name and value followed by a NUL; numbers are 32 bits, little-endian. An empty block is an
    /// empty map.
    ///
    /// # Errors
    /// [`HostError::Malformed`] if the block is shorter than it says.
    pub fn decode(data: Vec<u8>) -> Result<Self, HostError> {
        if data.is_empty() {
            return Ok(Self::default());
        }
        let places = places(&data).ok_or(HostError::Malformed)?;
        Ok(Self { data, places })
    }

    /// Writes pairs in the form [`Pairs::decode`] reads; `None` if a length is beyond 32 bits.
    pub fn encode(pairs: &[(Vec<u8>, Vec<u8>)]) -> Option<Vec<u8>> {
        let size = |bytes: &[u8]| Some(u32::try_from(bytes.len()).ok()?.to_le_bytes());
        let mut data = u32::try_from(pairs.len()).ok()?.to_le_bytes().to_vec();
        for (name, value) in pairs {
            data.extend_from_slice(&size(name)?);
            data.extend_from_slice(&size(value)?);
        }
        for (name, value) in pairs {
            data.extend_from_slice(name);
            data.push(0);
            data.extend_from_slice(value);
            data.push(0);
        }
        Some(data)
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.places.iter().filter_map(|&(name, value, end)| {
            let names_end = value.checked_sub(1)?;
            Some((self.data.get(name..names_end)?, self.data.get(value..end)?))
        })
    }

    /// The first value of a name; pseudo headers and names from Envoy are lower case.
    pub fn first(&self, name: &[u8]) -> Option<&[u8]> {
        self.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut made = Self::default();
        for (name, value) in pairs {
            let start = made.data.len();
            made.data.extend_from_slice(name.as_ref());
            made.data.push(0);
            let middle = made.data.len();
            made.data.extend_from_slice(value.as_ref());
            made.places.push((start, middle, made.data.len()));
            made.data.push(0);
        }
        made
    }
}

fn places(data: &[u8]) -> Option<Vec<(usize, usize, usize)>> {
    let (count, mut sizes) = number(data)?;
    // Eight bytes of sizes each: a count beyond that is a lie, and must not make us allocate.
    let table = count.checked_mul(8)?;
    if sizes.len() < table {
        return None;
    }
    let mut places = Vec::with_capacity(count);
    let mut at = table.checked_add(4)?;
    for _ in 0..count {
        let (name, rest) = number(sizes)?;
        let (value, rest) = number(rest)?;
        sizes = rest;
        let middle = at.checked_add(name)?.checked_add(1)?;
        let end = middle.checked_add(value)?;
        if end >= data.len() {
            return None;
        }
        places.push((at, middle, end));
        at = end.checked_add(1)?;
    }
    Some(places)
}

fn number(data: &[u8]) -> Option<(usize, &[u8])> {
    let (bytes, rest) = data.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*bytes)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(n, v)| (n.to_vec(), v.to_vec()))
            .collect();
        Pairs::encode(&pairs).unwrap()
    }

    #[test]
    fn the_form_is_that_of_the_abi() {
        assert_eq!(
            encode(&[(b"ab", b"c")]),
            b"\x01\0\0\0\x02\0\0\0\x01\0\0\0ab\0c\0"
        );
    }

    #[test]
    fn keeps_order_repeats_and_odd_bytes() {
        let wanted: &[(&[u8], &[u8])] = &[
            (b"cookie", b"a=1"),
            (b"x-\xff", b"\x80\x00"),
            (b"cookie", b"b=2"),
            (b"", b""),
        ];
        let pairs = Pairs::decode(encode(wanted)).unwrap();
        assert_eq!(pairs.iter().collect::<Vec<_>>(), wanted);
        assert_eq!(pairs.first(b"Cookie"), Some(&b"a=1"[..]));
        assert_eq!(pairs.first(b"x"), None);
        assert_eq!(
            wanted
                .iter()
                .copied()
                .collect::<Pairs>()
                .iter()
                .collect::<Vec<_>>(),
            wanted
        );
    }

    #[test]
    fn empty_blocks_are_empty_maps() {
        assert!(Pairs::decode(Vec::new()).unwrap().is_empty());
        assert_eq!(Pairs::decode(vec![0; 4]).unwrap().len(), 0);
    }

    #[test]
    fn every_truncation_is_refused() {
        let whole = encode(&[(b"name", b"value"), (b"n", b"")]);
        for length in 1..whole.len() {
            assert_eq!(
                Pairs::decode(whole[..length].to_vec()),
                Err(HostError::Malformed)
            );
        }
        let mut huge = u32::MAX.to_le_bytes().to_vec();
        huge.resize(64, 0xff);
        assert_eq!(Pairs::decode(huge), Err(HostError::Malformed));
    }
}
