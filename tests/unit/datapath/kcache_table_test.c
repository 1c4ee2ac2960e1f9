/* SPDX-License-Identifier: Apache-2.0 */

/* A table that is nearly full all the time, beside a list of what must be in it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "datapath/kcache_table.h"
#include "lib/annotations.h"

enum { N_PLACES = 256, N_KEYS = 400, N_STEPS = 200000 };

struct fixture {
    struct kc_state state;
    struct kcache_table *table;
    void *entries;      /* Owned. */
    uint32_t n_words;   /* Of keys. */
    bool has[N_KEYS];   /* Keys that are in the table. */
    uint32_t n, n_most; /* Of them. */
    uint32_t n_moved;
};

static void setup(struct fixture *fixture, size_t entry_bytes, uint32_t n_words)
{
    memset(fixture, 0, sizeof *fixture);
    for (size_t i = 0; i < ARRAY_SIZE(fixture->state.hash_keys); i++) /* The same in each run. */
        fixture->state.hash_keys[i] = (uint64_t)rand() << 33 | (uint64_t)rand() << 8 | 1;
    fixture->state.max_index = fixture->state.max_index6 = N_PLACES - 1;
    fixture->n_words = n_words;
    fixture->entries = calloc(N_PLACES, entry_bytes);
    fixture->table = kcache_table_create(&fixture->state, fixture->entries, entry_bytes, N_PLACES);
    assert_non_null(fixture->table);
}

static void teardown(struct fixture *fixture)
{
    kcache_table_destroy(fixture->table);
    free(fixture->entries);
}

static struct kc_key make_key(const struct fixture *fixture, uint32_t i)
{
    struct kc_key key = {.n_words = fixture->n_words};

    key.words[i % fixture->n_words] = i + 1;
    return key;
}

static struct kc_points points_of(const struct fixture *fixture, const struct kc_key *key)
{
    return kc_points_of(&fixture->state, key->words, key->n_words);
}

static void add(struct fixture *fixture, struct kcache_place *place, const struct kc_key *key)
{
    const struct kcache_words words = {.verdict = 1};
    struct kc_points points = points_of(fixture, key);

    kcache_table_add(fixture->table, place, &points, key, &words);
}

/* As for the frames of two flows of which one can stand elsewhere. */
static void move(struct fixture *fixture, const struct kc_points *points)
{
    struct kc_points its_points;
    struct kcache_place *to;
    struct kcache_place *from = kcache_table_find_movable(fixture->table, &fixture->state, points,
                                                          &to, &its_points);
    struct kc_key key;

    if (!from)
        return;
    kcache_table_get_key(from, &key);
    add(fixture, to, &key);
    kcache_table_remove(fixture->table, from);
    assert_ptr_equal(kcache_table_find(fixture->table, &its_points, &key), to);
    fixture->n_moved++;
}

static void try_to_add(struct fixture *fixture, uint32_t i)
{
    struct kc_key key = make_key(fixture, i);
    struct kc_points points = points_of(fixture, &key);
    struct kcache_place *place = kcache_table_find_room(fixture->table, &points);

    if (!place) {
        move(fixture, &points);
        return;
    }
    add(fixture, place, &key);
    fixture->has[i] = true;
    if (++fixture->n > fixture->n_most)
        fixture->n_most = fixture->n;
}

static void step(struct fixture *fixture, uint32_t i)
{
    struct kc_key key = make_key(fixture, i), found;
    struct kc_points points = points_of(fixture, &key);
    struct kcache_place *place = kcache_table_find(fixture->table, &points, &key);

    assert_int_equal(place != NULL, fixture->has[i]);
    if (!place) {
        try_to_add(fixture, i);
        return;
    }
    kcache_table_get_key(place, &found);
    assert_memory_equal(&found, &key, sizeof key);
    if (rand() % 4)
        return;
    kcache_table_remove(fixture->table, place);
    fixture->has[i] = false;
    fixture->n--;
}

static void play(size_t entry_bytes, uint32_t n_words)
{
    struct fixture fixture;

    setup(&fixture, entry_bytes, n_words);
    for (int n = 0; n < N_STEPS; n++) {
        step(&fixture, (uint32_t)rand() % N_KEYS);
        if (rand() % 8 == 0 && kcache_table_retire(fixture.table))
            kcache_table_reuse(fixture.table);
        assert_int_equal(kcache_table_n(fixture.table), fixture.n);
    }
    assert_true(fixture.n_most > N_PLACES * 8 / 10);
    assert_true(fixture.n_moved > 0);
    teardown(&fixture);
}

static void what_was_put_in_is_found_until_it_is_taken_out(void **state UNUSED)
{
    play(sizeof(struct kc_entry), KC_KEY_WORDS);
}

static void so_are_flows_of_ipv6(void **state UNUSED)
{
    play(sizeof(struct kc_entry6), KC_KEY6_WORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_in_is_found_until_it_is_taken_out),
        cmocka_unit_test(so_are_flows_of_ipv6),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
