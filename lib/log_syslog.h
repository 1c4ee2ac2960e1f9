/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* log_syslog - the syslog(3) destination of lib/log.h.
 *
 * Apart from log.c because <syslog.h> has its own LOG_ERR and LOG_INFO. */

void log_syslog_open(const char *program); /* 'program' is kept. */

/* By its name in RFC 5424, whatever the case; -1 if there is none. */
int log_syslog_set_facility(const char *name);

/* 'level' is an enum log_level. */
unsigned int log_syslog_priority(int level);
void log_syslog_write(int level, const char *line);
