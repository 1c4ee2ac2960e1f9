/* SPDX-License-Identifier: Apache-2.0 */

/* Rules of one mask form a tuple, tuples form groups of up to 64 (classifier_group.h), groups stand in an
 * array that is replaced as a whole.  Groups wear: bits of removed rules stay in their filters, more
 * rules crowd the slots.  When there was about as much wear as there were rules, all groups are made
 * anew, which costs each change a constant on average.  They also are when tuples lose their order: the
 * first time at once, then after twice as many changes each time, until the groups have worn out.
 *
 * Where there is more than one group, new tuples and lost order are the business of one group, which alone
 * is made anew: so a mask more costs the same however many there are. */

#include "vswitchd/classifier.h"

#include <stdlib.h>

#include "lib/annotations.h"
#include "lib/rcu.h"
#include "vswitchd/classifier_group.h"
#include "vswitchd/classifier_tuple.h"

enum {
    FREE_WEAR = 16,
    MAX_NEWCOMERS = 16,        /* Tuples of a group that its filters do not know. */
    MAX_REGROUPED_KEYS = 4096, /* Of a group that is made anew for a few tuples. */
};

struct classifier {
    struct cls_groups *_Atomic groups; /* NULL: no rules. */

    /* The writer's. */
    struct cls_tuple *tuples; /* Owned; by mask.  Empty ones stay until the groups are made anew. */
    struct cls_tuple *recent; /* The one found last; NULL: none. */
    uint32_t n_rules;
    uint32_t n_masks; /* Tuples that are not empty. */
    uint32_t n_keys;
    uint32_t wear; /* Since the groups were made. */
    uint32_t wear_limit;
    uint32_t disorder; /* Changes since then that made the order of tuples worse. */
    uint32_t disorder_limit;
    bool is_walking; /* The groups must stay. */
};

static uint32_t count_words(const struct flow *mask)
{
    uint32_t n = 0;

    for (size_t i = 0; i < FLOW_WORDS; i++)
        n += flow_words_const(mask)[i] != 0;
    return n;
}

size_t cls_rule_words_bytes(const struct match *match)
{
    return count_words(&match->mask) * sizeof(uint64_t);
}

void cls_rule_init(struct cls_rule *rule, const struct match *match, uint32_t priority)
{
    uint32_t n_words = count_words(&match->mask), n = 0;
    struct cls_mask *mask = malloc(sizeof *mask + n_words * sizeof mask->words[0]);

    assert(priority < UINT32_MAX);
    if (!mask)
        abort();
    atomic_init(&mask->n_references, 1);
    mask->n_words = n_words;
    mask->word_set = 0;
    *rule = (struct cls_rule){.mask = mask, .priority = priority};
    atomic_init(&rule->added_in, CLASSIFIER_VERSION_NEVER);
    atomic_init(&rule->removed_in, CLASSIFIER_VERSION_NEVER);
    for (size_t i = 0; n < n_words; i++) {
        uint64_t bits = flow_words_const(&match->mask)[i];

        if (!bits)
            continue;
        mask->word_set |= UINT64_C(1) << i;
        mask->words[n] = bits;
        rule->words[n++] = flow_words_const(&match->flow)[i] & bits;
    }
}

void cls_rule_fini(struct cls_rule *rule)
{
    cls_mask_put(rule->mask);
    rule->mask = NULL;
}

void cls_rule_expand(const struct cls_rule *rule, struct match *match)
{
    match_init_any(match);
    cls_rule_fill(rule, match);
}

void cls_rule_fill(const struct cls_rule *rule, struct match *match)
{
    uint64_t set = rule->mask->word_set;

    for (uint32_t i = 0; set; i++, set &= set - 1) {
        int word = __builtin_ctzll(set);

        flow_words(&match->mask)[word] = rule->mask->words[i];
        flow_words(&match->flow)[word] = rule->words[i];
    }
}

void cls_rule_clear(const struct cls_rule *rule, struct match *match)
{
    for (uint64_t set = rule->mask->word_set; set; set &= set - 1) {
        int word = __builtin_ctzll(set);

        flow_words(&match->mask)[word] = flow_words(&match->flow)[word] = 0;
    }
}

struct classifier *classifier_create(void)
{
    struct classifier *cls = calloc(1, sizeof *cls);

    if (!cls)
        abort();
    return cls;
}

static struct cls_groups *groups_of(const struct classifier *cls)
{
    return atomic_load_explicit(&cls->groups, memory_order_relaxed);
}

static void free_groups(struct rcu_head *rcu)
{
    struct cls_groups *groups = CONTAINER_OF(rcu, struct cls_groups, rcu);

    rcu_begin_callback();
    for (uint32_t i = 0; i < groups->n; i++)
        cls_group_destroy(groups->groups[i]);
    free(groups);
}

void classifier_destroy(struct classifier *cls)
{
    struct cls_tuple *tuple, *next;

    if (!cls)
        return;
    assert(!cls->n_rules);
    HASH_ITER (by_mask, cls->tuples, tuple, next) {
        HASH_DELETE(by_mask, cls->tuples, tuple);
        cls_tuple_destroy(tuple);
    }
    if (groups_of(cls)) {
        for (uint32_t i = 0; i < groups_of(cls)->n; i++)
            cls_group_destroy(groups_of(cls)->groups[i]);
        free(groups_of(cls));
    }
    free(cls);
}

uint32_t classifier_n_rules(const struct classifier *cls)
{
    return cls->n_rules;
}

uint32_t classifier_n_masks(const struct classifier *cls)
{
    return cls->n_masks;
}

/* 'key' is the word set and the mask words, with which a cls_mask, a minimatch and the masks of a tuple
 * begin. */
static struct cls_tuple *find_tuple(struct classifier *cls, const uint64_t *key)
{
    size_t n_bytes = (1 + (size_t)__builtin_popcountll(key[0])) * sizeof *key;
    struct cls_tuple *tuple = cls->recent;

    if (tuple && tuple->word_set == key[0] && !memcmp(&tuple->word_set, key, n_bytes))
        return tuple;
    HASH_FIND(by_mask, cls->tuples, key, n_bytes, tuple);
    if (tuple)
        cls->recent = tuple;
    return tuple;
}

static struct cls_tuple *find_or_create_tuple(struct classifier *cls, struct cls_mask *mask)
{
    struct cls_tuple *tuple = find_tuple(cls, &mask->word_set);

    if (tuple)
        return tuple;
    tuple = cls_tuple_create(mask);
    HASH_ADD_KEYPTR(by_mask, cls->tuples, &tuple->word_set,
                    sizeof tuple->word_set + tuple->n_words * sizeof tuple->masks[0], tuple);
    return tuple;
}

/* By falling rank, then what is cheaper to probe and likelier to match. */
static int compare_tuples(const void *a_, const void *b_)
{
    const struct cls_tuple *a = *(struct cls_tuple *const *)a_;
    const struct cls_tuple *b = *(struct cls_tuple *const *)b_;
    cls_rank a_rank = cls_tuple_max_rank(a), b_rank = cls_tuple_max_rank(b);

    if (a_rank != b_rank)
        return a_rank < b_rank ? 1 : -1;
    return (int)a->n_words - (int)b->n_words;
}

/* Gives up empty tuples; the others by falling rank.  free() the result. */
static struct cls_tuple **collect_tuples(struct classifier *cls)
{
    struct cls_tuple **tuples = malloc((cls->n_masks + 1) * sizeof *tuples);
    struct cls_tuple *tuple, *next;
    uint32_t n = 0;

    if (!tuples)
        abort();
    cls->recent = NULL;
    HASH_ITER (by_mask, cls->tuples, tuple, next) {
        if (tuple->n_rules) {
            cls_tuple_trim(tuple);
            tuples[n++] = tuple;
        } else {
            HASH_DELETE(by_mask, cls->tuples, tuple);
            cls_tuple_destroy_later(tuple);
        }
    }
    assert(n == cls->n_masks);
    qsort(tuples, n, sizeof *tuples, compare_tuples);
    return tuples;
}

static void make_groups(struct classifier *cls)
{
    struct cls_groups *old = groups_of(cls), *groups = NULL;
    struct cls_tuple **tuples = collect_tuples(cls);

    if (cls->n_masks) {
        uint32_t n = (cls->n_masks + CLS_GROUP_MAX_TUPLES - 1) / CLS_GROUP_MAX_TUPLES;

        groups = malloc(sizeof *groups + n * sizeof groups->groups[0]);
        if (!groups)
            abort();
        groups->n = n;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t first = i * CLS_GROUP_MAX_TUPLES, n_left = cls->n_masks - first;
            groups->groups[i] = cls_group_create(
                tuples + first, n_left < CLS_GROUP_MAX_TUPLES ? n_left : CLS_GROUP_MAX_TUPLES);
        }
    }
    free(tuples);
    atomic_store_explicit(&cls->groups, groups, memory_order_release);
    if (old) {
        rcu_order_before_writers();
        call_rcu(&old->rcu, free_groups);
    }

    cls->disorder_limit = cls->wear > cls->wear_limit ? 0 : 2 * cls->disorder_limit + 1;
    cls->disorder = 0;
    cls->wear = 0;
    cls->wear_limit = FREE_WEAR + cls->n_keys;
}

static void make_groups_if_worn(struct classifier *cls)
{
    bool is_worn = cls->wear > cls->wear_limit || cls->disorder > cls->disorder_limit;

    if (!cls->is_walking && (is_worn || !cls->n_rules))
        make_groups(cls);
}

static void free_group(struct rcu_head *rcu)
{
    rcu_begin_callback();
    cls_group_destroy(CONTAINER_OF(rcu, struct cls_group, rcu));
}

static void free_array(struct rcu_head *rcu)
{
    rcu_begin_callback();
    free(CONTAINER_OF(rcu, struct cls_groups, rcu));
}

/* Puts 'group' in place number 'i', or behind the others. */
static void put_group(struct classifier *cls, uint32_t i, struct cls_group *group)
{
    struct cls_groups *old = groups_of(cls);
    uint32_t n = i < old->n ? old->n : old->n + 1;
    struct cls_groups *groups = malloc(sizeof *groups + n * sizeof groups->groups[0]);

    if (!groups)
        abort();
    groups->n = n;
    memcpy(groups->groups, old->groups, old->n * sizeof groups->groups[0]);
    groups->groups[i] = group;
    atomic_store_explicit(&cls->groups, groups, memory_order_release);
    rcu_order_before_writers();
    if (i < old->n)
        call_rcu(&old->groups[i]->rcu, free_group);
    call_rcu(&old->rcu, free_array);
}

/* The tuples of a group that are not empty; gives up the others until they get rules again. */
static uint32_t collect_group(struct cls_group *group, struct cls_tuple **tuples)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < atomic_load_explicit(&group->n_tuples, memory_order_relaxed); i++) {
        struct cls_tuple *tuple = cls_group_tuple(group, i);

        if (tuple->n_rules)
            tuples[n++] = tuple;
        else
            tuple->group = NULL;
    }
    return n;
}

static uint32_t count_group_keys(const struct cls_group *group)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < atomic_load_explicit(&group->n_tuples, memory_order_relaxed); i++)
        n += cls_group_tuple(group, i)->n_keys;
    return n;
}

/* Of 'n' tuples in any order. */
static struct cls_group *make_group(struct cls_tuple **tuples, uint32_t n)
{
    qsort(tuples, n, sizeof tuples[0], compare_tuples);
    return cls_group_create(tuples, n);
}

/* Lets the last group's filters know all its tuples, with one more if there is room; else that begins
 * another group. */
static void add_to_last_group(struct classifier *cls, struct cls_tuple *tuple)
{
    struct cls_groups *groups = groups_of(cls);
    struct cls_group *last = groups->groups[groups->n - 1];
    struct cls_tuple *tuples[CLS_GROUP_MAX_TUPLES];
    uint32_t i = groups->n;

    if (count_group_keys(last) <= MAX_REGROUPED_KEYS) {
        uint32_t n = collect_group(last, tuples);
        bool has_room = n < CLS_GROUP_MAX_TUPLES;

        if (has_room)
            tuples[n++] = tuple;
        put_group(cls, i - 1, make_group(tuples, n));
        if (has_room)
            return;
    }
    put_group(cls, i, cls_group_create(&tuple, 1));
}

static bool has_one_group(const struct classifier *cls)
{
    return cls->n_masks < CLS_GROUP_MAX_TUPLES;
}

/* Puts a new tuple where filters do not know it, for the time being. */
static void add_to_groups(struct classifier *cls, struct cls_tuple *tuple)
{
    struct cls_groups *groups = groups_of(cls);
    struct cls_group *last = groups ? groups->groups[groups->n - 1] : NULL;

    if (last && !has_one_group(cls)) {
        cls->wear++;
        if (cls_group_n_newcomers(last) == MAX_NEWCOMERS || !cls_group_append(last, tuple))
            add_to_last_group(cls, tuple);
    } else if (last && cls_group_append(last, tuple)) {
        cls->wear += 1 + cls->wear_limit / 8;
    } else {
        cls->wear = cls->wear_limit + 1;
    }
}

/* Puts the tuples of a group in order, now and then. */
static void note_group_disorder(struct classifier *cls, struct cls_group *group)
{
    struct cls_groups *groups = groups_of(cls);
    struct cls_tuple *tuples[CLS_GROUP_MAX_TUPLES];
    uint32_t i = 0, n;

    if (++group->disorder <= group->disorder_limit || cls->is_walking ||
        count_group_keys(group) > MAX_REGROUPED_KEYS)
        return;
    while (groups->groups[i] != group)
        i++;
    n = collect_group(group, tuples);
    struct cls_group *ordered = make_group(tuples, n);
    ordered->disorder_limit = 2 * group->disorder_limit + 1;
    put_group(cls, i, ordered);
}

static void note_rank(struct classifier *cls, const struct cls_tuple *tuple, cls_rank before)
{
    if (!tuple->group || cls_tuple_max_rank(tuple) == before ||
        !cls_group_note_rank(tuple->group, tuple))
        return;
    if (has_one_group(cls))
        cls->disorder++;
    else
        note_group_disorder(cls, tuple->group);
}

void classifier_insert(struct classifier *cls, struct cls_rule *rule, uint64_t version)
{
    struct cls_tuple *tuple = find_or_create_tuple(cls, rule->mask);
    cls_rank before = cls_tuple_max_rank(tuple);

    assert(!rule->tuple && !cls->is_walking);
    atomic_store_explicit(&rule->added_in, version, memory_order_relaxed);
    atomic_store_explicit(&rule->removed_in, CLASSIFIER_VERSION_NEVER, memory_order_relaxed);

    if (!tuple->group)
        add_to_groups(cls, tuple);
    if (tuple->group)
        cls_group_note_rule(tuple->group, tuple, rule);
    cls->n_masks += !tuple->n_rules;
    cls->n_rules++;
    if (cls_tuple_insert(tuple, rule)) {
        cls->n_keys++;
        cls->wear++;
    }
    note_rank(cls, tuple, before);
    make_groups_if_worn(cls);
}

static void remove_one(struct classifier *cls, struct cls_rule *rule)
{
    struct cls_tuple *tuple = rule->tuple;
    cls_rank before = cls_tuple_max_rank(tuple);

    if (cls_tuple_remove(tuple, rule)) {
        cls->n_keys--;
        cls->wear++;
    }
    cls->n_rules--;
    cls->n_masks -= !tuple->n_rules;
    note_rank(cls, tuple, before);
}

void classifier_remove(struct classifier *cls, struct cls_rule *rule)
{
    remove_one(cls, rule);
    make_groups_if_worn(cls);
}

static void clear_tuple(struct classifier *cls, struct cls_tuple *tuple)
{
    cls_rank before = cls_tuple_max_rank(tuple);

    cls->n_keys -= tuple->n_keys;
    cls->wear += tuple->n_keys;
    cls->n_rules -= tuple->n_rules;
    cls->n_masks--;
    cls_tuple_clear(tuple);
    note_rank(cls, tuple, before);
}

void classifier_remove_all(struct classifier *cls, struct cls_rule *const *rules, size_t n_rules)
{
    enum { AHEAD = 16 };

    for (size_t i = 0; i < n_rules; i++) {
        if (i + AHEAD < n_rules)
            __builtin_prefetch(rules[i + AHEAD]);
        rules[i]->tuple->n_leaving++;
    }
    for (size_t i = 0; i < n_rules; i++) {
        struct cls_tuple *tuple = rules[i]->tuple;

        if (i + AHEAD < n_rules)
            __builtin_prefetch(rules[i + AHEAD], 1);
        if (tuple->n_rules && tuple->n_leaving == tuple->n_rules)
            clear_tuple(cls, tuple);
        if (tuple->n_rules)
            remove_one(cls, rules[i]);
        tuple->n_leaving--;
        rules[i]->tuple = NULL;
    }
    make_groups_if_worn(cls);
}

static __attribute__((noinline)) struct cls_rule *
lookup_only(const struct cls_groups *groups, uint64_t version, const struct flow *flow)
{
    struct flow ignored = {0};

    return cls_groups_lookup(groups, version, flow_words_const(flow), flow_words(&ignored));
}

struct cls_rule *classifier_lookup(const struct classifier *cls, uint64_t version,
                                   const struct flow *flow, struct flow *consulted)
{
    const struct cls_groups *groups = atomic_load_explicit(&cls->groups, memory_order_acquire);

    if (unlikely(!groups))
        return NULL;
    if (unlikely(!consulted))
        return lookup_only(groups, version, flow);
    return cls_groups_lookup(groups, version, flow_words_const(flow), flow_words(consulted));
}

void classifier_each_match(const struct classifier *cls, uint64_t version, const struct flow *flow,
                           struct flow *consulted, void (*each)(struct cls_rule *rule, void *arg),
                           void *arg)
{
    const struct cls_groups *groups = atomic_load_explicit(&cls->groups, memory_order_acquire);
    struct flow ignored;

    if (groups)
        cls_groups_each_match(groups, version, flow_words_const(flow),
                              flow_words(consulted ? consulted : &ignored), each, arg);
}

struct cls_rule *classifier_find(struct classifier *cls, uint64_t version,
                                 const struct match *match, uint32_t priority)
{
    uint64_t room[1 + MINIMATCH_MAX_WORDS];
    struct minimatch *mini = (struct minimatch *)(void *)room;

    minimatch_init(mini, match);
    const struct cls_tuple *tuple = find_tuple(cls, room);
    struct cls_rule *rule = tuple ? cls_tuple_find(tuple, minimatch_flow(mini), priority) : NULL;

    rule = cls_chain_visible(rule, version);
    return rule && rule->priority == priority ? rule : NULL;
}

/* Calls 'each' for the rules of 'chain' until it returns false; then so does this. */
static bool chain_each(struct cls_rule *chain, bool (*each)(struct cls_rule *rule, void *arg),
                       void *arg)
{
    while (chain) {
        struct cls_rule *next = atomic_load_explicit(&chain->next, memory_order_relaxed);

        if (!each(chain, arg))
            return false;
        chain = next;
    }
    return true;
}

/* The same for all rules of 'tuple'. */
static bool tuple_each(struct cls_tuple *tuple, bool (*each)(struct cls_rule *rule, void *arg),
                       void *arg)
{
    struct cls_table *table = atomic_load_explicit(&tuple->table, memory_order_relaxed);

    for (uint32_t i = 0; i < table->capacity; i++) {
        if (!chain_each(cls_table_chain(table, i), each, arg))
            return false;
    }
    return true;
}

struct overlap_search {
    uint64_t version;
    const struct match *match;
    uint32_t priority;
    struct cls_rule *found;
};

static bool rule_overlaps(const struct cls_tuple *tuple, const struct cls_rule *rule,
                          const struct match *match)
{
    const uint64_t *flow = flow_words_const(&match->flow), *mask = flow_words_const(&match->mask);

    for (uint32_t i = 0; i < tuple->n_words; i++) {
        uint8_t word = tuple->words[i];
        if ((rule->words[i] ^ flow[word]) & tuple->masks[i] & mask[word])
            return false;
    }
    return true;
}

static bool check_overlap(struct cls_rule *rule, void *search_)
{
    struct overlap_search *search = search_;

    if (rule->priority == search->priority && cls_rule_is_visible(rule, search->version) &&
        rule_overlaps(rule->tuple, rule, search->match))
        search->found = rule;
    return !search->found;
}

/* Has 'mask' all bits of the tuple's?  Then 'masked' is what its rules would have of 'flow'. */
static bool tuple_is_within(const struct cls_tuple *tuple, const struct match *match,
                            uint64_t masked[FLOW_WORDS])
{
    for (uint32_t i = 0; i < tuple->n_words; i++) {
        uint8_t word = tuple->words[i];

        if (tuple->masks[i] & ~flow_words_const(&match->mask)[word])
            return false;
        masked[i] = flow_words_const(&match->flow)[word] & tuple->masks[i];
    }
    return true;
}

struct cls_rule *classifier_find_overlap(const struct classifier *cls, uint64_t version,
                                         const struct match *match, uint32_t priority)
{
    struct overlap_search search = {version, match, priority, NULL};
    uint64_t masked[FLOW_WORDS];
    struct cls_tuple *tuple, *next;

    HASH_ITER (by_mask, cls->tuples, tuple, next) {
        if (!cls_priorities_contain(&tuple->priorities, priority))
            continue;
        if (tuple_is_within(tuple, match, masked))
            chain_each(cls_tuple_find(tuple, masked, priority), check_overlap, &search);
        else
            tuple_each(tuple, check_overlap, &search);
        if (search.found)
            break;
    }
    return search.found;
}

/* What a rule of one tuple must have to lie in a match. */
struct cover {
    uint32_t n;
    bool is_whole; /* All of the tuple's words, under its masks: 'flow' is what the rule must be. */
    uint8_t places[FLOW_WORDS];
    uint64_t masks[FLOW_WORDS], flow[FLOW_WORDS];
    bool (*each)(struct cls_rule *rule, void *arg);
    void *arg;
};

/* False: the tuple's mask lacks bits, so no rule can. */
static bool cover_init(struct cover *cover, const struct cls_tuple *tuple,
                       const struct match *match)
{
    uint64_t word_set = 0;

    cover->n = 0;
    cover->is_whole = true;
    for (uint32_t i = 0; i < tuple->n_words; i++) {
        uint64_t mask = flow_words_const(&match->mask)[tuple->words[i]];

        if (mask & ~tuple->masks[i])
            return false;
        cover->is_whole &= mask == tuple->masks[i];
        if (!mask)
            continue;
        word_set |= UINT64_C(1) << tuple->words[i];
        cover->places[cover->n] = (uint8_t)i;
        cover->masks[cover->n] = mask;
        cover->flow[cover->n++] = flow_words_const(&match->flow)[tuple->words[i]] & mask;
    }
    for (size_t i = 0; i < FLOW_WORDS; i++)
        if (flow_words_const(&match->mask)[i] && !(word_set >> i & 1))
            return false;
    return true;
}

static bool check_cover(struct cls_rule *rule, void *cover_)
{
    const struct cover *cover = cover_;
    uint64_t difference = 0;

    for (uint32_t i = 0; i < cover->n; i++)
        difference |= (rule->words[cover->places[i]] ^ cover->flow[i]) & cover->masks[i];
    return difference || cover->each(rule, cover->arg);
}

static bool tuple_each_in(struct cls_tuple *tuple, const struct match *match,
                          bool (*each)(struct cls_rule *rule, void *arg), void *arg)
{
    struct cover cover = {.each = each, .arg = arg};

    if (!match)
        return tuple_each(tuple, each, arg);
    if (!cover_init(&cover, tuple, match))
        return true;
    if (cover.is_whole)
        return chain_each(cls_tuple_find(tuple, cover.flow, UINT32_MAX), each, arg);
    return tuple_each(tuple, cover.n ? check_cover : each, cover.n ? &cover : arg);
}

void classifier_each(struct classifier *cls, const struct match *match,
                     bool (*each)(struct cls_rule *rule, void *arg), void *arg)
{
    struct cls_tuple *tuple, *next;

    cls->is_walking = true;
    HASH_ITER (by_mask, cls->tuples, tuple, next) {
        if (tuple->n_rules && !tuple_each_in(tuple, match, each, arg))
            break;
    }
    cls->is_walking = false;
    make_groups_if_worn(cls);
}
