/* SPDX-License-Identifier: Apache-2.0 */

/* NXM and OXM: entries of a 32-bit header, a value and perhaps a mask (OpenFlow 1.3.5, section
 * 7.2.3).  Both header families are understood in every version; which one is written depends on
 * it. */

#include "lib/openflow/match_codec.h"

#include <string.h>

#include "lib/openflow/fields.h"
#include "lib/openflow/match_entry.h"
#include "lib/openflow/wire.h"

uint32_t of_port_to_wire32(of_port port)
{
    return port < OFPP_MAX ? port : UINT32_C(0xffff0000) | port;
}

bool of_port_from_wire32(uint32_t wire, of_port *port)
{
    if (wire >= OFPP_MAX && wire < (UINT32_C(0xffff0000) | OFPP_MAX))
        return false;
    *port = (of_port)wire;
    return true;
}

/* One entry, cut from the wire. */
struct entry {
    const struct of_field *field; /* NULL: unknown, or the cookie. */
    bool is_cookie;
    bool has_mask;
    const uint8_t *value; /* n_bytes of it, then n_bytes of mask if there is one. */
    size_t n_bytes;
};

/* Has the value bits that the mask behind it does not have?  Of an odd length the last byte is nobody's. */
static bool exceeds_mask(const uint8_t *value, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        if (value[i] & ~value[n_bytes + i])
            return true;
    }
    return false;
}

/* A field of another length than ours is none that we know. */
static enum of_error take_entry(struct wire *wire, struct entry *entry)
{
    const uint8_t *start = wire_take(wire, 4);

    if (!start)
        return OFPBMC_BAD_LEN;
    uint32_t header = wire_u32(start);
    const uint8_t *bytes = wire_take(wire, header & LENGTH_MASK);
    if (!bytes)
        return OFPBMC_BAD_LEN;

    struct wire payload = wire_init(bytes, header & LENGTH_MASK);
    bool is_experimenter = header >> 16 == OXM_CLASS_EXPERIMENTER;
    const uint8_t *experimenter = is_experimenter ? wire_take(&payload, 4) : NULL;
    if (is_experimenter && !experimenter)
        return OFPBMC_BAD_LEN;
    *entry = (struct entry){.has_mask = header & HAS_MASK, .value = payload.next};
    entry->n_bytes = payload.left / (entry->has_mask ? 2 : 1);
    uint32_t plain = (header & ~(uint32_t)(HAS_MASK | LENGTH_MASK)) | (uint32_t)entry->n_bytes;
    if (experimenter) {
        entry->field = of_field_by_experimenter(wire_u32(experimenter), header >> 9 & 0x7f);
    } else {
        entry->is_cookie = plain == COOKIE_HEADER;
        entry->field = of_field_option_by_header(plain);
        if (!entry->field)
            entry->field = of_field_by_header(plain);
    }
    if (entry->has_mask && exceeds_mask(entry->value, entry->n_bytes))
        return OFPBMC_BAD_WILDCARDS;
    bool is_option = entry->field && of_field_is_option(entry->field);
    if (entry->field && !is_option &&
        payload.left != entry->field->n_bytes * (entry->has_mask ? 2U : 1U))
        entry->field = NULL;
    return OF_OK;
}

/* An option's value may be shorter or longer than ours, if only zeros are too many. */
static bool copy_value(const uint8_t *from, size_t n_bytes, struct of_value *to)
{
    size_t n_kept = n_bytes < sizeof to->bytes ? n_bytes : sizeof to->bytes;

    memset(to, 0, sizeof *to);
    memcpy(to->bytes + sizeof to->bytes - n_kept, from + n_bytes - n_kept, n_kept);
    return wire_is_zero(from, n_bytes - n_kept);
}

static enum of_error read_mask(const struct entry *entry, const struct of_value *value,
                               struct of_value *mask)
{
    const struct of_field *field = entry->field;

    of_value_all_ones(field, mask);
    if (!entry->has_mask)
        return OF_OK;

    struct of_value sent = {.bytes = {0}};
    if (of_field_is_option(field))
        copy_value(entry->value + entry->n_bytes, entry->n_bytes, &sent);
    else
        memcpy(sent.bytes, entry->value + entry->n_bytes, entry->n_bytes);
    for (size_t i = 0; i < field->n_bytes; i++) {
        if (value->bytes[i] & ~sent.bytes[i])
            return OFPBMC_BAD_WILDCARDS;
        mask->bytes[i] &= sent.bytes[i];
    }
    if (field->mask_rule == MASK_NONE && !of_value_is_all_ones(field, mask))
        return OFPBMC_BAD_MASK;
    return OF_OK;
}

/* A frame without an Ethernet header has nothing of what follows it in the key, either. */
static bool is_beside_packet_type(const struct of_field *field, const struct match *match)
{
    return match->flow.packet_type.raw && field->offset >= offsetof(struct flow, key.eth_dst) &&
           field->offset < sizeof(struct flow_key);
}

static enum of_error decode_field(const struct entry *entry, struct match *match)
{
    const struct of_field *field = entry->field;
    struct of_value value = {.bytes = {0}}, mask;

    if (!of_field_has_place(field))
        return NXFMFC_INVALID_TLV_FIELD;
    if (!of_field_is_option(field))
        memcpy(value.bytes, entry->value, entry->n_bytes);
    else if (!copy_value(entry->value, entry->n_bytes, &value) || !of_value_is_valid(field, &value))
        return OFPBMC_BAD_LEN;
    enum of_error error = read_mask(entry, &value, &mask);
    if (error)
        return error;
    if (!of_value_is_valid(field, &value))
        return OFPBMC_BAD_VALUE;
    if (!of_field_match_allows(field, match) || is_beside_packet_type(field, match))
        return OFPBMC_BAD_PREREQ;
    if (of_field_is_matched(field, match))
        return OFPBMC_DUP_FIELD;
    if (field->id == FIELD_PACKET_TYPE && !of_value_u64(field, &value))
        return OF_OK; /* Ethernet: each frame. */
    of_field_set_masked(field, &value, &mask, &match->flow);
    of_field_add_mask(field, &mask, &match->mask);
    return OF_OK;
}

static enum of_error decode_cookie(const struct entry *entry, be64 *cookie, be64 *cookie_mask)
{
    if (!cookie)
        return OFPBMC_BAD_FIELD;
    if (cookie_mask->raw)
        return OFPBMC_DUP_FIELD;
    *cookie = be64_load(entry->value);
    *cookie_mask = entry->has_mask ? be64_load(entry->value + 8) : (be64){UINT64_MAX};
    cookie->raw &= cookie_mask->raw;
    return OF_OK;
}

static enum of_error decode_entries(struct wire wire, bool skip_unknown, struct match *match,
                                    be64 *cookie, be64 *cookie_mask)
{
    struct entry entry;

    match_init_any(match);
    while (wire.left) {
        enum of_error error = take_entry(&wire, &entry);
        if (!error && entry.is_cookie)
            error = decode_cookie(&entry, cookie, cookie_mask);
        else if (!error && entry.field)
            error = decode_field(&entry, match);
        else if (!error && !skip_unknown)
            error = OFPBMC_BAD_FIELD;
        if (error)
            return error;
    }
    return OF_OK;
}

enum of_error of_match_decode_nxm(const void *wire, size_t n_bytes, struct match *match,
                                  be64 *cookie, be64 *cookie_mask)
{
    if (cookie)
        cookie->raw = cookie_mask->raw = 0;
    return decode_entries(wire_init(wire, n_bytes), false, match, cookie, cookie_mask);
}

enum of_error of_match_decode_nxm_loose(const void *wire, size_t n_bytes, struct match *match)
{
    return decode_entries(wire_init(wire, n_bytes), true, match, NULL, NULL);
}

static enum of_error decode_match(const void *wire, size_t n_bytes, bool skip_unknown,
                                  struct match *match, size_t *n_used)
{
    const uint8_t *bytes = wire;

    if (n_bytes < 4)
        return OFPBMC_BAD_LEN;
    size_t length = wire_u16(bytes + 2);
    *n_used = wire_round_up_8(length);
    if (wire_u16(bytes) == OFPMT_STANDARD)
        return length == OF11_MATCH_BYTES && length <= n_bytes ? of_match_decode_of11(wire, match)
                                                               : OFPBMC_BAD_LEN;
    if (wire_u16(bytes) != OFPMT_OXM)
        return OFPBMC_BAD_TYPE;
    if (length < 4 || *n_used > n_bytes)
        return OFPBMC_BAD_LEN;
    return decode_entries(wire_init(bytes + 4, length - 4), skip_unknown, match, NULL, NULL);
}

enum of_error of_match_decode(const void *wire, size_t n_bytes, struct match *match, size_t *n_used)
{
    return decode_match(wire, n_bytes, false, match, n_used);
}

enum of_error of_match_decode_loose(const void *wire, size_t n_bytes, struct match *match,
                                    size_t *n_used)
{
    return decode_match(wire, n_bytes, true, match, n_used);
}
