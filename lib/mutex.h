/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* mutex - pthread mutex that Clang's thread-safety analysis understands.
 *
 * Errors are our own bugs and end the process. */

#include <assert.h>
#include <pthread.h>

#include "lib/annotations.h"

struct CAPABILITY("mutex") mutex {
    pthread_mutex_t pthread;
};

#define MUTEX_INITIALIZER                    \
    {                                        \
        .pthread = PTHREAD_MUTEX_INITIALIZER \
    }

static inline void mutex_init(struct mutex *mutex)
{
    int error = pthread_mutex_init(&mutex->pthread, NULL);
    assert(!error);
    (void)error;
}

static inline void mutex_fini(struct mutex *mutex)
{
    int error = pthread_mutex_destroy(&mutex->pthread);
    assert(!error);
    (void)error;
}

static inline void mutex_lock(struct mutex *mutex) ACQUIRES(*mutex) NO_LOCK_ANALYSIS
{
    int error = pthread_mutex_lock(&mutex->pthread);
    assert(!error);
    (void)error;
}

static inline void mutex_unlock(struct mutex *mutex) RELEASES(*mutex) NO_LOCK_ANALYSIS
{
    int error = pthread_mutex_unlock(&mutex->pthread);
    assert(!error);
    (void)error;
}
