/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* options - the options every command has: where the switch is, how to print, how long to wait.
 *
 * They may stand before the command or behind it.  Exit statuses are here too, as both belong to
 * what a script relies on.
 *
 * Threads  The main thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/table.h"
#include "lib/error.h"
#include "lib/tls.h"

/* 2 is also the "no" of br-exists and its like, as in ovs-vsctl(8). */
enum { EXIT_USAGE = 2, EXIT_NO = 2, EXIT_PORT_ERROR = 65 };

enum names_wish { NAMES_ON_TERMINALS, NAMES_ALWAYS, NAMES_NEVER };

struct options {
    const char *db;       /* --db; NULL: db.sock of the run directory. */
    const char *database; /* --database; NULL: Open_vSwitch. */
    int64_t timeout_ns;   /* 0: no limit. */
    bool no_wait, dry_run, oneline, retry;
    bool as_vsctl; /* Called as ovs-vsctl: its version, statuses and readings where ours differ. */
    bool wants_help, wants_version, wants_commands, wants_options;
    struct table_style style;
    const char *of_version;       /* -O; NULL: OpenFlow 1.0. */
    const char *flow_format;      /* -F; NULL: any. */
    const char *packet_in_format; /* -P; NULL: the best there is. */
    unsigned more;                /* -m: how often it was said. */
    enum names_wish names;        /* Of ports and tables; accepted, too, but with NAMES_NEVER. */
    struct tls_settings tls;
};

/* Does words[0] belong here?  Then the number of words it is made of (1 or 2); 0 if it does not,
 * negative on error. */
int options_take(struct options *options, const char *const words[], size_t n_words,
                 struct error *error);

/* The names, for help and completion: one line each. */
const char *options_help(void);
void options_print_names(struct buffer *out); /* All of them, "=ARG" behind those with a value. */

static inline bool options_is_json(const struct options *options)
{
    return options->style.format == TABLE_OBJECTS;
}
