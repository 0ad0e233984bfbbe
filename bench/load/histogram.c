/*
 * histogram.c - log-linear counts of durations; see histogram.h.
 */
#include "histogram.h"

#include <stddef.h>
#include <stdio.h>

enum { STEP_BITS = 7 };

static size_t bucket_of(uint64_t value)
{
    if (value < DX_HISTOGRAM_STEPS)
        return (size_t)value;
    unsigned shift = 63U - (unsigned)__builtin_clzll(value) - STEP_BITS;
    size_t bucket =
        ((size_t)(shift + 1) << STEP_BITS) + ((value >> shift) & (DX_HISTOGRAM_STEPS - 1));
    return bucket < DX_HISTOGRAM_BUCKETS ? bucket : DX_HISTOGRAM_BUCKETS - 1;
}

static uint64_t edge_of(size_t bucket)
{
    if (bucket < DX_HISTOGRAM_STEPS)
        return bucket;
    unsigned shift = (unsigned)(bucket >> STEP_BITS) - 1;
    return (DX_HISTOGRAM_STEPS + (bucket & (DX_HISTOGRAM_STEPS - 1))) << shift;
}

void dx_histogram_add(struct dx_histogram *histogram, uint64_t duration)
{
    histogram->buckets[bucket_of(duration)]++;
    histogram->count++;
    if (duration > histogram->most)
        histogram->most = duration;
}

uint64_t dx_histogram_quantile(const struct dx_histogram *histogram, double part)
{
    uint64_t wanted = (uint64_t)((double)histogram->count * part);
    uint64_t seen = 0;
    for (size_t i = 0; i < DX_HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen > wanted)
            return edge_of(i);
    }
    return histogram->most;
}

void dx_histogram_print(const struct dx_histogram *histogram)
{
    printf(
        "\"p50_us\": %.2f, \"p90_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, \"max_us\": %.2f",
        (double)dx_histogram_quantile(histogram, 0.50) / 1e3,
        (double)dx_histogram_quantile(histogram, 0.90) / 1e3,
        (double)dx_histogram_quantile(histogram, 0.99) / 1e3,
        (double)dx_histogram_quantile(histogram, 0.999) / 1e3, (double)histogram->most / 1e3);
}
