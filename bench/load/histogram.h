/*
 * histogram.h - counts of durations in log-linear buckets: 128 to each power of two, so a quantile
 * is read back within 0.8 %.
 */
#ifndef DX_BENCH_HISTOGRAM_H
#define DX_BENCH_HISTOGRAM_H

#include <stdint.h>

enum { DX_HISTOGRAM_STEPS = 128, DX_HISTOGRAM_BUCKETS = 40 * DX_HISTOGRAM_STEPS };

struct dx_histogram {
    uint64_t buckets[DX_HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t most;
};

/* Adds one duration in nanoseconds; beyond about 18 minutes it counts as that. */
void dx_histogram_add(struct dx_histogram *histogram, uint64_t duration);

/* The lower edge, in nanoseconds, of the bucket that holds the part-th quantile; 0 when empty. */
uint64_t dx_histogram_quantile(const struct dx_histogram *histogram, double part);

/*
 * Prints p50, p90, p99, p999 and max in microseconds as members of a JSON object, no comma after.
 */
void dx_histogram_print(const struct dx_histogram *histogram);

#endif
