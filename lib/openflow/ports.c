/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow 1.0 section 5.2.1, 1.3.5 section 7.2.1: the same facts in two layouts. */

#include "lib/openflow/ports.h"

#include <string.h>

#include "lib/buffer.h"
#include "lib/openflow/match_codec.h"

enum { PORT10_BYTES = 48, PORT13_BYTES = 64, NAME_BYTES = 16 };
enum { CONFIG13_KNOWN = OFPPC_PORT_DOWN | OFPPC_NO_RECV | OFPPC_NO_FWD | OFPPC_NO_PACKET_IN };

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

size_t of_port_info_bytes(enum of_version version)
{
    return version == OF_1_0 ? PORT10_BYTES : PORT13_BYTES;
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

static void encode13(const struct of_port_info *port, uint8_t *to)
{
    be32_store(to, of_port_to_wire32(port->port));
    memcpy(to + 8, &port->mac, 6);
    put_name(port, to + 16);
    be32_store(to + 32, port->config & CONFIG13_KNOWN);
    be32_store(to + 36, port->state);
    be32_store(to + 40, port->current);
    be32_store(to + 44, port->advertised);
    be32_store(to + 48, port->supported);
    be32_store(to + 52, port->peer);
    be32_store(to + 56, port->current_speed_kbps);
    be32_store(to + 60, port->max_speed_kbps);
}

void of_encode_port_info(const struct of_port_info *port, enum of_version version,
                         struct buffer *out)
{
    uint8_t *to = buffer_put_zeros(out, of_port_info_bytes(version));

    if (version == OF_1_0)
        encode10(port, to);
    else
        encode13(port, to);
}

bool of_decode_port_info(struct wire *wire, enum of_version version, struct of_port_info *port)
{
    const uint8_t *from = wire_take(wire, of_port_info_bytes(version));
    const uint8_t *name, *words;

    memset(port, 0, sizeof *port);
    if (!from)
        return false;
    if (version == OF_1_0) {
        port->port = wire_u16(from);
        memcpy(&port->mac, from + 2, 6);
        name = from + 8;
        words = from + 24;
    } else {
        if (!of_port_from_wire32(wire_u32(from), &port->port))
            return false;
        memcpy(&port->mac, from + 8, 6);
        name = from + 16;
        words = from + 32;
        port->current_speed_kbps = wire_u32(from + 56);
        port->max_speed_kbps = wire_u32(from + 60);
    }
    memcpy(port->name, name, NAME_BYTES);
    port->config = wire_u32(words);
    port->state = wire_u32(words + 4);
    uint32_t *features[] = {&port->current, &port->advertised, &port->supported, &port->peer};
    for (size_t i = 0; i < 4; i++) {
        uint32_t bits = wire_u32(words + 8 + 4 * i);
        *features[i] = version == OF_1_0 ? features_from_10(bits) : bits;
    }
    return true;
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

enum of_error of_decode_port_mod(const struct of_message *message, struct of_port_mod *mod)
{
    const uint8_t *body = message->body;
    bool is_10 = message->version == OF_1_0;

    memset(mod, 0, sizeof *mod);
    if (is_10)
        mod->port = wire_u16(body);
    else if (!of_port_from_wire32(wire_u32(body), &mod->port))
        return OFPBAC_BAD_OUT_PORT; /* As Open vSwitch. */
    memcpy(&mod->mac, body + (is_10 ? 2 : 8), 6);
    body += is_10 ? 8 : 16;
    mod->config = wire_u32(body);
    mod->mask = wire_u32(body + 4);
    mod->advertise = is_10 ? features_from_10(wire_u32(body + 8)) : wire_u32(body + 8);
    if (!is_10 && (mod->config | mod->mask) & ~(uint32_t)CONFIG13_KNOWN)
        return OFPPMFC_BAD_CONFIG;
    mod->config &= mod->mask;
    return OF_OK;
}

void of_encode_port_mod(const struct of_port_mod *mod, enum of_version version, uint32_t xid,
                        struct buffer *out)
{
    size_t start = of_begin_message(OF_PORT_MOD, OF_FORM_STANDARD, version, xid, out);
    bool is_10 = version == OF_1_0;
    uint8_t *body = buffer_put_zeros(out, is_10 ? 24 : 32);

    if (is_10)
        be16_store(body, mod->port);
    else
        be32_store(body, of_port_to_wire32(mod->port));
    memcpy(body + (is_10 ? 2 : 8), &mod->mac, 6);
    body += is_10 ? 8 : 16;
    be32_store(body, mod->config & mod->mask);
    be32_store(body + 4, mod->mask);
    be32_store(body + 8, is_10 ? features_to_10(mod->advertise) : mod->advertise);
    of_finish_message(start, out);
}
