/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_change - changes on their way to a switch: flows, groups and frames, from a word or a file.
 *
 * All of a file is read before anything is sent: if a line cannot be understood nothing happens.
 * Then they go in one stream of messages with one barrier at its end; what the switch refuses is
 * reported, with its line, and the rest is done.  With the option --bundle they go in a bundle, and
 * all of them take effect at once, or none.
 *
 *     changes = of_changes_open(context, invocation, OF_VERSIONS_KNOWN, &error);
 *     of_changes_read(changes, "-", add_line, NULL, &error);
 *     of_changes_commit(changes, &error);
 *     of_changes_close(changes);
 *
 * Threads  The main thread. */

#include "cli/ofconn.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/groups.h"
#include "lib/openflow/packet.h"

struct of_changes;

/* 'possible': versions that can say it.  NULL on error.  Names of ports have been loaded. */
struct of_changes *of_changes_open(struct context *context, const struct invocation *invocation,
                                   uint32_t possible, struct error *error);

/* The same in a bundle, whatever the options are. */
struct of_changes *of_changes_open_bundle(struct context *context,
                                          const struct invocation *invocation, struct error *error);
void of_changes_close(struct of_changes *changes); /* NULL is fine. */

struct ofconn *of_changes_connection(struct of_changes *changes);

/* Without comments and the blanks in front; may be changed.  If it says what the connection's version
 * cannot, and -O and -F leave the choice, all are taken once more, in another version. */
typedef int of_change_line(struct of_changes *changes, char *line, void *aux, struct error *error);

/* Hands each line that is not empty to 'take', which adds what it says.  "-": standard input. */
int of_changes_read(struct of_changes *changes, const char *file, of_change_line *take, void *aux,
                    struct error *error);

/* The same with one text. */
int of_changes_take(struct of_changes *changes, const char *text, of_change_line *take, void *aux,
                    struct error *error);

int of_changes_add_flow(struct of_changes *changes, const struct of_flow_mod *flow,
                        struct error *error);
int of_changes_add_group(struct of_changes *changes, const struct of_group_mod *group,
                         struct error *error);
int of_changes_add_frame(struct of_changes *changes, const struct of_packet_out *frame,
                         struct error *error);

/* Sends what was added and waits until it is done. */
int of_changes_commit(struct of_changes *changes, struct error *error);
