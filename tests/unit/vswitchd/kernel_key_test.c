/* SPDX-License-Identifier: Apache-2.0 */

/* The keys of the kernel's flow cache, without a kernel: is what its parser makes of a frame what userspace makes of
 * it, and does a key say all that it is taken to say? */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "datapath/kcache_key.h"
#include "datapath/kcache_table.h"
#include "datapath/kernel/parse.h"
#include "lib/packet.h"
#include "tests/generate/generate.h"

enum { N_FRAMES = 200000, SLOT = 0x1234, PORT = 7 };

/* As the device hands it to the program: with the outermost tag taken out. */
static enum kc_parsed parse_as_kernel(const uint8_t *bytes, size_t n_bytes, size_t n_reachable,
                                      struct kc_key *key)
{
    uint8_t untagged[GENERATE_MAX_FRAME];
    uint16_t type = be16_host(be16_load(bytes + 12));
    struct kc_frame frame = {.slot = SLOT};

    memset(key, 0, sizeof *key);
    if (type == ETH_TYPE_QINQ)
        return KC_UNUSUAL; /* Its program does not try. */
    if (type == ETH_TYPE_VLAN && n_bytes >= 20) {
        memcpy(untagged, bytes, 12);
        memcpy(untagged + 12, bytes + 16, n_bytes - 16);
        frame.tag = be16_host(be16_load(bytes + 14)) | VLAN_CFI;
        bytes = untagged;
        n_bytes -= 4;
    }
    frame.at = bytes;
    frame.end = bytes + (n_reachable < n_bytes ? n_reachable : n_bytes);
    frame.n_bytes = (uint32_t)n_bytes;
    return kc_parse(&frame, key);
}

static void parse_as_userspace(uint8_t *bytes, size_t n_bytes, struct flow_key *flow)
{
    struct packet packet = {.data = bytes, .size = (uint32_t)n_bytes};

    flow_extract(&packet, be32_from(PORT), flow);
}

static size_t make_frame(struct random *random, uint8_t *bytes)
{
    const struct generate_frames options = {
        .is_valid = random_chance(random, 50),
        .max_vlans = random_below(random, 4),
        .has_protocol_0 = true,
        .has_ipv6_fragments = true,
        .has_wrong_versions = true,
        .has_dei = true,
    };
    size_t n_bytes = generate_frame(random, &options, bytes);

    /* A bit here and there that no generator thought of. */
    for (uint32_t n = random_below(random, 3); n_bytes > 14 && n > 0; n--)
        bytes[12 + random_below(random, (uint32_t)n_bytes - 12)] ^=
            (uint8_t)(1 << random_below(random, 8));
    return n_bytes;
}

static void both_parsers_make_the_same_key(void **state)
{
    struct random random;
    unsigned int n_keys = 0;

    (void)state;
    random_init(&random, 5);
    for (int i = 0; i < N_FRAMES; i++) {
        uint8_t bytes[GENERATE_MAX_FRAME];
        size_t n_bytes = make_frame(&random, bytes);
        struct flow_key flow;
        struct kc_key key, wanted;

        if (n_bytes < 14 || parse_as_kernel(bytes, n_bytes, SIZE_MAX, &key) != KC_PARSED)
            continue;
        n_keys++;
        parse_as_userspace(bytes, n_bytes, &flow);
        assert_true(kc_key_from_flow(&flow, SLOT, &wanted));
        assert_int_equal(key.n_words, wanted.n_words);
        assert_memory_equal(key.words, wanted.words, key.n_words * sizeof key.words[0]);
    }
    assert_true(n_keys > N_FRAMES / 4); /* Or the test is worth nothing. */
}

/* TTL and TCP flags apart, which programs check. */
static void a_key_says_all_that_verdicts_may_look_at(void **state)
{
    struct random random;

    (void)state;
    random_init(&random, 6);
    for (int i = 0; i < N_FRAMES; i++) {
        uint8_t bytes[GENERATE_MAX_FRAME];
        size_t n_bytes = make_frame(&random, bytes);
        struct flow_key flow, said, bits;
        struct kc_key key;

        if (n_bytes < 14 || parse_as_kernel(bytes, n_bytes, SIZE_MAX, &key) != KC_PARSED)
            continue;
        parse_as_userspace(bytes, n_bytes, &flow);
        kc_key_to_flow(&key, PORT, &said);
        bits = *kc_key_bits(kc_key_kind(&key));
        bits.nw_ttl = 0;
        bits.tcp_flags = be16_from(0);
        assert_true(flow_key_is_equal_under(&flow, &said, &bits));
    }
}

static void what_is_out_of_reach_has_no_key(void **state)
{
    struct random random;

    (void)state;
    random_init(&random, 7);
    for (int i = 0; i < N_FRAMES; i++) {
        uint8_t bytes[GENERATE_MAX_FRAME];
        size_t n_bytes = make_frame(&random, bytes);
        struct kc_key whole, part;

        if (n_bytes < 14 || parse_as_kernel(bytes, n_bytes, SIZE_MAX, &whole) != KC_PARSED)
            continue;
        if (parse_as_kernel(bytes, n_bytes, random_below(&random, (uint32_t)n_bytes + 1), &part) ==
            KC_PARSED)
            assert_memory_equal(&whole, &part, sizeof whole);
    }
}

/* --- Where entries stand -------------------------------------------------------------------- */

enum { N_ENTRIES = 1024 };

/* As lookup.bpf.h does it. */
static const struct kc_entry *find_as_kernel(const struct kc_state *state,
                                             const struct kc_entry *entries,
                                             const struct kc_key *key)
{
    struct kc_points points = kc_points_of(state, key->words, key->n_words);
    const struct kc_entry *home = &entries[points.home];

    for (uint32_t i = 0; i < 2 * KC_GROUP; i++) {
        uint32_t at = i < KC_GROUP ? points.home ^ i : points.other ^ (i - KC_GROUP);
        uint64_t hint = i == 0 ? 0 : i < KC_GROUP ? KC_HINT_NEAR : KC_HINT_FAR;

        if (i && !(home->slots >> KC_HINT_SHIFT & hint))
            continue;
        if (entries[at].verdict && !memcmp(entries[at].key, key->words, sizeof entries[at].key))
            return &entries[at];
    }
    return NULL;
}

static void make_key(uint32_t i, struct kc_key *key)
{
    memset(key, 0, sizeof *key);
    key->n_words = KC_KEY_WORDS;
    key->words[0] = 0x0200000000020200;
    key->words[2] = (uint64_t)i << 32 | 0x0a000001;
    key->words[3] = i * UINT64_C(0x100000001);
}

static void hints_lead_to_every_entry_and_to_no_other(void **state)
{
    struct kc_state *memory = calloc(1, sizeof *memory);
    struct kc_entry *entries = calloc(N_ENTRIES, sizeof *entries);
    uint8_t is_there[N_ENTRIES] = {0};
    struct random random;
    unsigned int n_refused = 0;

    (void)state;
    random_init(&random, 8);
    kcache_table_seed(memory);
    memory->max_index = N_ENTRIES - 1;
    struct kcache_table *table = kcache_table_create(memory, entries, sizeof *entries, N_ENTRIES);

    for (int i = 0; i < 20000; i++) {
        uint32_t n = random_below(&random, N_ENTRIES);
        struct kcache_words words = {.verdict = n + 1, .slots = 5};
        struct kc_key key;

        make_key(n, &key);
        struct kc_points points = kc_points_of(memory, key.words, key.n_words);
        struct kcache_place *place = kcache_table_find(table, &points, &key);
        const struct kc_entry *entry = find_as_kernel(memory, entries, &key);

        assert_int_equal(is_there[n], place != NULL);
        assert_ptr_equal(entry, place ? place->entry : NULL);
        if (place) {
            assert_int_equal(entry->verdict, n + 1);
            kcache_table_remove(table, place);
            is_there[n] = false;
            assert_null(find_as_kernel(memory, entries, &key));
        } else if ((place = kcache_table_find_room(table, &points))) {
            kcache_table_add(table, place, &points, &key, &words);
            is_there[n] = true;
        } else {
            n_refused++;
        }
        if (random_below(&random, 100) == 0) {
            kcache_table_retire(table);
            kcache_table_reuse(table);
        }
    }
    assert_true(n_refused < 1000);
    kcache_table_destroy(table);
    free(entries);
    free(memory);
}

static void room_is_used_again_only_after_a_grace_period(void **state)
{
    struct kc_state *memory = calloc(1, sizeof *memory);
    struct kc_entry *entries = calloc(KC_GROUP, sizeof *entries);
    struct kcache_words words = {.verdict = 1};
    struct kc_points points = {0, 0};
    struct kcache_place *places[KC_GROUP];
    struct kc_key key;

    (void)state;
    struct kcache_table *table = kcache_table_create(memory, entries, sizeof *entries, KC_GROUP);
    for (uint32_t i = 0; i < KC_GROUP; i++) {
        make_key(i, &key);
        places[i] = kcache_table_find_room(table, &points);
        kcache_table_add(table, places[i], &points, &key, &words);
    }
    assert_null(kcache_table_find_room(table, &points));
    kcache_table_remove(table, places[2]);
    assert_null(kcache_table_find_room(table, &points));
    assert_true(kcache_table_retire(table));
    assert_null(kcache_table_find_room(table, &points));
    kcache_table_remove(table, places[1]); /* After the grace period began. */
    kcache_table_reuse(table);
    assert_ptr_equal(kcache_table_find_room(table, &points), places[2]);
    assert_int_equal(kcache_table_n_busy(table), KC_GROUP - 1);
    kcache_table_destroy(table);
    free(entries);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_parsers_make_the_same_key),
        cmocka_unit_test(a_key_says_all_that_verdicts_may_look_at),
        cmocka_unit_test(what_is_out_of_reach_has_no_key),
        cmocka_unit_test(hints_lead_to_every_entry_and_to_no_other),
        cmocka_unit_test(room_is_used_again_only_after_a_grace_period),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
