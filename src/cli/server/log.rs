//! A log file that somebody else is writing.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Longest line; a longer one is handed out in pieces.
const LONGEST: usize = 1 << 20;

/// What is added to a file from now on, line by line.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    position: u64,
    /// The beginning of a line whose end is not written yet.
    begun: Vec<u8>,
}

impl LogFile {
    /// Opens a file at its end.
    ///
    /// # Errors
    ///
    /// A text for people.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("the log {}: {error}", path.display());
        let mut file = File::open(path).map_err(failed)?;
        let position = file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            position,
            begun: Vec::new(),
        })
    }

    /// Appends the lines that have been completed since the last call, without their ends.
    ///
    /// # Errors
    ///
    /// A text for people: it cannot be read, or it became shorter.
    pub(super) fn read(&mut self, lines: &mut Vec<Vec<u8>>) -> Result<(), String> {
        let failed = |path: &Path, error: &dyn std::fmt::Display| {
            format!("the log {}: {error}", path.display())
        };
        let length = self
            .file
            .metadata()
            .map_err(|e| failed(&self.path, &e))?
            .len();
        if length < self.position {
            return Err(failed(&self.path, &"it became shorter while it was read"));
        }
        let mut block = vec![0; 64 * 1024];
        loop {
            let size = self
                .file
                .read(&mut block)
                .map_err(|e| failed(&self.path, &e))?;
            if size == 0 {
                return Ok(());
            }
            self.position = self
                .position
                .saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
            for piece in block
                .get(..size)
                .unwrap_or(&block)
                .split_inclusive(|&b| b == b'\n')
            {
                self.begun.extend_from_slice(piece);
                if piece.ends_with(b"\n") || self.begun.len() > LONGEST {
                    let mut line = std::mem::take(&mut self.begun);
                    while line
                        .last()
                        .is_some_and(|byte| matches!(byte, b'\r' | b'\n'))
                    {
                        line.pop();
                    }
                    lines.push(line);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LogFile;
    use std::io::Write;

    #[test]
    fn lines_are_handed_out_when_they_are_complete() {
        let path = std::env::temp_dir().join(format!("parapet-log-{}", std::process::id()));
        std::fs::write(&path, "before\n").unwrap();
        let mut log = LogFile::open(&path).unwrap();
        let mut writer = std::fs::File::options().append(true).open(&path).unwrap();
        let mut read = || {
            let mut lines = Vec::new();
            log.read(&mut lines).map(|()| lines)
        };
        writer.write_all(b"one\r\ntw").unwrap();
        assert_eq!(read().unwrap(), [b"one"]);
        assert!(read().unwrap().is_empty());
        writer.write_all(b"o\nthree\n").unwrap();
        assert_eq!(read().unwrap(), [&b"two"[..], b"three"]);
        writer.set_len(3).unwrap();
        assert!(read().unwrap_err().contains("shorter"));
        std::fs::remove_file(&path).unwrap();
        assert!(LogFile::open(&path).unwrap_err().contains("the log /"));
    }
}
