/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* match_text - a match being parsed, one "key=value" at a time.
 *
 * Prerequisites may stand behind what needs them ("nw_src=1.2.3.4,ip"), so they are checked at the
 * end.
 *
 * Memory   Keys given to it must live until match_text_finish().
 * Threads  Plain values. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/match.h"
#include "lib/openflow/names.h"

enum { MATCH_TEXT_MAX_KEYS = 128 };

struct match_text {
    struct match *match;
    const struct of_names *names;
    size_t n_keys;
    struct {
        const char *key;
        const uint16_t *fields; /* Any of them must be meaningful; N_FIELDS ends the list. */
    } keys[MATCH_TEXT_MAX_KEYS];
};

void match_text_init(struct match_text *text, struct match *match, const struct of_names *names);

/* -ENOENT without a sentence: no such key.  'value' is NULL for a word alone. */
int match_text_add(struct match_text *text, const char *key, const char *value,
                   struct error *error);
int match_text_finish(const struct match_text *text, struct error *error);
