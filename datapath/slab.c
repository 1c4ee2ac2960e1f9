/* SPDX-License-Identifier: Apache-2.0 */

/* A chunk begins at a multiple of its size, with what there is to know of it: so a cell finds its slab.  Cells that
 * were never taken lie behind those that were, and their pages come some at a time. */

#include "datapath/slab.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <urcu/list.h>

#include "datapath/pages.h"
#include "lib/mutex.h"

#if defined(__has_feature)
#define HAS_ASAN __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#else
#define HAS_ASAN 0
#endif

#if HAS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#define FORBID(bytes, n)         ASAN_POISON_MEMORY_REGION(bytes, n)
#define PERMIT(bytes, n)         ASAN_UNPOISON_MEMORY_REGION(bytes, n)
#define LOOK_FOR_POINTERS(chunk) __lsan_register_root_region(chunk, SLAB_CHUNK_BYTES)
#define IGNORE_POINTERS(chunk)   __lsan_unregister_root_region(chunk, SLAB_CHUNK_BYTES)
#else
#define FORBID(bytes, n)         ((void)(bytes))
#define PERMIT(bytes, n)         ((void)(bytes))
#define LOOK_FOR_POINTERS(chunk) ((void)(chunk))
#define IGNORE_POINTERS(chunk)   ((void)(chunk))
#endif

struct free_cell {
    struct free_cell *next;
};

struct chunk {
    struct slab *slab;
    struct cds_list_head link; /* In one of the slab's lists, if it has room. */
    uint32_t n_taken;
    uint32_t n_touched;  /* Cells that were ever taken: the first ones. */
    uint32_t n_resident; /* Bytes, from the beginning. */
    struct free_cell *first_free;
};

struct slab {
    size_t cell_bytes; /* Fixed at creation; a multiple of SLAB_CELL_ALIGNMENT. */
    uint32_t n_cells_each;

    struct mutex lock;
    /* Under 'lock'. */
    struct cds_list_head with_room; /* Of which something is taken. */
    struct cds_list_head empty;
    size_t n_cells, n_chunks, n_empty;
};

enum { CHUNK_HEAD_BYTES = 64, STEP_BYTES = 64 * 1024, TRIM_SHARE = 8 };
static_assert(sizeof(struct chunk) <= CHUNK_HEAD_BYTES, "a cell's alignment");
static_assert((int)SLAB_CHUNK_BYTES == (int)PAGES_HUGE_BYTES,
              "a chunk begins at a multiple of its size");

static struct chunk *chunk_of(void *cell)
{
    return (void *)((uintptr_t)cell & ~(uintptr_t)(SLAB_CHUNK_BYTES - 1));
}

static uint8_t *chunk_cells(struct chunk *chunk)
{
    return (uint8_t *)chunk + CHUNK_HEAD_BYTES;
}

static struct chunk *chunk_create_locked(struct slab *slab) REQUIRES(slab->lock)
{
    struct chunk *chunk = pages_map(SLAB_CHUNK_BYTES);

    if (!chunk)
        return NULL;
    chunk->slab = slab;
    LOOK_FOR_POINTERS(chunk);
    FORBID(chunk_cells(chunk), SLAB_CHUNK_BYTES - CHUNK_HEAD_BYTES);
    cds_list_add(&chunk->link, &slab->empty);
    slab->n_chunks++;
    slab->n_empty++;
    return chunk;
}

static void chunk_destroy_locked(struct slab *slab, struct chunk *chunk) REQUIRES(slab->lock)
{
    cds_list_del(&chunk->link);
    slab->n_chunks--;
    slab->n_empty--;
    IGNORE_POINTERS(chunk);
    PERMIT(chunk, SLAB_CHUNK_BYTES);
    pages_unmap(chunk, SLAB_CHUNK_BYTES);
}

struct slab *slab_create(size_t cell_bytes)
{
    struct slab *slab = calloc(1, sizeof *slab);

    assert(cell_bytes && cell_bytes <= SLAB_CHUNK_BYTES / 16);
    if (!slab)
        return NULL;
    slab->cell_bytes = (cell_bytes + SLAB_CELL_ALIGNMENT - 1) / SLAB_CELL_ALIGNMENT *
                       SLAB_CELL_ALIGNMENT;
    slab->n_cells_each = (uint32_t)((SLAB_CHUNK_BYTES - CHUNK_HEAD_BYTES) / slab->cell_bytes);
    CDS_INIT_LIST_HEAD(&slab->with_room);
    CDS_INIT_LIST_HEAD(&slab->empty);
    mutex_init(&slab->lock);
    return slab;
}

void slab_destroy(struct slab *slab) NO_LOCK_ANALYSIS
{
    if (!slab)
        return;
    assert(!slab->n_cells);
    while (!cds_list_empty(&slab->empty))
        chunk_destroy_locked(slab, cds_list_first_entry(&slab->empty, struct chunk, link));
    mutex_fini(&slab->lock);
    free(slab);
}

static struct chunk *chunk_with_room_locked(struct slab *slab) REQUIRES(slab->lock)
{
    if (!cds_list_empty(&slab->with_room))
        return cds_list_first_entry(&slab->with_room, struct chunk, link);
    if (!cds_list_empty(&slab->empty))
        return cds_list_first_entry(&slab->empty, struct chunk, link);
    return chunk_create_locked(slab);
}

/* Its pages are made with its neighbours': that costs less than to meet each with a fault. */
static void *touch_locked(struct slab *slab, struct chunk *chunk) REQUIRES(slab->lock)
{
    uint8_t *cell = chunk_cells(chunk) + chunk->n_touched++ * slab->cell_bytes;

    if (cell + slab->cell_bytes > (uint8_t *)chunk + chunk->n_resident) {
        madvise((uint8_t *)chunk + chunk->n_resident, STEP_BYTES, MADV_POPULATE_WRITE);
        chunk->n_resident += STEP_BYTES; /* Or not, before Linux 5.14. */
    }
    return cell;
}

static void *take_locked(struct slab *slab, struct chunk *chunk) REQUIRES(slab->lock)
{
    struct free_cell *cell = chunk->first_free;

    if (!chunk->n_taken++) {
        cds_list_del(&chunk->link);
        cds_list_add(&chunk->link, &slab->with_room);
        slab->n_empty--;
    }
    if (!cell)
        cell = touch_locked(slab, chunk);
    PERMIT(cell, slab->cell_bytes);
    if (cell == chunk->first_free)
        chunk->first_free = cell->next;
    if (chunk->n_taken == slab->n_cells_each)
        cds_list_del(&chunk->link);
    slab->n_cells++;
    return cell;
}

void *slab_take(struct slab *slab)
{
    mutex_lock(&slab->lock);
    struct chunk *chunk = chunk_with_room_locked(slab);
    void *cell = chunk ? take_locked(slab, chunk) : NULL;
    mutex_unlock(&slab->lock);
    return cell;
}

void slab_free(void *cell)
{
    struct chunk *chunk = chunk_of(cell);
    struct slab *slab = chunk->slab;
    struct free_cell *freed = cell;

    mutex_lock(&slab->lock);
    freed->next = chunk->first_free;
    chunk->first_free = freed;
    FORBID(cell, slab->cell_bytes);
    if (chunk->n_taken-- == slab->n_cells_each)
        cds_list_add(&chunk->link, &slab->with_room);
    if (!chunk->n_taken) {
        cds_list_del(&chunk->link);
        cds_list_add(&chunk->link, &slab->empty);
        slab->n_empty++;
    }
    slab->n_cells--;
    mutex_unlock(&slab->lock);
}

/* One chunk stays, for those who take a few cells now and then. */
static bool has_spare_locked(const struct slab *slab) REQUIRES(slab->lock)
{
    return slab->n_empty && slab->n_chunks > 1;
}

void slab_trim(struct slab *slab)
{
    mutex_lock(&slab->lock);
    for (size_t n = (slab->n_empty + TRIM_SHARE - 1) / TRIM_SHARE; n && has_spare_locked(slab); n--)
        chunk_destroy_locked(slab, cds_list_first_entry(&slab->empty, struct chunk, link));
    mutex_unlock(&slab->lock);
}

bool slab_has_spare(struct slab *slab)
{
    mutex_lock(&slab->lock);
    bool has_spare = has_spare_locked(slab);
    mutex_unlock(&slab->lock);
    return has_spare;
}

size_t slab_n_cells(struct slab *slab)
{
    mutex_lock(&slab->lock);
    size_t n_cells = slab->n_cells;
    mutex_unlock(&slab->lock);
    return n_cells;
}

size_t slab_n_chunks(struct slab *slab)
{
    mutex_lock(&slab->lock);
    size_t n_chunks = slab->n_chunks;
    mutex_unlock(&slab->lock);
    return n_chunks;
}
