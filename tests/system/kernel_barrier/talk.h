/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* talk - changes said to a bridge in OpenFlow 1.4, and waited for.
 *
 * What goes wrong ends the program with a sentence: the test cannot go on.
 *
 * Threads  One a connection. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/groups.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/openflow.h"

struct talk {
    int fd;
    uint32_t xid;
    struct buffer output;
    struct buffer input;
    size_t n_heard;   /* Bytes of the message that was heard last, at the start of 'input'. */
    bool is_bundling; /* What is said goes into a bundle. */
};

void talk_open(struct talk *talk, const char *socket_path);
void talk_close(struct talk *talk);

/* Each appends to what talk_barrier() sends; texts are as ovs-ofctl(8) takes them, by numbers of ports. */
void talk_flow(struct talk *talk, enum of_flow_command command, const char *text);
void talk_group(struct talk *talk, enum of_group_command command, const char *text);
void talk_meter(struct talk *talk, bool is_new, const char *text);
void talk_port(struct talk *talk, of_port port, const char *device, uint32_t config, uint32_t mask);
void talk_begin_bundle(struct talk *talk);
void talk_commit_bundle(struct talk *talk);

/* Sends, and waits until the switch says that all of it is done. */
void talk_barrier(struct talk *talk);

uint64_t talk_n_received(struct talk *talk, of_port port); /* Frames, by the port's statistics. */
