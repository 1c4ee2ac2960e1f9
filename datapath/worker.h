/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* worker - a thread that moves frames from file descriptors through its lane.
 *
 * It sleeps in epoll_wait() while nothing comes, and takes up to BATCH_FRAMES of each descriptor that is
 * ready before it looks again.
 *
 * A source is one descriptor of one worker.  Sources have places in the worker, by number: 0 is the exception tap, the
 * others belong to the port of that number.  An event names the place, not the source, because it may
 * be read just when the source is taken away.
 *
 * Threads  Everything on the main thread; 'receive' on the worker. */

#include "datapath/internal.h"

struct rx_source {
    int fd;
    /* Reads and treats a batch.  False: the descriptor is of no more use. */
    bool (*receive)(struct rx_source *source, struct lane *lane);
    struct datapath *dp;
    struct dp_port *port; /* NULL: frames of many. */
};

enum { RX_PLACE_EXCEPTION_TAP = 0 };

/* Starts config.n_workers threads. */
int workers_start(struct datapath *dp, struct error *error);
void workers_stop(struct datapath *dp);

int worker_add_source(struct datapath *dp, unsigned int worker, uint32_t place,
                      struct rx_source *source);

/* Has the worker a source there? */
bool worker_has_source(const struct datapath *dp, unsigned int worker, uint32_t place);

/* The source may be freed after datapath_synchronize(). */
void worker_remove_source(struct datapath *dp, unsigned int worker, uint32_t place);
