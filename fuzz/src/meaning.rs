//! What transformations mean, as far as it can be said of any value.

use parapet::transform::{Context, Outcome, Transformation};

/// Checks what is known of an output, whatever the value.
pub fn check(one: Transformation, value: &[u8], output: &[u8], context: Context<'_>) {
    use Transformation as T;
    let name = one.def().name;
    let mut again = Vec::new();
    match one {
        // Doing it twice is doing it once.
        T::Lowercase
        | T::Uppercase
        | T::Trim
        | T::TrimLeft
        | T::TrimRight
        | T::RemoveNulls
        | T::ReplaceNulls
        | T::RemoveWhitespace
        | T::CompressWhitespace
        | T::ParityEven7bit
        | T::ParityOdd7bit
        | T::ParityZero7bit
        | T::NormalizePath
        | T::NormalizePathWin
        | T::CmdLine => {
            assert_eq!(
                one.apply(output, &mut again, context),
                Outcome::Unchanged,
                "{name} again: {value:?}"
            );
        }
        T::HexEncode => undone(T::HexDecode, value, output, context),
        T::Base64Encode => undone(T::Base64Decode, value, output, context),
        T::UrlEncode => undone(T::UrlDecode, value, output, context),
        T::Md5 => assert_eq!(output.len(), 16),
        T::Sha1 => assert_eq!(output.len(), 20),
        T::Length => assert_eq!(output, value.len().to_string().as_bytes()),
        _ => {}
    }
}

fn undone(by: Transformation, value: &[u8], output: &[u8], context: Context<'_>) {
    let mut again = Vec::new();
    if by.apply(output, &mut again, context) == Outcome::Unchanged {
        again = output.to_vec();
    }
    assert!(
        again == value,
        "{}: {again:?} is not {value:?}",
        by.def().name
    );
}
