//! One configured plugin: its settings, its rule sets, what it knows of its host.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::audit::AuditLog;
use super::collector::Collector;
use super::debug::DebugRequests;
use super::delay::Delays;
use super::denial::{Denial, DenialPage};
use super::holding::Holding;
use super::host::{Direction, Host, Level};
use super::inspect::Rules;
use super::log;
use super::metrics::{Count, Metrics, ProfileMetrics};
use super::selection::{Doubt, Selection};
use super::settings::Settings;
use super::vm::{Claim, Vm};
use crate::engine::{RuleMatch, UnixNanos};

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
    /// What is counted before the profile is known, and by profile.
    metrics: Rc<ProfileMetrics>,
    profile_metrics: Vec<Rc<ProfileMetrics>>,
    /// How many transactions must begin before one is timed again.
    until_timed: Cell<u32>,
    selection: Selection,
    doubts: RefCell<[Told; 2]>,
    holding: Holding,
    delays: Delays,
    audit: AuditLog,
    debug: Option<DebugRequests>,
    vm: Rc<Vm>,
}

/// What a request gets.
#[derive(Debug)]
pub(super) struct Chosen<'a, R> {
    /// Its rules.
    pub rules: &'a R,
    /// What its denials look like.
    pub page: &'a Rc<DenialPage>,
    /// What is counted and measured.
    pub metrics: &'a Rc<ProfileMetrics>,
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
            debug: None,
            audit: AuditLog::new(settings.collector.clone().map(Collector::new)),
            metrics: Rc::new(ProfileMetrics::new(None, &settings)),
            profile_metrics: Vec::new(),
            until_timed: Cell::new(0),
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

    /// The names of the profiles in metrics, where there are several.
    #[must_use]
    pub fn with_names<'a>(mut self, names: impl Iterator<Item = &'a str>) -> Self {
        let metrics = names.map(|name| Rc::new(ProfileMetrics::new(Some(name), &self.settings)));
        self.profile_metrics = metrics.collect();
        self
    }

    /// Lets an operator ask for debug logs.
    #[must_use]
    pub fn with_debug_requests(mut self, host: &dyn Host) -> Self {
        let header = self.settings.debug_header.as_ref();
        self.debug = header.and_then(|header| DebugRequests::new(host, header));
        self
    }

    /// See [`DebugRequests`].
    pub(super) fn debug_requests(&self) -> Option<&DebugRequests> {
        self.debug.as_ref()
    }

    /// Gives answers that waited, sends audit records, and watches over held heads; call it on every tick of the host.
    pub fn on_tick(&self, host: &dyn Host) {
        let waits = self.delays.tick(host);
        let busy = self.audit.tick(host, &self.vm.metrics) || waits;
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

    /// A call of ours has ended; `answered`: there is an answer to read.
    pub fn on_call_response(&self, host: &dyn Host, token: u32, answered: bool) {
        self.audit
            .on_response(host, &self.vm.metrics, token, answered);
    }

    /// There will be no more ticks.
    pub fn on_done(&self, host: &dyn Host) {
        self.audit.close(host);
    }

    /// Takes the audit record of a transaction that is over, if there is one.
    pub(super) fn deliver(&self, host: &dyn Host, transaction: &R::Transaction) {
        if self.audit.deliver(host, &self.vm.metrics, transaction) {
            // Without ticks it stays in the queue, and goes into the log at the end.
            self.holding.start_ticking(host);
        }
    }

    /// The rule sets.
    pub fn profiles(&self) -> &[R] {
        &self.profiles
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

    /// What is counted where no profile is known.
    pub(super) fn metrics(&self) -> &Rc<ProfileMetrics> {
        &self.metrics
    }

    /// The metrics of this VM.
    pub(super) fn vm_metrics(&self) -> &Metrics {
        &self.vm.metrics
    }

    /// Whether the engine's time is measured for the transaction that begins now.
    pub(super) fn times_this_one(&self) -> bool {
        let every = self.settings.engine_time_every();
        let left = self.until_timed.get();
        let next = left.checked_sub(1).unwrap_or(every.saturating_sub(1));
        self.until_timed.set(next);
        every > 0 && left == 0
    }

    /// See [`Vm::note_in_flight`].
    pub(super) fn note_in_flight(&self, host: &dyn Host) {
        self.vm.note_in_flight(host);
    }

    /// What a request gets; `None` only if there are no rule sets at all.
    pub(super) fn profile(
        &self,
        host: &dyn Host,
        authority: Option<&[u8]>,
    ) -> Option<Chosen<'_, R>> {
        let choice = self.selection.choose(host, authority);
        if let Some(doubt) = &choice.doubt {
            self.tell_doubt(host, doubt, authority);
        }
        let metrics = self.profile_metrics.get(choice.profile);
        Some(Chosen {
            rules: self.profiles.get(choice.profile)?,
            page: self.pages.get(choice.profile).unwrap_or(&self.page),
            metrics: metrics.unwrap_or(&self.metrics),
        })
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

    /// Adds one, of no profile.
    fn count(&self, host: &dyn Host, count: Count<'_>) {
        self.count_in(host, &self.metrics, count);
    }

    /// Adds one, of a profile.
    pub(super) fn count_in(&self, host: &dyn Host, metrics: &ProfileMetrics, count: Count<'_>) {
        metrics.count(&self.vm.metrics, host, count);
    }

    /// Counts matches that are logged.
    pub(super) fn count_matches(
        &self,
        host: &dyn Host,
        metrics: &ProfileMetrics,
        matches: &[RuleMatch],
    ) {
        let tags = self.settings.metric_tags();
        metrics.count_matches(&self.vm.metrics, host, matches, tags);
    }
}
