/* SPDX-License-Identifier: Apache-2.0 */

/* The wire forms are Nicira's.  A property of encap() is 2 bytes of class, one of type, one of length
 * (of all of it), its value, and padding to 8 bytes. */

#include "lib/openflow/action_encap.h"

#include <errno.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_wire.h"
#include "lib/openflow/match_codec.h"

enum { PROPERTY_CLASS_NSH = 4, PROPERTY_MD_TYPE = 1, PROPERTY_TLV = 2, PROPERTY_HEADER_BYTES = 4 };
enum { TLV_HEADER_BYTES = 4, TLV_MAX_BYTES = 124 };
enum { PACKET_TYPE_ETHERNET = 0, PACKET_TYPE_ETHER_TYPE = 1 << 16 };

static const struct {
    const char *name;
    uint32_t packet_type;
} headers[] = {
    {"ethernet", PACKET_TYPE_ETHERNET},
    {"nsh", PACKET_TYPE_ETHER_TYPE | ETH_TYPE_NSH},
    {"mpls", PACKET_TYPE_ETHER_TYPE | ETH_TYPE_MPLS},
    {"mpls_mc", PACKET_TYPE_ETHER_TYPE | ETH_TYPE_MPLS_MULTICAST},
};

static const char *header_name(uint32_t packet_type)
{
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        if (headers[i].packet_type == packet_type)
            return headers[i].name;
    }
    return NULL;
}

bool ofa_encap_header_by_name(const char *name, uint32_t *packet_type)
{
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        if (!strcmp(headers[i].name, name)) {
            *packet_type = headers[i].packet_type;
            return true;
        }
    }
    return false;
}

/* Decoding. */

/* Appends the property at the start of 'wire' to an encap(), its padding as zeros. */
static enum of_error take_property(struct wire *wire, struct buffer *properties)
{
    uint8_t *copy;

    if (wire->left < PROPERTY_HEADER_BYTES)
        return OFPBAC_BAD_LEN;
    unsigned length = wire->next[3];
    const uint8_t *property = wire_take(wire, wire_round_up_8(length));
    if (length < PROPERTY_HEADER_BYTES || !property)
        return OFPBAC_BAD_LEN;
    if (wire_u16(property) != PROPERTY_CLASS_NSH)
        return NXBAC_UNKNOWN_ED_PROP;
    switch (property[2]) {
    case PROPERTY_MD_TYPE:
        if (length > 8)
            return NXBAC_BAD_ED_PROP;
        copy = buffer_put_zeros(properties, 8);
        memcpy(copy, property, PROPERTY_HEADER_BYTES + 1);
        copy[3] = PROPERTY_HEADER_BYTES + 1;
        return OF_OK;
    case PROPERTY_TLV: {
        size_t n_value = length >= 8 ? property[7] : 0, n_used = 8 + n_value;
        if (length < 8 || n_value > TLV_MAX_BYTES || wire_round_up_8(n_used) != length)
            return NXBAC_BAD_ED_PROP;
        copy = buffer_put_zeros(properties, length);
        memcpy(copy, property, n_used);
        return OF_OK;
    }
    default:
        return NXBAC_UNKNOWN_ED_PROP;
    }
}

void ofa_put_encap(uint32_t packet_type, const struct buffer *properties, struct buffer *list)
{
    struct ofa_encap *encap = (struct ofa_encap *)(void *)ofa_put_longer(list, OFA_ENCAP,
                                                                         properties->size);

    encap->packet_type = packet_type;
    encap->n_properties_bytes = (uint16_t)properties->size;
    if (properties->size)
        memcpy(encap->properties, properties->data, properties->size);
}

enum of_error ofa_decode_encap(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    struct wire wire = wire_init(body + 6, n_bytes - 6);
    struct buffer properties = BUFFER_INIT;
    uint32_t packet_type = wire_u32(body + 2);
    enum of_error error = header_name(packet_type) ? OF_OK : NXBAC_BAD_HEADER_TYPE;

    while (!error && wire.left)
        error = take_property(&wire, &properties);
    if (!error)
        ofa_put_encap(packet_type, &properties, list);
    buffer_fini(&properties);
    return error;
}

enum of_error ofa_decode_decap(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    ((struct ofa_decap *)(void *)ofa_put(list, OFA_DECAP))->packet_type = wire_u32(body + 2);
    return OF_OK;
}

enum of_error ofa_decode_dec_nsh_ttl(const uint8_t *body UNUSED, size_t n_bytes UNUSED,
                                     struct buffer *list)
{
    ofa_put(list, OFA_DEC_NSH_TTL);
    return OF_OK;
}

enum of_error ofa_decode_delete_field(const uint8_t *body, size_t n_bytes UNUSED,
                                      struct buffer *list)
{
    const struct of_field *field = of_field_by_header(wire_u32(body));

    if (!field)
        return OFPBAC_BAD_SET_TYPE;
    if (!of_field_has_place(field))
        return NXFMFC_INVALID_TLV_FIELD;
    ((struct ofa_delete_field *)(void *)ofa_put(list, OFA_DELETE_FIELD))->field =
        (uint16_t)field->id;
    return OF_OK;
}

static enum of_error decode_sample(enum ofa_sample_form form, const uint8_t *body,
                                   struct buffer *list)
{
    struct ofa_sample *sample = (struct ofa_sample *)(void *)ofa_put(list, OFA_SAMPLE);
    unsigned padding_at = form == OFA_SAMPLE2 ? 16 : 17;

    sample->ofa.form = (uint8_t)form;
    sample->probability = wire_u16(body);
    sample->collector_set_id = wire_u32(body + 2);
    sample->domain_id = wire_u32(body + 6);
    sample->point_id = wire_u32(body + 10);
    sample->port = form == OFA_SAMPLE1 ? OFPP_NONE : wire_u16(body + 14);
    sample->direction = form == OFA_SAMPLE3 ? body[16] : OFA_SAMPLE_DEFAULT;
    if (form == OFA_SAMPLE3 && !wire_is_zero(body + padding_at, 22 - padding_at))
        return NXBRC_MUST_BE_ZERO;
    if (!sample->probability || sample->direction > OFA_SAMPLE_EGRESS)
        return OFPBAC_BAD_ARGUMENT;
    return OF_OK;
}

enum of_error ofa_decode_sample(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    return decode_sample(OFA_SAMPLE1, body, list);
}

enum of_error ofa_decode_sample2(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    return decode_sample(OFA_SAMPLE2, body, list);
}

enum of_error ofa_decode_sample3(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    return decode_sample(OFA_SAMPLE3, body, list);
}

/* Encoding. */

static uint8_t *begin(uint16_t subtype, size_t n_bytes, struct buffer *out)
{
    uint8_t *action = buffer_put_zeros(out, n_bytes);

    be16_store(action, OFPAT_VENDOR);
    be16_store(action + 2, (uint16_t)n_bytes);
    be32_store(action + 4, NX_ACTION_VENDOR);
    be16_store(action + 8, subtype);
    return action + NX_ACTION_HEADER_BYTES;
}

static void encode_sample(const struct ofa_sample *sample, struct buffer *out)
{
    static const uint16_t subtypes[] = {
        [OFA_SAMPLE1] = NXAST_SAMPLE,
        [OFA_SAMPLE2] = NXAST_SAMPLE2,
        [OFA_SAMPLE3] = NXAST_SAMPLE3,
    };
    uint8_t *body = begin(subtypes[sample->ofa.form], sample->ofa.form == OFA_SAMPLE1 ? 24 : 32,
                          out);

    be16_store(body, sample->probability);
    be32_store(body + 2, sample->collector_set_id);
    be32_store(body + 6, sample->domain_id);
    be32_store(body + 10, sample->point_id);
    if (sample->ofa.form != OFA_SAMPLE1)
        be16_store(body + 14, sample->port);
    if (sample->ofa.form == OFA_SAMPLE3)
        body[16] = sample->direction;
}

void ofa_encode_encap(const struct ofa *ofa, enum of_version version, struct buffer *out)
{
    const void *action = ofa;
    const struct ofa_encap *encap = action;
    const struct of_field *field;

    switch ((enum ofa_type)ofa->type) {
    case OFA_SAMPLE:
        encode_sample(action, out);
        break;
    case OFA_ENCAP:
        if (version >= OF_1_3) {
            be32_store(begin(NXAST_ENCAP, 16U + encap->n_properties_bytes, out) + 2,
                       encap->packet_type);
            memcpy(out->data + out->size - encap->n_properties_bytes, encap->properties,
                   encap->n_properties_bytes);
        }
        break;
    case OFA_DECAP:
        if (version >= OF_1_3)
            be32_store(begin(NXAST_DECAP, 16, out) + 2,
                       ((const struct ofa_decap *)action)->packet_type);
        break;
    case OFA_DEC_NSH_TTL:
        if (version >= OF_1_3)
            begin(NXAST_DEC_NSH_TTL, 16, out);
        break;
    case OFA_DELETE_FIELD:
        field = of_field((enum of_field_id)((const struct ofa_delete_field *)action)->field);
        be32_store(begin(NXAST_DELETE_FIELD, 24, out), of_field_header(field, version));
        break;
    default:
        break;
    }
}

/* Printing. */

static void format_property(const uint8_t *property, struct buffer *out)
{
    if (property[2] == PROPERTY_MD_TYPE) {
        buffer_printf(out, "md_type=%u", property[4]);
        return;
    }
    buffer_printf(out, "tlv(0x%04x,%u,0x", wire_u16(property + 4), property[6]);
    for (size_t i = 0; i < property[7]; i++)
        buffer_printf(out, "%02x", property[8 + i]);
    buffer_putc(out, ')');
}

static void format_encap(const struct ofa_encap *encap, struct buffer *out)
{
    const uint8_t *property = encap->properties, *end = property + encap->n_properties_bytes;

    buffer_printf(out, "encap(%s", header_name(encap->packet_type));
    for (; property < end; property += wire_round_up_8(property[3])) {
        buffer_putc(out, property == encap->properties ? '(' : ',');
        format_property(property, out);
    }
    buffer_puts(out, encap->n_properties_bytes ? "))" : ")");
}

static void format_sample(const struct ofa_sample *sample, const struct of_names *names,
                          struct buffer *out)
{
    buffer_printf(out, "sample(probability=%u,collector_set_id=%u,obs_domain_id=%u,obs_point_id=%u",
                  sample->probability, sample->collector_set_id, sample->domain_id,
                  sample->point_id);
    if (sample->port != OFPP_NONE) {
        buffer_puts(out, ",sampling_port=");
        of_port_format(sample->port, names, out);
    }
    if (sample->direction != OFA_SAMPLE_DEFAULT)
        buffer_puts(out, sample->direction == OFA_SAMPLE_INGRESS ? ",ingress" : ",egress");
    buffer_putc(out, ')');
}

void ofa_format_encap(const struct ofa *ofa, const struct of_names *names, struct buffer *out)
{
    const void *action = ofa;
    uint32_t packet_type;

    switch ((enum ofa_type)ofa->type) {
    case OFA_SAMPLE:
        format_sample(action, names, out);
        break;
    case OFA_ENCAP:
        format_encap(action, out);
        break;
    case OFA_DECAP:
        packet_type = ((const struct ofa_decap *)action)->packet_type;
        buffer_puts(out, "decap(");
        if (packet_type != OFA_DECAP_NEXT)
            buffer_printf(out,
                          packet_type & 0xffff ? "packet_type(ns=%u,type=0x%x)"
                                               : "packet_type(ns=%u,type=%x)",
                          packet_type >> 16, packet_type & 0xffff);
        buffer_putc(out, ')');
        break;
    case OFA_DEC_NSH_TTL:
        buffer_puts(out, "dec_nsh_ttl");
        break;
    case OFA_DELETE_FIELD:
        buffer_printf(
            out, "delete_field:%s",
            of_field((enum of_field_id)((const struct ofa_delete_field *)action)->field)->name);
        break;
    default:
        break;
    }
}
