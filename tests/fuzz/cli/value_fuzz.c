/* SPDX-License-Identifier: Apache-2.0 */

/* Values of every kind of type from any text; what was read prints, and reads back the same. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/value.h"

static struct column_type make_type(uint8_t seed)
{
    static const enum atom_type types[] = {ATOM_INTEGER, ATOM_REAL, ATOM_BOOLEAN, ATOM_STRING,
                                           ATOM_UUID};
    struct base_type key = {.type = types[seed % 5]};
    struct base_type value = {.type = seed & 0x80 ? types[(seed >> 3) % 5] : ATOM_VOID};
    struct base_type *const both[] = {&key, &value};

    for (size_t i = 0; i < 2; i++) {
        if (both[i]->type == ATOM_INTEGER)
            both[i]->range.integer.min = INT64_MIN, both[i]->range.integer.max = INT64_MAX;
        else if (both[i]->type == ATOM_REAL)
            both[i]->range.real.min = -1e308, both[i]->range.real.max = 1e308;
        else if (both[i]->type == ATOM_STRING)
            both[i]->range.string.max_length = UINT32_MAX;
    }
    return (struct column_type){
        .key = key, .value = value, .n_max = seed & 0x40 ? 1 : COLUMN_UNLIMITED};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct error error = ERROR_INIT;
    struct buffer text = BUFFER_INIT;
    struct datum *datum, *again;

    if (!n_bytes)
        return 0;
    struct column_type type = make_type(data[0]);
    char *word = strndup((const char *)data + 1, n_bytes - 1);
    if (!value_parse_part(&type, word, NULL, &datum, &error)) {
        value_format(&type, datum, DATA_STRING, &text);
        assert(!value_parse_part(&type, buffer_text(&text), NULL, &again, &error));
        assert(datum_equal(datum, again));
        json_decref(value_to_json(&type, datum));
        datum_unref(again);
        datum_unref(datum);
    }
    buffer_fini(&text);
    free(word);
    return 0;
}
