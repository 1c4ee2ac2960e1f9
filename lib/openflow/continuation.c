/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/continuation.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/openflow/action_codec.h"
#include "lib/openflow/properties.h"

enum {
    PAD_BYTES = 4, /* Between the header of a property and actions or properties in it. */
    SEAL_BYTES = 16,
    PLACE_BYTES = 12,
    SEAL_PROPERTY_BYTES = 24,
    N_TABLES = OF_N_TABLES - 1, /* That goto_table may go to. */
};

struct rest_header {
    be64 cookie;
    uint32_t n_bytes; /* Of actions behind. */
    uint8_t table_id;
    uint8_t pad[3];
};

/* Life */

struct of_continuation *of_continuation_create(void)
{
    struct of_continuation *continuation = calloc(1, sizeof *continuation);

    if (!continuation)
        abort();
    atomic_init(&continuation->n_references, 1);
    return continuation;
}

void of_continuation_ref(struct of_continuation *continuation)
{
    atomic_fetch_add_explicit(&continuation->n_references, 1, memory_order_relaxed);
}

void of_continuation_unref(struct of_continuation *continuation)
{
    /* Pairs with the other unrefs: the last one sees what all have done. */
    if (!continuation ||
        atomic_fetch_sub_explicit(&continuation->n_references, 1, memory_order_acq_rel) > 1)
        return;
    buffer_fini(&continuation->stack);
    buffer_fini(&continuation->action_set);
    buffer_fini(&continuation->rests);
    free(continuation);
}

bool of_continuation_add(struct of_continuation *continuation,
                         const struct of_continuation_rest *rest)
{
    struct buffer *rests = &continuation->rests;
    struct rest_header header = {
        .cookie = rest->cookie,
        .n_bytes = (uint32_t)rest->list.n_bytes,
        .table_id = rest->table_id,
    };

    if (!rest->list.n_bytes)
        return true;
    if (rests->size + sizeof header + rest->list.n_bytes > 2 * OF_CONTINUATION_MAX_BYTES)
        return false;
    buffer_put(rests, &header, sizeof header);
    buffer_put(rests, rest->list.first, rest->list.n_bytes);
    return true;
}

bool of_continuation_next(const struct of_continuation *continuation, size_t *at,
                          struct of_continuation_rest *rest)
{
    const uint8_t *bytes;
    const struct rest_header *header;

    if (*at >= continuation->rests.size)
        return false;
    bytes = continuation->rests.data + *at;
    header = (const void *)bytes;
    *rest = (struct of_continuation_rest){
        .cookie = header->cookie,
        .table_id = header->table_id,
        .list = {.first = (const void *)(bytes + sizeof *header), .n_bytes = header->n_bytes},
    };
    *at += sizeof *header + header->n_bytes;
    return true;
}

/* The seal */

void of_seal_init(struct of_seal *seal)
{
    if (getrandom(seal, sizeof *seal, 0) != sizeof *seal)
        abort(); /* So few bytes are never cut short once there are any. */
}

static void compute_seal(const struct of_seal *seal, const uint8_t *bytes, size_t n_bytes,
                         uint8_t result[static SEAL_BYTES])
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (!HMAC(EVP_sha256(), seal->key, sizeof seal->key, bytes, n_bytes, digest, NULL))
        abort();
    memcpy(result, digest, SEAL_BYTES);
}

/* Encoding */

static void put_stack(const struct buffer *stack, struct buffer *out)
{
    const struct of_value *values = (const void *)stack->data;

    for (size_t i = stack->size / sizeof *values; i-- > 0;) {
        size_t n_zeros = 0;

        while (n_zeros < sizeof values[i] - 1 && !values[i].bytes[n_zeros])
            n_zeros++;
        memcpy(of_put_property(NXCPT_STACK, sizeof values[i] - n_zeros, out),
               values[i].bytes + n_zeros, sizeof values[i] - n_zeros);
    }
}

static bool is_apart(const struct ofa *ofa)
{
    return ofa_is_instruction(ofa) || ofa->type == OFA_METER;
}

/* Does Open vSwitch tell whose action it is, as packet_ins say that, or as the table matters? */
static bool needs_place(const struct ofa *ofa)
{
    switch ((enum ofa_type)ofa->type) {
    case OFA_OUTPUT:
    case OFA_OUTPUT_REG:
    case OFA_CONTROLLER:
    case OFA_GROUP:
    case OFA_DEC_TTL:
    case OFA_DEC_MPLS_TTL:
    case OFA_CLONE:
    case OFA_BUNDLE:
    case OFA_ENQUEUE:
        return true;
    case OFA_RESUBMIT:
        return ((const struct ofa_resubmit *)(const void *)ofa)->table_id == OF_TABLE_ALL;
    default:
        return false;
    }
}

/* Where the actions that follow belong, in so far as it was told. */
struct place {
    be64 cookie;
    uint8_t table_id;
};

static bool is_at(const struct of_continuation_rest *rest, const struct place *place)
{
    return place->table_id == rest->table_id && place->cookie.raw == rest->cookie.raw;
}

static void put_true_place(const struct of_continuation_rest *rest, struct place *place,
                           struct buffer *out)
{
    if (is_at(rest, place))
        return;
    uint8_t *body = of_put_property(CONTINUATION_PLACE, PLACE_BYTES, out);
    body[0] = rest->table_id;
    memcpy(body + PAD_BYTES, &rest->cookie, sizeof rest->cookie);
    *place = (struct place){.cookie = rest->cookie, .table_id = rest->table_id};
}

/* What Open vSwitch would tell of it. */
static void put_place(const struct of_continuation_rest *rest, struct place *place,
                      struct buffer *out)
{
    if (place->table_id != rest->table_id)
        *of_put_property(NXCPT_TABLE_ID, 1, out) = rest->table_id;
    if (place->cookie.raw != rest->cookie.raw)
        memcpy(of_put_property(NXCPT_COOKIE, PAD_BYTES + sizeof rest->cookie, out) + PAD_BYTES,
               &rest->cookie, sizeof rest->cookie);
    place->table_id = rest->table_id;
    place->cookie = rest->cookie;
}

/* In OpenFlow 1.0 there are no instructions. */
static enum of_version instructions_version(enum of_version version)
{
    return version == OF_1_0 ? OF_1_3 : version;
}

static void put_apart(const struct ofa *ofa, enum of_version version, struct buffer *out)
{
    const struct ofa_list one = {.first = ofa, .n_bytes = ofa->n_bytes};

    if (ofa->type == OFA_METER) {
        be32_store(of_put_property(CONTINUATION_METER, 4, out),
                   ((const struct ofa_meter *)(const void *)ofa)->meter_id);
        return;
    }
    size_t start = of_begin_property(CONTINUATION_INSTRUCTIONS, out);
    buffer_put_zeros(out, PAD_BYTES);
    ofa_encode_instructions(one, instructions_version(version), out);
    of_end_property(start, out);
}

static void put_actions(uint16_t type, struct ofa_list list, enum of_version version,
                        struct buffer *out)
{
    size_t start = of_begin_property(type, out);

    buffer_put_zeros(out, PAD_BYTES);
    ofa_encode_actions(list, version, out);
    of_end_property(start, out);
}

/* How far does the run of actions that begins with 'first' go?  As in Open vSwitch, a place is told only before
 * the first action that needs it. */
static const struct ofa *end_of_run(const struct ofa *first, const struct ofa *end, bool is_placed)
{
    const struct ofa *ofa = first;

    while (ofa != end && !is_apart(ofa) && (is_placed || !needs_place(ofa)))
        ofa = ofa_next(ofa);
    return ofa;
}

/* 'true_place' is what we have told, 'place' what Open vSwitch would have. */
static void put_rest(const struct of_continuation_rest *rest, struct place *true_place,
                     struct place *place, enum of_version version, struct buffer *out)
{
    const struct ofa *end = ofa_end(rest->list);

    put_true_place(rest, true_place, out);
    for (const struct ofa *ofa = rest->list.first; ofa != end;) {
        if (is_apart(ofa)) {
            put_apart(ofa, version, out);
            ofa = ofa_next(ofa);
            continue;
        }
        if (needs_place(ofa))
            put_place(rest, place, out);
        const struct ofa *next = end_of_run(ofa, end, is_at(rest, place));
        const struct ofa_list run = {
            .first = ofa, .n_bytes = (size_t)((const uint8_t *)next - (const uint8_t *)ofa)};
        put_actions(NXCPT_ACTIONS, run, version, out);
        ofa = next;
    }
}

bool of_continuation_encode(const struct of_continuation *continuation, const struct of_seal *seal,
                            uint32_t dp_port, enum of_version version, struct buffer *out)
{
    size_t start = out->size, at = 0;
    struct place true_place = {.table_id = 0}, place = {.table_id = 0};
    struct of_continuation_rest rest;
    uint8_t proof[SEAL_BYTES];

    buffer_put_zeros(out, PAD_BYTES);
    memcpy(of_put_property(NXCPT_BRIDGE, sizeof seal->bridge, out), seal->bridge,
           sizeof seal->bridge);
    put_stack(&continuation->stack, out);
    while (of_continuation_next(continuation, &at, &rest))
        put_rest(&rest, &true_place, &place, version, out);
    if (continuation->action_set.size)
        put_actions(NXCPT_ACTION_SET, of_continuation_action_set(continuation), version, out);
    be32_store(of_put_property(NXCPT_ODP_PORT, 4, out), dp_port);
    compute_seal(seal, out->data + start, out->size - start, proof);
    memcpy(of_put_property(CONTINUATION_SEAL, SEAL_BYTES, out), proof, SEAL_BYTES);
    if (out->size - start <= OF_CONTINUATION_MAX_BYTES)
        return true;
    out->size = start;
    return false;
}

/* Decoding */

static enum of_error check_goto(struct ofa_list list)
{
    for_each_action (ofa, list) {
        if (ofa->type == OFA_GOTO_TABLE &&
            ((const struct ofa_goto *)(const void *)ofa)->table_id >= N_TABLES)
            return OFPBIC_BAD_TABLE_ID;
    }
    return OF_OK;
}

/* Decodes a list of actions, instructions or one meter, to be added to 'rests'. */
static enum of_error decode_rest(const struct of_property *property, enum of_version version,
                                 const struct place *place, struct of_continuation *continuation)
{
    struct buffer list = BUFFER_INIT;
    enum of_error error;

    if (property->n_bytes < PAD_BYTES)
        return OFPBPC_BAD_LEN;
    if (property->type == CONTINUATION_METER) {
        ((struct ofa_meter *)(void *)ofa_put(&list, OFA_METER))->meter_id =
            wire_u32(property->body);
        error = OF_OK;
    } else if (property->type == NXCPT_ACTIONS) {
        error = ofa_decode_actions(property->body + PAD_BYTES, property->n_bytes - PAD_BYTES,
                                   version, &list);
    } else {
        error = ofa_decode_instructions(property->body + PAD_BYTES, property->n_bytes - PAD_BYTES,
                                        instructions_version(version), &list);
    }
    struct of_continuation_rest rest = {
        .cookie = place->cookie,
        .table_id = place->table_id,
        .list = {.first = (const void *)list.data, .n_bytes = list.size},
    };
    if (!error)
        error = check_goto(rest.list);
    if (!error && !of_continuation_add(continuation, &rest))
        error = OFPBAC_TOO_MANY;
    buffer_fini(&list);
    return error;
}

/* The top of the stack comes first, so each value goes below those before it. */
static enum of_error decode_stack(const struct of_property *property, struct buffer *stack)
{
    struct of_value value = {.bytes = {0}};

    if (!property->n_bytes || property->n_bytes > sizeof value)
        return OFPBPC_BAD_LEN;
    if (stack->size >= OF_CONTINUATION_MAX_STACK * sizeof value)
        return OFPBPC_BAD_VALUE;
    memcpy(value.bytes + sizeof value - property->n_bytes, property->body, property->n_bytes);
    buffer_put(stack, &value, sizeof value);
    return OF_OK;
}

static void turn_around(struct buffer *stack)
{
    struct of_value *values = (void *)stack->data;
    size_t n = stack->size / sizeof *values;

    for (size_t i = 0; i < n / 2; i++) {
        struct of_value value = values[i];

        values[i] = values[n - 1 - i];
        values[n - 1 - i] = value;
    }
}

static enum of_error decode_property(const struct of_property *property, enum of_version version,
                                     struct place *place, struct of_continuation *continuation)
{
    switch (property->type) {
    case NXCPT_BRIDGE:
    case NXCPT_ODP_PORT: /* The frame's in_port says which port it is. */
    case NXCPT_TABLE_ID:
    case NXCPT_COOKIE:
    case CONTINUATION_SEAL:
        return OF_OK;
    case NXCPT_STACK:
        return decode_stack(property, &continuation->stack);
    case CONTINUATION_PLACE:
        if (property->n_bytes != PLACE_BYTES)
            return OFPBPC_BAD_LEN;
        place->table_id = property->body[0];
        place->cookie = be64_load(property->body + PAD_BYTES);
        return OF_OK;
    case NXCPT_ACTION_SET:
        if (property->n_bytes < PAD_BYTES)
            return OFPBPC_BAD_LEN;
        buffer_clear(&continuation->action_set);
        return ofa_decode_actions(property->body + PAD_BYTES, property->n_bytes - PAD_BYTES,
                                  version, &continuation->action_set);
    case NXCPT_ACTIONS:
    case CONTINUATION_INSTRUCTIONS:
    case CONTINUATION_METER:
        return decode_rest(property, version, place, continuation);
    default:
        return of_unknown_property(property);
    }
}

static enum of_error decode_properties(struct wire wire, enum of_version version,
                                       struct of_continuation *continuation)
{
    struct place place = {.table_id = 0};

    while (wire.left) {
        struct of_property property;
        enum of_error error = of_take_property(&wire, &property);

        if (!error)
            error = decode_property(&property, version, &place, continuation);
        if (error)
            return error;
    }
    turn_around(&continuation->stack);
    return OF_OK;
}

static bool is_ours(const uint8_t *bytes, size_t n_bytes, const struct of_seal *seal)
{
    const uint8_t *property;
    uint8_t proof[SEAL_BYTES];

    if (n_bytes < PAD_BYTES + SEAL_PROPERTY_BYTES)
        return false;
    property = bytes + n_bytes - SEAL_PROPERTY_BYTES;
    if (wire_u16(property) != CONTINUATION_SEAL || wire_u16(property + 2) != 4 + SEAL_BYTES)
        return false;
    compute_seal(seal, bytes, n_bytes - SEAL_PROPERTY_BYTES, proof);
    return !CRYPTO_memcmp(property + 4, proof, SEAL_BYTES);
}

enum of_error of_continuation_parse(const uint8_t *bytes, size_t n_bytes, enum of_version version,
                                    struct of_continuation **result)
{
    struct of_continuation *continuation;
    enum of_error error;

    if (n_bytes < PAD_BYTES)
        return OFPBPC_BAD_LEN;
    continuation = of_continuation_create();
    error = decode_properties(wire_init(bytes + PAD_BYTES, n_bytes - PAD_BYTES), version,
                              continuation);
    if (error)
        of_continuation_unref(continuation);
    else
        *result = continuation;
    return error;
}

enum of_error of_continuation_decode(const uint8_t *bytes, size_t n_bytes,
                                     const struct of_seal *seal, enum of_version version,
                                     struct of_continuation **result)
{
    if (!is_ours(bytes, n_bytes, seal))
        return NXR_STALE;
    return of_continuation_parse(bytes, n_bytes, version, result);
}
