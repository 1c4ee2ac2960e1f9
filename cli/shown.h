/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* shown - a word someone typed, fit to stand in a sentence.
 *
 * Control characters become \xNN, so that no error message can drive a terminal, and what is longer
 * than a line is cut with "...".  Use within one expression:
 *
 *     error_set(error, -ENOENT, "no bridge named %s", shown(name).text);
 *
 * Threads  Any. */

enum { SHOWN_BYTES = 72 };

struct shown {
    char text[SHOWN_BYTES];
};

struct shown shown(const char *word);
