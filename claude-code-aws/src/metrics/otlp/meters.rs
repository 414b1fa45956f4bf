//! The metrics of one process: counters and histograms for each combination of labels.

use std::collections::BTreeMap;

use claude_code_core::metrics::Observation;

use super::labels::Labels;
use super::names::{self, OLD_OPERATION, attribute, metric};
use super::protobuf::{Message, Value};
use super::spans::input;

/// OTLP's aggregation temporalities.
const DELTA: u64 = 1;
const CUMULATIVE: u64 = 2;

/// All series, and since when they count.
#[derive(Debug)]
pub(super) struct Meters {
    series: BTreeMap<Labels, Series>,
    since: u64,
    /// Whether each report tells only what is new.
    is_delta: bool,
    old_names: bool,
    changed: bool,
}

#[derive(Clone, Debug, Default)]
struct Series {
    seconds: Histogram,
    first_chunk: Histogram,
    input: Histogram,
    output: Histogram,
    cache_read: u64,
    cache_write: u64,
    reasoning: u64,
    attempts: u64,
    cost: f64,
}

#[derive(Clone, Debug, Default)]
struct Histogram {
    count: u64,
    sum: f64,
    buckets: [u64; 15],
}

impl Histogram {
    fn record(&mut self, value: f64, bounds: &[f64; 14]) {
        self.count += 1;
        self.sum += value;
        self.buckets[bounds.partition_point(|bound| *bound < value)] += 1;
    }
}

impl Meters {
    /// Meters that count from this moment, in nanoseconds since 1970.
    pub(super) fn new(since: u64, is_delta: bool, old_names: bool) -> Self {
        Meters { series: BTreeMap::new(), since, is_delta, old_names, changed: false }
    }

    pub(super) fn record(&mut self, labels: Labels, seen: &Observation) {
        let series = self.series.entry(labels).or_default();
        series.seconds.record(seen.took.as_secs_f64(), &names::SECONDS);
        if let Some(first) = seen.first_event {
            series.first_chunk.record(first.as_secs_f64(), &names::SECONDS);
        }
        if seen.input_tokens > 0 || seen.output_tokens > 0 {
            series.input.record(input(seen) as f64, &names::TOKENS);
            series.output.record(seen.output_tokens as f64, &names::TOKENS);
        }
        series.cache_read = series.cache_read.saturating_add(seen.cache_read_tokens);
        series.cache_write = series.cache_write.saturating_add(seen.cache_write_tokens);
        series.reasoning = series.reasoning.saturating_add(seen.thinking_tokens.unwrap_or(0));
        series.attempts += u64::from(seen.sends);
        series.cost += seen.cost.known().0 as f64 / 1e12;
        self.changed = true;
    }

    /// What there is to report, as the fields of a `ScopeMetrics`; none where nothing has happened since the last report.
    pub(super) fn report(&mut self, now: u64) -> Option<Message> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let mut scope = Message::default();
        self.write(&mut scope, now);
        if self.is_delta {
            self.series.clear();
            self.since = now;
        }
        Some(scope)
    }

    fn write(&self, scope: &mut Message, now: u64) {
        type Histograms = (&'static str, &'static str, &'static [f64; 14], fn(&Series) -> &Histogram);
        let histograms: [Histograms; 4] = [
            (metric::DURATION, "s", &names::SECONDS, |series| &series.seconds),
            (metric::FIRST_CHUNK, "s", &names::SECONDS, |series| &series.first_chunk),
            (metric::INPUT, "{token}", &names::TOKENS, |series| &series.input),
            (metric::OUTPUT, "{token}", &names::TOKENS, |series| &series.output),
        ];
        for (name, unit, bounds, of) in histograms {
            self.metric(scope, name, unit, |points| {
                self.points(points, 9, |labels, series, point| {
                    self.histogram(point, now, of(series), bounds);
                    labels.write_chat(point, 9);
                });
            });
        }
        type Counter = (&'static str, &'static str, fn(&Series) -> f64);
        let counters: [Counter; 7] = [
            (metric::USAGE_INPUT, "{token}", |series| series.input.sum),
            (metric::USAGE_OUTPUT, "{token}", |series| series.output.sum),
            (metric::USAGE_CACHE_READ, "{token}", |series| series.cache_read as f64),
            (metric::USAGE_CACHE_WRITE, "{token}", |series| series.cache_write as f64),
            (metric::USAGE_REASONING, "{token}", |series| series.reasoning as f64),
            (metric::ATTEMPTS, "{attempt}", |series| series.attempts as f64),
            (metric::COST, "{USD}", |series| series.cost),
        ];
        for (name, unit, of) in counters {
            self.metric(scope, name, unit, |points| self.counter(points, now, name, of));
        }
        if self.old_names {
            self.write_old(scope, now);
        }
    }

    fn counter(&self, points: &mut Message, now: u64, name: &str, of: fn(&Series) -> f64) {
        points.message(7, |sum| {
            for (labels, series) in &self.series {
                sum.message(1, |point| {
                    self.times(point, now);
                    match name {
                        metric::COST => point.double(4, of(series)),
                        // Signed by the schema.
                        _ => point.fixed64(6, (of(series) as u64).min(i64::MAX as u64)),
                    }
                    labels.write_chat(point, 7);
                });
            }
            sum.int(2, self.temporality());
            sum.int(3, 1);
        });
    }

    /// The metrics that v0.1.0 replaced.
    fn write_old(&self, scope: &mut Message, now: u64) {
        self.metric(scope, metric::OLD_DURATION, "s", |points| {
            self.points(points, 9, |labels, series, point| {
                self.histogram(point, now, &series.seconds, &names::SECONDS);
                labels.write(point, 9, OLD_OPERATION);
            });
        });
        self.metric(scope, metric::OLD_TOKENS, "{token}", |points| {
            points.message(9, |histogram| {
                for (labels, series) in &self.series {
                    for (kind, found) in [("input", &series.input), ("output", &series.output)] {
                        histogram.message(1, |point| {
                            self.histogram(point, now, found, &names::TOKENS);
                            labels.write(point, 9, OLD_OPERATION);
                            point.attribute(9, attribute::OLD_TOKEN_TYPE, Value::Text(kind));
                        });
                    }
                }
                histogram.int(2, self.temporality());
            });
        });
    }

    fn metric(&self, scope: &mut Message, name: &str, unit: &str, points: impl FnOnce(&mut Message)) {
        scope.message(2, |metric| {
            metric.bytes(1, name);
            metric.bytes(3, unit);
            points(metric);
        });
    }

    /// A point for each series, and the temporality behind them.
    fn points(&self, metric: &mut Message, field: u32, write: impl Fn(&Labels, &Series, &mut Message)) {
        metric.message(field, |data| {
            for (labels, series) in &self.series {
                data.message(1, |point| write(labels, series, point));
            }
            data.int(2, self.temporality());
        });
    }

    fn histogram(&self, point: &mut Message, now: u64, found: &Histogram, bounds: &[f64; 14]) {
        self.times(point, now);
        point.fixed64(4, found.count);
        point.double(5, found.sum);
        point.packed64(6, found.buckets.iter().copied());
        point.packed64(7, bounds.iter().map(|bound| bound.to_bits()));
    }

    fn times(&self, point: &mut Message, now: u64) {
        point.fixed64(2, self.since);
        point.fixed64(3, now);
    }

    fn temporality(&self) -> u64 {
        if self.is_delta { DELTA } else { CUMULATIVE }
    }
}
