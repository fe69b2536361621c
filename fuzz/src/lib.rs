//! What the fuzz targets share: how inputs are taken apart, how time and memory are measured, where
//! seeds come from.
#![cfg(feature = "guided")]

pub mod input;
pub mod meaning;
pub mod measure;
pub mod pcre;
pub mod seeds;
pub mod waf;
