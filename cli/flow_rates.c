/* SPDX-License-Identifier: Apache-2.0 */

/* A hash table of names with the counters of this time and the last. */

#include "cli/flow_rates.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/clock.h"

struct entry {
    struct flow_rate rate;
    uint64_t seen_packets, seen_bytes; /* The last time. */
    uint64_t round;                    /* In which it was told. */
    UT_hash_handle hh;
    char name[];
};

struct flow_rates {
    struct entry *entries;
    int64_t now_ns, last_ns;
    uint64_t round;
    struct flow_rate *sorted; /* Owned. */
    struct flow_rate sum;
};

struct flow_rates *flow_rates_create(void)
{
    struct flow_rates *rates = calloc(1, sizeof *rates);

    if (!rates)
        abort();
    return rates;
}

static void forget(struct flow_rates *rates, struct entry *entry)
{
    HASH_DEL(rates->entries, entry);
    free(entry);
}

void flow_rates_destroy(struct flow_rates *rates)
{
    struct entry *entry, *next;

    if (!rates)
        return;
    HASH_ITER (hh, rates->entries, entry, next)
        forget(rates, entry);
    free(rates->sorted);
    free(rates);
}

void flow_rates_begin(struct flow_rates *rates, int64_t now_ns)
{
    rates->round++;
    rates->last_ns = rates->now_ns;
    rates->now_ns = now_ns;
}

double flow_rates_elapsed_s(const struct flow_rates *rates)
{
    int64_t elapsed_ns = rates->now_ns - rates->last_ns;

    return elapsed_ns > 0 ? (double)elapsed_ns / (double)SECOND_NS : 1e-9;
}

static struct entry *find_or_create(struct flow_rates *rates, const char *name)
{
    size_t length = strlen(name);
    struct entry *entry;

    HASH_FIND(hh, rates->entries, name, length, entry);
    if (entry)
        return entry;
    entry = calloc(1, sizeof *entry + length + 1);
    if (!entry)
        abort();
    memcpy(entry->name, name, length + 1);
    entry->rate.name = entry->name;
    HASH_ADD_KEYPTR(hh, rates->entries, entry->name, length, entry);
    return entry;
}

void flow_rates_add(struct flow_rates *rates, const char *name, uint64_t n_packets,
                    uint64_t n_bytes)
{
    struct entry *entry = find_or_create(rates, name);
    struct flow_rate *rate = &entry->rate;

    entry->round = rates->round;
    entry->seen_packets = rate->n_packets <= n_packets ? rate->n_packets : 0;
    entry->seen_bytes = rate->n_bytes <= n_bytes ? rate->n_bytes : 0;
    rate->n_packets = n_packets;
    rate->n_bytes = n_bytes;
    rate->packets_per_s = (double)(n_packets - entry->seen_packets) / flow_rates_elapsed_s(rates);
    rate->bytes_per_s = (double)(n_bytes - entry->seen_bytes) / flow_rates_elapsed_s(rates);
}

static int descending(double a, double b)
{
    return (a < b) - (a > b);
}

static int compare_packets(const void *a_, const void *b_)
{
    const struct flow_rate *a = a_, *b = b_;
    int order = descending(a->packets_per_s, b->packets_per_s);

    if (!order)
        order = descending(a->bytes_per_s, b->bytes_per_s);
    return order ? order : strcmp(a->name, b->name);
}

static int compare_bytes(const void *a_, const void *b_)
{
    const struct flow_rate *a = a_, *b = b_;
    int order = descending(a->bytes_per_s, b->bytes_per_s);

    return order ? order : compare_packets(a_, b_);
}

static void add_up(struct flow_rate *sum, const struct flow_rate *rate)
{
    sum->n_packets += rate->n_packets;
    sum->n_bytes += rate->n_bytes;
    sum->packets_per_s += rate->packets_per_s;
    sum->bytes_per_s += rate->bytes_per_s;
}

size_t flow_rates_end(struct flow_rates *rates, bool by_bytes, const struct flow_rate **sorted)
{
    struct entry *entry, *next;
    size_t n = 0;

    rates->sum = (struct flow_rate){.name = "all"};
    rates->sorted = reallocarray(rates->sorted, HASH_COUNT(rates->entries) + 1,
                                 sizeof *rates->sorted);
    if (!rates->sorted)
        abort();
    HASH_ITER (hh, rates->entries, entry, next) {
        if (entry->round != rates->round) {
            forget(rates, entry);
            continue;
        }
        add_up(&rates->sum, &entry->rate);
        if (rates->round > 1 && (entry->rate.packets_per_s > 0 || entry->rate.bytes_per_s > 0))
            rates->sorted[n++] = entry->rate;
    }
    qsort(rates->sorted, n, sizeof *rates->sorted, by_bytes ? compare_bytes : compare_packets);
    *sorted = rates->sorted;
    return n;
}

struct flow_rate flow_rates_sum(const struct flow_rates *rates)
{
    return rates->sum;
}
