/* SPDX-License-Identifier: Apache-2.0 */

/* One row per error with a packed (vendor, type, code) per version. */

#include "lib/openflow/errors.h"

#include <stdbool.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/wire.h"

enum { VENDOR_NICIRA = 0x00002320, VENDOR_ONF = 0x4f4e4600 };
enum { N_VERSIONS = 6 };
enum { OFPET_NX_VENDOR = 0xb0c2, OFPET_EXPERIMENTER = 0xffff };
enum { MAX_PAYLOAD_BYTES = UINT16_MAX - 32 }; /* At least 64 are asked for; OVS sends all. */

#define NUMBERS(vendor, type, code) \
    ((uint64_t)(vendor) << 32 | (uint64_t)(type) << 16 | (uint64_t)(code))
#define STANDARD(type, code) NUMBERS(0, type, code)
#define NICIRA(type, code)   NUMBERS(VENDOR_NICIRA, type, code)
#define ONF(type, code)      NUMBERS(VENDOR_ONF, type, code)
#define UNSAYABLE            UINT64_MAX

static const struct {
    const char *name;
    uint64_t numbers[N_VERSIONS];
} rows[N_OF_ERRORS] = {
    [OF_OK] = {"OK", {UNSAYABLE, UNSAYABLE, UNSAYABLE, UNSAYABLE, UNSAYABLE, UNSAYABLE}},
#define ROW(name, ...) [name] = {#name, {__VA_ARGS__}},
    OF_ERROR_TABLE(ROW, STANDARD, NICIRA, ONF, UNSAYABLE)
#undef ROW
};

const char *of_error_name(enum of_error error)
{
    return (size_t)error < N_OF_ERRORS ? rows[error].name : "unknown error";
}

static uint64_t error_numbers(enum of_error error, unsigned version)
{
    uint64_t numbers = rows[error].numbers[version - OF_1_0];

    return numbers != UNSAYABLE ? numbers : rows[NXBRC_UNENCODABLE_ERROR].numbers[version - OF_1_0];
}

static void put_u16(struct buffer *out, uint16_t number)
{
    be16 wire = be16_from(number);
    buffer_put(out, &wire, sizeof wire);
}

static void put_u32(struct buffer *out, uint32_t number)
{
    be32 wire = be32_from(number);
    buffer_put(out, &wire, sizeof wire);
}

/* ofp_error_msg; a vendor's error has two shapes: Nicira's before 1.2, the experimenter's since. */
static void put_error_body(uint64_t numbers, unsigned version, struct buffer *out)
{
    uint32_t vendor = (uint32_t)(numbers >> 32);
    uint16_t type = (uint16_t)(numbers >> 16), code = (uint16_t)numbers;

    if (!vendor) {
        put_u16(out, type);
        put_u16(out, code);
    } else if (version < OF_1_2) {
        put_u16(out, OFPET_NX_VENDOR);
        put_u16(out, 0);
        put_u32(out, vendor);
        put_u16(out, type);
        put_u16(out, code);
    } else {
        put_u16(out, OFPET_EXPERIMENTER);
        put_u16(out, type);
        put_u32(out, vendor);
    }
}

void of_encode_error(enum of_error error, const void *request, size_t request_bytes,
                     struct buffer *out)
{
    const uint8_t *bytes = request;
    unsigned version = request_bytes ? bytes[0] : 0;
    uint32_t xid = request_bytes >= sizeof(struct of_header) ? wire_u32(bytes + 4) : 0;

    if (version < OF_1_0 || version > OF_1_5)
        version = OF_1_0;
    size_t start = of_begin_message(OF_ERROR, OF_FORM_STANDARD, (enum of_version)version, xid, out);
    put_error_body(error_numbers(error, version), version, out);
    buffer_put(out, request, request_bytes < MAX_PAYLOAD_BYTES ? request_bytes : MAX_PAYLOAD_BYTES);
    of_finish_message(start, out);
}

static enum of_error find_error(uint64_t numbers, unsigned version)
{
    for (size_t i = 1; i < N_OF_ERRORS && numbers != UNSAYABLE; i++) {
        if (rows[i].numbers[version - OF_1_0] == numbers)
            return (enum of_error)i;
    }
    return OF_OK;
}

static bool is_vendor_error(const struct of_error_info *info, unsigned version)
{
    return version < OF_1_2 ? info->type == OFPET_NX_VENDOR : info->type == OFPET_EXPERIMENTER;
}

enum of_error of_decode_error(const void *message, size_t n_bytes, struct of_error_info *info)
{
    struct wire wire = wire_init(message, n_bytes);
    const uint8_t *header = wire_take(&wire, sizeof(struct of_header));
    const uint8_t *numbers = wire_take(&wire, 4);

    if (!header || !numbers)
        return OFPBRC_BAD_LEN;
    unsigned version = header[0];
    if (version < OF_1_0 || version > OF_1_5)
        return OFPBRC_BAD_VERSION;

    *info = (struct of_error_info){.type = wire_u16(numbers), .code = wire_u16(numbers + 2)};
    if (is_vendor_error(info, version)) {
        const uint8_t *vendor = wire_take(&wire, version < OF_1_2 ? 8 : 4);
        if (!vendor)
            return OFPBRC_BAD_LEN;
        info->vendor = wire_u32(vendor);
        info->type = version < OF_1_2 ? wire_u16(vendor + 4) : info->code;
        info->code = version < OF_1_2 ? wire_u16(vendor + 6) : 0;
    }
    info->error = find_error(NUMBERS(info->vendor, info->type, info->code), version);
    info->payload = wire.next;
    info->payload_bytes = wire.left;
    return OF_OK;
}
