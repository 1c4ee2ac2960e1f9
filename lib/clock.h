/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* clock - time that never goes back (CLOCK_MONOTONIC), in nanoseconds.
 *
 * Modules that age things take 'now_ns' from their caller, so that tests own the time; only event
 * loops read the clock. */

#include <stdint.h>
#include <time.h>

#define SECOND_NS      INT64_C(1000000000)
#define MILLISECOND_NS INT64_C(1000000)

static inline int64_t clock_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}
