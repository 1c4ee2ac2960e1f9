/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as a stream of OpenFlow messages: each is decoded as far as it goes, and what was understood is encoded
 * and decoded again, to the same (tests/generate/round_trip.h). */

#include "lib/openflow/messages.h"
#include "tests/generate/round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    int length;

    while ((length = of_frame_length(data, n_bytes)) > 0) {
        round_trip(data, (size_t)length, true);
        round_trip(data, (size_t)length, false);
        data += length;
        n_bytes -= (size_t)length;
    }
    return 0;
}
