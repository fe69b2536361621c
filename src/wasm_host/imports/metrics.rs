//! Metrics. Every definition has an id of its own, and a name counts once.

use super::super::guest::{self, Fault, Guest, answer, status};
use super::super::state::{Metric, MetricKind, State};

/// `proxy_define_metric`
pub(super) fn define(
    mut guest: Guest<'_>,
    kind: u32,
    name: u32,
    name_length: u32,
    id_at: u32,
) -> u32 {
    let result = (|| {
        let kind = match kind {
            0 => MetricKind::Counter,
            1 => MetricKind::Gauge,
            2 => MetricKind::Histogram,
            _ => return Err(Fault(status::BAD_ARGUMENT)),
        };
        let name = guest::read(&mut guest, name, name_length)?;
        let name = String::from_utf8(name).map_err(|_| Fault(status::BAD_ARGUMENT))?;
        let state = guest.data_mut();
        let id =
            u32::try_from(state.metric_ids.len()).map_err(|_| Fault(status::INTERNAL_FAILURE))?;
        state.metric_ids.push(name.clone());
        state
            .metrics
            .entry(name)
            .or_insert(Metric { kind, value: 0 });
        guest::write_u32(&mut guest, id_at, id)
    })();
    answer(result)
}

/// `proxy_get_metric`
pub(super) fn get(mut guest: Guest<'_>, id: u32, value_at: u32) -> u32 {
    let result = metric(guest.data_mut(), id)
        .map(|metric| metric.value)
        .and_then(|value| guest::write_u64(&mut guest, value_at, value));
    answer(result)
}

/// `proxy_record_metric`: sets a gauge, adds to a counter, counts a sample.
pub(super) fn record(mut guest: Guest<'_>, id: u32, value: u64) -> u32 {
    answer(metric(guest.data_mut(), id).map(|metric| {
        metric.value = match metric.kind {
            MetricKind::Counter => metric.value.saturating_add(value),
            MetricKind::Gauge => value,
            MetricKind::Histogram => metric.value.saturating_add(1),
        };
    }))
}

/// `proxy_increment_metric`: a counter does not go down, a histogram cannot be incremented.
pub(super) fn increment(mut guest: Guest<'_>, id: u32, offset: i64) -> u32 {
    answer(metric(guest.data_mut(), id).and_then(|metric| {
        let allowed = match metric.kind {
            MetricKind::Counter => offset >= 0,
            MetricKind::Gauge => true,
            MetricKind::Histogram => false,
        };
        if !allowed {
            return Err(Fault(status::BAD_ARGUMENT));
        }
        metric.value = metric.value.saturating_add_signed(offset);
        Ok(())
    }))
}

fn metric(state: &mut State, id: u32) -> Result<&mut Metric, Fault> {
    let name = usize::try_from(id)
        .ok()
        .and_then(|id| state.metric_ids.get(id));
    name.and_then(|name| state.metrics.get_mut(name))
        .ok_or(Fault(status::NOT_FOUND))
}
