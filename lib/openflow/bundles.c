/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/bundles.h"

#include "lib/buffer.h"
#include "lib/openflow/wire.h"

enum { HEAD_BYTES = 8, MAX_COMMAND = OFBC_DISCARD + 1, KNOWN_FLAGS = OFBF_ATOMIC | OFBF_ORDERED };

enum of_error of_decode_bundle_control(const struct of_message *message,
                                       struct of_bundle_control *control)
{
    const uint8_t *body = message->body;

    *control = (struct of_bundle_control){
        .bundle_id = wire_u32(body),
        .command = wire_u16(body + 4),
        .flags = wire_u16(body + 6),
    };
    if (control->command > MAX_COMMAND)
        return OFPBFC_BAD_TYPE;
    return control->flags & ~KNOWN_FLAGS ? OFPBFC_BAD_FLAGS : OF_OK;
}

static void put_head(uint32_t bundle_id, uint16_t command, uint16_t flags, struct buffer *out)
{
    uint8_t *head = buffer_put_zeros(out, HEAD_BYTES);

    be32_store(head, bundle_id);
    be16_store(head + 4, command);
    be16_store(head + 6, flags);
}

void of_encode_bundle_control(const struct of_bundle_control *control, enum of_version version,
                              uint32_t xid, struct buffer *out)
{
    size_t start = of_begin_message(OF_BUNDLE_CONTROL, OF_FORM_STANDARD, version, xid, out);

    put_head(control->bundle_id, control->command, control->flags, out);
    of_finish_message(start, out);
}

enum of_error of_decode_bundle_add(const struct of_message *message, struct of_bundle_add *add)
{
    const uint8_t *body = message->body, *inner = body + HEAD_BYTES;
    size_t rest = message->body_bytes - HEAD_BYTES;

    *add = (struct of_bundle_add){
        .bundle_id = wire_u32(body),
        .flags = wire_u16(body + 6),
        .message = inner,
    };
    if (add->flags & ~KNOWN_FLAGS)
        return OFPBFC_BAD_FLAGS;
    if (rest < sizeof(struct of_header))
        return OFPBFC_MSG_BAD_LEN;
    if (inner[0] != message->version)
        return OFPBFC_BAD_VERSION;
    add->n_bytes = wire_u16(inner + 2);
    if (add->n_bytes < sizeof(struct of_header) || add->n_bytes > rest)
        return OFPBFC_MSG_BAD_LEN;
    return wire_u32(inner + 4) == message->xid ? OF_OK : OFPBFC_MSG_BAD_XID;
}

void of_encode_bundle_add(const struct of_bundle_add *add, enum of_version version, uint32_t xid,
                          struct buffer *out)
{
    size_t start = of_begin_message(OF_BUNDLE_ADD_MESSAGE, OF_FORM_STANDARD, version, xid, out);

    put_head(add->bundle_id, 0, add->flags, out);
    buffer_put(out, add->message, add->n_bytes);
    of_finish_message(start, out);
}
