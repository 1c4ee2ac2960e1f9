/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ofconn_names - what a switch calls its ports and tables.
 *
 * Names of ports are loaded at once, as nearly every command may need one.  Those of tables take a
 * long answer from OpenFlow 1.3 on, so they are asked for with the first that is looked up.
 *
 * Threads  The main thread. */

#include "cli/ofconn.h"

struct ofconn_names;

struct ofconn_names *ofconn_names_create(struct ofconn *connection); /* Borrowed. */
void ofconn_names_destroy(struct ofconn_names *names);               /* NULL is fine. */

int ofconn_names_load(struct ofconn_names *names, struct error *error);

/* Before messages are printed: a lookup meanwhile would overwrite them. */
void ofconn_names_load_tables(struct ofconn_names *names);
const struct of_names *ofconn_names_get(const struct ofconn_names *names);
