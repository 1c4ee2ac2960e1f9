/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/settings.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"

enum { PATCH_NAME_MAX_BYTES = 255 };

/* To the kernel a '%' begins a pattern: "x%d" would make a device with another name. */
static const char BAD_CHARACTERS[] = "/%$`;&|<>()'\"\\*?";

static int printable_name_check(const char *name, size_t max_bytes, struct error *error)
{
    size_t n_bytes = strlen(name);

    if (!n_bytes)
        return error_set(error, -EINVAL, "the name is empty");
    for (const char *c = name; *c; c++)
        if (!isgraph((unsigned char)*c) || strchr(BAD_CHARACTERS, *c))
            return error_set(error, -EINVAL,
                             "the name contains a blank, '/', '%%', a character with a meaning to "
                             "shells, or one that is not ASCII");
    if (n_bytes > max_bytes)
        return error_set(error, -EINVAL, "%s: the name is longer than %zu characters", name,
                         max_bytes);
    if (!strcmp(name, ".") || !strcmp(name, ".."))
        return error_set(error, -EINVAL, "%s: not a name for a device", name);
    return 0;
}

int patch_name_check(const char *name, struct error *error)
{
    return printable_name_check(name, PATCH_NAME_MAX_BYTES, error);
}

int device_name_check(const char *name, struct error *error)
{
    int result = printable_name_check(name, IFNAMSIZ - 1, error);

    if (!result && strchr(name, ':'))
        return error_set(error, -EINVAL, "%s: a device name cannot contain ':'", name);
    return result;
}

uint64_t datapath_id_parse(const char *text)
{
    bool has_prefix = !strncmp(text, "0x", 2);
    size_t n_digits;

    text += has_prefix ? 2 : 0;
    n_digits = strspn(text, "0123456789abcdefABCDEF");
    if (text[n_digits] || n_digits > 16 || (!has_prefix && n_digits != 16))
        return 0;
    return strtoull(text, NULL, 16);
}

static int vlan_mode_parse(const char *text, bool has_tag, enum port_vlan_mode *mode)
{
    static const struct {
        const char *name;
        enum port_vlan_mode mode;
    } modes[] = {
        {"access", PORT_VLAN_ACCESS},
        {"trunk", PORT_VLAN_TRUNK},
        {"native-tagged", PORT_VLAN_NATIVE_TAGGED},
        {"native-untagged", PORT_VLAN_NATIVE_UNTAGGED},
    };

    if (!text) {
        *mode = has_tag ? PORT_VLAN_ACCESS : PORT_VLAN_TRUNK;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        if (!strcmp(text, modes[i].name)) {
            *mode = modes[i].mode;
            return 0;
        }
    }
    return -EINVAL;
}

static void admit(struct port_vlans *vlans, uint16_t vid)
{
    vlans->trunks[vid / 64] |= UINT64_C(1) << (vid % 64);
}

int port_vlans_set(struct port_vlans *vlans, const char *vlan_mode, int tag, const int64_t *trunks,
                   size_t n_trunks, struct error *error)
{
    bool is_native;

    if (vlan_mode_parse(vlan_mode, tag >= 0, &vlans->mode))
        return error_set(error, -EINVAL, "vlan_mode %s is not supported", vlan_mode);
    if (tag > 4095)
        return error_set(error, -EINVAL, "tag %d is not a VLAN", tag);

    is_native = vlans->mode == PORT_VLAN_NATIVE_TAGGED || vlans->mode == PORT_VLAN_NATIVE_UNTAGGED;
    vlans->tag = vlans->mode == PORT_VLAN_TRUNK || tag < 0 ? 0 : (uint16_t)tag;
    if (vlans->mode == PORT_VLAN_ACCESS || !n_trunks) {
        memset(vlans->trunks, 0xff, sizeof vlans->trunks);
        return 0;
    }
    memset(vlans->trunks, 0, sizeof vlans->trunks);
    for (size_t i = 0; i < n_trunks; i++) {
        if (trunks[i] < 0 || trunks[i] > 4095)
            return error_set(error, -EINVAL, "trunk %" PRId64 " is not a VLAN", trunks[i]);
        admit(vlans, (uint16_t)trunks[i]);
    }
    if (is_native) /* A port always carries its own native VLAN. */
        admit(vlans, vlans->tag);
    return 0;
}
