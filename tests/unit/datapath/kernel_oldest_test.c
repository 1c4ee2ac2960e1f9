/* SPDX-License-Identifier: Apache-2.0 */

/* The oldest kernel that is served is Linux 5.15: programs call no helper and have no instruction and no kind of
 * map that is younger.  Functions of the kernel that they name may be missing.  What the verifier of such a
 * kernel thinks of them only it can tell. */

#include "tests/unit/datapath/cmocka_all.h"

#include <bpf/libbpf.h>
#include <elf.h>
#include <linux/bpf.h>
#include <string.h>

#include "datapath/kernel/steal.skel.h"
#include "datapath/kernel/xdp.skel.h"

enum {
    LAST_HELPER = 175, /* task_pt_regs */
    LAST_MAP_TYPE = BPF_MAP_TYPE_TASK_STORAGE,
    SIGNED_LOAD = 0x80, /* Mode of a load, Linux 6.6. */
    SWAP = 0xd0,        /* As a 64-bit operation, 6.6. */
};

static void check_instruction(const struct bpf_insn *insn)
{
    unsigned int class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

    if (insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg)
        assert_in_range(insn->imm, 1, LAST_HELPER);
    if (class == BPF_LDX)
        assert_int_not_equal(BPF_MODE(insn->code), SIGNED_LOAD);
    if (class == BPF_JMP32)
        assert_int_not_equal(op, BPF_JA); /* Far, 6.6. */
    if (class == BPF_ALU64)
        assert_int_not_equal(op, SWAP);
    if (class == BPF_ALU || class == BPF_ALU64)
        assert_int_equal(insn->off, 0); /* Signed, 6.6. */
}

static const Elf64_Shdr *sections_of(const Elf64_Ehdr *object)
{
    return (const void *)((const char *)object + object->e_shoff);
}

static void check_symbols(const char *object, const Elf64_Shdr *section)
{
    const Elf64_Sym *symbols = (const void *)(object + section->sh_offset);

    for (size_t i = 1; i < section->sh_size / sizeof *symbols; i++)
        if (symbols[i].st_shndx == SHN_UNDEF)
            assert_int_equal(ELF64_ST_BIND(symbols[i].st_info), STB_WEAK);
}

/* Returns how many instructions there are. */
static size_t check_code(const void *bytes)
{
    const Elf64_Ehdr *object = bytes;
    size_t n = 0;

    for (int s = 0; s < object->e_shnum; s++) {
        const Elf64_Shdr *section = &sections_of(object)[s];
        const struct bpf_insn *insns = (const void *)((const char *)bytes + section->sh_offset);

        if (section->sh_type == SHT_SYMTAB)
            check_symbols(bytes, section);
        if (!(section->sh_flags & SHF_EXECINSTR))
            continue;
        for (size_t i = 0; i < section->sh_size / sizeof *insns; i++, n++) {
            check_instruction(&insns[i]);
            if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW))
                i++; /* Its other half says nothing. */
        }
    }
    return n;
}

static void check_maps(const struct bpf_object *object)
{
    const struct bpf_map *map;
    int n = 0;

    bpf_object__for_each_map(map, object)
    {
        assert_in_range(bpf_map__type(map), BPF_MAP_TYPE_HASH, LAST_MAP_TYPE);
        n++;
    }
    assert_in_range(n, 1, 100);
}

static void check_programs(const struct bpf_object *object, const void *bytes)
{
    assert_in_range(check_code(bytes), 1000, 1000000);
    check_maps(object);
}

static void tc_programs_are_old_enough(void **state)
{
    struct steal_bpf *skeleton = steal_bpf__open();
    size_t n_bytes;

    (void)state;
    assert_non_null(skeleton);
    check_programs(skeleton->obj, steal_bpf__elf_bytes(&n_bytes));
    steal_bpf__destroy(skeleton);
}

static void xdp_programs_are_old_enough(void **state)
{
    struct xdp_bpf *skeleton = xdp_bpf__open();
    size_t n_bytes;

    (void)state;
    assert_non_null(skeleton);
    check_programs(skeleton->obj, xdp_bpf__elf_bytes(&n_bytes));
    xdp_bpf__destroy(skeleton);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tc_programs_are_old_enough),
        cmocka_unit_test(xdp_programs_are_old_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
