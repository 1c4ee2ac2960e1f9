/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ovs - an Open vSwitch with dummy ports, set up like a rig (tests/generate/rig.h).
 *
 * It runs already; this configures it, gives it frames over its control socket, and reads what left by its
 * ports from the capture files that dummy ports write.  After each frame its caches are emptied: what
 * is compared are tables. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "tests/generate/rig.h"

struct ovs;

struct ovs *ovs_open(const char *run_dir); /* Makes bridges and ports.  Failure ends the program. */
void ovs_close(struct ovs *ovs);

/* Forgets flows and addresses of before. */
void ovs_configure(struct ovs *ovs, const struct rig_settings *settings);

void ovs_forget_stations(struct ovs *ovs);
void ovs_forget_lessons(int table_id);

/* Adds flows, one a line, that OpenFlow 1.0 can say or that need 1.3. */
void ovs_add_flows(struct ovs *ovs, int bridge, bool is_modern, const char *flows);

/* One in each line, all that there are from then on. */
void ovs_replace_groups(struct ovs *ovs, int bridge, const char *groups);
void ovs_replace_meters(struct ovs *ovs, int bridge, const char *meters);

/* What comes of a frame. */
struct ovs_result {
    struct buffer frames[RIG_BRIDGES][RIG_PORTS]; /* ovs_note_output() for each, port by port. */
    struct buffer stations[RIG_BRIDGES]; /* A line "PORT VLAN MAC" for each that is known then. */
};

/* Sends a frame in, and appends to 'result'. */
void ovs_send(struct ovs *ovs, int bridge, int port, const uint8_t *frame, size_t n_bytes,
              struct ovs_result *result);

void ovs_note_output(struct buffer *output, const uint8_t *frame, size_t n_bytes);

/* The text of ofproto/trace for a frame. */
char *ovs_trace(struct ovs *ovs, int bridge, int port, const uint8_t *frame, size_t n_bytes);
