/* SPDX-License-Identifier: Apache-2.0 */

/* The C library keeps the connection and its lock. */

#include "lib/log_syslog.h"

#include <syslog.h>

void log_syslog_open(const char *program)
{
    openlog(program, LOG_PID, LOG_DAEMON);
}

void log_syslog_write(int level, const char *module, const char *message)
{
    static const int priorities[] = {LOG_DEBUG,   LOG_EMERG, LOG_ERR,
                                     LOG_WARNING, LOG_INFO,  LOG_DEBUG};
    syslog(priorities[level], "%s|%s", module, message);
}
