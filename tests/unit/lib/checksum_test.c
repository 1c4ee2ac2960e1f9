/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/checksum.h"

/* RFC 1071, word by word. */
static uint16_t reference_checksum(const uint8_t *bytes, size_t n_bytes)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n_bytes; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void fill(uint8_t *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        bytes[i] = (uint8_t)rand();
}

static void example_of_rfc_1071_adds_up(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

    (void)state;
    assert_int_equal(be16_host(checksum_fold(checksum_add(0, bytes, sizeof bytes))), 0xddf2);
    assert_int_equal(be16_host(checksum_of(bytes, sizeof bytes)), 0x220d);
}

static void all_lengths_and_alignments_equal_the_reference(void **state)
{
    uint8_t bytes[300];

    (void)state;
    fill(bytes, sizeof bytes);
    for (size_t start = 0; start < 8; start++)
        for (size_t n = 0; n + start <= sizeof bytes; n++)
            assert_int_equal(be16_host(checksum_of(bytes + start, n)),
                             reference_checksum(bytes + start, n));
}

static void pseudo_header_is_what_the_standard_says(void **state)
{
    static const uint8_t ipv4[] = {10, 0, 0, 1, 10, 0, 0, 2, 0, 17, 0x12, 0x34};
    uint8_t ipv6[40] = {0};
    struct ipv6_addr src, dst;

    (void)state;
    assert_int_equal(be16_host(checksum_finish(checksum_add_pseudo_ipv4(
                         0, be32_from(0x0a000001), be32_from(0x0a000002), 17, 0x1234))),
                     reference_checksum(ipv4, sizeof ipv4));

    fill(src.bytes, 16);
    fill(dst.bytes, 16);
    memcpy(ipv6, &src, 16);
    memcpy(ipv6 + 16, &dst, 16);
    be32_store(ipv6 + 32, 0x12345);
    ipv6[39] = 58;
    assert_int_equal(
        be16_host(checksum_finish(checksum_add_pseudo_ipv6(0, &src, &dst, 58, 0x12345))),
        reference_checksum(ipv6, sizeof ipv6));
}

static void update_equals_computing_anew(void **state)
{
    uint8_t bytes[64], changed[64];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        fill(bytes, sizeof bytes);
        if (round % 4 == 0)
            memset(bytes, round % 8 ? 0xff : 0, sizeof bytes);
        bytes[63] = 1; /* Real packets are never all zeros: there is a pseudo header or version. */
        memcpy(changed, bytes, sizeof bytes);
        size_t n = (size_t)(rand() % 10) * 2, at = (size_t)(rand() % 20) * 2;
        fill(changed + at, n);
        be16 before = checksum_of(bytes, sizeof bytes);
        be16 after = checksum_update(before, bytes + at, changed + at, n);

        /* Zero has two forms in one's complement; both verify. */
        uint64_t sum = checksum_add(after.raw, changed, sizeof changed);
        assert_int_equal(checksum_finish(sum).raw, 0);
        if (n == 4) {
            assert_int_equal(
                checksum_update32(before, be32_load(bytes + at), be32_load(changed + at)).raw,
                after.raw);
        }
        if (n == 2) {
            assert_int_equal(
                checksum_update16(before, be16_load(bytes + at), be16_load(changed + at)).raw,
                after.raw);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_of_rfc_1071_adds_up),
        cmocka_unit_test(all_lengths_and_alignments_equal_the_reference),
        cmocka_unit_test(pseudo_header_is_what_the_standard_says),
        cmocka_unit_test(update_equals_computing_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
