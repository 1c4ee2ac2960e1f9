/* SPDX-License-Identifier: Apache-2.0 */

/* How many lookups a second does one thread make, the consulted mask included, and how many would a
 * plain tuple-space search make on the same rules and flows?
 *
 * Plain search: tuples in the order of their best priority, one hash probe of the whole masked flow in
 * each, until no tuple can have a better rule.  Three of four flows match a rule on purpose; their
 * other fields, and all fields of the rest, are drawn from the same values as those of the rules.
 * With values=few each field has two values, so that most masks match most flows; what was drawn twice
 * is one rule.
 *
 * Usage: classifier_bench [--quick] [--runs N] */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/hash.h"
#include "lib/rcu.h"
#include "vswitchd/classifier.h"

/* Few enough to stay in the processor's cache, as a flow does that was just parsed: 2 MB. */
enum { N_FLOWS = 1 << 12, BLOCK = 1 << 10, MAX_RUNS = 99, MAX_MASKS = 1024 };

struct config {
    uint32_t n_masks, n_rules, n_priorities;
    bool has_few_values;
};

static const char *name_of_values(const struct config *config)
{
    return config->has_few_values ? "few" : "many";
}

/* Of this thread alone: other processes are not what is measured. */
static int64_t cpu_now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static uint64_t random_state = 1;

static uint32_t draw(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 16) % n);
}

/* Fields that rules match on, how many values they take, and how often a mask has them. */
struct field {
    size_t offset, n_bytes;
    uint32_t n_values;
    uint32_t percent;
    bool has_prefixes;
};

#define FIELD(member, n_values, percent, has_prefixes)                                      \
    {                                                                                       \
        offsetof(struct flow, member), sizeof((struct flow *)0)->member, n_values, percent, \
            has_prefixes                                                                    \
    }

static const struct field fields[] = {
    FIELD(metadata, 16, 30, false),      FIELD(key.in_port, 64, 40, false),
    FIELD(key.eth_src, 2000, 30, false), FIELD(key.eth_dst, 2000, 40, false),
    FIELD(key.vlan[0], 100, 30, false),  FIELD(key.eth_type, 3, 80, false),
    FIELD(key.nw_src, 60000, 50, true),  FIELD(key.nw_dst, 60000, 60, true),
    FIELD(key.nw_proto, 3, 50, false),   FIELD(key.tp_src, 1000, 20, false),
    FIELD(key.tp_dst, 1000, 40, false),
};
enum { N_FIELDS = sizeof fields / sizeof fields[0] };

/* The value is spread over the bytes of the field, the same way each time. */
static void put_value(struct flow *flow, const struct field *field, uint32_t value)
{
    uint64_t bytes = (uint64_t)(value + 1) * UINT64_C(0x9e3779b97f4a7c15);

    memcpy((uint8_t *)flow + field->offset, (uint8_t *)&bytes + 8 - field->n_bytes, field->n_bytes);
}

static void draw_flow(const struct config *config, struct flow *flow)
{
    memset(flow, 0, sizeof *flow);
    for (size_t i = 0; i < N_FIELDS; i++)
        put_value(flow, &fields[i], draw(config->has_few_values ? 2 : fields[i].n_values));
}

/* Has an address at least, so that there are enough different rules. */
static void draw_mask(struct flow *mask)
{
    size_t n_addresses = 0;

    while (!n_addresses) {
        memset(mask, 0, sizeof *mask);
        for (size_t i = 0; i < N_FIELDS; i++) {
            if (draw(100) >= fields[i].percent)
                continue;
            size_t n_bytes = fields[i].n_bytes;
            if (fields[i].has_prefixes && draw(2))
                n_bytes = 3;
            else if (fields[i].has_prefixes)
                n_addresses++;
            memset((uint8_t *)mask + fields[i].offset, 0xff, n_bytes);
        }
    }
}

/* Plain tuple-space search. */

struct plain_entry {
    uint32_t hash;
    const struct cls_rule *rule; /* NULL: free. */
};

struct plain_tuple {
    struct flow mask;
    uint32_t n_words, n_rules, capacity, max_priority;
    uint8_t words[FLOW_WORDS];
    uint64_t masks[FLOW_WORDS];
    struct plain_entry *entries;
};

struct plain {
    uint32_t n_tuples;
    struct plain_tuple *tuples[MAX_MASKS];
};

static struct plain_tuple *plain_tuple_create(const struct flow *mask)
{
    struct plain_tuple *tuple = calloc(1, sizeof *tuple);

    tuple->mask = *mask;
    for (uint8_t i = 0; i < FLOW_WORDS; i++) {
        if (flow_words_const(mask)[i]) {
            tuple->words[tuple->n_words] = i;
            tuple->masks[tuple->n_words++] = flow_words_const(mask)[i];
        }
    }
    return tuple;
}

/* Of rules of one masked flow only the best counts. */
static void plain_tuple_put(struct plain_tuple *tuple, uint32_t hash, const struct cls_rule *rule)
{
    for (uint32_t i = hash;; i++) {
        struct plain_entry *entry = &tuple->entries[i & (tuple->capacity - 1)];

        if (!entry->rule) {
            *entry = (struct plain_entry){hash, rule};
            tuple->n_rules++;
            return;
        }
        if (entry->hash == hash &&
            !memcmp(entry->rule->words, rule->words, tuple->n_words * sizeof rule->words[0])) {
            if (rule->priority > entry->rule->priority)
                entry->rule = rule;
            return;
        }
    }
}

static void plain_tuple_insert(struct plain_tuple *tuple, const struct cls_rule *rule)
{
    if (2 * tuple->n_rules >= tuple->capacity) {
        struct plain_entry *old = tuple->entries;
        uint32_t n_old = tuple->capacity;
        tuple->capacity = n_old ? 2 * n_old : 8;
        tuple->entries = calloc(tuple->capacity, sizeof *tuple->entries);
        tuple->n_rules = 0;
        for (uint32_t i = 0; i < n_old; i++)
            if (old[i].rule)
                plain_tuple_put(tuple, old[i].hash, old[i].rule);
        free(old);
    }
    if (rule->priority > tuple->max_priority)
        tuple->max_priority = rule->priority;
    plain_tuple_put(tuple, hash_words(rule->words, tuple->n_words, 0), rule);
}

static int compare_plain(const void *a_, const void *b_)
{
    const struct plain_tuple *a = *(struct plain_tuple *const *)a_;
    const struct plain_tuple *b = *(struct plain_tuple *const *)b_;

    return a->max_priority < b->max_priority ? 1 : a->max_priority > b->max_priority ? -1 : 0;
}

static const struct cls_rule *plain_tuple_lookup(const struct plain_tuple *tuple,
                                                 const uint64_t *flow, uint64_t *consulted)
{
    uint64_t masked[FLOW_WORDS];
    uint64_t hash64 = hash_seed;

    for (uint32_t i = 0; i < tuple->n_words; i++) {
        masked[i] = flow[tuple->words[i]] & tuple->masks[i];
        hash64 = hash_mix(hash64, masked[i]);
        consulted[tuple->words[i]] |= tuple->masks[i];
    }
    uint32_t hash = hash_finish(hash64);
    for (uint32_t i = hash;; i++) {
        const struct plain_entry *entry = &tuple->entries[i & (tuple->capacity - 1)];
        if (!entry->rule)
            return NULL;
        if (entry->hash == hash &&
            !memcmp(masked, entry->rule->words, tuple->n_words * sizeof masked[0]))
            return cls_rule_is_visible(entry->rule, 1) ? entry->rule : NULL;
    }
}

static const struct cls_rule *plain_lookup(const struct plain *plain, const struct flow *flow,
                                           struct flow *consulted)
{
    const struct cls_rule *best = NULL;

    for (uint32_t i = 0; i < plain->n_tuples; i++) {
        const struct plain_tuple *tuple = plain->tuples[i];
        if (best && best->priority >= tuple->max_priority)
            break;
        const struct cls_rule *rule = plain_tuple_lookup(tuple, flow_words_const(flow),
                                                         flow_words(consulted));
        if (rule && (!best || rule->priority > best->priority))
            best = rule;
    }
    return best;
}

/* Rules and flows of a configuration. */

struct bench {
    const struct config *config;
    struct cls_rule **rules;
    uint32_t n_rules; /* Different ones. */
    uint16_t *rule_masks;
    struct flow *flows;
    struct classifier *cls;
    struct plain plain;
};

static void create_rules(struct bench *bench)
{
    const struct config *config = bench->config;
    struct classifier *seen = classifier_create();

    bench->rules = calloc(config->n_rules, sizeof *bench->rules);
    bench->rule_masks = calloc(config->n_rules, sizeof *bench->rule_masks);
    bench->plain.n_tuples = config->n_masks;
    for (uint32_t i = 0; i < config->n_masks; i++) {
        struct flow mask;
        draw_mask(&mask);
        bench->plain.tuples[i] = plain_tuple_create(&mask);
    }
    for (uint32_t i = 0; i < config->n_rules; i++) {
        uint32_t tuple = i % config->n_masks, priority = draw(config->n_priorities);
        struct match match;

        draw_flow(config, &match.flow);
        match.mask = bench->plain.tuples[tuple]->mask;
        match_normalize(&match);
        if (classifier_find(seen, 1, &match, priority))
            continue;
        struct cls_rule *rule = malloc(sizeof *rule + cls_rule_words_bytes(&match));
        cls_rule_init(rule, &match, priority);
        classifier_insert(seen, rule, 1);
        bench->rules[bench->n_rules] = rule;
        bench->rule_masks[bench->n_rules++] = (uint16_t)tuple;
    }
    for (uint32_t i = 0; i < bench->n_rules; i++)
        classifier_remove(seen, bench->rules[i]);
    classifier_destroy(seen);
}

static void create_flows(struct bench *bench)
{
    bench->flows = calloc(N_FLOWS, sizeof *bench->flows);
    for (size_t i = 0; i < N_FLOWS; i++) {
        struct flow *flow = &bench->flows[i];
        struct match match;

        draw_flow(bench->config, flow);
        if (i % 4 == 0)
            continue;
        cls_rule_expand(bench->rules[draw(bench->n_rules)], &match);
        for (size_t w = 0; w < FLOW_WORDS; w++)
            flow_words(flow)[w] = (flow_words(flow)[w] & ~flow_words(&match.mask)[w]) |
                                  flow_words(&match.flow)[w];
    }
}

static void insert_rules(struct bench *bench)
{
    uint32_t n = bench->n_rules;

    rcu_quiescent_state();
    rcu_barrier();
    size_t bytes_before = mallinfo2().uordblks + mallinfo2().hblkhd;
    int64_t start_ns = cpu_now_ns();

    bench->cls = classifier_create();
    for (uint32_t i = 0; i < n; i++)
        classifier_insert(bench->cls, bench->rules[i], 1);

    int64_t took_ns = cpu_now_ns() - start_ns;
    rcu_quiescent_state();
    rcu_barrier();
    size_t bytes = mallinfo2().uordblks + mallinfo2().hblkhd - bytes_before;
    printf("classifier_insert masks=%u rules=%u priorities=%u values=%s inserts_per_s=%.0f "
           "bytes_per_rule=%.1f\n",
           bench->config->n_masks, n, bench->config->n_priorities, name_of_values(bench->config),
           n * 1e9 / (double)took_ns, (double)bytes / n + sizeof(struct cls_rule));

    for (uint32_t i = 0; i < n; i++)
        plain_tuple_insert(bench->plain.tuples[bench->rule_masks[i]], bench->rules[i]);
    qsort(bench->plain.tuples, bench->plain.n_tuples, sizeof bench->plain.tuples[0], compare_plain);
}

static void destroy(struct bench *bench)
{
    for (uint32_t i = 0; i < bench->n_rules; i++) {
        classifier_remove(bench->cls, bench->rules[i]);
        cls_rule_fini(bench->rules[i]);
        free(bench->rules[i]);
    }
    classifier_destroy(bench->cls);
    for (uint32_t i = 0; i < bench->plain.n_tuples; i++) {
        free(bench->plain.tuples[i]->entries);
        free(bench->plain.tuples[i]);
    }
    free(bench->rules);
    free(bench->rule_masks);
    free(bench->flows);
}

static uint32_t count_bits(const struct flow *flow)
{
    uint32_t n = 0;

    for (size_t i = 0; i < FLOW_WORDS; i++)
        n += (uint32_t)__builtin_popcountll(flow_words_const(flow)[i]);
    return n;
}

/* Ends the program if the two disagree.  Mean bits consulted, of both. */
static void check_results(const struct bench *bench, double *bits, double *plain_bits)
{
    uint64_t n_bits = 0, n_plain_bits = 0;

    for (size_t i = 0; i < N_FLOWS; i++) {
        struct flow consulted = {0}, plain_consulted = {0};
        const struct cls_rule *rule = classifier_lookup(bench->cls, 1, &bench->flows[i],
                                                        &consulted);
        const struct cls_rule *plain_rule = plain_lookup(&bench->plain, &bench->flows[i],
                                                         &plain_consulted);

        if (!rule != !plain_rule || (rule && rule->priority != plain_rule->priority)) {
            fprintf(stderr, "flow %zu: results differ\n", i);
            exit(EXIT_FAILURE);
        }
        n_bits += count_bits(&consulted);
        n_plain_bits += count_bits(&plain_consulted);
    }
    *bits = (double)n_bits / N_FLOWS;
    *plain_bits = (double)n_plain_bits / N_FLOWS;
}

static uint64_t volatile sink;

/* Both return the nanoseconds that BLOCK lookups from flow 'start' on take. */

static int64_t measure(const struct bench *bench, size_t start)
{
    uint64_t sum = 0;
    int64_t start_ns = cpu_now_ns();

    for (size_t i = start; i < start + BLOCK; i++) {
        struct flow consulted = {0};
        sum += (uintptr_t)classifier_lookup(bench->cls, 1, &bench->flows[i], &consulted);
        sum += flow_words(&consulted)[FLOW_KEY_WORD(nw_src)];
    }
    sink = sum;
    return cpu_now_ns() - start_ns;
}

static int64_t measure_plain(const struct bench *bench, size_t start)
{
    uint64_t sum = 0;
    int64_t start_ns = cpu_now_ns();

    for (size_t i = start; i < start + BLOCK; i++) {
        struct flow consulted = {0};
        sum += (uintptr_t)plain_lookup(&bench->plain, &bench->flows[i], &consulted);
        sum += flow_words(&consulted)[FLOW_KEY_WORD(nw_src)];
    }
    sink = sum;
    return cpu_now_ns() - start_ns;
}

/* Million lookups a second of both.  They take turns block by block, so that they meet the same
 * disturbances, and are half of the flows apart, so that neither warms the caches for the other. */
static void measure_both(const struct bench *bench, double *ours, double *plain)
{
    int64_t ours_ns = 0, plain_ns = 0;

    for (size_t i = 0; i < N_FLOWS; i += BLOCK) {
        ours_ns += measure(bench, i);
        plain_ns += measure_plain(bench, (i + N_FLOWS / 2) % N_FLOWS);
    }
    *ours = N_FLOWS * 1e3 / (double)ours_ns;
    *plain = N_FLOWS * 1e3 / (double)plain_ns;
}

static int compare_doubles(const void *a_, const void *b_)
{
    double a = *(const double *)a_, b = *(const double *)b_;

    return a < b ? -1 : a > b;
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof values[0], compare_doubles);
    return values[n / 2];
}

/* The ratio is the median of the ratios of the runs. */
static void run(const struct config *config, int n_runs)
{
    struct bench bench = {.config = config};
    double ours[MAX_RUNS], plain[MAX_RUNS], ratios[MAX_RUNS], bits, plain_bits;

    create_rules(&bench);
    create_flows(&bench);
    insert_rules(&bench);
    check_results(&bench, &bits, &plain_bits);
    for (int i = 0; i < n_runs; i++) {
        measure_both(&bench, &ours[i], &plain[i]);
        ratios[i] = ours[i] / plain[i];
    }
    double ours_median = median(ours, n_runs), plain_median = median(plain, n_runs);
    double ratio = median(ratios, n_runs);
    printf(
        "classifier_lookup masks=%u rules=%u priorities=%u values=%s mlookups_per_s=%.2f min=%.2f "
        "max=%.2f plain_mlookups_per_s=%.2f min=%.2f max=%.2f ratio=%.2f min=%.2f max=%.2f "
        "consulted_bits=%.0f plain_consulted_bits=%.0f runs=%d\n",
        config->n_masks, bench.n_rules, config->n_priorities, name_of_values(config), ours_median,
        ours[0], ours[n_runs - 1], plain_median, plain[0], plain[n_runs - 1], ratio, ratios[0],
        ratios[n_runs - 1], bits, plain_bits, n_runs);
    fflush(stdout);
    destroy(&bench);
}

int main(int argc, char *argv[])
{
    static const struct config configs[] = {
        {1, 10000, 1, false},       {2, 10000, 1, false},     {5, 10000, 1, false},
        {10, 10000, 1, false},      {10, 10000, 1000, false}, {30, 100000, 1, false},
        {50, 10000, 1, false},      {50, 10000, 1000, false}, {500, 10000, 1000, false},
        {50, 1000000, 1000, false}, {10, 10000, 1, true},     {30, 100000, 1, true},
        {50, 1000000, 1000, true},
    };
    int n_runs = 9;
    uint32_t divisor = 1;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--quick"))
            divisor = 10;
        else if (!strcmp(argv[i], "--runs") && i + 1 < argc)
            n_runs = atoi(argv[++i]);
    }
    if (n_runs < 1 || n_runs > MAX_RUNS) {
        fprintf(stderr, "--runs: must be 1 to %d\n", MAX_RUNS);
        return EXIT_FAILURE;
    }

    rcu_register_thread();
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        struct config config = configs[i];
        config.n_rules /= divisor;
        run(&config, n_runs);
    }
    rcu_unregister_thread();
    return EXIT_SUCCESS;
}
