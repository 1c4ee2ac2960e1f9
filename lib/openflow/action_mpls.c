/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/action_mpls.h"

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_wire.h"
#include "lib/openflow/wire.h"

static const struct kind {
    uint8_t type; /* enum ofa_type. */
    uint8_t nx_type, of_type;
    uint8_t n_bytes; /* Of the argument. */
    uint32_t max;
    const char *format;
} kinds[] = {
    {OFA_PUSH_MPLS, NXAST_PUSH_MPLS, OFPAT11_PUSH_MPLS, 2, UINT16_MAX, "push_mpls:0x%04x"},
    {OFA_POP_MPLS, NXAST_POP_MPLS, OFPAT11_POP_MPLS, 2, UINT16_MAX, "pop_mpls:0x%04x"},
    {OFA_SET_MPLS_LABEL, NXAST_SET_MPLS_LABEL, OFPAT11_SET_MPLS_LABEL, 4, 0xfffff,
     "set_mpls_label(%u)"},
    {OFA_SET_MPLS_TC, NXAST_SET_MPLS_TC, OFPAT11_SET_MPLS_TC, 1, 7, "set_mpls_tc(%u)"},
    {OFA_SET_MPLS_TTL, NXAST_SET_MPLS_TTL, OFPAT11_SET_MPLS_TTL, 1, UINT8_MAX, "set_mpls_ttl(%u)"},
    {OFA_DEC_MPLS_TTL, NXAST_DEC_MPLS_TTL, OFPAT11_DEC_MPLS_TTL, 0, 0, NULL},
};

static const struct kind *kind_of(uint8_t type)
{
    const struct kind *kind = kinds;

    while (kind->type != type)
        kind++;
    return kind;
}

struct ofa_mpls *ofa_put_mpls(struct buffer *list, enum ofa_type type, uint32_t value)
{
    struct ofa_mpls *mpls = (struct ofa_mpls *)(void *)ofa_put(list, type);

    mpls->value = value;
    return mpls;
}

uint32_t ofa_mpls_max(enum ofa_type type)
{
    return kind_of((uint8_t)type)->max;
}

static enum of_error put_checked(struct buffer *list, enum ofa_type type, uint32_t value)
{
    if (value > ofa_mpls_max(type))
        return OFPBAC_BAD_ARGUMENT;
    ofa_put_mpls(list, type, value);
    return OF_OK;
}

enum of_error ofa_decode_push_mpls(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    uint16_t type = wire_u16(body);

    if (type != ETH_TYPE_MPLS && type != ETH_TYPE_MPLS_MULTICAST)
        return OFPBAC_BAD_ARGUMENT;
    return put_checked(list, OFA_PUSH_MPLS, type);
}

enum of_error ofa_decode_pop_mpls(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    return put_checked(list, OFA_POP_MPLS, wire_u16(body));
}

enum of_error ofa_decode_mpls_label(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    return put_checked(list, OFA_SET_MPLS_LABEL, wire_u32(body));
}

enum of_error ofa_decode_mpls_label_nx(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    return ofa_decode_mpls_label(body + 2, n_bytes - 2, list);
}

enum of_error ofa_decode_mpls_tc(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    return put_checked(list, OFA_SET_MPLS_TC, body[0]);
}

enum of_error ofa_decode_mpls_ttl(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    return put_checked(list, OFA_SET_MPLS_TTL, body[0]);
}

enum of_error ofa_decode_dec_mpls_ttl(const uint8_t *body UNUSED, size_t n_bytes UNUSED,
                                      struct buffer *list)
{
    ofa_put(list, OFA_DEC_MPLS_TTL);
    return OF_OK;
}

static void put_argument(uint8_t *at, uint32_t value, size_t n_bytes)
{
    for (size_t i = n_bytes; i-- > 0; value >>= 8)
        at[i] = (uint8_t)value;
}

void ofa_encode_mpls(const struct ofa *ofa, enum of_version version, struct buffer *out)
{
    const struct kind *kind = kind_of(ofa->type);
    bool is_nx = version == OF_1_0;
    uint16_t n_bytes = is_nx ? 16 : 8;
    uint8_t *action = buffer_put_zeros(out, n_bytes), *argument = action + 4;

    be16_store(action, is_nx ? OFPAT_VENDOR : kind->of_type);
    be16_store(action + 2, n_bytes);
    if (is_nx) {
        be32_store(action + 4, NX_ACTION_VENDOR);
        be16_store(action + 8, kind->nx_type);
        argument = action + NX_ACTION_HEADER_BYTES + (kind->n_bytes == 4 ? 2 : 0);
    }
    if (kind->n_bytes)
        put_argument(argument, ((const struct ofa_mpls *)(const void *)ofa)->value, kind->n_bytes);
}

void ofa_format_mpls(const struct ofa *ofa, struct buffer *out)
{
    switch ((enum ofa_type)ofa->type) {
    case OFA_DEC_MPLS_TTL:
        buffer_puts(out, "dec_mpls_ttl");
        break;
    default:
        buffer_printf(out, kind_of(ofa->type)->format,
                      ((const struct ofa_mpls *)(const void *)ofa)->value);
        break;
    }
}
