//! Data files and data sets of an argument.

use super::text::trim;
use super::{Compile, CompileError, CompileErrorKind};

/// A name and what the file of that name holds.
type File<'a> = (&'a [u8], Vec<u8>);

/// Reads the files that an argument names, with blanks between them.
pub(super) fn read_all<'a>(
    argument: &'a [u8],
    cx: &mut Compile<'_>,
) -> Result<Vec<File<'a>>, CompileError> {
    let mut files = Vec::new();
    for name in argument
        .split(u8::is_ascii_whitespace)
        .filter(|name| !name.is_empty())
    {
        files.push((name, read(name, cx)?));
    }
    if files.is_empty() {
        return Err(CompileError::argument("expected the name of a file", None));
    }
    Ok(files)
}

fn read(name: &[u8], cx: &mut Compile<'_>) -> Result<Vec<u8>, CompileError> {
    let shown = name.escape_ascii();
    if name.starts_with(b"https://") || name.starts_with(b"http://") {
        return Err(CompileError::file(format!("{shown} is not a file"))
            .hint("lists are not fetched over the network; put the list into a data file"));
    }
    let text = std::str::from_utf8(name)
        .map_err(|_| CompileError::file(format!("{shown} is not the name of a file")))?;
    cx.files
        .read(text)
        .map_err(|reason| CompileError::file(format!("{shown}: {reason}")))
}

/// The lines of the data set that an argument names.
pub(super) fn dataset<'a>(
    argument: &[u8],
    cx: &'a Compile<'_>,
) -> Result<&'a [Vec<u8>], CompileError> {
    std::str::from_utf8(trim(argument))
        .ok()
        .and_then(|name| cx.files.dataset(name))
        .ok_or_else(|| CompileError {
            kind: CompileErrorKind::Dataset,
            message: format!("unknown data set {}", argument.escape_ascii()),
            offset: None,
            hint: Some("define it with SecDataset before the rule".to_owned()),
        })
}
