//! Matching: regular expressions and phrase lists on bytes, in linear time.
//!
//! A [`Pattern`] is immutable and shared; what a search writes (lazy DFA states, captures) lives in
//! the caller's [`Scratch`]. A [`Prefilter`] over many patterns answers in one scan of a value
//! which of them can match at all.
