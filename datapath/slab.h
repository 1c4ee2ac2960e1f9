/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* slab - memory for very many things of one size that come and go by the ten thousand.
 *
 * Cells lie in chunks of 2 MB, each mapped, and given back to the kernel, as a whole.  In malloc() the heap of a thread
 * grows and shrinks by the page, with a system call and a fault for each: of 2,900 ns that a new flow took these
 * were 500.  Huge pages would spare more faults, but the kernel may take milliseconds to find one.
 *
 * Threads  Any.  Cells may be freed by another thread than that which took them.
 * Memory   Chunks that have become empty stay for a while, for what comes next: slab_trim() gives back an eighth of them.
 *          AddressSanitizer knows which cells are free. */

#include <stdbool.h>
#include <stddef.h>

enum { SLAB_CHUNK_BYTES = 2 * 1024 * 1024, SLAB_CELL_ALIGNMENT = 64 };

struct slab;

struct slab *slab_create(size_t cell_bytes); /* A small part of a chunk.  NULL: out of memory. */
void slab_destroy(struct slab *slab);        /* All cells are free.  NULL is fine. */

void *slab_take(struct slab *slab); /* Not cleared.  NULL: out of memory. */
void slab_free(void *cell);         /* Of whichever slab. */

void slab_trim(struct slab *slab); /* To be called now and then, as long as slab_has_spare(). */
bool slab_has_spare(struct slab *slab);

size_t slab_n_cells(struct slab *slab);  /* Taken. */
size_t slab_n_chunks(struct slab *slab); /* Mapped. */
