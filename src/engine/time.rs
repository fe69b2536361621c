//! The TIME… variables: the moment the transaction began, in local time.

use super::UnixNanos;
use crate::variable::Variable;

const NANOS: u64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// A moment as a calendar and a clock on the wall show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalTime {
    /// Gregorian.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0, for Sunday, to 6.
    pub weekday: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59.
    pub second: i64,
    /// Of the second.
    pub micros: u64,
    /// Seconds that it is before UTC.
    pub utc_offset: i32,
}

impl LocalTime {
    /// The local time of a moment, at an offset from UTC in seconds.
    pub fn new(at: UnixNanos, utc_offset: i32) -> Option<Self> {
        let seconds = i64::try_from(at.checked_div(NANOS)?).ok()?;
        let local = seconds.saturating_add(i64::from(utc_offset));
        let of_day = local.rem_euclid(DAY);
        let (hour, rest) = (of_day.checked_div(3600)?, of_day.checked_rem(3600)?);
        let days = local.div_euclid(DAY);
        let (year, month, day) = civil(days)?;
        Some(Self {
            year,
            month,
            day,
            // 1970-01-01 was a Thursday.
            weekday: days.saturating_add(4).rem_euclid(7),
            hour,
            minute: rest.checked_div(60)?,
            second: rest.checked_rem(60)?,
            micros: at.checked_rem(NANOS)?.checked_div(1000)?,
            utc_offset,
        })
    }
}

/// The text of a TIME… variable; none for any other.
pub(super) fn text(variable: Variable, at: UnixNanos, utc_offset: i32) -> Option<Vec<u8>> {
    use Variable as V;
    let time = LocalTime::new(at, utc_offset)?;
    let LocalTime {
        hour,
        minute,
        second,
        ..
    } = time;
    let text = match variable {
        V::Time => format!("{hour:02}:{minute:02}:{second:02}"),
        V::TimeEpoch => at.checked_div(NANOS)?.to_string(),
        V::TimeYear => format!("{:04}", time.year),
        V::TimeMon => format!("{:02}", time.month),
        V::TimeDay => format!("{:02}", time.day),
        V::TimeHour => format!("{hour:02}"),
        V::TimeMin => format!("{minute:02}"),
        V::TimeSec => format!("{second:02}"),
        V::TimeWday => time.weekday.to_string(),
        _ => return None,
    };
    Some(text.into_bytes())
}

/// Whether it is a TIME… variable.
pub(super) const fn is_time(variable: Variable) -> bool {
    use Variable as V;
    matches!(
        variable,
        V::Time
            | V::TimeEpoch
            | V::TimeYear
            | V::TimeMon
            | V::TimeDay
            | V::TimeHour
            | V::TimeMin
            | V::TimeSec
            | V::TimeWday
    )
}

/// Year, month and day of a day counted from 1970-01-01 (Gregorian calendar).
///
/// Counts in eras of 400 years that begin on 1 March, so that the leap day comes last.
fn civil(days: i64) -> Option<(i64, i64, i64)> {
    const ERA: i64 = 146_097;
    let shifted = days.checked_add(719_468)?;
    let era = shifted.div_euclid(ERA);
    let of_era = shifted.rem_euclid(ERA);
    let leap_days = of_era
        .checked_div(1460)?
        .checked_sub(of_era.checked_div(36_524)?)?
        .checked_add(of_era.checked_div(146_096)?)?;
    let year_of_era = of_era.checked_sub(leap_days)?.checked_div(365)?;
    let begin = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era.checked_div(4)?)?
        .checked_sub(year_of_era.checked_div(100)?)?;
    let of_year = of_era.checked_sub(begin)?;
    let from_march = of_year.checked_mul(5)?.checked_add(2)?.checked_div(153)?;
    let month_begin = from_march
        .checked_mul(153)?
        .checked_add(2)?
        .checked_div(5)?;
    let day = of_year.checked_sub(month_begin)?.checked_add(1)?;
    let month = if from_march < 10 {
        from_march.checked_add(3)?
    } else {
        from_march.checked_sub(9)?
    };
    let year = era.checked_mul(400)?.checked_add(year_of_era)?;
    Some((
        if month <= 2 {
            year.checked_add(1)?
        } else {
            year
        },
        month,
        day,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variable: Variable, seconds: u64, offset: i32, expected: &str) {
        let found = text(variable, seconds.saturating_mul(NANOS), offset).unwrap();
        assert_eq!(String::from_utf8(found).unwrap(), expected);
    }

    #[test]
    fn dates() {
        check(Variable::Time, 0, 0, "00:00:00");
        check(Variable::TimeYear, 0, -1, "1969");
        check(Variable::TimeMon, 1_709_164_800, 0, "02");
        check(Variable::TimeDay, 1_709_164_800, 0, "29");
        check(Variable::TimeMon, 1_709_164_800, 86_400, "03");
        check(Variable::TimeWday, 0, 0, "4");
        check(Variable::TimeWday, 1_709_164_800, 0, "4");
        check(Variable::Time, 1_709_164_800, 3_661, "01:01:01");
        check(Variable::TimeEpoch, 12, 3600, "12");
    }
}
