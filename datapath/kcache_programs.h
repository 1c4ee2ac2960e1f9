/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* kcache_programs - the longer verdicts that the kernel knows, each once.
 *
 * A program that nobody uses any more stays until no running BPF program can be reading it.
 *
 * Threads  Under the cache's lock. */

#include <stdbool.h>
#include <stdint.h>

#include "datapath/kernel/layout.h"

struct kcache_programs;

/* 'memory' holds KC_N_PROGRAMS.  NULL: out of memory. */
struct kcache_programs *kcache_programs_create(struct kc_program *memory);
void kcache_programs_destroy(struct kcache_programs *programs); /* NULL is fine. */

/* Programs that somebody has left in 'memory', each with as many references as 'n_references' has. */
void kcache_programs_adopt(struct kcache_programs *programs, const uint32_t *n_references);
const struct kc_program *kcache_programs_look(const struct kcache_programs *programs,
                                              uint32_t action);

/* The action of 'program', with a reference; KC_NOTHING: there are too many. */
uint32_t kcache_programs_get(struct kcache_programs *programs, const struct kc_program *program);
void kcache_programs_put(struct kcache_programs *programs, uint32_t action);

uint32_t kcache_programs_n(const struct kcache_programs *programs);

/* What has been sent of frames that programs have cut, from '*at' on, which starts as 0: bytes since the last time, and the
 * port.  False: that was all. */
bool kcache_programs_take_cut_bytes(struct kcache_programs *programs, uint32_t *at,
                                    uint32_t *port_no, uint64_t *n_bytes);

/* The next program whose meters let frames pass since the last time, which are counted as they were at the last of
 * these meters; likewise.  NULL: that was all. */
const struct kc_program *kcache_programs_take_passed(struct kcache_programs *programs, uint32_t *at,
                                                     uint64_t *n_packets, uint64_t *n_bytes);

/* Notes which places meters of programs that are in use have. */
void kcache_programs_list_meters(const struct kcache_programs *programs,
                                 bool is_named[static KC_N_METERS]);

/* Begins a grace period: true if there is something to wait for.  After it, 'reuse' what was unused when it
 * began. */
bool kcache_programs_retire(struct kcache_programs *programs);
void kcache_programs_reuse(struct kcache_programs *programs);
