/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* group_text - groups and meters as people write and read them: "group_id=1,type=select,bucket=output:1",
 * "meter=1,kbps,band=type=drop,rate=1000", in the syntax of ovs-ofctl(8).
 *
 * Threads  Plain functions. */

#include "lib/error.h"
#include "lib/openflow/groups.h"
#include "lib/openflow/meters.h"
#include "lib/openflow/names.h"

/* What add-group, mod-group, del-groups, insert-buckets and remove-buckets take.  'mod' is initialized by
 * it; of_group_mod_fini() it in any case. */
int of_group_mod_parse(const char *text, enum of_group_command command,
                       const struct of_names *names, struct of_group_mod *mod, struct error *error);

/* "group_id=1,type=select,selection_method=hash,fields(ip_src,ip_dst),bucket=..." */
void of_group_format(const struct of_group *group, const struct of_names *names,
                     struct buffer *out);

/* The same without its type, which changes of single buckets do not say. */
void of_group_format_untyped(const struct of_group *group, const struct of_names *names,
                             struct buffer *out);

/* "group_id=1,duration=1.500s,ref_count=0,packet_count=0,byte_count=0,bucket0:packet_count=..." */
void of_group_stats_format(const struct of_group_stats *stats, struct buffer *out);

/* Some lines: "    all group:\n       max_groups=0x10\n       actions: output ...". */
void of_group_features_format(const struct of_group_features *features, enum of_version version,
                              struct buffer *out);

/* " output strip_vlan": the actions of a bitmap in which bit N is OFPAT_ type N of the version. */
void of_action_types_format(uint32_t types, enum of_version version, struct buffer *out);

/* What add-meter, mod-meter and del-meters take; the same rules. */
int of_meter_mod_parse(const char *text, enum of_meter_command command, struct of_meter_mod *mod,
                       struct error *error);

/* "1", "controller", "slowpath", "all". */
int of_meter_id_parse(const char *text, uint32_t *meter_id, struct error *error);
void of_meter_id_format(uint32_t meter_id, struct buffer *out);

/* "meter=1 kbps burst bands=" and a line for each band. */
void of_meter_format(const struct of_meter *meter, struct buffer *out);

/* "meter:1 flow_count:0 packet_in_count:0 ... bands:" and a line for each band. */
void of_meter_stats_format(const struct of_meter_stats *stats, struct buffer *out);

/* Three lines: "max_meter:1000 max_bands:8 max_color:0\nband_types: drop\n..." */
void of_meter_features_format(const struct of_meter_features *features, struct buffer *out);
