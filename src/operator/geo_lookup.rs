//! `@geoLookup`.

use std::net::IpAddr;

use super::text::{Line, trim};
use super::{Argument, Compile, CompileError, Def, Eval, Example, Match, Member, Product, Support};

/// Whether the database of SecGeoLookupDb knows the address.
#[derive(Clone, Copy, Debug)]
pub(super) struct GeoLookup;

impl Member for GeoLookup {
    const DEF: Def = Def {
        name: "geoLookup",
        aliases: &[],
        summary: "Whether the database of SecGeoLookupDb knows the address; fills GEO.",
        spec: "ModSecurity manual, @geoLookup; a MaxMind DB file, as version 3, with the keys of \
            version 2: REGION is the code of the region, AREA_CODE is no longer in any database. \
            Names of hosts are not resolved. A lookup that fails empties GEO.",
        argument: Argument::None,
        macros: false,
        support: Support::Full,
        examples: &[Example::no(b"", b"not an address")],
    };

    fn compile(_: &[u8], _: &mut Compile<'_>) -> Result<Self, CompileError> {
        Ok(Self)
    }

    fn eval(&self, value: &[u8], _: &[u8], eval: &mut Eval<'_>) -> bool {
        let address = std::str::from_utf8(trim(value))
            .ok()
            .and_then(|text| text.parse::<IpAddr>().ok());
        let found = address.and_then(|address| eval.geography?.look_up(address));
        let known = found.is_some();
        *eval.product = Product::Place(found.unwrap_or_default());
        known
    }

    fn explain(&self, found: &Match<'_>) -> Vec<u8> {
        Line::new("Geo lookup for \"")
            .bytes(found.value)
            .text("\" succeeded")
            .at(found.target)
    }
}
