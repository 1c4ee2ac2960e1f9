/* SPDX-License-Identifier: Apache-2.0 */

/* More is mapped than asked for, so that what is not aligned can go again. */

#include "datapath/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t whole_pages(size_t n_bytes)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);

    return (n_bytes + page_bytes - 1) / page_bytes * page_bytes;
}

void *pages_map(size_t n_bytes)
{
    size_t wanted = whole_pages(n_bytes);
    uint8_t *mapped = mmap(NULL, wanted + PAGES_HUGE_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (mapped == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)mapped % PAGES_HUGE_BYTES;
    if (before)
        munmap(mapped, before);
    munmap(mapped + before + wanted, PAGES_HUGE_BYTES - before);
    madvise(mapped + before, wanted, MADV_HUGEPAGE);
    return mapped + before;
}

void pages_unmap(void *pages, size_t n_bytes)
{
    munmap(pages, whole_pages(n_bytes));
}
