/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow 1.0 section 5.3.3, 1.3.5 section 7.3.4.1 (whose form 1.1 to 1.5 share), NXT_FLOW_MOD. */

#include "lib/openflow/flow_mod.h"

#include <string.h>

#include "lib/openflow/action_codec.h"
#include "lib/openflow/match_codec.h"

enum { FLAG10_EMERGENCY = 1 << 2, HEAD11_BYTES = 40 };

/* The flags of 1.0 and 1.1 are two; 1.2 added one, 1.3 two more. */
static unsigned known_flags(enum of_version version)
{
    unsigned known = OFFF_SEND_FLOW_REM | OFFF_CHECK_OVERLAP;

    known |= version >= OF_1_2 ? OFFF_RESET_COUNTS : 0U;
    return known | (version >= OF_1_3 ? OFFF_NO_PKT_COUNTS | OFFF_NO_BYT_COUNTS : 0U);
}

static enum of_error decode_flags(unsigned flags, enum of_version version, struct of_flow_mod *flow)
{
    flow->always_resets = version < OF_1_2 && flow->command == OFFC_ADD;
    flow->flags = (uint16_t)flags;
    return flags & ~known_flags(version) ? OFPFMFC_BAD_FLAGS : OF_OK;
}

void of_flow_mod_init(struct of_flow_mod *flow)
{
    *flow = (struct of_flow_mod){
        .priority = OF_DEFAULT_PRIORITY,
        .command = OFFC_ADD,
        .table_id = OF_TABLE_ALL,
        .buffer_id = OF_BUFFER_NONE,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
    };
}

void of_flow_mod_fini(struct of_flow_mod *flow)
{
    buffer_fini(&flow->actions);
}

static bool is_delete(const struct of_flow_mod *flow)
{
    return flow->command == OFFC_DELETE || flow->command == OFFC_DELETE_STRICT;
}

static bool is_modify(const struct of_flow_mod *flow)
{
    return flow->command == OFFC_MODIFY || flow->command == OFFC_MODIFY_STRICT;
}

/* 'body' is what both forms of 1.0 have behind the cookie: command to flags. */
static enum of_error decode_common10(const uint8_t *body, const struct of_protocol *protocol,
                                     struct of_flow_mod *flow)
{
    unsigned command = wire_u16(body);

    if (protocol->has_table_id) {
        flow->table_id = (uint8_t)(command >> 8);
        command &= 0xff;
    }
    if (command > OFFC_DELETE_STRICT)
        return OFPFMFC_BAD_COMMAND;
    flow->command = (uint8_t)command;
    flow->idle_timeout_s = wire_u16(body + 2);
    flow->hard_timeout_s = wire_u16(body + 4);
    flow->priority = wire_u16(body + 6);
    flow->buffer_id = wire_u32(body + 8);
    flow->out_port = is_delete(flow) ? wire_u16(body + 12) : (of_port)OFPP_NONE;
    flow->modify_cookie = is_modify(flow) && flow->new_cookie.raw != UINT64_MAX;

    unsigned flags = wire_u16(body + 14);
    if (flags & FLAG10_EMERGENCY)
        return OFPFMFC_ALL_TABLES_FULL;
    return decode_flags(flags, OF_1_0, flow);
}

static enum of_error decode_actions(const uint8_t *wire, size_t n_bytes, enum of_version version,
                                    uint8_t n_tables, struct of_flow_mod *flow)
{
    struct ofa_check check = {.version = version,
                              .table_id = flow->table_id,
                              .n_tables = n_tables,
                              .max_ports = OFPP_MAX};
    enum of_error error;

    if (is_delete(flow))
        return OF_OK;
    if (version == OF_1_0)
        error = ofa_decode_actions(wire, n_bytes, version, &flow->actions);
    else
        error = ofa_decode_instructions(wire, n_bytes, version, &flow->actions);
    return error ? error : ofa_check(&flow->actions, &flow->match, &check);
}

static enum of_error decode_standard10(const struct of_message *message,
                                       const struct of_protocol *protocol, uint8_t n_tables,
                                       struct of_flow_mod *flow)
{
    const uint8_t *body = message->body;

    of_match_decode_of10(body, &flow->match);
    flow->new_cookie = be64_load(body + 40);
    enum of_error error = decode_common10(body + 48, protocol, flow);
    if (error)
        return error;
    /* Section 3.4: a flow without wildcards has the highest priority. */
    if (!(wire_u32(body) & 0x3fffff))
        flow->priority = UINT16_MAX;
    return decode_actions(body + 64, message->body_bytes - 64, OF_1_0, n_tables, flow);
}

static enum of_error decode_nx(const struct of_message *message, const struct of_protocol *protocol,
                               uint8_t n_tables, struct of_flow_mod *flow)
{
    struct wire wire = wire_init(message->body, message->body_bytes);
    const uint8_t *body = wire_take(&wire, 32);
    size_t match_bytes = wire_u16(body + 24);
    const uint8_t *match = wire_take(&wire, wire_round_up_8(match_bytes));

    flow->new_cookie = be64_load(body);
    if (!match)
        return OFPBRC_BAD_LEN;
    enum of_error error = decode_common10(body + 8, protocol, flow);
    if (!error)
        error = of_match_decode_nxm(match, match_bytes, &flow->match, &flow->cookie,
                                    &flow->cookie_mask);
    if (!error && flow->command == OFFC_ADD && flow->cookie_mask.raw)
        error = NXBRC_NXM_INVALID; /* A new flow has no old cookie. */
    return error ? error : decode_actions(wire.next, wire.left, OF_1_0, n_tables, flow);
}

static void decode_cookies11(const uint8_t *body, enum of_version version, struct of_flow_mod *flow)
{
    if (flow->command == OFFC_ADD) {
        flow->new_cookie = be64_load(body);
        return;
    }
    flow->cookie_mask = be64_load(body + 8);
    flow->cookie.raw = be64_load(body).raw & flow->cookie_mask.raw;
    /* A "modify" that finds nothing adds in 1.1 too, and then needs a cookie. */
    bool may_add = version == OF_1_1 && is_modify(flow) && !flow->cookie_mask.raw;
    flow->new_cookie.raw = may_add ? be64_load(body).raw : UINT64_MAX;
}

static enum of_error decode_head11(const uint8_t *body, enum of_version version,
                                   struct of_flow_mod *flow)
{
    if (body[17] > OFFC_DELETE_STRICT)
        return OFPFMFC_BAD_COMMAND;
    flow->command = body[17];
    flow->table_id = body[16];
    decode_cookies11(body, version, flow);
    flow->idle_timeout_s = wire_u16(body + 18);
    flow->hard_timeout_s = wire_u16(body + 20);
    flow->priority = wire_u16(body + 22);
    flow->buffer_id = wire_u32(body + 24);
    of_port out_port;
    if (!of_port_from_wire32(wire_u32(body + 28), &out_port))
        return OFPBAC_BAD_OUT_PORT;
    if (is_delete(flow)) {
        flow->out_port = out_port;
        flow->out_group = wire_u32(body + 32);
    }
    if (version >= OF_1_4 && flow->command == OFFC_ADD)
        flow->importance = wire_u16(body + 38);
    enum of_error error = decode_flags(wire_u16(body + 36), version, flow);
    if (error)
        return error;
    return flow->table_id == OF_TABLE_ALL && !is_delete(flow) ? OFPFMFC_BAD_TABLE_ID : OF_OK;
}

static enum of_error decode11(const struct of_message *message, uint8_t n_tables,
                              struct of_flow_mod *flow)
{
    const uint8_t *body = message->body, *match = body + HEAD11_BYTES;
    size_t n_used, rest = message->body_bytes - HEAD11_BYTES;
    enum of_error error = decode_head11(body, message->version, flow);

    if (!error)
        error = of_match_decode(match, rest, &flow->match, &n_used);
    if (!error)
        error = decode_actions(match + n_used, rest - n_used, message->version, n_tables, flow);
    return error;
}

enum of_error of_decode_flow_mod(const struct of_message *message,
                                 const struct of_protocol *protocol, uint8_t n_tables,
                                 struct of_flow_mod *flow)
{
    struct buffer actions = flow->actions;

    of_flow_mod_init(flow);
    flow->actions = actions;
    buffer_clear(&flow->actions);
    if (message->version != OF_1_0)
        return decode11(message, n_tables, flow);
    if (message->form == OF_FORM_NX)
        return decode_nx(message, protocol, n_tables, flow);
    return decode_standard10(message, protocol, n_tables, flow);
}

static void encode_common10(const struct of_flow_mod *flow, const struct of_protocol *protocol,
                            uint8_t *body)
{
    be16_store(body,
               (uint16_t)(flow->command | (protocol->has_table_id ? flow->table_id << 8 : 0)));
    be16_store(body + 2, flow->idle_timeout_s);
    be16_store(body + 4, flow->hard_timeout_s);
    be16_store(body + 6, flow->priority);
    be32_store(body + 8, flow->buffer_id);
    be16_store(body + 12, flow->out_port);
    be16_store(body + 14, (uint16_t)(flow->flags & known_flags(OF_1_0)));
}

static size_t encode_standard10(const struct of_flow_mod *flow, const struct of_protocol *protocol,
                                uint32_t xid, struct buffer *out)
{
    size_t start = of_begin_message(OF_FLOW_MOD, OF_FORM_STANDARD, OF_1_0, xid, out);

    of_match_encode_of10(&flow->match, out);
    buffer_put(out, &flow->new_cookie, sizeof flow->new_cookie);
    encode_common10(flow, protocol, buffer_put_uninit(out, 16));
    ofa_encode_actions(of_flow_mod_actions(flow), OF_1_0, out);
    return start;
}

static size_t encode_nx(const struct of_flow_mod *flow, const struct of_protocol *protocol,
                        uint32_t xid, struct buffer *out)
{
    size_t start = of_begin_message(OF_FLOW_MOD, OF_FORM_NX, OF_1_0, xid, out);
    size_t body = out->size;

    buffer_put_zeros(out, 32);
    memcpy(out->data + body, &flow->new_cookie, sizeof flow->new_cookie);
    encode_common10(flow, protocol, out->data + body + 8);
    size_t match_bytes = of_match_encode_nxm(&flow->match, flow->cookie, flow->cookie_mask, out);
    be16_store(out->data + body + 24, (uint16_t)match_bytes);
    buffer_put_zeros(out, wire_round_up_8(match_bytes) - match_bytes);
    ofa_encode_actions(of_flow_mod_actions(flow), OF_1_0, out);
    return start;
}

static size_t encode11(const struct of_flow_mod *flow, enum of_version version, uint32_t xid,
                       struct buffer *out)
{
    size_t start = of_begin_message(OF_FLOW_MOD, OF_FORM_STANDARD, version, xid, out);
    uint8_t *body = buffer_put_zeros(out, HEAD11_BYTES);
    bool is_add = flow->command == OFFC_ADD;
    bool may_add = version == OF_1_1 && is_modify(flow) && !flow->cookie_mask.raw;
    const be64 *cookie = is_add || may_add ? &flow->new_cookie : &flow->cookie;
    bool is_all = flow->table_id == OF_TABLE_ALL && !is_delete(flow);

    memcpy(body, cookie, sizeof *cookie);
    if (!is_add)
        memcpy(body + 8, &flow->cookie_mask, sizeof flow->cookie_mask);
    body[16] = is_all ? 0 : flow->table_id; /* 1.1 and later have no "the switch's choice". */
    body[17] = flow->command;
    be16_store(body + 18, flow->idle_timeout_s);
    be16_store(body + 20, flow->hard_timeout_s);
    be16_store(body + 22, flow->priority);
    be32_store(body + 24, flow->buffer_id);
    be32_store(body + 28, of_port_to_wire32(flow->out_port));
    be32_store(body + 32, flow->out_group);
    be16_store(body + 36, (uint16_t)(flow->flags & known_flags(version)));
    if (version >= OF_1_4)
        be16_store(body + 38, flow->importance);
    of_match_encode(&flow->match, version, out);
    ofa_encode_instructions(of_flow_mod_actions(flow), version, out);
    return start;
}

/* Returns where it begins; its length is still to be said. */
static size_t encode(const struct of_flow_mod *flow, const struct of_protocol *protocol,
                     uint32_t xid, struct buffer *out)
{
    if (protocol->version != OF_1_0)
        return encode11(flow, protocol->version, xid, out);
    return protocol->uses_nxm ? encode_nx(flow, protocol, xid, out)
                              : encode_standard10(flow, protocol, xid, out);
}

void of_encode_flow_mod(const struct of_flow_mod *flow, const struct of_protocol *protocol,
                        uint32_t xid, struct buffer *out)
{
    of_finish_message(encode(flow, protocol, xid, out), out);
}

bool of_flow_mod_length_fits(const struct of_flow_mod *flow, const struct of_protocol *protocol)
{
    enum { SHORT_IN_ALL_VERSIONS = 8 << 10 };
    struct buffer message = BUFFER_INIT;

    if (flow->actions.size < SHORT_IN_ALL_VERSIONS)
        return true;
    encode(flow, protocol, 0, &message);
    bool fits = message.size <= UINT16_MAX;
    buffer_fini(&message);
    return fits;
}

static bool actions_fit(const struct of_flow_mod *flow, enum of_version version)
{
    struct ofa_check check = {.version = version,
                              .table_id = OF_TABLE_ALL,
                              .n_tables = OF_TABLE_ALL,
                              .max_ports = OFPP_MAX};
    struct buffer copy = BUFFER_INIT;
    bool fits;

    if (!ofa_flow_fits(of_flow_mod_actions(flow), version))
        return false;
    buffer_put(&copy, flow->actions.data, flow->actions.size);
    fits = ofa_check(&copy, &flow->match, &check) == OF_OK;
    buffer_fini(&copy);
    return fits;
}

bool of_flow_mod_fits(const struct of_flow_mod *flow, const struct of_protocol *protocol)
{
    unsigned flags = known_flags(protocol->version);

    if (protocol->version < OF_1_2 && flow->command == OFFC_ADD)
        flags |= OFFF_RESET_COUNTS; /* Goes without saying. */
    if (flow->flags & ~flags || !actions_fit(flow, protocol->version) ||
        !of_flow_mod_length_fits(flow, protocol))
        return false;
    if (protocol->version != OF_1_0)
        return !flow->modify_cookie && of_match_fits(&flow->match, protocol->version);
    if (flow->table_id != OF_TABLE_ALL && !protocol->has_table_id)
        return false;
    if (flow->out_group != (uint32_t)OF_GROUP_ANY)
        return false;
    return protocol->uses_nxm || (!flow->cookie_mask.raw && of_match_fits_of10(&flow->match));
}
