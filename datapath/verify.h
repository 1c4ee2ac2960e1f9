/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* verify - is what is cached what the tables say?
 *
 * Cached flows, the workers' and the kernel's, are translated again and their actions compared.  Masks are not:
 * which bits a lookup consults depends also on what the classifier happens to hold, and two masks may both be
 * right.  That a mask is right says something of the rules alone: every flow that is equal in these bits gets the
 * same answer from them.  It was right when the flow was cached, and whoever changes a rule makes the flow out of
 * date; so while it is not, it is right, however the classifier has since arranged the same rules (tested in
 * tests/unit/vswitchd/classifier_test.c, and that masks are right at all by caches_equal_tables_test.c).
 * Of rules of one priority that overlap any may win (OpenFlow 1.3.5, section 5.3), and another one when rules that had
 * been removed leave memory: that is found as a difference.  An entry that is out of date is not compared: no frame
 * will be treated by it.  Nor is a difference believed at once, as whoever changes tables publishes them just
 * before what is cached becomes out of date: every thread finishes what it is doing first.
 *
 * Of the kernel's flows the memory that programs read is compared with the megaflow as well, and what is translated
 * is their own key: exact, so that a bit the megaflow should have looked at shows.
 *
 * Threads  The main thread.  Frames flow meanwhile.
 * Time     A few microseconds for each flow. */

#include "datapath/datapath.h"

struct dp_difference {
    const struct dp_flow_info *flow;  /* As cached; without statistics. */
    const struct dp_actions *actions; /* What the tables say. */
    const char *what;                 /* Differs; a few words for people. */
};

struct dp_verification {
    uint32_t n_megaflows, n_kernel_flows; /* Compared. */
    uint32_t n_stale;                     /* Not compared: out of date. */
    uint32_t n_differences;
};

/* Compares up to 'max_flows' megaflows and as many flows of the kernel, drawn at random if there are more.  Calls
 * 'each' for each that differs; the pointers die with the call. */
struct dp_verification datapath_verify(struct datapath *dp, uint32_t max_flows,
                                       void (*each)(const struct dp_difference *, void *arg),
                                       void *arg);
