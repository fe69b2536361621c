//! The database of `@geoLookup`: a MaxMind DB file (`.mmdb`), such as GeoLite2-City.

use std::fmt;
use std::net::IpAddr;

use maxminddb::{PathElement, Reader};
use serde::Deserialize;

/// A database that was checked from end to end when it was opened.
pub struct Geography {
    reader: Reader<Vec<u8>>,
}

/// What is known about an address: names and values of GEO. What the database does not know has
/// no entry.
pub type Place = Vec<(&'static str, Vec<u8>)>;

/// Why a file is not a database to look into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GeographyError {
    /// A GeoIP database of the format before MaxMind DB (`.dat`).
    Legacy,
    /// Neither, or damaged; what is wrong with it.
    Unfit(String),
}

impl Geography {
    /// Takes the contents of a file into use. The time is linear in its size.
    ///
    /// # Errors
    /// It is not a MaxMind DB, or anything in it cannot be read.
    pub fn open(file: Vec<u8>) -> Result<Self, GeographyError> {
        let legacy = is_legacy(&file);
        let unfit = |error: maxminddb::MaxMindDbError| match legacy {
            true => GeographyError::Legacy,
            false => GeographyError::Unfit(error.to_string()),
        };
        let reader = Reader::from_source(file).map_err(unfit)?;
        reader.verify().map_err(unfit)?;
        Ok(Self { reader })
    }

    /// What is known about an address; none for one that is not in the database, such as a
    /// private one.
    pub fn look_up(&self, address: IpAddr) -> Option<Place> {
        // A database of IPv4 addresses alone refuses others.
        let found = self.reader.lookup(address.to_canonical()).ok()?;
        if !found.has_data() {
            return None;
        }
        let at = Record(&found);
        let mut place = Place::new();
        let mut add = |name, value: Option<Vec<u8>>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                place.push((name, value));
            }
        };
        let code = at.text(&["country", "iso_code"]);
        let code3 = code.as_deref().and_then(three_letters);
        add("COUNTRY_CODE", code);
        add("COUNTRY_CODE3", code3);
        add("COUNTRY_NAME", at.text(&["country", "names", "en"]));
        add("COUNTRY_CONTINENT", at.text(&["continent", "code"]));
        let region = [
            PathElement::Key("subdivisions"),
            PathElement::Index(0),
            PathElement::Key("iso_code"),
        ];
        add("REGION", at.get::<String>(&region).map(String::into_bytes));
        add("CITY", at.text(&["city", "names", "en"]));
        add("POSTAL_CODE", at.text(&["postal", "code"]));
        add("LATITUDE", at.degrees("latitude"));
        add("LONGITUDE", at.degrees("longitude"));
        let metro = [PathElement::Key("location"), PathElement::Key("metro_code")];
        // Databases hold it in two or four bytes.
        let code = at.get::<u16>(&metro).map(u32::from);
        let code = code.or_else(|| at.get::<u32>(&metro));
        add("DMA_CODE", code.map(|code| code.to_string().into_bytes()));
        (!place.is_empty()).then_some(place)
    }
}

impl fmt::Debug for Geography {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Geography")
            .field(&self.reader.metadata().database_type)
            .finish()
    }
}

impl fmt::Display for GeographyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Legacy => f.write_str("it is a GeoIP database of the old format (.dat)"),
            Self::Unfit(why) => write!(f, "it is not a MaxMind DB, or damaged: {why}"),
        }
    }
}

impl std::error::Error for GeographyError {}

/// One record; what is not there, or not of the type asked for, is none.
struct Record<'a>(&'a maxminddb::LookupResult<'a, Vec<u8>>);

impl Record<'_> {
    fn get<'a, T: Deserialize<'a>>(&'a self, path: &[PathElement<'_>]) -> Option<T> {
        self.0.decode_path(path).ok().flatten()
    }

    fn text(&self, names: &[&str]) -> Option<Vec<u8>> {
        let path: Vec<PathElement<'_>> = names.iter().map(|name| PathElement::Key(name)).collect();
        self.get::<String>(&path).map(String::into_bytes)
    }

    /// Six digits behind the point, as v2 and v3 print them.
    fn degrees(&self, name: &str) -> Option<Vec<u8>> {
        let path = [PathElement::Key("location"), PathElement::Key(name)];
        let degrees = self.get::<f64>(&path)?;
        Some(format!("{degrees:.6}").into_bytes())
    }
}

/// Whether a file ends as GeoIP databases of the format before MaxMind DB do: three bytes of 255
/// and the kind of the database, within the last twenty bytes.
fn is_legacy(file: &[u8]) -> bool {
    let tail = file.get(file.len().saturating_sub(23)..).unwrap_or(file);
    tail.windows(3).any(|bytes| bytes == [0xFF; 3])
}

/// The country code of three letters to one of two: ISO 3166-1, which the old databases carried
/// and MaxMind DB files do not.
fn three_letters(code: &[u8]) -> Option<Vec<u8>> {
    CODES
        .split_ascii_whitespace()
        .find_map(|pair| pair.as_bytes().strip_prefix(code))
        .filter(|rest| rest.len() == 3)
        .map(<[u8]>::to_vec)
}

/// Codes of two letters, each followed by that of three.
const CODES: &str = "\
    ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA \
    AZAZE BABIH BBBRB BDBGD BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES \
    BRBRA BSBHS BTBTN BVBVT BWBWA BYBLR BZBLZ CACAN CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK \
    CLCHL CMCMR CNCHN COCOL CRCRI CUCUB CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU DJDJI DKDNK DMDMA \
    DODOM DZDZA ECECU EEEST EGEGY EHESH ERERI ESESP ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA \
    GAGAB GBGBR GDGRD GEGEO GFGUF GGGGY GHGHA GIGIB GLGRL GMGMB GNGIN GPGLP GQGNQ GRGRC GSSGS \
    GTGTM GUGUM GWGNB GYGUY HKHKG HMHMD HNHND HRHRV HTHTI HUHUN IDIDN IEIRL ILISR IMIMN ININD \
    IOIOT IQIRQ IRIRN ISISL ITITA JEJEY JMJAM JOJOR JPJPN KEKEN KGKGZ KHKHM KIKIR KMCOM KNKNA \
    KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN LCLCA LILIE LKLKA LRLBR LSLSO LTLTU LULUX LVLVA \
    LYLBY MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ \
    MRMRT MSMSR MTMLT MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM NCNCL NENER NFNFK NGNGA NINIC \
    NLNLD NONOR NPNPL NRNRU NUNIU NZNZL OMOMN PAPAN PEPER PFPYF PGPNG PHPHL PKPAK PLPOL PMSPM \
    PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT REREU ROROU RSSRB RURUS RWRWA SASAU SBSLB SCSYC \
    SDSDN SESWE SGSGP SHSHN SISVN SJSJM SKSVK SLSLE SMSMR SNSEN SOSOM SRSUR SSSSD STSTP SVSLV \
    SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL TLTLS TMTKM TNTUN TOTON TRTUR \
    TTTTO TVTUV TWTWN TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN VGVGB VIVIR \
    VNVNM VUVUT WFWLF WSWSM XKXKX YEYEM YTMYT ZAZAF ZMZMB ZWZWE";

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A database in which 192.0.2.0/24 is a place in Utopia: one record, 24 bits each.
    #[expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]
    pub(crate) fn small() -> Vec<u8> {
        let network: u32 = 0xC000_0200;
        let nodes = 24u32;
        let mut file = Vec::new();
        for node in 0..nodes {
            let bit = network >> (31 - node) & 1;
            let next = if node + 1 == nodes {
                nodes + 16
            } else {
                node + 1
            };
            let (left, right) = if bit == 0 {
                (next, nodes)
            } else {
                (nodes, next)
            };
            file.extend_from_slice(&left.to_be_bytes()[1..]);
            file.extend_from_slice(&right.to_be_bytes()[1..]);
        }
        file.extend_from_slice(&[0; 16]);
        map(&mut file, 5);
        text(&mut file, "country");
        map(&mut file, 2);
        text(&mut file, "iso_code");
        text(&mut file, "NZ");
        text(&mut file, "names");
        map(&mut file, 1);
        text(&mut file, "en");
        text(&mut file, "Utopia");
        text(&mut file, "continent");
        map(&mut file, 1);
        text(&mut file, "code");
        text(&mut file, "OC");
        text(&mut file, "subdivisions");
        file.extend_from_slice(&[0x01, 0x04]);
        map(&mut file, 1);
        text(&mut file, "iso_code");
        text(&mut file, "AUK");
        text(&mut file, "city");
        map(&mut file, 1);
        text(&mut file, "names");
        map(&mut file, 1);
        text(&mut file, "en");
        text(&mut file, "Amaurot");
        text(&mut file, "location");
        map(&mut file, 3);
        text(&mut file, "latitude");
        double(&mut file, -36.5);
        text(&mut file, "longitude");
        double(&mut file, 174.25);
        text(&mut file, "metro_code");
        file.extend_from_slice(&[0xA2, 0x01, 0xF4]);
        file.extend_from_slice(b"\xAB\xCD\xEFMaxMind.com");
        map(&mut file, 9);
        for (name, value) in [
            ("binary_format_major_version", 2u8),
            ("binary_format_minor_version", 0),
            ("ip_version", 4),
            ("record_size", 24),
        ] {
            text(&mut file, name);
            file.extend_from_slice(&[0xA1, value]);
        }
        text(&mut file, "node_count");
        file.extend_from_slice(&[0xC1, nodes.to_be_bytes()[3]]);
        text(&mut file, "build_epoch");
        file.extend_from_slice(&[0x04, 0x02, 0x65, 0x00, 0x00, 0x00]);
        text(&mut file, "database_type");
        text(&mut file, "Test-City");
        text(&mut file, "languages");
        file.extend_from_slice(&[0x01, 0x04]);
        text(&mut file, "en");
        text(&mut file, "description");
        map(&mut file, 1);
        text(&mut file, "en");
        text(&mut file, "a test");
        file
    }

    fn map(file: &mut Vec<u8>, pairs: u8) {
        file.push(0xE0 | pairs);
    }

    #[expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]
    fn text(file: &mut Vec<u8>, text: &str) {
        file.push(0x40 | u8::try_from(text.len()).unwrap().min(29));
        if text.len() >= 29 {
            file.push(u8::try_from(text.len() - 29).unwrap());
        }
        file.extend_from_slice(text.as_bytes());
    }

    fn double(file: &mut Vec<u8>, number: f64) {
        file.push(0x68);
        file.extend_from_slice(&number.to_be_bytes());
    }

    fn show(place: Option<Place>) -> Vec<String> {
        let entry = |(name, value): (&str, Vec<u8>)| format!("{name}={}", value.escape_ascii());
        place.into_iter().flatten().map(entry).collect()
    }

    #[test]
    fn a_place_has_names() {
        let geography = Geography::open(small()).unwrap();
        let look_up = |address: &str| show(geography.look_up(address.parse().unwrap()));
        let place = [
            "COUNTRY_CODE=NZ",
            "COUNTRY_CODE3=NZL",
            "COUNTRY_NAME=Utopia",
            "COUNTRY_CONTINENT=OC",
            "REGION=AUK",
            "CITY=Amaurot",
            "LATITUDE=-36.500000",
            "LONGITUDE=174.250000",
            "DMA_CODE=500",
        ];
        assert_eq!(look_up("192.0.2.7"), place);
        assert_eq!(look_up("::ffff:192.0.2.7"), place);
        for unknown in ["192.0.3.1", "127.0.0.1", "2001:db8::1"] {
            assert_eq!(look_up(unknown), Vec::<String>::new(), "{unknown}");
        }
    }

    #[test]
    fn damaged_databases_are_refused_or_read_in_time() {
        let whole = small();
        for length in 0..whole.len() {
            assert!(
                Geography::open(whole[..length].to_vec()).is_err(),
                "{length}"
            );
        }
        // Whatever a byte becomes, opening and looking up end without harm.
        for at in 0..whole.len() {
            for flip in [0x01, 0x20, 0x80, 0xFF] {
                let mut file = whole.clone();
                file[at] ^= flip;
                if let Ok(geography) = Geography::open(file) {
                    for address in ["192.0.2.7", "10.0.0.1", "2001:db8::1"] {
                        drop(geography.look_up(address.parse().unwrap()));
                    }
                }
            }
        }
    }

    #[test]
    fn the_old_format_is_known() {
        let mut file = vec![0; 100];
        file.extend_from_slice(&[0xFF, 0xFF, 0xFF, 0x02, 0x00, 0x00, 0x01]);
        assert_eq!(Geography::open(file).unwrap_err(), GeographyError::Legacy);
        let error = Geography::open(b"no database".to_vec()).unwrap_err();
        assert!(matches!(error, GeographyError::Unfit(_)));
    }

    #[test]
    fn codes_are_in_pairs() {
        for pair in CODES.split_ascii_whitespace() {
            assert_eq!(pair.len(), 5, "{pair}");
        }
        assert_eq!(three_letters(b"US"), Some(b"USA".to_vec()));
        assert_eq!(three_letters(b"DE"), Some(b"DEU".to_vec()));
        assert_eq!(three_letters(b"U"), None);
        assert_eq!(three_letters(b"ZZ"), None);
    }
}
