//! Jumps in time that nothing but the records themselves speaks for: whether the records around agree.

use crate::limits::{END_CONFIRMATIONS, FIRST_STEP_US_MAX, SPARSE_FACTOR};

/// A step that is nothing special at the end of a partition, µs.
///
/// - `pace_us`: widest step of believed time lately; the log of a quiet site makes wide ones all the time.
/// - `jump_us`: a step that needs no witness.
pub fn stride(pace_us: i64, jump_us: i64) -> i64 {
    jump_us.max(pace_us.saturating_mul(SPARSE_FACTOR))
}

/// Which of the records held back are believed once no further one will speak for or against them.
///
/// - `times`: of the records held back, µs, in partition order.
/// - `newest`: newest believed time; `None` when nothing was believed so far.
/// - `stride_us`: a step that is nothing special; see [`stride`].
/// - `may_agree`: a few that agree with each other are believed after any step.
pub fn believed_at_end(
    times: &[i64],
    newest: Option<i64>,
    stride_us: i64,
    may_agree: bool,
) -> Vec<bool> {
    let Some(mut newest) = newest else { return around_the_median(times) };
    let mut believed = Vec::with_capacity(times.len());
    for (at, ts) in times.iter().enumerate() {
        let run = times.get(at..at + END_CONFIRMATIONS);
        let agree = run.filter(|_| may_agree).is_some_and(|run| {
            run.windows(2).all(|pair| (0..=stride_us).contains(&pair[1].saturating_sub(pair[0])))
        });
        let is_believed = agree || ts.saturating_sub(newest) <= stride_us;
        if is_believed {
            newest = newest.max(*ts);
        }
        believed.push(is_believed);
    }
    believed
}

/// A log of a few lines: all but those far ahead of the median.
fn around_the_median(times: &[i64]) -> Vec<bool> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let half = sorted.len().saturating_sub(1) / 2;
    let mut last = sorted.get(half).copied().unwrap_or(i64::MIN);
    for ts in sorted.iter().skip(half) {
        if ts.saturating_sub(last) > FIRST_STEP_US_MAX {
            break;
        }
        last = *ts;
    }
    times.iter().map(|ts| *ts <= last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;
    const HOUR: i64 = 3_600 * S;
    const YEARS: i64 = 75 * 8_766 * HOUR;

    #[test]
    fn a_lone_record_at_the_end_is_believed_only_at_the_pace_of_the_log() {
        let end = |times: &[i64], pace| believed_at_end(times, Some(0), stride(pace, 60 * S), true);
        assert_eq!(end(&[YEARS], 3 * S), [false]);
        assert_eq!(end(&[YEARS], 12 * HOUR), [false]);
        assert_eq!(end(&[2 * HOUR], HOUR), [true], "a quiet site");
        assert_eq!(end(&[2 * HOUR, 3 * HOUR, YEARS], HOUR), [true, true, false]);
        assert_eq!(end(&[72 * HOUR, 72 * HOUR + S], S), [false, false]);
    }

    #[test]
    fn three_that_agree_are_believed_after_any_silence() {
        let silence = 400 * 24 * HOUR;
        let times = [silence, silence + S, silence + 9 * S, silence + 8 * S, YEARS];
        let believed = believed_at_end(&times, Some(0), 60 * S, true);
        assert_eq!(believed, [true, true, true, true, false]);
        assert_eq!(believed_at_end(&times, Some(0), 60 * S, false), [false; 5], "a mixture");
        let apart = [YEARS, YEARS + HOUR, YEARS + 2 * HOUR];
        assert_eq!(believed_at_end(&apart, Some(0), 60 * S, true), [false; 3]);
    }

    #[test]
    fn of_a_log_of_a_few_lines_all_are_believed_but_those_far_ahead() {
        let first = |times: &[i64]| believed_at_end(times, None, 60 * S, true);
        assert_eq!(first(&[]), Vec::<bool>::new());
        assert_eq!(first(&[5]), [true]);
        assert_eq!(first(&[0, 5 * HOUR, 10 * HOUR]), [true; 3]);
        assert_eq!(first(&[YEARS, 0, 1]), [false, true, true]);
        assert_eq!(first(&[-YEARS, 0, 1]), [true; 3]);
    }

    #[test]
    fn limits_are_where_they_are_named() {
        let pace = 100 * S;
        let end = |times: &[i64], jump| believed_at_end(times, Some(0), stride(pace, jump), true);
        assert_eq!(end(&[SPARSE_FACTOR * pace], S), [true]);
        assert_eq!(end(&[SPARSE_FACTOR * pace + 1], S), [false]);
        let agree: Vec<i64> = (0..).map(|n| YEARS + n * S).take(END_CONFIRMATIONS).collect();
        assert!(end(&agree, S).into_iter().all(|believed| believed));
        assert!(end(&agree[1..], S).into_iter().all(|believed| !believed));
        let first = |step| believed_at_end(&[0, 1, 1 + step], None, S, true);
        assert_eq!(first(FIRST_STEP_US_MAX), [true; 3]);
        assert_eq!(first(FIRST_STEP_US_MAX + 1), [true, true, false]);
    }
}
