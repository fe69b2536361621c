//! Which rule set a request gets.
//!
//! What the client cannot choose comes first: the name of the route, then what the metadata of
//! route, virtual host, cluster and listener says. Then the authority, which the client writes,
//! and the default. Where nothing says which rules to use, or something names rules that do not
//! exist, the strictest profile guards the request. A property of the host is only read where the
//! configuration needs it.

use std::collections::BTreeMap;

use super::authority::Authorities;
use super::host::Host;

/// The tables of a configuration, over places in a list of rule sets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// By the name of the route.
    pub(super) routes: Routes,
    /// Where metadata names a profile, and the profiles it may name.
    pub(super) metadata: Option<(ProfileMetadata, BTreeMap<Vec<u8>, usize>)>,
    /// By authority.
    pub(super) authorities: Authorities,
    /// For all others.
    pub(super) default: Option<usize>,
    /// For those that nothing decides about.
    pub(super) strictest: usize,
}

/// What was chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The place of the rule set.
    pub profile: usize,
    /// Why it is the strictest, where nothing named it.
    pub doubt: Option<Doubt>,
}

/// Why the strictest profile guards a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Doubt {
    /// No table names the request, and there is no default.
    Unmatched,
    /// Metadata names a profile that does not exist.
    UnknownProfile {
        /// Whose metadata.
        from: MetadataOf,
        /// The name.
        name: Vec<u8>,
    },
}

/// Something that has metadata.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetadataOf {
    /// The route.
    Route,
    /// Its virtual host.
    VirtualHost,
    /// The upstream cluster.
    Cluster,
    /// The listener.
    Listener,
}

/// Where metadata names the profile of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProfileMetadata {
    /// The name space in `filter_metadata`.
    pub namespace: String,
    /// The key in it.
    pub key: String,
    /// Whose metadata, in the order asked.
    pub from: Vec<MetadataOf>,
}

impl MetadataOf {
    /// All, the nearest to the request first; with their names in configurations.
    pub const ALL: [(&'static str, Self); 4] = [
        ("route", Self::Route),
        ("virtual_host", Self::VirtualHost),
        ("cluster", Self::Cluster),
        ("listener", Self::Listener),
    ];

    fn property(self) -> &'static str {
        match self {
            Self::Route => "route_metadata",
            Self::VirtualHost => "virtual_host_metadata",
            Self::Cluster => "cluster_metadata",
            Self::Listener => "listener_metadata",
        }
    }

    /// How messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::VirtualHost => "virtual host",
            Self::Cluster => "cluster",
            Self::Listener => "listener",
        }
    }
}

impl Default for ProfileMetadata {
    fn default() -> Self {
        Self {
            namespace: "parapet".to_owned(),
            key: "profile".to_owned(),
            from: MetadataOf::ALL.map(|(_, of)| of).to_vec(),
        }
    }
}

impl Selection {
    /// One rule set for everything.
    pub fn all(profile: usize) -> Self {
        Self {
            default: Some(profile),
            strictest: profile,
            ..Self::default()
        }
    }

    /// Chooses for a request.
    pub fn choose(&self, host: &dyn Host, authority: Option<&[u8]>) -> Choice {
        if let Some(profile) = self.routes.of_request(host) {
            return Choice::of(profile);
        }
        if let Some((metadata, profiles)) = &self.metadata
            && let Some((from, name)) = metadata.of_request(host)
        {
            return match profiles.get(&name) {
                Some(&profile) => Choice::of(profile),
                None => Choice {
                    profile: self.strictest,
                    doubt: Some(Doubt::UnknownProfile { from, name }),
                },
            };
        }
        self.by_authority(authority)
    }

    /// Chooses by authority alone, where there is no proxy with routes.
    pub fn by_authority(&self, authority: Option<&[u8]>) -> Choice {
        let named = authority.and_then(|authority| self.authorities.find(authority));
        match named.or(self.default) {
            Some(profile) => Choice::of(profile),
            None => Choice {
                profile: self.strictest,
                doubt: Some(Doubt::Unmatched),
            },
        }
    }
}

impl Choice {
    fn of(profile: usize) -> Self {
        Self {
            profile,
            doubt: None,
        }
    }
}

impl ProfileMetadata {
    /// The first name that is not empty, and whose it is.
    fn of_request(&self, host: &dyn Host) -> Option<(MetadataOf, Vec<u8>)> {
        self.from.iter().find_map(|&from| {
            let path = [
                "xds",
                from.property(),
                "filter_metadata",
                &self.namespace,
                &self.key,
            ];
            let path = path.join("\0");
            let name = host.property(&path)?;
            (!name.is_empty()).then_some((from, name))
        })
    }
}

/// A table from names of routes to places in a list of rule sets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Routes {
    names: BTreeMap<Vec<u8>, usize>,
    /// What stands before a `*` at the end.
    prefixes: BTreeMap<Vec<u8>, usize>,
}

impl Routes {
    /// Gives a route, or with a `*` at the end all routes that begin so, a rule set.
    pub fn insert(&mut self, route: &str, profile: usize) {
        if let Some(prefix) = route.strip_suffix('*') {
            self.prefixes.insert(prefix.as_bytes().to_vec(), profile);
        }
        // Names that control planes make may end with a `*` of their own.
        self.names.insert(route.as_bytes().to_vec(), profile);
    }

    /// The rule set of a route: by name, by the longest prefix.
    pub fn find(&self, route: &[u8]) -> Option<usize> {
        let by_name = self.names.get(route).copied();
        by_name.or_else(|| {
            self.prefixes
                .iter()
                .filter(|(prefix, _)| route.starts_with(prefix))
                .max_by_key(|(prefix, _)| prefix.len())
                .map(|(_, &profile)| profile)
        })
    }

    fn of_request(&self, host: &dyn Host) -> Option<usize> {
        if self.names.is_empty() {
            return None;
        }
        let route = host.property("xds\0route_name")?;
        // Envoy gives a route without a name an empty one.
        (!route.is_empty()).then(|| self.find(&route)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeHost;
    use super::*;

    /// Routes get 1, metadata 2 and 3, authorities 4, others the strictest, 9.
    fn selection() -> Selection {
        let mut routes = Routes::default();
        routes.insert("checkout", 1);
        let mut authorities = Authorities::default();
        authorities.insert("a", 4).unwrap();
        let profiles = BTreeMap::from([(b"two".to_vec(), 2), (b"three".to_vec(), 3)]);
        Selection {
            routes,
            metadata: Some((ProfileMetadata::default(), profiles)),
            authorities,
            default: None,
            strictest: 9,
        }
    }

    fn metadata(host: &FakeHost, of: &str, name: &[u8]) {
        let path = ["xds", of, "filter_metadata", "parapet", "profile"];
        host.set_fake_property(&path, name);
    }

    #[test]
    fn what_the_client_cannot_choose_comes_first() {
        let host = FakeHost::default();
        let selection = selection();
        let chosen = |authority: &[u8]| selection.choose(&host, Some(authority));
        assert_eq!(chosen(b"A:1"), Choice::of(4));
        let unmatched = Choice {
            profile: 9,
            doubt: Some(Doubt::Unmatched),
        };
        assert_eq!(chosen(b"b"), unmatched);
        assert_eq!(selection.choose(&host, None), unmatched);
        // Each is nearer to the request than the one before.
        metadata(&host, "listener_metadata", b"two");
        assert_eq!(chosen(b"a"), Choice::of(2));
        metadata(&host, "cluster_metadata", b"three");
        assert_eq!(chosen(b"a"), Choice::of(3));
        metadata(&host, "virtual_host_metadata", b"two");
        assert_eq!(chosen(b"a"), Choice::of(2));
        metadata(&host, "route_metadata", b"three");
        assert_eq!(chosen(b"a"), Choice::of(3));
        // One that says nothing leaves it to the next.
        metadata(&host, "route_metadata", b"");
        assert_eq!(chosen(b"a"), Choice::of(2));
        host.set_fake_property(&["xds", "route_name"], b"checkout");
        assert_eq!(chosen(b"a"), Choice::of(1));
        host.set_fake_property(&["xds", "route_name"], b"");
        assert_eq!(chosen(b"a"), Choice::of(2));
    }

    #[test]
    fn metadata_that_names_no_profile_gets_the_strictest() {
        let host = FakeHost::default();
        metadata(&host, "cluster_metadata", b"tow");
        assert_eq!(
            selection().choose(&host, Some(b"a")),
            Choice {
                profile: 9,
                doubt: Some(Doubt::UnknownProfile {
                    from: MetadataOf::Cluster,
                    name: b"tow".to_vec()
                })
            }
        );
    }

    #[test]
    fn properties_are_read_only_where_the_configuration_needs_them() {
        let host = FakeHost::default();
        assert_eq!(Selection::all(7).choose(&host, Some(b"a")), Choice::of(7));
        assert_eq!(host.calls("property"), 0);
        let all = selection();
        let _ = all.choose(&host, Some(b"a"));
        assert_eq!(host.calls("property"), 5);
        let (metadata, profiles) = all.metadata.clone().unwrap();
        let from = vec![MetadataOf::Route];
        let nearest = Selection {
            routes: Routes::default(),
            metadata: Some((ProfileMetadata { from, ..metadata }, profiles)),
            ..all
        };
        let _ = nearest.choose(&host, Some(b"a"));
        assert_eq!(host.calls("property"), 6);
    }

    #[test]
    fn routes_go_by_name_and_by_the_longest_prefix() {
        let mut routes = Routes::default();
        for (route, profile) in [
            ("shop/*", 1),
            ("shop/admin/*", 2),
            ("shop/admin/login", 3),
            ("Shop", 4),
        ] {
            routes.insert(route, profile);
        }
        for (route, profile) in [
            ("shop/", Some(1)),
            ("shop/*", Some(1)),
            ("shop/a", Some(1)),
            ("shop/admin/x", Some(2)),
            ("shop/admin/login", Some(3)),
            ("shop/admin/login/", Some(2)),
            ("Shop", Some(4)),
            ("shop", None),
            ("", None),
        ] {
            assert_eq!(routes.find(route.as_bytes()), profile, "{route}");
        }
    }
}
