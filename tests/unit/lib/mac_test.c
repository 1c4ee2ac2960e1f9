/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/mac.h"

static void address_is_read_in_either_case(void **state UNUSED)
{
    struct mac mac;

    assert_true(mac_parse("00:1b:2C:3d:4E:ff", &mac));
    assert_memory_equal(mac.bytes, ((uint8_t[]){0x00, 0x1b, 0x2c, 0x3d, 0x4e, 0xff}), 6);
}

static void what_is_not_an_address_changes_nothing(void **state UNUSED)
{
    static const char *const bad[] = {"",
                                      "00:11:22:33:44",
                                      "00:11:22:33:44:5",
                                      "00:11:22:33:44:55:",
                                      "00:11:22:33:44:55:66",
                                      "00-11-22-33-44-55",
                                      "0:1:2:3:4:5",
                                      "00:11:22:33:44:5g",
                                      " 00:11:22:33:44:55"};
    struct mac mac = {{1, 2, 3, 4, 5, 6}};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(mac_parse(bad[i], &mac));
    assert_true(mac_is_equal(mac, (struct mac){{1, 2, 3, 4, 5, 6}}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_is_read_in_either_case),
        cmocka_unit_test(what_is_not_an_address_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
