//! One configured plugin: its settings, its rule sets, what it knows of its host.

use std::cell::RefCell;
use std::rc::Rc;

use super::delay::Delays;
use super::denial::{Denial, DenialPage};
use super::holding::Holding;
use super::host::{Direction, Host, Level};
use super::inspect::Rules;
use super::log;
use super::metrics::{Count, label_suffix};
use super::selection::{Doubt, Selection};
use super::settings::Settings;
use super::vm::{Claim, Vm};
use crate::engine::UnixNanos;

/// How long the log keeps quiet about a doubt that it has told of.
const QUIET: UnixNanos = 60_000_000_000;

/// A configured plugin. Streams keep the one they began with, so a new configuration does not
/// touch requests under way.
#[derive(Debug)]
pub struct Filter<R> {
    settings: Settings,
    profiles: Vec<R>,
    /// What denials look like: in general, and by profile.
    page: Rc<DenialPage>,
    pages: Vec<Rc<DenialPage>>,
    selection: Selection,
    doubts: RefCell<[Told; 2]>,
    holding: Holding,
    delays: Delays,
    vm: Rc<Vm>,
    labels: String,
}

/// What the log knows of one kind of doubt.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    last: Option<UnixNanos>,
    /// How many have not been told since.
    untold: u64,
}

impl<R: Rules> Filter<R> {
    /// A filter over rule sets; `selection` names them by their place in `profiles`.
    pub fn new(settings: Settings, profiles: Vec<R>, selection: Selection, vm: Rc<Vm>) -> Self {
        Self {
            holding: Holding::new(settings.hold_headers, settings.hold_timeout()),
            delays: Delays::default(),
            labels: label_suffix(&settings.metric_labels),
            page: Rc::new(settings.denial.clone()),
            pages: Vec::new(),
            settings,
            profiles,
            selection,
            doubts: RefCell::default(),
            vm,
        }
    }

    /// What denials look like by profile, where that differs from the settings.
    #[must_use]
    pub fn with_pages(mut self, pages: Vec<DenialPage>) -> Self {
        self.pages = pages.into_iter().map(Rc::new).collect();
        self
    }

    /// Gives answers that waited, and watches over held heads; call it on every tick of the host.
    pub fn on_tick(&self, host: &dyn Host) {
        let busy = self.delays.tick(host);
        self.holding.tick(host, busy, |direction| {
            self.count(host, Count::HoldTimeout);
            host.log(
                Level::Warn,
                b"parapet: a held head was refused: its body did not come in time, and the host \
                  has not yet shown that it delivers bodies while heads are held \
                  (allow_on_headers_stop_iteration)",
            );
            let denial = match direction {
                Direction::Request => Denial::RequestTimeout,
                Direction::Response => Denial::ResponseTimeout,
            };
            self.page.reply(&denial, "", b"")
        });
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is known about the host's holding of heads.
    pub fn holding(&self) -> &Holding {
        &self.holding
    }

    /// Whether the transactions of this VM hold as much memory as they may: a VM that runs out of
    /// memory traps, and takes every stream with it.
    pub(super) fn is_full(&self) -> bool {
        self.vm.bytes_in_flight() >= self.settings.bytes_in_flight_limit()
    }

    /// Whether they hold half of that: time to leave out what is not needed.
    pub(super) fn is_half_full(&self) -> bool {
        self.vm.bytes_in_flight() >= self.settings.bytes_in_flight_limit() / 2
    }

    /// A place for what a stream will hold.
    pub(super) fn claim(&self) -> Claim {
        Claim::new(Rc::clone(&self.vm))
    }

    /// Answers that wait.
    pub(super) fn delays(&self) -> &Delays {
        &self.delays
    }

    /// What denials look like where no profile is known.
    pub(super) fn page(&self) -> &Rc<DenialPage> {
        &self.page
    }

    /// The rules of a request and what its denials look like; `None` only if there are no rule sets
    /// at all.
    pub(super) fn profile(
        &self,
        host: &dyn Host,
        authority: Option<&[u8]>,
    ) -> Option<(&R, &Rc<DenialPage>)> {
        let choice = self.selection.choose(host, authority);
        if let Some(doubt) = &choice.doubt {
            self.tell_doubt(host, doubt, authority);
        }
        let page = self.pages.get(choice.profile).unwrap_or(&self.page);
        Some((self.profiles.get(choice.profile)?, page))
    }

    /// Counts a request that no rule set is named for, and says so, once a minute at most: clients
    /// can send any number of them.
    fn tell_doubt(&self, host: &dyn Host, doubt: &Doubt, authority: Option<&[u8]>) {
        self.count(host, Count::Strictest(doubt));
        let now = host.now();
        let untold = {
            let mut doubts = self.doubts.borrow_mut();
            let [unmatched, unknown] = &mut *doubts;
            let told = match doubt {
                Doubt::Unmatched => unmatched,
                Doubt::UnknownProfile { .. } => unknown,
            };
            if told
                .last
                .is_some_and(|last| now.saturating_sub(last) < QUIET)
            {
                told.untold = told.untold.saturating_add(1);
                return;
            }
            told.last = Some(now);
            std::mem::take(&mut told.untold)
        };
        log::doubt(host, doubt, authority, untold);
    }

    /// See [`Vm::random`].
    pub(super) fn random(&self, host: &dyn Host) -> [u8; 16] {
        self.vm.random(host)
    }

    pub(super) fn count(&self, host: &dyn Host, count: Count<'_>) {
        self.vm.metrics.count(host, count, &self.labels);
    }
}
