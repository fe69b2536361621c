//! One configured plugin: its settings, its rule sets, what it knows of its host.

use std::rc::Rc;

use super::authority::Authorities;
use super::delay::Delays;
use super::denial::Denial;
use super::holding::Holding;
use super::host::{Direction, Host, Level};
use super::inspect::Rules;
use super::metrics::{Count, label_suffix};
use super::settings::Settings;
use super::vm::{Claim, Vm};

/// A configured plugin. Streams keep the one they began with, so a new configuration does not
/// touch requests under way.
#[derive(Debug)]
pub struct Filter<R> {
    settings: Settings,
    profiles: Vec<R>,
    authorities: Authorities,
    holding: Holding,
    delays: Delays,
    vm: Rc<Vm>,
    labels: String,
}

impl<R: Rules> Filter<R> {
    /// A filter over rule sets; `authorities` names them by their place in `profiles`.
    pub fn new(settings: Settings, profiles: Vec<R>, authorities: Authorities, vm: Rc<Vm>) -> Self {
        Self {
            holding: Holding::new(settings.hold_headers, settings.hold_timeout()),
            delays: Delays::default(),
            labels: label_suffix(&settings.metric_labels),
            settings,
            profiles,
            authorities,
            vm,
        }
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
            self.settings.denial.reply(&denial, "")
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

    /// A place for what a stream will hold.
    pub(super) fn claim(&self) -> Claim {
        Claim::new(Rc::clone(&self.vm))
    }

    /// Answers that wait.
    pub(super) fn delays(&self) -> &Delays {
        &self.delays
    }

    /// The rules for an authority; `None` only if there are no rule sets at all.
    pub(super) fn rules(&self, authority: Option<&[u8]>) -> Option<&R> {
        self.profiles.get(self.authorities.find(authority))
    }

    pub(super) fn count(&self, host: &dyn Host, count: Count<'_>) {
        self.vm.metrics.count(host, count, &self.labels);
    }
}
