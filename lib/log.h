/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* log - what operators read.
 *
 * Every .c file that logs names its module once, before its functions:
 *
 *     LOG_MODULE(bridge);
 *     log_warn("port %s: carrier lost", name);
 *
 * Levels and destinations are Open vSwitch's (ovs-appctl(8), vlog/set): emer, err, warn, info, dbg
 * and off, to console (stderr), syslog and file.  What a packet or a peer can trigger uses the
 * _limited forms: at most LOG_BURST lines at once and LOG_PER_MINUTE lasting, per call site, with a
 * count of what was left out.
 *
 * Threads  All of them.  Each line is one write(). */

#include <stdbool.h>
#include <stdint.h>

#include "lib/annotations.h"
#include "lib/error.h"

enum log_level { LOG_OFF, LOG_EMER, LOG_ERR, LOG_WARN, LOG_INFO, LOG_DBG };
enum log_destination { LOG_CONSOLE, LOG_SYSLOG, LOG_FILE, LOG_N_DESTINATIONS };
enum { LOG_BURST = 10, LOG_PER_MINUTE = 60 };

struct log_module {
    const char *name;
    enum log_level levels[LOG_N_DESTINATIONS]; /* Read without a lock: a late change is harmless. */
    enum log_level highest;
    bool is_unlimited; /* Its _limited forms are not. */
    struct log_module *next;
};

struct log_site {
    int64_t refill_ns;
    double tokens;
    unsigned int n_suppressed;
};

#define LOG_MODULE(module)                                                  \
    static struct log_module log_this_module = {                            \
        .name = #module,                                                    \
        .levels = {LOG_INFO, LOG_OFF, LOG_INFO},                            \
        .highest = LOG_INFO,                                                \
    };                                                                      \
    __attribute__((constructor)) static void log_register_this_module(void) \
    {                                                                       \
        log_register(&log_this_module);                                     \
    }                                                                       \
    _Static_assert(1, "")

#define LOG_AT(level, ...)                                     \
    do {                                                       \
        if (log_this_module.highest >= (level))                \
            log_write(&log_this_module, (level), __VA_ARGS__); \
    } while (0)

#define LOG_LIMITED_AT(level, ...)                                                                 \
    do {                                                                                           \
        static struct log_site log_site = {.tokens = LOG_BURST};                                   \
        if (log_this_module.highest >= (level) && log_admit(&log_this_module, (level), &log_site)) \
            log_write(&log_this_module, (level), __VA_ARGS__);                                     \
    } while (0)

#define log_emer(...) LOG_AT(LOG_EMER, __VA_ARGS__)
#define log_err(...)  LOG_AT(LOG_ERR, __VA_ARGS__)
#define log_warn(...) LOG_AT(LOG_WARN, __VA_ARGS__)
#define log_info(...) LOG_AT(LOG_INFO, __VA_ARGS__)
#define log_dbg(...)  LOG_AT(LOG_DBG, __VA_ARGS__)

#define log_err_limited(...)  LOG_LIMITED_AT(LOG_ERR, __VA_ARGS__)
#define log_warn_limited(...) LOG_LIMITED_AT(LOG_WARN, __VA_ARGS__)
#define log_info_limited(...) LOG_LIMITED_AT(LOG_INFO, __VA_ARGS__)

/* The name that stands in syslog; 'name' is kept. */
void log_set_program(const char *name);

/* Opens (or, at a path already open, reopens) the log file.  0640. */
int log_open_file(const char *path, struct error *error);
int log_reopen_file(struct error *error); /* After rotation; -ENOENT if there is no log file. */
void log_close_file(void);                /* What is logged until it is reopened is not in it. */

/* One specification of ovs-appctl(8) vlog/set, words separated by ':', ',' or blanks: "PATTERN",
 * destination and pattern (lib/log_pattern.h); "FACILITY" and one of syslog's; or module, destination and
 * level, in any order, where "ANY" or nothing is all.  -EINVAL names the word not understood. */
int log_set_levels(const char *specification, struct error *error);

/* Whether the _limited forms of a module (NULL or "any": of all) are so. */
int log_set_limits(const char *module_name, bool are_limited, struct error *error);

/* The tables that vlog/list and vlog/list-pattern print; the caller frees them. */
char *log_levels_text(void);
char *log_patterns_text(void);

void log_register(struct log_module *module);
void log_write(struct log_module *module, enum log_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);
bool log_admit(struct log_module *module, enum log_level level, struct log_site *site);
