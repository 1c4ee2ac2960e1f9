/* SPDX-License-Identifier: Apache-2.0 */

/* Names and sentences come from the one list in the header. */

#include "datapath/drop.h"

static const struct {
    const char *name;
    const char *text;
} reasons[] = {
#define X(id, name, text) [id] = {#name, text},
    DROP_REASONS(X)
#undef X
};

const char *drop_reason_name(enum drop_reason reason)
{
    return (unsigned int)reason < DROP_N_REASONS ? reasons[reason].name : "unknown";
}

const char *drop_reason_text(enum drop_reason reason)
{
    return (unsigned int)reason < DROP_N_REASONS ? reasons[reason].text : "unknown reason";
}
