/* SPDX-License-Identifier: Apache-2.0 */

/* Any words on the command line: parsed or refused with a sentence that can be printed.  Nothing is
 * run: only commands of the daemons are known to the parser, and none is started. */

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/shown.h"

enum { MAX_WORDS = 64 };

static void expect_printable(const char *text)
{
    for (; *text; text++)
        assert((unsigned char)*text >= 0x20 && *text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    char *bytes = malloc(n_bytes + 1);
    const char *words[MAX_WORDS];
    size_t n = 0;
    struct options options = {.db = NULL};

    memcpy(bytes, data, n_bytes);
    bytes[n_bytes] = '\0';
    for (char *at = bytes; n < MAX_WORDS && at < bytes + n_bytes; at += strlen(at) + 1)
        words[n++] = at;
    for (size_t i = 0; i < n;) {
        struct invocation invocation;
        struct error error = ERROR_INIT;
        int used = invocation_parse(&invocation, &options, words + i, n - i, &error);

        if (used >= 0 && invocation.command && invocation_check(&invocation, &error) < 0)
            assert(*error.message);
        expect_printable(error.message);
        invocation_fini(&invocation);
        if (used < 0)
            break;
        i += (size_t)used + 1;
    }
    for (size_t i = 0; i < n; i++) {
        expect_printable(shown(words[i]).text);
        command_nearest(words[i]);
    }
    free(bytes);
    return 0;
}
