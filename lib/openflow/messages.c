/* SPDX-License-Identifier: Apache-2.0 */

/* Identifying a message is a search through its table with what its headers say. */

#include "lib/openflow/messages.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/openflow/message_table.h"

enum { OFPT_ECHO_REPLY = 3, OFPT_VENDOR = 4, OFPST_VENDOR = 0xffff };
enum { NX_VENDOR = 0x00002320, ONF_VENDOR = 0x4f4e4600 };

int of_frame_length(const void *data, size_t n_bytes)
{
    const uint8_t *bytes = data;

    if (n_bytes < sizeof(struct of_header))
        return 0;
    size_t length = wire_u16(bytes + 2);
    if (length < sizeof(struct of_header))
        return -EPROTO;
    return length <= n_bytes ? (int)length : 0;
}

static bool version_is_known(uint8_t version)
{
    return version < 32 && OF_VERSIONS_KNOWN & OF_VERSION_BIT(version);
}

/* What the headers say about the kind. */
struct identity {
    enum of_envelope envelope;
    uint8_t version, type;
    uint32_t subtype;
    uint16_t stats_flags;
};

static bool is_stats_type(const struct identity *id)
{
    return id->version == OF_1_0 ? id->type == 16 || id->type == 17
                                 : id->type == 18 || id->type == 19;
}

/* A vendor message: which vendor, which of its messages. */
static enum of_error identify_vendor(struct wire wire, struct identity *id)
{
    const uint8_t *vendor = wire_take(&wire, 8);

    if (!vendor)
        return OFPBRC_BAD_LEN;
    bool is_stats = id->envelope == ENVELOPE_STATS;
    switch (wire_u32(vendor)) {
    case NX_VENDOR:
        id->envelope = is_stats ? ENVELOPE_NX_STATS : ENVELOPE_NX;
        break;
    case ONF_VENDOR:
        id->envelope = is_stats ? ENVELOPE_ONF_STATS : ENVELOPE_ONF;
        break;
    default:
        return OFPBRC_BAD_VENDOR;
    }
    id->subtype = wire_u32(vendor + 4);
    return OF_OK;
}

static enum of_error identify(const uint8_t *data, size_t n_bytes, struct identity *id)
{
    struct wire wire = wire_init(data, n_bytes);

    if (!wire_take(&wire, sizeof(struct of_header)))
        return OFPBRC_BAD_LEN;
    *id = (struct identity){.version = data[0], .type = data[1]};
    if (!version_is_known(id->version) && id->type > OFPT_ECHO_REPLY)
        return OFPBRC_BAD_VERSION;
    if (id->type == OFPT_VENDOR)
        return identify_vendor(wire, id);
    if (!is_stats_type(id))
        return OF_OK;

    const uint8_t *stats = wire_take(&wire, id->version == OF_1_0 ? 4 : 8);
    if (!stats)
        return OFPBRC_BAD_LEN;
    id->envelope = ENVELOPE_STATS;
    id->subtype = wire_u16(stats);
    id->stats_flags = wire_u16(stats + 2);
    return id->subtype == OFPST_VENDOR ? identify_vendor(wire, id) : OF_OK;
}

static bool row_is(const struct of_message_row *row, const struct identity *id)
{
    return row->type == id->type && row->envelope == id->envelope && row->subtype == id->subtype &&
           id->version >= row->first_version && id->version <= row->last_version;
}

/* Where the rows of a type begin, filled before main(). */
static uint16_t first_rows[UINT8_MAX + 1];

__attribute__((constructor)) static void fill_first_rows(void)
{
    for (size_t type = 0; type <= UINT8_MAX; type++) {
        size_t i = 0;

        while (i < of_n_message_rows && of_message_rows[i].type != type)
            i++;
        first_rows[type] = (uint16_t)i;
    }
}

static const struct of_message_row *find_row(const struct identity *id)
{
    for (size_t i = first_rows[id->type]; i < of_n_message_rows; i++) {
        if (row_is(&of_message_rows[i], id))
            return &of_message_rows[i];
    }
    return NULL;
}

static enum of_error no_such_message(const struct identity *id)
{
    switch (id->envelope) {
    case ENVELOPE_STATS:
        return OFPBRC_BAD_STAT;
    case ENVELOPE_NX:
    case ENVELOPE_ONF:
    case ENVELOPE_NX_STATS:
    case ENVELOPE_ONF_STATS:
        return OFPBRC_BAD_SUBTYPE;
    case ENVELOPE_PLAIN:
        break;
    }
    return OFPBRC_BAD_TYPE;
}

/* All but the body. */
static struct of_message head_of(const struct of_message_row *row, const struct identity *id,
                                 const void *data, size_t n_bytes)
{
    return (struct of_message){
        .kind = row->kind,
        .version = (enum of_version)id->version,
        .form = row->form,
        .xid = wire_u32((const uint8_t *)data + 4),
        .stats_flags = id->stats_flags,
        .whole = data,
        .n_bytes = n_bytes,
    };
}

enum of_error of_decode_message(const void *data, size_t n_bytes, struct of_message *message)
{
    const struct of_message_row *row;
    struct identity id;

    memset(message, 0, sizeof *message);
    enum of_error error = identify(data, n_bytes, &id);
    if (!error && wire_u16((const uint8_t *)data + 2) != n_bytes)
        error = OFPBRC_BAD_LEN;
    if (error)
        return error;
    row = find_row(&id);
    if (!row)
        return no_such_message(&id);

    size_t envelope_bytes = of_envelope_bytes(row->envelope, id.version);
    if (n_bytes < envelope_bytes + row->least_body)
        return OFPBRC_BAD_LEN;
    size_t more_bytes = n_bytes - envelope_bytes - row->least_body;
    if (row->unit ? more_bytes % row->unit : more_bytes)
        return OFPBRC_BAD_LEN;
    *message = head_of(row, &id, data, n_bytes);
    message->body = (const uint8_t *)data + envelope_bytes;
    message->body_bytes = n_bytes - envelope_bytes;
    return OF_OK;
}

enum of_error of_decode_message_head(const void *data, size_t n_bytes, struct of_message *message)
{
    struct identity id;
    enum of_error error = identify(data, n_bytes, &id);
    const struct of_message_row *row = error ? NULL : find_row(&id);

    if (!row)
        return error ? error : no_such_message(&id);
    *message = head_of(row, &id, data, n_bytes);
    return OF_OK;
}

const char *of_message_name(const struct of_message *message)
{
    const struct of_message_row *row = of_message_row(message->kind, message->form,
                                                      message->version);

    return row ? row->name : "unknown message";
}

static void put_vendor(uint8_t *to, const struct of_message_row *row)
{
    bool is_nx = row->envelope == ENVELOPE_NX || row->envelope == ENVELOPE_NX_STATS;

    be32_store(to, is_nx ? NX_VENDOR : ONF_VENDOR);
    be32_store(to + 4, row->subtype);
}

size_t of_begin_message(enum of_message_kind kind, enum of_form form, enum of_version version,
                        uint32_t xid, struct buffer *out)
{
    const struct of_message_row *row = of_message_row(kind, form, version);
    size_t start = out->size;

    assert(row);
    uint8_t *header = buffer_put_zeros(out, of_envelope_bytes(row->envelope, (unsigned)version));
    header[0] = (uint8_t)version;
    header[1] = row->type;
    be16_store(header + 2, 8);
    be32_store(header + 4, xid);
    switch (row->envelope) {
    case ENVELOPE_PLAIN:
        break;
    case ENVELOPE_STATS:
        be16_store(header + 8, row->subtype);
        break;
    case ENVELOPE_NX:
    case ENVELOPE_ONF:
        put_vendor(header + 8, row);
        break;
    case ENVELOPE_NX_STATS:
    case ENVELOPE_ONF_STATS:
        be16_store(header + 8, OFPST_VENDOR);
        put_vendor(header + (version == OF_1_0 ? 12 : 16), row);
        break;
    }
    return start;
}

void of_finish_message(size_t start, struct buffer *out)
{
    assert(out->size - start <= UINT16_MAX);
    be16_store(out->data + start + 2, (uint16_t)(out->size - start));
}

void of_encode_empty(enum of_message_kind kind, enum of_version version, uint32_t xid,
                     struct buffer *out)
{
    of_finish_message(of_begin_message(kind, OF_FORM_STANDARD, version, xid, out), out);
}
