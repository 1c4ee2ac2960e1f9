/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>

#include "lib/annotations.h"
#include "vswitchd/settings.h"

static bool admits(const struct port_vlans *vlans, uint16_t vid)
{
    return vlans->trunks[vid / 64] >> (vid % 64) & 1;
}

static void device_names_are_such_that_the_kernel_takes_and_shells_leave_alone(void **state UNUSED)
{
    static const char *const good[] = {"br0", "eth0.100", "a", "name-of-15-char", "a+b_c~d,e"};
    static const char *const bad[] = {
        "",     ".",          "..",  "a/b",  "../x",      "name-of-16-chars",
        "a b",  "line\nfeed", "a:b", "\x7f", "h\xc3\xa9", "x%d",
        "%s%n", "$(x)",       "a;b", "`a`"};

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_int_equal(device_name_check(good[i], NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(device_name_check(bad[i], NULL), -EINVAL);
}

static void datapath_id_is_16_digits_or_has_a_prefix(void **state UNUSED)
{
    assert_int_equal(datapath_id_parse("00000000000000ab"), 0xab);
    assert_int_equal(datapath_id_parse("0xAB"), 0xab);
    assert_int_equal(datapath_id_parse("ffffffffffffffff"), UINT64_MAX);
    assert_int_equal(datapath_id_parse("ab"), 0);
    assert_int_equal(datapath_id_parse("0x00000000000000abc"), 0);
    assert_int_equal(datapath_id_parse("00000000000000ag"), 0);
    assert_int_equal(datapath_id_parse(""), 0);
}

static void tag_alone_means_access(void **state UNUSED)
{
    struct port_vlans vlans = {0};

    assert_int_equal(port_vlans_set(&vlans, NULL, 10, NULL, 0, NULL), 0);

    assert_int_equal(vlans.mode, PORT_VLAN_ACCESS);
    assert_int_equal(vlans.tag, 10);
}

static void port_without_settings_carries_every_vlan(void **state UNUSED)
{
    struct port_vlans vlans = {0};

    assert_int_equal(port_vlans_set(&vlans, NULL, -1, NULL, 0, NULL), 0);

    assert_int_equal(vlans.mode, PORT_VLAN_TRUNK);
    assert_true(admits(&vlans, 0) && admits(&vlans, 1) && admits(&vlans, 4095));
}

static void trunk_carries_only_what_is_listed(void **state UNUSED)
{
    struct port_vlans vlans = {0};

    assert_int_equal(port_vlans_set(&vlans, "trunk", 7, (int64_t[]){10, 4094}, 2, NULL), 0);

    assert_true(admits(&vlans, 10) && admits(&vlans, 4094));
    assert_false(admits(&vlans, 0) || admits(&vlans, 7) || admits(&vlans, 11));
    assert_int_equal(vlans.tag, 0);
}

static void native_port_carries_its_native_vlan_though_it_is_not_listed(void **state UNUSED)
{
    struct port_vlans vlans = {0};

    assert_int_equal(port_vlans_set(&vlans, "native-untagged", 5, (int64_t[]){10}, 1, NULL), 0);

    assert_int_equal(vlans.mode, PORT_VLAN_NATIVE_UNTAGGED);
    assert_int_equal(vlans.tag, 5);
    assert_true(admits(&vlans, 5) && admits(&vlans, 10));
    assert_false(admits(&vlans, 11));
}

static void impossible_vlan_settings_are_refused(void **state UNUSED)
{
    struct port_vlans vlans;
    struct error error = ERROR_INIT;

    assert_int_equal(port_vlans_set(&vlans, "dot1q-tunnel", 5, NULL, 0, &error), -EINVAL);
    assert_string_equal(error.message, "vlan_mode dot1q-tunnel is not supported");
    assert_int_equal(port_vlans_set(&vlans, NULL, 4096, NULL, 0, NULL), -EINVAL);
    assert_int_equal(port_vlans_set(&vlans, NULL, -1, (int64_t[]){4096}, 1, NULL), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_names_are_such_that_the_kernel_takes_and_shells_leave_alone),
        cmocka_unit_test(datapath_id_is_16_digits_or_has_a_prefix),
        cmocka_unit_test(tag_alone_means_access),
        cmocka_unit_test(port_without_settings_carries_every_vlan),
        cmocka_unit_test(trunk_carries_only_what_is_listed),
        cmocka_unit_test(native_port_carries_its_native_vlan_though_it_is_not_listed),
        cmocka_unit_test(impossible_vlan_settings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
