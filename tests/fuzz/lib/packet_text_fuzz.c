/* SPDX-License-Identifier: Apache-2.0 */

/* Any text as a packet-out: what is understood has a frame of a sound size, and can be sent. */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/openflow/packet_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer frame = BUFFER_INIT, wire = BUFFER_INIT;
    struct of_packet_out packet;
    struct error error = ERROR_INIT;
    char *text = strndup((const char *)data, size);

    if (!text)
        abort();
    if (of_packet_out_parse(text, NULL, &frame, &packet, &error)) {
        assert(error.code && *error.message);
    } else {
        assert(packet.frame_bytes >= 14 && packet.frame_bytes <= 65000);
        of_encode_packet_out(&packet, OF_1_5, 1, &wire);
        assert(wire.size > packet.frame_bytes);
    }
    of_packet_out_fini(&packet);
    buffer_fini(&frame);
    buffer_fini(&wire);
    free(text);
    return 0;
}
