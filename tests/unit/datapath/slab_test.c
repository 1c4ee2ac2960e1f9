/* SPDX-License-Identifier: Apache-2.0 */

/* Cells are apart from each other, and chunks come and go with them. */

#include "tests/unit/datapath/cmocka_all.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/slab.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

enum {
    CELL_BYTES = 8000, /* Not a multiple of the alignment. */
    CELLS_EACH = SLAB_CHUNK_BYTES / CELL_BYTES,
    MANY = 20 * CELLS_EACH,
};

static void take_many(struct slab *slab, uint8_t **cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        cells[i] = slab_take(slab);
        assert_non_null(cells[i]);
        memset(cells[i], (int)(i % 251), CELL_BYTES);
    }
}

static void free_many(uint8_t **cells, size_t n)
{
    for (size_t i = 0; i < n; i++)
        slab_free(cells[i]);
}

static void cells_do_not_overlap(void **state)
{
    struct slab *slab = slab_create(CELL_BYTES);
    static uint8_t *cells[MANY];

    (void)state;
    take_many(slab, cells, MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal((uintptr_t)cells[i] % SLAB_CELL_ALIGNMENT, 0);
        for (size_t j = 0; j < CELL_BYTES; j++)
            if (cells[i][j] != i % 251)
                fail_msg("cell %zu has changed", i);
    }
    assert_int_equal(slab_n_cells(slab), MANY);
    free_many(cells, MANY);
    assert_int_equal(slab_n_cells(slab), 0);
    slab_destroy(slab);
}

static void what_was_freed_is_taken_again(void **state)
{
    struct slab *slab = slab_create(CELL_BYTES);
    static uint8_t *cells[MANY];

    (void)state;
    take_many(slab, cells, MANY);
    size_t n_chunks = slab_n_chunks(slab);
    for (size_t round = 0; round < 5; round++) {
        for (size_t i = round; i < MANY; i += 3)
            slab_free(cells[i]);
        for (size_t i = round; i < MANY; i += 3)
            cells[i] = slab_take(slab);
        assert_int_equal(slab_n_chunks(slab), n_chunks);
    }
    assert_false(slab_has_spare(slab));
    free_many(cells, MANY);
    take_many(slab, cells, MANY);
    assert_int_equal(slab_n_chunks(slab), n_chunks);
    free_many(cells, MANY);
    slab_destroy(slab);
}

static void empty_chunks_go_by_and_by_but_for_one(void **state)
{
    struct slab *slab = slab_create(CELL_BYTES);
    static uint8_t *cells[MANY];

    (void)state;
    take_many(slab, cells, MANY);
    size_t n_chunks = slab_n_chunks(slab);
    slab_trim(slab);
    assert_int_equal(slab_n_chunks(slab), n_chunks);

    free_many(cells, MANY);
    assert_int_equal(slab_n_chunks(slab), n_chunks);
    slab_trim(slab);
    assert_in_range(slab_n_chunks(slab), n_chunks * 3 / 4, n_chunks - 1);
    for (size_t i = 0; i < n_chunks; i++)
        slab_trim(slab);
    assert_false(slab_has_spare(slab));
    assert_int_equal(slab_n_chunks(slab), 1);
    slab_destroy(slab);
}

static void a_chunk_stays_while_one_cell_of_it_does(void **state)
{
    struct slab *slab = slab_create(CELL_BYTES);
    static uint8_t *cells[MANY];

    (void)state;
    take_many(slab, cells, MANY);
    free_many(cells + 1, MANY - 1);
    while (slab_has_spare(slab))
        slab_trim(slab);
    assert_int_equal(slab_n_chunks(slab), 1);
    for (size_t j = 0; j < CELL_BYTES; j++)
        assert_int_equal(cells[0][j], 0);
    slab_free(cells[0]);
    slab_destroy(slab);
}

static void a_sanitizer_knows_free_cells(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    struct slab *slab = slab_create(CELL_BYTES);
    uint8_t *cell = slab_take(slab), *next = cell + CELL_BYTES + SLAB_CELL_ALIGNMENT;

    assert_false(__asan_address_is_poisoned(cell));
    assert_true(__asan_address_is_poisoned(next));
    slab_free(cell);
    assert_true(__asan_address_is_poisoned(cell));
    slab_destroy(slab);
#else
    skip();
#endif
}

/* Threads hand cells to each other through places that they take turns with. */
enum { N_THREADS = 3, N_PLACES = 500, N_TURNS = 30000 };

struct exchange {
    struct slab *slab;
    uint32_t *_Atomic places[N_PLACES];
};

static void *exchange_cells(void *arg)
{
    struct exchange *exchange = arg;

    for (uint32_t i = 0; i < N_TURNS; i++) {
        uint32_t *cell = slab_take(exchange->slab);
        cell[0] = cell[1] = i;
        cell = atomic_exchange(&exchange->places[i * 7919 % N_PLACES], cell);
        if (!cell)
            continue;
        assert_int_equal(cell[0], cell[1]);
        slab_free(cell);
        if (i % 1000 == 0)
            slab_trim(exchange->slab);
    }
    return NULL;
}

static void cells_are_freed_by_other_threads(void **state)
{
    static struct exchange exchange;
    pthread_t threads[N_THREADS];
    size_t n_left = 0;

    (void)state;
    exchange.slab = slab_create(CELL_BYTES);
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, exchange_cells, &exchange), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < N_PLACES; i++)
        n_left += exchange.places[i] != NULL;
    assert_int_equal(slab_n_cells(exchange.slab), n_left);
    for (int i = 0; i < N_PLACES; i++)
        if (exchange.places[i])
            slab_free(exchange.places[i]);
    slab_destroy(exchange.slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_do_not_overlap),
        cmocka_unit_test(what_was_freed_is_taken_again),
        cmocka_unit_test(empty_chunks_go_by_and_by_but_for_one),
        cmocka_unit_test(a_chunk_stays_while_one_cell_of_it_does),
        cmocka_unit_test(a_sanitizer_knows_free_cells),
        cmocka_unit_test(cells_are_freed_by_other_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
