/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* log_pattern - how a line of the log is laid out.
 *
 * The escapes are those of ovs-appctl(8): %A program, %B priority of syslog, %c module, %d %D time here
 * and in UTC (with a format of strftime(3) in braces, where # is a digit of the second's fraction), %E
 * host, %m message, %N number, %n line's end, %p level, %P process, %r milliseconds since the start, %t
 * %T thread.  Between % and letter may stand '-' (to the left), '0' (filled with zeros) and a width.
 * Whatever else follows a % is left out.
 *
 * Threads  Any. */

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct log_record {
    const char *program, *module, *level, *message;
    size_t message_bytes;
    unsigned int number;   /* Since the program's start. */
    unsigned int priority; /* Facility * 8 + severity, as syslog has them. */
    struct timespec now;   /* Of the wall clock. */
    int64_t uptime_ms;
};

/* Writes the line into 'line', which has room for 'size' bytes, and a 0 behind it; what does not fit is
 * cut.  Returns its length. */
size_t log_pattern_expand(const char *pattern, const struct log_record *record, char *line,
                          size_t size);
