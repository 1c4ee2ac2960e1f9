/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* tables - flow tables as OpenFlow configures and describes them: table_mod, and the statistics
 * OF_TABLE_STATS_*, OF_TABLE_DESC_* and OF_TABLE_FEATURES_*.
 *
 * Versions differ in what a table_mod can say: in 1.1 and 1.2 what happens to frames that match
 * nothing, in 1.3 nothing that means anything, since 1.4 eviction and vacancy events.
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/stats.h"

/* What a table does with frames that match nothing. */
enum of_table_miss {
    OF_MISS_DEFAULT, /* As the versions of the connected controllers want it. */
    OF_MISS_CONTROLLER,
    OF_MISS_CONTINUE,
    OF_MISS_DROP,
};

/* ofp_table_mod_prop_eviction_flag. */
enum { OFTMEF_OTHER = 1 << 0, OFTMEF_IMPORTANCE = 1 << 1, OFTMEF_LIFETIME = 1 << 2 };

/* What versions from 1.4 on can set, all of it at once. */
struct of_table_config {
    bool does_evict;
    uint32_t eviction_flags; /* 0: not said. */
    bool tells_vacancy;
    uint8_t vacancy_down_percent, vacancy_up_percent, vacancy_percent; /* The last one: now. */
};

struct of_table_mod {
    uint8_t table_id;              /* OF_TABLE_ALL: all. */
    enum of_table_miss miss;       /* 1.1 and 1.2; elsewhere OF_MISS_DEFAULT. */
    struct of_table_config config; /* From 1.4 on. */
};

enum of_error of_decode_table_mod(const struct of_message *message, struct of_table_mod *mod);
void of_encode_table_mod(const struct of_table_mod *mod, enum of_version version, uint32_t xid,
                         struct buffer *out);

/* OF_TABLE_DESC_*: 1.4 and later. */
struct of_table_desc {
    uint8_t table_id;
    struct of_table_config config;
};

void of_reply_add_table_desc(struct of_reply *reply, const struct of_table_desc *desc);
bool of_next_table_desc(struct of_items *items, struct of_table_desc *desc);

/* OF_TABLE_STATUS, 1.4 and later: how much of a table is free has crossed a bound. */
enum of_table_reason { OFTR_VACANCY_DOWN = 3, OFTR_VACANCY_UP = 4 };

struct of_table_status {
    uint8_t reason; /* enum of_table_reason. */
    struct of_table_desc desc;
};

enum of_error of_decode_table_status(const struct of_message *message,
                                     struct of_table_status *status);
void of_encode_table_status(const struct of_table_status *status, enum of_version version,
                            struct buffer *out);

/* OF_TABLE_STATS_*. */
struct of_table_stats {
    uint8_t table_id;
    char name[33];           /* 1.0 to 1.2. */
    enum of_table_miss miss; /* 1.1 and 1.2. */
    bool is_last;            /* To encode 1.1 and 1.2: nothing can go on from it. */
    uint32_t max_flows;      /* 1.0 to 1.2. */
    uint32_t n_flows;
    uint64_t n_lookups, n_matched;
};

void of_reply_add_table(struct of_reply *reply, const struct of_table_stats *stats);
bool of_next_table_stats(struct of_items *items, struct of_table_stats *stats);

/* OF_TABLE_FEATURES_*, 1.3 and later: ovs-ofctl asks for the tables' names, or gives them others. */
enum of_table_features_command { OFTFC_REPLACE, OFTFC_MODIFY, OFTFC_ENABLE, OFTFC_DISABLE };

struct of_table_features {
    uint8_t table_id;
    uint8_t command; /* 1.5, of requests: enum of_table_features_command. */
    char name[33];
    uint32_t max_flows;
};

void of_reply_add_table_features(struct of_reply *reply, const struct of_table_features *features);
bool of_next_table_features(struct of_items *items, struct of_table_features *features);

/* Bitmaps of what every table can do: bit N is type N, or field N of OXM's basic class. */
uint32_t of_instruction_types(enum of_version version);
uint32_t of_action_types(enum of_version version);
uint64_t of_oxm_fields(bool only_writable, enum of_version version);
