/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as OpenFlow messages, printed: one after the other as their lengths say, and the rest as it
 * is. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/openflow/frame_text.h"
#include "lib/openflow/message_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const uint8_t *data, size_t n_bytes)
{
    struct buffer text = BUFFER_INIT;
    uint8_t *exact = malloc(n_bytes + !n_bytes); /* So that one byte too far is seen. */

    if (!exact)
        abort();
    if (n_bytes)
        memcpy(exact, data, n_bytes);
    of_message_format(exact, n_bytes, NULL, &text);
    assert(text.size && text.data[text.size - 1] == '\n');
    assert(strlen(buffer_text(&text)) == text.size);
    of_frame_format(exact, n_bytes, &text);
    buffer_fini(&text);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int n;

    while ((n = of_frame_length(data, size)) > 0) {
        print(data, (size_t)n);
        data += n;
        size -= (size_t)n;
    }
    print(data, size);
    return 0;
}
