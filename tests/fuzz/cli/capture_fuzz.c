/* SPDX-License-Identifier: Apache-2.0 */

/* Captures of any bytes: every segment that is found lies within them. */

#include <assert.h>

#include "cli/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct error error = ERROR_INIT;
    struct capture capture;
    struct segment segment;

    if (capture_init(&capture, data, n_bytes, &error)) {
        assert(error.code && *error.message);
        return 0;
    }
    while (capture_next(&capture, &segment)) {
        assert(segment.data >= data && segment.data <= data + n_bytes);
        assert(segment.n_bytes <= (size_t)(data + n_bytes - segment.data));
    }
    return 0;
}
