/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_text - flows as people write and read them: "tcp,nw_src=10.0.0.0/8,actions=output:1".
 *
 * The syntax is the one of ovs-ofctl(8) and ovs-actions(7), of which weir-flows(7) lists what is
 * supported; what is printed is what ovs-ofctl prints.  Wrong input gives a sentence that names the
 * offending word.
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/match.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/names.h"
#include "lib/openflow/openflow.h"
#include "lib/openflow/stats.h"

struct buffer;

/* Only fields: "tcp,nw_dst=10.0.0.1".  'text' is not changed. */
int of_match_parse(const char *text, const struct of_names *names, struct match *match,
                   struct error *error);

/* "priority=5,ip,nw_src=..."; a priority of 32768 (the default) is not printed.  of_match_format()
 * is without priority; an empty match prints as nothing. */
void of_match_format(const struct match *match, const struct of_names *names, struct buffer *out);
void of_match_format_priority(const struct match *match, uint16_t priority,
                              const struct of_names *names, struct buffer *out);

/* "output:1,drop" without "actions=".  Appends to 'list'. */
int of_actions_parse(const char *text, const struct of_names *names, struct buffer *list,
                     struct error *error);
void of_actions_format(struct ofa_list list, const struct of_names *names, struct buffer *out);

/* One flow as add-flow, mod-flows and del-flows (strict or not) take it.  For deletes "actions=" is
 * refused and "out_port=" allowed.  'flow' is initialized by it; of_flow_mod_fini() it in any case.
 * Checked as the switch would check it (ofa_check()). */
int of_flow_mod_parse(const char *text, enum of_flow_command command, const struct of_names *names,
                      struct of_flow_mod *flow, struct error *error);

/* The filter of dump-flows and dump-aggregate: "table=1,tcp,cookie=0x1/-1,out_port=2". */
int of_flow_stats_request_parse(const char *text, const struct of_names *names,
                                struct of_flow_stats_request *request, struct error *error);

/* One line of dump-flows without the line break: " cookie=0x0, duration=1.2s, ... actions=". */
void of_flow_stats_format(const struct of_flow_stats *stats, const struct of_names *names,
                          struct buffer *out);

/* The same without statistics ("--no-stats"): " cookie=0x1, table=1, ip actions=...". */
void of_flow_stats_format_brief(const struct of_flow_stats *stats, const struct of_names *names,
                                struct buffer *out);

/* "ADD table:1 priority=5,tcp cookie:0x1 idle:5 actions=output:1", as ovs-ofctl prints a
 * flow_mod. */
void of_flow_mod_format(const struct of_flow_mod *flow, const struct of_names *names,
                        struct buffer *out);
