//! Words as sets of small numbers.

/// The bits of a word that are set, from the lowest on.
pub fn set_bits(mut word: u64) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let lowest = u8::try_from(word.trailing_zeros()).ok();
        let lowest = lowest.filter(|&bit| bit < 64)?;
        // Clears the lowest bit that is set.
        word &= word.wrapping_sub(1);
        Some(lowest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_lowest_on() {
        let bits = |word| set_bits(word).collect::<Vec<u8>>();
        assert!(bits(0).is_empty());
        assert_eq!(bits(0b1011 | 1 << 63), [0, 1, 3, 63]);
        assert_eq!(bits(u64::MAX), (0..64).collect::<Vec<u8>>());
    }
}
