/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* log_syslog - the syslog(3) destination of lib/log.h.
 *
 * Apart from log.c because <syslog.h> has its own LOG_ERR and LOG_INFO. */

void log_syslog_open(const char *program); /* 'program' is kept. */

/* 'level' is an enum log_level. */
void log_syslog_write(int level, const char *module, const char *message);
