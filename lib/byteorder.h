/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* byteorder - network byte order as a type.
 *
 * A be16 cannot be mixed up with a uint16_t: it is a struct, and compiles to the same code.
 * Wire headers and the flow key hold beN; arithmetic needs beN_host().  Only protocol code names
 * '.raw'. */

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint16_t raw;
} be16;
typedef struct {
    uint32_t raw;
} be32;
typedef struct {
    uint64_t raw;
} be64;

static inline be16 be16_from(uint16_t host)
{
    return (be16){htobe16(host)};
}

static inline be32 be32_from(uint32_t host)
{
    return (be32){htobe32(host)};
}

static inline be64 be64_from(uint64_t host)
{
    return (be64){htobe64(host)};
}

static inline uint16_t be16_host(be16 wire)
{
    return be16toh(wire.raw);
}

static inline uint32_t be32_host(be32 wire)
{
    return be32toh(wire.raw);
}

static inline uint64_t be64_host(be64 wire)
{
    return be64toh(wire.raw);
}

/* Unaligned access, for headers at any offset of a frame or message. */

static inline be16 be16_load(const void *from)
{
    be16 wire;
    memcpy(&wire, from, sizeof wire);
    return wire;
}

static inline be32 be32_load(const void *from)
{
    be32 wire;
    memcpy(&wire, from, sizeof wire);
    return wire;
}

static inline be64 be64_load(const void *from)
{
    be64 wire;
    memcpy(&wire, from, sizeof wire);
    return wire;
}

static inline void be16_store(void *to, uint16_t host)
{
    be16 wire = be16_from(host);
    memcpy(to, &wire, sizeof wire);
}

static inline void be32_store(void *to, uint32_t host)
{
    be32 wire = be32_from(host);
    memcpy(to, &wire, sizeof wire);
}

static inline void be64_store(void *to, uint64_t host)
{
    be64 wire = be64_from(host);
    memcpy(to, &wire, sizeof wire);
}
