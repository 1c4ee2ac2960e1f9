/* SPDX-License-Identifier: Apache-2.0 */

/* The C library keeps the connection and its lock. */

#include "lib/log_syslog.h"

#include <stdatomic.h>
#include <strings.h>
#include <syslog.h>

#include "lib/annotations.h"

/* In the order of their numbers; 9 and 10 have other names in <syslog.h>. */
static const char *const facility_names[] = {
    "kern",   "user",   "mail",   "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "clock",  "",       "ftp",    "ntp",    "audit",  "alert",  "clock2",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
};

static atomic_uint facility = LOG_DAEMON;

void log_syslog_open(const char *program)
{
    openlog(program, LOG_PID, LOG_DAEMON);
}

int log_syslog_set_facility(const char *name)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(facility_names); i++) {
        if (*name && !strcasecmp(name, facility_names[i])) {
            atomic_store(&facility, i << 3);
            return 0;
        }
    }
    return -1;
}

unsigned int log_syslog_priority(int level)
{
    static const int severities[] = {LOG_DEBUG,   LOG_EMERG, LOG_ERR,
                                     LOG_WARNING, LOG_INFO,  LOG_DEBUG};

    return atomic_load(&facility) | (unsigned int)severities[level];
}

void log_syslog_write(int level, const char *line)
{
    syslog((int)log_syslog_priority(level), "%s", line);
}
