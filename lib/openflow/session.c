/* SPDX-License-Identifier: Apache-2.0 */

/* Messages that open and keep a connection: hello, echo, features, configuration. */

#include "lib/openflow/messages.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/ports.h"

enum { OFPHET_VERSIONBITMAP = 1 };

enum of_version of_version_by_name(const char *name)
{
    static const char *const names[] = {"1.0", "1.1", "1.2", "1.3", "1.4", "1.5"};
    char long_name[16];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(long_name, sizeof long_name, "OpenFlow1%zu", i);
        if (!strcmp(name, names[i]) || !strcasecmp(name, long_name))
            return (enum of_version)(OF_1_0 + i);
    }
    return (enum of_version)0;
}

static enum of_version highest_version(uint32_t versions)
{
    return versions ? (enum of_version)(31 - __builtin_clz(versions)) : OF_1_0;
}

void of_encode_hello(uint32_t versions, uint32_t xid, struct buffer *out)
{
    size_t start = of_begin_message(OF_HELLO, OF_FORM_STANDARD, highest_version(versions), xid,
                                    out);
    uint8_t *element = buffer_put_zeros(out, 8);

    be16_store(element, OFPHET_VERSIONBITMAP);
    be16_store(element + 2, 8);
    be32_store(element + 4, versions);
    of_finish_message(start, out);
}

/* Unknown elements are skipped, as OpenFlow 1.3.5 section 7.5.1 asks; so is a malformed rest. */
enum of_error of_decode_hello(const struct of_message *message, uint32_t *versions)
{
    struct wire wire = wire_init(message->body, message->body_bytes);
    const uint8_t *element;
    unsigned version = message->version < 31 ? message->version : 31;

    *versions = ((UINT32_C(1) << version << 1) - 1) & ~UINT32_C(1);
    while ((element = wire_take(&wire, 4))) {
        size_t length = wire_u16(element + 2);

        if (length < 4 || !wire_take(&wire, length - 4))
            break;
        if (wire_u16(element) == OFPHET_VERSIONBITMAP && length >= 8) {
            *versions = wire_u32(element + 4);
            break;
        }
        wire_take(&wire, wire_round_up_8(length) - length);
    }
    return *versions ? OF_OK : OFPHFC_INCOMPATIBLE;
}

int of_negotiate(uint32_t ours, uint32_t theirs)
{
    return ours & theirs ? (int)highest_version(ours & theirs) : 0;
}

void of_encode_hello_failed(enum of_version version, uint32_t xid, const char *sentence,
                            struct buffer *out)
{
    size_t start = of_begin_message(OF_ERROR, OF_FORM_STANDARD, version, xid, out);

    buffer_put_zeros(out, 4); /* OFPET_HELLO_FAILED, OFPHFC_INCOMPATIBLE. */
    buffer_put(out, sentence, strnlen(sentence, 1024));
    of_finish_message(start, out);
}

void of_encode_echo_reply(const struct of_message *request, struct buffer *out)
{
    size_t start = of_begin_message(OF_ECHO_REPLY, OF_FORM_STANDARD, request->version, request->xid,
                                    out);

    buffer_put(out, request->body, request->body_bytes);
    of_finish_message(start, out);
}

void of_encode_echo_request(enum of_version version, uint32_t xid, const void *body, size_t n_bytes,
                            struct buffer *out)
{
    size_t start = of_begin_message(OF_ECHO_REQUEST, OF_FORM_STANDARD, version, xid, out);

    buffer_put(out, body, n_bytes);
    of_finish_message(start, out);
}

enum { FEATURES_BYTES = 24 };

/* Until 1.2 the reply lists the ports. */
static bool has_ports(enum of_version version)
{
    return version < OF_1_3;
}

/* Each version has bits of its own; those of enum of_capabilities that it lacks are left out. */
static uint32_t known_capabilities(enum of_version version)
{
    uint32_t known = OFPC_FLOW_STATS | OFPC_TABLE_STATS | OFPC_PORT_STATS | OFPC_IP_REASM |
                     OFPC_QUEUE_STATS;

    known |= version <= OF_1_1 ? OFPC_ARP_MATCH_IP : 0;
    known |= version >= OF_1_1 ? OFPC_GROUP_STATS : 0;
    known |= version >= OF_1_4 ? OFPC_BUNDLES | OFPC_FLOW_MONITORING : 0;
    return known;
}

void of_encode_features_reply(const struct of_features *features, const struct of_port_info *ports,
                              size_t n_ports, enum of_version version, uint32_t xid,
                              struct buffer *out)
{
    size_t start = of_begin_message(OF_FEATURES_REPLY, OF_FORM_STANDARD, version, xid, out);
    uint8_t *body = buffer_put_zeros(out, FEATURES_BYTES);

    be64 datapath_id = be64_from(features->datapath_id);
    memcpy(body, &datapath_id, sizeof datapath_id);
    be32_store(body + 8, features->n_buffers);
    body[12] = features->n_tables;
    body[13] = version < OF_1_3 ? 0 : features->auxiliary_id;
    be32_store(body + 16, features->capabilities & known_capabilities(version));
    be32_store(body + 20, version == OF_1_0 ? features->actions : 0);
    for (size_t i = 0; has_ports(version) && i < n_ports; i++) {
        size_t before = out->size;

        of_encode_port_info(&ports[i], version, out);
        if (out->size - start > UINT16_MAX) {
            out->size = before; /* The rest has to be asked for. */
            break;
        }
    }
    of_finish_message(start, out);
}

enum of_error of_decode_features_reply(const struct of_message *message,
                                       struct of_features *features)
{
    const uint8_t *body = message->body;

    *features = (struct of_features){
        .datapath_id = wire_u64(body),
        .n_buffers = wire_u32(body + 8),
        .n_tables = body[12],
        .auxiliary_id = message->version < OF_1_3 ? 0 : body[13],
        .capabilities = wire_u32(body + 16) & known_capabilities(message->version),
        .actions = message->version == OF_1_0 ? wire_u32(body + 20) : 0,
    };
    return OF_OK;
}

struct wire of_features_ports(const struct of_message *message)
{
    return wire_init(message->body + FEATURES_BYTES, message->body_bytes - FEATURES_BYTES);
}

enum { OFPC_INVALID_TTL_TO_CONTROLLER = 1 << 2 }; /* Replaced by asynchronous masks in 1.3. */

enum of_error of_decode_switch_config(const struct of_message *message,
                                      struct of_switch_config *config)
{
    uint16_t flags = wire_u16(message->body);
    uint16_t ttl_flag = message->version < OF_1_3 ? OFPC_INVALID_TTL_TO_CONTROLLER : 0;

    if (flags & ~(OF_FRAG_NX_MATCH | ttl_flag))
        return OFPSCFC_BAD_FLAGS;
    config->frag_mode = (enum of_frag_mode)(flags & OF_FRAG_NX_MATCH);
    config->wants_invalid_ttl = flags & ttl_flag;
    config->miss_send_bytes = wire_u16(message->body + 2);
    return OF_OK;
}

void of_encode_switch_config(const struct of_switch_config *config, enum of_message_kind kind,
                             enum of_version version, uint32_t xid, struct buffer *out)
{
    size_t start = of_begin_message(kind, OF_FORM_STANDARD, version, xid, out);
    uint8_t *body = buffer_put_uninit(out, 4);

    uint16_t ttl_flag = config->wants_invalid_ttl && version < OF_1_3
                            ? OFPC_INVALID_TTL_TO_CONTROLLER
                            : 0;
    be16_store(body, (uint16_t)config->frag_mode | ttl_flag);
    be16_store(body + 2, config->miss_send_bytes);
    of_finish_message(start, out);
}
