//! Which rule set an authority gets.
//!
//! Names are compared in lower case, without user, port and trailing dot: the client writes the
//! authority, and none of these may choose other rules. A configured port counts only to tell two
//! entries of one name apart.

use std::collections::BTreeMap;

/// A table from authorities to places in a list of rule sets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Authorities {
    names: BTreeMap<Vec<u8>, Vec<(Option<u16>, usize)>>,
    /// Suffixes with their leading dot.
    suffixes: BTreeMap<Vec<u8>, usize>,
}

impl Authorities {
    /// Gives an authority (`name`, `name:port` or `*.suffix`) a rule set.
    ///
    /// # Errors
    /// What is wrong with the authority, as part of a sentence.
    pub fn insert(&mut self, authority: &str, profile: usize) -> Result<(), &'static str> {
        let (name, port) = split(authority.as_bytes());
        if let Some(suffix) = name.strip_prefix(b"*") {
            if suffix.len() < 2 || !suffix.starts_with(b".") || suffix.contains(&b'*') {
                return Err("has a `*` that is not the first label of a longer name");
            }
            if port.is_some() {
                return Err("has both a `*` and a port");
            }
            return match self.suffixes.insert(suffix.to_vec(), profile) {
                Some(earlier) if earlier != profile => {
                    Err("names the same hosts as an earlier key")
                }
                _ => Ok(()),
            };
        }
        if name.is_empty() {
            return Err("has no host name");
        }
        if name.contains(&b'*') {
            return Err("has a `*` that is not the first label of a longer name");
        }
        let entries = self.names.entry(name).or_default();
        match entries.iter().find(|(other, _)| *other == port) {
            Some((_, earlier)) if *earlier != profile => {
                return Err("names the same host as an earlier key");
            }
            Some(_) => {}
            None => entries.push((port, profile)),
        }
        Ok(())
    }

    /// Whether no authority has a rule set of its own.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.suffixes.is_empty()
    }

    /// The rule set of an authority: by name and port, by name, by the longest suffix.
    pub fn find(&self, authority: &[u8]) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let (name, port) = split(authority);
        self.by_name(&name, port).or_else(|| self.by_suffix(&name))
    }

    fn by_name(&self, name: &[u8], port: Option<u16>) -> Option<usize> {
        let entries = self.names.get(name)?;
        let with = |wanted: Option<u16>| entries.iter().find(|(port, _)| *port == wanted);
        if let Some((_, profile)) = with(port).or_else(|| with(None)) {
            return Some(*profile);
        }
        // Every entry has a port and none is this one. Where they agree the port makes no
        // difference; where they do not, the name alone decides nothing.
        let (_, first) = entries.first()?;
        entries
            .iter()
            .all(|(_, profile)| profile == first)
            .then_some(*first)
    }

    fn by_suffix(&self, name: &[u8]) -> Option<usize> {
        if self.suffixes.is_empty() {
            return None;
        }
        // From the left: the first dot gives the longest suffix.
        let dots = name.iter().enumerate().filter(|(_, byte)| **byte == b'.');
        dots.filter_map(|(at, _)| name.get(at..))
            .find_map(|suffix| self.suffixes.get(suffix))
            .copied()
    }
}

/// Name in lower case without user, port and trailing dot; and the port.
fn split(authority: &[u8]) -> (Vec<u8>, Option<u16>) {
    let without_user = authority
        .rsplit(|&byte| byte == b'@')
        .next()
        .unwrap_or(authority);
    let closing = without_user.iter().rposition(|&byte| byte == b']');
    let colon = without_user.iter().rposition(|&byte| byte == b':');
    let (name, port) = match colon {
        Some(colon) if closing.is_none_or(|closing| closing < colon) => {
            let (name, port) = without_user
                .split_at_checked(colon)
                .unwrap_or((without_user, b""));
            (name, port.get(1..).unwrap_or(b""))
        }
        _ => (without_user, &b""[..]),
    };
    let mut name = name;
    while let Some(shorter) = name.strip_suffix(b".") {
        name = shorter;
    }
    let name = name.to_ascii_lowercase();
    let port = std::str::from_utf8(port)
        .ok()
        .and_then(|port| port.parse().ok());
    (name, port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[(&str, usize)]) -> Authorities {
        let mut table = Authorities::default();
        for (authority, profile) in entries {
            table.insert(authority, *profile).unwrap();
        }
        table
    }

    #[test]
    fn case_port_user_and_trailing_dot_choose_nothing() {
        let table = table(&[("Foo.example.com", 1), ("[::1]", 2)]);
        for authority in [
            "foo.example.com",
            "FOO.Example.COM",
            "foo.example.com:8080",
            "foo.example.com.",
            "foo.example.com..",
            "foo.example.com.:80",
            "user@foo.example.com",
            "foo.example.com:port",
            "foo.example.com:",
        ] {
            assert_eq!(table.find(authority.as_bytes()), Some(1), "{authority}");
        }
        assert_eq!(table.find(b"[::1]:8080"), Some(2));
        for authority in [
            "",
            "example.com",
            "afoo.example.com",
            "foo.example.com.evil",
            ":80",
            ".",
        ] {
            assert_eq!(table.find(authority.as_bytes()), None, "{authority}");
        }
        assert_eq!(Authorities::default().find(b"a"), None);
    }

    #[test]
    fn a_configured_port_only_tells_entries_apart() {
        let apart = table(&[("a:1", 1), ("a:2", 2), ("b:1", 3), ("c", 4), ("c:9", 5)]);
        assert_eq!(apart.find(b"a:1"), Some(1));
        assert_eq!(apart.find(b"a:2"), Some(2));
        assert_eq!(apart.find(b"a:3"), None);
        assert_eq!(apart.find(b"b:77"), Some(3));
        assert_eq!(apart.find(b"b"), Some(3));
        assert_eq!(apart.find(b"c:8"), Some(4));
        assert_eq!(apart.find(b"c:9"), Some(5));
    }

    #[test]
    fn the_longest_suffix_wins_after_names() {
        let table = table(&[("*.com", 1), ("*.Example.com", 2), ("www.example.com", 3)]);
        assert_eq!(table.find(b"www.example.com"), Some(3));
        assert_eq!(table.find(b"api.example.com:1"), Some(2));
        assert_eq!(table.find(b"a.b.example.com"), Some(2));
        assert_eq!(table.find(b"example.com"), Some(1));
        assert_eq!(table.find(b"example.org"), None);
    }

    #[test]
    fn keys_that_cannot_be_meant_are_refused() {
        let mut table = table(&[("a", 1), ("A:", 1), ("*.b", 1), ("*.B.", 1)]);
        for (key, what) in [
            ("A.", "names the same host as an earlier key"),
            ("*.B", "names the same hosts as an earlier key"),
            ("", "has no host name"),
            (":80", "has no host name"),
            (
                "*",
                "has a `*` that is not the first label of a longer name",
            ),
            (
                "a.*.b",
                "has a `*` that is not the first label of a longer name",
            ),
            ("*.c:80", "has both a `*` and a port"),
        ] {
            assert_eq!(table.insert(key, 2), Err(what), "{key}");
        }
    }
}
