/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow 1.0 section 5.2.1, 1.3.5 section 7.2.1, 1.4 section 7.2.1: the same facts in three layouts,
 * the last with properties. */

#include "lib/openflow/ports.h"

#include <string.h>

#include "lib/buffer.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/properties.h"

enum { PORT10_BYTES = 48, PORT11_BYTES = 64, PORT14_BYTES = 40, NAME_BYTES = 16 };
enum { PROPERTY_ETHERNET = 0, ETHERNET_BYTES = 32, MOD_ETHERNET_BYTES = 8 };
enum { CONFIG11_KNOWN = OFPPC_PORT_DOWN | OFPPC_NO_RECV | OFPPC_NO_FWD | OFPPC_NO_PACKET_IN };

/* The features of 1.0: seven speeds, then medium and pause where later versions have more
 * speeds. */
enum { SPEEDS10 = 0x7f, MEDIUM = 0xf800, MEDIUM10_SHIFT = 4 };

static uint32_t features_to_10(uint32_t features)
{
    return (features & SPEEDS10) | (features & MEDIUM) >> MEDIUM10_SHIFT;
}

static uint32_t features_from_10(uint32_t wire)
{
    return (wire & SPEEDS10) | (wire << MEDIUM10_SHIFT & MEDIUM);
}

static void put_name(const struct of_port_info *port, uint8_t *to)
{
    memcpy(to, port->name, strnlen(port->name, NAME_BYTES - 1));
}

static void encode10(const struct of_port_info *port, uint8_t *to)
{
    be16_store(to, port->port);
    memcpy(to + 2, &port->mac, 6);
    put_name(port, to + 8);
    be32_store(to + 24, port->config);
    be32_store(to + 28, port->state & OFPPS_LINK_DOWN);
    be32_store(to + 32, features_to_10(port->current));
    be32_store(to + 36, features_to_10(port->advertised));
    be32_store(to + 40, features_to_10(port->supported));
    be32_store(to + 44, features_to_10(port->peer));
}

/* Port number to state: what 1.1's and 1.4's layouts have in common, with the length between them. */
static void encode_head11(const struct of_port_info *port, uint8_t *to)
{
    be32_store(to, of_port_to_wire32(port->port));
    memcpy(to + 8, &port->mac, 6);
    put_name(port, to + 16);
    be32_store(to + 32, port->config & CONFIG11_KNOWN);
    be32_store(to + 36, port->state);
}

static void encode_features11(const struct of_port_info *port, uint8_t *to)
{
    be32_store(to, port->current);
    be32_store(to + 4, port->advertised);
    be32_store(to + 8, port->supported);
    be32_store(to + 12, port->peer);
    be32_store(to + 16, port->current_speed_kbps);
    be32_store(to + 20, port->max_speed_kbps);
}

void of_encode_port_info(const struct of_port_info *port, enum of_version version,
                         struct buffer *out)
{
    uint8_t *to;

    if (version == OF_1_0) {
        encode10(port, buffer_put_zeros(out, PORT10_BYTES));
    } else if (version < OF_1_4) {
        to = buffer_put_zeros(out, PORT11_BYTES);
        encode_head11(port, to);
        encode_features11(port, to + PORT14_BYTES);
    } else {
        to = buffer_put_zeros(out, PORT14_BYTES + ETHERNET_BYTES);
        encode_head11(port, to);
        be16_store(to + 4, PORT14_BYTES + ETHERNET_BYTES);
        be16_store(to + PORT14_BYTES, PROPERTY_ETHERNET);
        be16_store(to + PORT14_BYTES + 2, ETHERNET_BYTES);
        encode_features11(port, to + PORT14_BYTES + 8);
    }
}

static void decode10(const uint8_t *from, struct of_port_info *port)
{
    port->port = wire_u16(from);
    memcpy(&port->mac, from + 2, 6);
    memcpy(port->name, from + 8, NAME_BYTES - 1); /* The last one has to be 0. */
    port->config = wire_u32(from + 24);
    port->state = wire_u32(from + 28) & OFPPS_LINK_DOWN;
    port->current = features_from_10(wire_u32(from + 32));
    port->advertised = features_from_10(wire_u32(from + 36));
    port->supported = features_from_10(wire_u32(from + 40));
    port->peer = features_from_10(wire_u32(from + 44));
}

static bool decode_head11(const uint8_t *from, struct of_port_info *port)
{
    memcpy(&port->mac, from + 8, 6);
    memcpy(port->name, from + 16, NAME_BYTES - 1);
    port->config = wire_u32(from + 32) & CONFIG11_KNOWN;
    port->state = wire_u32(from + 36);
    return of_port_from_wire32(wire_u32(from), &port->port);
}

static void decode_features11(const uint8_t *from, struct of_port_info *port)
{
    port->current = wire_u32(from);
    port->advertised = wire_u32(from + 4);
    port->supported = wire_u32(from + 8);
    port->peer = wire_u32(from + 12);
    port->current_speed_kbps = wire_u32(from + 16);
    port->max_speed_kbps = wire_u32(from + 20);
}

static bool decode14(struct wire *wire, struct of_port_info *port)
{
    const uint8_t *from = wire->left >= PORT14_BYTES ? wire->next : NULL;
    size_t n_bytes = from ? wire_u16(from + 4) : 0;
    struct of_property property;

    if (n_bytes < PORT14_BYTES || !wire_take(wire, n_bytes) || !decode_head11(from, port))
        return false;
    struct wire properties = wire_init(from + PORT14_BYTES, n_bytes - PORT14_BYTES);
    while (properties.left) {
        if (of_take_property(&properties, &property))
            return false;
        if (property.type == PROPERTY_ETHERNET) {
            if (property.n_bytes != ETHERNET_BYTES - 4)
                return false;
            decode_features11(property.body + 4, port);
        }
    }
    return true;
}

bool of_decode_port_info(struct wire *wire, enum of_version version, struct of_port_info *port)
{
    const uint8_t *from;

    memset(port, 0, sizeof *port);
    if (version >= OF_1_4)
        return decode14(wire, port);
    from = wire_take(wire, version == OF_1_0 ? PORT10_BYTES : PORT11_BYTES);
    if (!from)
        return false;
    if (version == OF_1_0) {
        decode10(from, port);
        return true;
    }
    decode_features11(from + PORT14_BYTES, port);
    return decode_head11(from, port);
}

enum of_error of_decode_port_status(const struct of_message *message, uint8_t *reason,
                                    struct of_port_info *port)
{
    struct wire wire = wire_init(message->body, message->body_bytes);
    const uint8_t *head = wire_take(&wire, 8);

    *reason = head[0];
    if (*reason > OFPPR_MODIFY)
        return NXBRC_BAD_REASON;
    return of_decode_port_info(&wire, message->version, port) ? OF_OK : OFPBRC_BAD_PORT;
}

void of_encode_port_status(const struct of_port_info *port, enum of_port_reason reason,
                           enum of_version version, struct buffer *out)
{
    size_t start = of_begin_message(OF_PORT_STATUS, OF_FORM_STANDARD, version, 0, out);

    *(uint8_t *)buffer_put_zeros(out, 8) = (uint8_t)reason;
    of_encode_port_info(port, version, out);
    of_finish_message(start, out);
}

static enum of_error decode_mod_properties(struct wire wire, struct of_port_mod *mod)
{
    struct of_property property;

    while (wire.left) {
        enum of_error error = of_take_property(&wire, &property);

        if (error)
            return error;
        if (property.type != PROPERTY_ETHERNET)
            return of_unknown_property(&property);
        if (property.n_bytes != MOD_ETHERNET_BYTES - 4)
            return OFPBPC_BAD_LEN;
        mod->advertise = wire_u32(property.body);
    }
    return OF_OK;
}

enum of_error of_decode_port_mod(const struct of_message *message, struct of_port_mod *mod)
{
    const uint8_t *body = message->body;
    bool is_10 = message->version == OF_1_0;
    enum of_error error = OF_OK;

    memset(mod, 0, sizeof *mod);
    if (is_10)
        mod->port = wire_u16(body);
    else if (!of_port_from_wire32(wire_u32(body), &mod->port))
        return OFPBAC_BAD_OUT_PORT; /* As Open vSwitch. */
    memcpy(&mod->mac, body + (is_10 ? 2 : 8), 6);
    const uint8_t *words = body + (is_10 ? 8 : 16);
    mod->config = wire_u32(words);
    mod->mask = wire_u32(words + 4);
    if (is_10)
        mod->advertise = features_from_10(wire_u32(words + 8));
    else if (message->version < OF_1_4)
        mod->advertise = wire_u32(words + 8);
    else
        error = decode_mod_properties(wire_init(body + 24, message->body_bytes - 24), mod);
    if (error)
        return error;
    if (!is_10 && (mod->config | mod->mask) & ~(uint32_t)CONFIG11_KNOWN)
        return OFPPMFC_BAD_CONFIG;
    mod->config &= mod->mask;
    return OF_OK;
}

void of_encode_port_mod(const struct of_port_mod *mod, enum of_version version, uint32_t xid,
                        struct buffer *out)
{
    size_t start = of_begin_message(OF_PORT_MOD, OF_FORM_STANDARD, version, xid, out);
    bool is_10 = version == OF_1_0, has_properties = version >= OF_1_4;
    uint8_t *body = buffer_put_zeros(out, is_10 || has_properties ? 24 : 32);
    uint8_t *words = body + (is_10 ? 8 : 16);

    if (is_10)
        be16_store(body, mod->port);
    else
        be32_store(body, of_port_to_wire32(mod->port));
    memcpy(body + (is_10 ? 2 : 8), &mod->mac, 6);
    be32_store(words, mod->config & mod->mask);
    be32_store(words + 4, mod->mask);
    if (!has_properties)
        be32_store(words + 8, is_10 ? features_to_10(mod->advertise) : mod->advertise);
    else if (mod->advertise)
        be32_store(of_put_property(PROPERTY_ETHERNET, 4, out), mod->advertise);
    of_finish_message(start, out);
}
