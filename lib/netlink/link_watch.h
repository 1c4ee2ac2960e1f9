/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* link_watch - hear of every network device that appears, changes or goes.
 *
 * Listens to the kernel's link notifications (rtnetlink(7), RTNLGRP_LINK, RTNLGRP_TC) in the network namespace
 * that the creator was in.  The kernel drops notifications when too many are unread; the callback
 * then gets LINK_WATCH_OVERFLOW, and whoever mirrors the kernel's state must look at all of it again.
 *
 * Threads  The callback runs on the loop's thread.
 * Memory   The event dies with the call. */

#include <stdbool.h>

#include "lib/error.h"
#include "lib/netlink/link.h"
#include "lib/netlink/xdp_programs.h"

struct ev_loop;
struct link_watch;

enum link_watch_kind {
    LINK_WATCH_CHANGED, /* It is new, or something about it is: 'info' is how it is now. */
    LINK_WATCH_GONE,    /* Deleted, or moved to another namespace: 'info' has ifindex and name. */
    LINK_WATCH_FILTERS, /* A filter of it has come, or that or a qdisc has gone: 'info' has ifindex. */
    LINK_WATCH_OVERFLOW, /* Notifications were lost; 'info' is empty. */
};

struct link_event {
    enum link_watch_kind kind;
    struct link_info info;
    struct xdp_programs xdp; /* If LINK_WATCH_CHANGED. */
};

typedef void link_watch_callback(void *aux, const struct link_event *event);

/* NULL on failure, with 'error' set. */
struct link_watch *link_watch_create(struct ev_loop *loop, link_watch_callback *callback, void *aux,
                                     struct error *error);
void link_watch_destroy(struct link_watch *watch); /* NULL is fine. */

/* Reports every device there is now as LINK_WATCH_CHANGED, through the callback, before it returns. */
int link_watch_scan(struct link_watch *watch, struct error *error);
