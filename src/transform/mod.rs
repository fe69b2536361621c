//! Transformations: `t:name`, bytes to bytes.
//!
//! One file and one line of `table!` each. A transformation never fails: malformed input is
//! copied through. It takes time linear in its input and says whether it changed the value,
//! exactly; from which byte classes it could ([`ActsOn`]), so that a value with none of them need
//! not be looked at; which byte classes it can make ([`Makes`]); and how long the output can get
//! ([`Growth`]).
//!
//! The semantics are those of ModSecurity 2.9 (v2); each member's `spec` tells where it departs.
//! Unlike v2, none of them takes NUL for the end of the value.

mod def;
mod parts;
mod unicode_map;

#[cfg(test)]
mod tests;

pub use def::{ActsOn, Def, Example, Growth, Makes};
pub use unicode_map::{UnicodeMap, UnicodeMapError};

use crate::bytes::{ClassSet, Profile, set_bits};

/// What a transformation did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The output would equal the input; the buffer was left empty.
    Unchanged,
    /// The buffer holds the output, which differs from the input.
    Changed,
}

/// What a transformation reads besides the value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The map of SecUnicodeMapFile for `%uHHHH`: without it the low byte is taken, as v2 does.
    pub unicode_map: Option<&'a UnicodeMap>,
}

/// Declares the modules, the enum and the table from one list.
macro_rules! table {
    ($($module:ident: $variant:ident,)+) => {
        $(mod $module;)+

        /// A transformation; [`Transformation::def`] tells what it is.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Transformation {
            $(#[doc = concat!("The one that the module `", stringify!($module), "` defines.")]
            $variant,)+
        }

        impl Transformation {
            /// All of them, by name.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// What it is.
            pub const fn def(self) -> &'static Def {
                match self { $(Self::$variant => &$module::DEF,)+ }
            }
        }
    };
}

table! {
    base64_decode: Base64Decode,
    base64_decode_ext: Base64DecodeExt,
    base64_encode: Base64Encode,
    cmd_line: CmdLine,
    compress_whitespace: CompressWhitespace,
    css_decode: CssDecode,
    escape_seq_decode: EscapeSeqDecode,
    hex_decode: HexDecode,
    hex_encode: HexEncode,
    html_entity_decode: HtmlEntityDecode,
    js_decode: JsDecode,
    length: Length,
    lowercase: Lowercase,
    md5: Md5,
    normalize_path: NormalizePath,
    normalize_path_win: NormalizePathWin,
    parity_even: ParityEven7bit,
    parity_odd: ParityOdd7bit,
    parity_zero: ParityZero7bit,
    php_args_names: PhpArgsNames,
    remove_comments: RemoveComments,
    remove_comments_char: RemoveCommentsChar,
    remove_nulls: RemoveNulls,
    remove_whitespace: RemoveWhitespace,
    replace_comments: ReplaceComments,
    replace_nulls: ReplaceNulls,
    sha1: Sha1,
    sql_hex_decode: SqlHexDecode,
    trim: Trim,
    trim_left: TrimLeft,
    trim_right: TrimRight,
    uppercase: Uppercase,
    url_decode: UrlDecode,
    url_decode_uni: UrlDecodeUni,
    url_encode: UrlEncode,
    utf8_to_unicode: Utf8ToUnicode,
}

/// A set of transformations: there are fewer than 64.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TransformationSet(u64);

/// For each byte class, the transformations that act on values with such bytes alone.
static BY_LONE_CLASS: [TransformationSet; 64] = {
    let mut table = [TransformationSet(0); 64];
    let mut class = 0;
    while class < 64 {
        #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
        {
            table[class] = TransformationSet::acting(Profile {
                classes: ClassSet(1 << class),
                upper: false,
            });
            class += 1;
        }
    }
    table
};

/// For each byte class, the transformations that act on values with such a byte.
static BY_CLASS: [TransformationSet; 64] = {
    let mut table = [TransformationSet(0); 64];
    let mut class = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
    while class < 64 {
        let mut at = 0;
        while at < Transformation::ALL.len() {
            let one = Transformation::ALL[at];
            if one.def().acts_on.classes.intersects(ClassSet(1 << class)) {
                table[class] = table[class].with(one);
            }
            at += 1;
        }
        class += 1;
    }
    table
};

/// Those that act on values with some letter, if none is in upper case and if one is.
static BY_LETTER: [TransformationSet; 2] = [
    TransformationSet::acting(Profile {
        classes: ClassSet::LETTERS,
        upper: false,
    }),
    TransformationSet::acting(Profile {
        classes: ClassSet::LETTERS,
        upper: true,
    }),
];

/// Those that act on the empty value.
static BY_EMPTINESS: TransformationSet = TransformationSet::acting(Profile {
    classes: ClassSet::EMPTY,
    upper: false,
});

impl TransformationSet {
    /// With one more.
    #[must_use]
    pub const fn with(self, one: Transformation) -> Self {
        Self(self.0 | 1 << one.number())
    }

    /// Whether one is in it.
    pub const fn contains(self, one: Transformation) -> bool {
        self.0 & 1 << one.number() != 0
    }

    /// Whether one is in both.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Those that can change a value of this profile: [`Transformation::apply`] need not be called
    /// for others.
    pub fn acting_on(profile: Profile) -> Self {
        let letters = ClassSet::LETTERS;
        let [lower, upper] = BY_LETTER;
        let first = match profile {
            Profile { upper: true, .. } => upper,
            Profile { classes, .. } if classes.intersects(letters) => lower,
            Profile { classes, .. } if classes == ClassSet::EMPTY => BY_EMPTINESS,
            _ => Self(0),
        };
        let by_class = if profile.classes.0.is_power_of_two() {
            &BY_LONE_CLASS
        } else {
            &BY_CLASS
        };
        set_bits(profile.classes.without(letters).0).fold(first, |all, class| {
            let more = by_class.get(usize::from(class));
            Self(all.0 | more.map_or(u64::MAX, |set| set.0))
        })
    }

    /// Those of them that can change more than the case of letters.
    pub fn reshaping(profile: Profile) -> Self {
        let caseless = Profile {
            upper: false,
            ..profile
        };
        let cases = Self(0)
            .with(Transformation::Lowercase)
            .with(Transformation::Uppercase);
        Self(Self::acting_on(caseless).0 & !cases.0)
    }

    /// Those that say so of a value of this profile.
    #[expect(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "the index stays below the length"
    )]
    const fn acting(profile: Profile) -> Self {
        let mut all = Self(0);
        let mut at = 0;
        while at < Transformation::ALL.len() {
            let one = Transformation::ALL[at];
            if one.def().acts_on.may_change(profile) {
                all = all.with(one);
            }
            at += 1;
        }
        all
    }
}

impl Transformation {
    /// Finds one by name or alias, whatever the letter case. `none` is not one: it clears the list.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|transformation| {
            let def = transformation.def();
            def.name.eq_ignore_ascii_case(name)
                || def
                    .aliases
                    .iter()
                    .any(|alias| alias.eq_ignore_ascii_case(name))
        })
    }

    /// Its place in [`Self::ALL`].
    pub const fn number(self) -> u8 {
        #[expect(clippy::as_conversions, reason = "the enum is a `u8`")]
        let number = self as u8;
        number
    }

    /// Applies it. The buffer is cleared first; after [`Outcome::Unchanged`] it is empty.
    pub fn apply(self, input: &[u8], output: &mut Vec<u8>, context: Context<'_>) -> Outcome {
        output.clear();
        let outcome = (self.def().apply)(input, output, context);
        if outcome == Outcome::Unchanged {
            output.clear();
        }
        outcome
    }
}
