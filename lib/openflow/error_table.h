/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* error_table - every OpenFlow error, one row each: its name, then its numbers in 1.0, 1.1, ... 1.5.
 *
 * O(type, code) is one of the specification's; N(type, code) a Nicira extension, sent inside an
 * experimenter error; F(type, code) one of the ONF's extensions to 1.3; X: that version cannot say it. */

// clang-format off
#define OF_ERROR_TABLE(ROW, O, N, F, X) \
    ROW(OFPHFC_INCOMPATIBLE, O(0, 0), O(0, 0), O(0, 0), O(0, 0), O(0, 0), O(0, 0)) \
    ROW(OFPHFC_EPERM, O(0, 1), O(0, 1), O(0, 1), O(0, 1), O(0, 1), O(0, 1)) \
    ROW(OFPBRC_BAD_VERSION, O(1, 0), O(1, 0), O(1, 0), O(1, 0), O(1, 0), O(1, 0)) \
    ROW(OFPBRC_MULTIPART_REPLY_TIMEOUT, X, X, X, F(2641, 0), O(1, 15), O(1, 15)) \
    ROW(OFPBRC_MULTIPART_REQUEST_TIMEOUT, X, X, X, F(2640, 0), O(1, 14), O(1, 14)) \
    ROW(OFPBRC_BAD_TYPE, O(1, 1), O(1, 1), O(1, 1), O(1, 1), O(1, 1), O(1, 1)) \
    ROW(OFPBRC_BAD_STAT, O(1, 2), O(1, 2), O(1, 2), O(1, 2), O(1, 2), O(1, 2)) \
    ROW(OFPBRC_BAD_VENDOR, O(1, 3), O(1, 3), O(1, 3), O(1, 3), O(1, 3), O(1, 3)) \
    ROW(OFPBRC_BAD_SUBTYPE, O(1, 4), O(1, 4), O(1, 4), O(1, 4), O(1, 4), O(1, 4)) \
    ROW(OFPBRC_EPERM, O(1, 5), O(1, 5), O(1, 5), O(1, 5), O(1, 5), O(1, 5)) \
    ROW(OFPBRC_IS_SECONDARY, O(1, 5), O(1, 5), O(1, 10), O(1, 10), O(1, 10), O(1, 10)) \
    ROW(OFPBRC_BAD_LEN, O(1, 6), O(1, 6), O(1, 6), O(1, 6), O(1, 6), O(1, 6)) \
    ROW(OFPBRC_BUFFER_EMPTY, O(1, 7), O(1, 7), O(1, 7), O(1, 7), O(1, 7), O(1, 7)) \
    ROW(OFPBRC_BUFFER_UNKNOWN, O(1, 8), O(1, 8), O(1, 8), O(1, 8), O(1, 8), O(1, 8)) \
    ROW(OFPBRC_BAD_TABLE_ID, N(1, 512), O(1, 9), O(1, 9), O(1, 9), O(1, 9), O(1, 9)) \
    ROW(OFPBRC_BAD_PORT, N(1, 514), N(1, 514), O(1, 11), O(1, 11), O(1, 11), O(1, 11)) \
    ROW(OFPBRC_BAD_PACKET, X, X, O(1, 12), O(1, 12), O(1, 12), O(1, 12)) \
    ROW(OFPBRC_MULTIPART_BUFFER_OVERFLOW, X, X, X, O(1, 13), O(1, 13), O(1, 13)) \
    ROW(OFPBRC_MULTIPART_BAD_SCHED, X, X, X, X, X, O(1, 16)) \
    ROW(OFPBRC_PIPELINE_FIELDS_ONLY, X, X, X, X, X, O(1, 17)) \
    ROW(OFPBRC_UNKNOWN, X, X, X, X, X, O(1, 18)) \
    ROW(NXBRC_BAD_REASON, N(1, 516), N(1, 516), N(5, 0), N(5, 0), N(5, 0), N(5, 0)) \
    ROW(NXBRC_FM_BAD_EVENT, N(1, 520), N(1, 520), N(9, 0), N(9, 0), N(9, 0), N(9, 0)) \
    ROW(NXBRC_MUST_BE_ZERO, N(1, 515), N(1, 515), N(4, 0), N(4, 0), N(4, 0), N(4, 0)) \
    ROW(NXBRC_NXM_BAD_TYPE, N(1, 257), N(1, 257), N(3, 0), N(3, 0), N(3, 0), N(3, 0)) \
    ROW(NXBRC_NXM_INVALID, N(1, 256), N(1, 256), N(2, 0), N(2, 0), N(2, 0), N(2, 0)) \
    ROW(NXBRC_UNENCODABLE_ERROR, N(1, 521), N(1, 521), N(10, 0), N(10, 0), N(10, 0), N(10, 0)) \
    ROW(NXST_NOT_CONFIGURED, N(1, 535), N(1, 535), N(36, 0), N(36, 0), N(36, 0), N(36, 0)) \
    ROW(OFPBAC_BAD_SET_MASK, X, X, X, F(4250, 0), F(4250, 0), O(2, 16)) \
    ROW(OFPBAC_BAD_TYPE, O(2, 0), O(2, 0), O(2, 0), O(2, 0), O(2, 0), O(2, 0)) \
    ROW(OFPBAC_BAD_LEN, O(2, 1), O(2, 1), O(2, 1), O(2, 1), O(2, 1), O(2, 1)) \
    ROW(OFPBAC_BAD_VENDOR, O(2, 2), O(2, 2), O(2, 2), O(2, 2), O(2, 2), O(2, 2)) \
    ROW(OFPBAC_BAD_VENDOR_TYPE, O(2, 3), O(2, 3), O(2, 3), O(2, 3), O(2, 3), O(2, 3)) \
    ROW(OFPBAC_BAD_OUT_PORT, O(2, 4), O(2, 4), O(2, 4), O(2, 4), O(2, 4), O(2, 4)) \
    ROW(OFPBAC_BAD_ARGUMENT, O(2, 5), O(2, 5), O(2, 5), O(2, 5), O(2, 5), O(2, 5)) \
    ROW(OFPBAC_EPERM, O(2, 6), O(2, 6), O(2, 6), O(2, 6), O(2, 6), O(2, 6)) \
    ROW(OFPBAC_TOO_MANY, O(2, 7), O(2, 7), O(2, 7), O(2, 7), O(2, 7), O(2, 7)) \
    ROW(OFPBAC_BAD_QUEUE, O(2, 8), O(2, 8), O(2, 8), O(2, 8), O(2, 8), O(2, 8)) \
    ROW(OFPBAC_BAD_OUT_GROUP, N(2, 9), O(2, 9), O(2, 9), O(2, 9), O(2, 9), O(2, 9)) \
    ROW(OFPBAC_MATCH_INCONSISTENT, N(1, 522), O(2, 10), O(2, 10), O(2, 10), O(2, 10), O(2, 10)) \
    ROW(OFPBAC_UNSUPPORTED_ORDER, X, O(2, 11), O(2, 11), O(2, 11), O(2, 11), O(2, 11)) \
    ROW(OFPBAC_BAD_TAG, X, O(2, 12), O(2, 12), O(2, 12), O(2, 12), O(2, 12)) \
    ROW(OFPBAC_BAD_SET_TYPE, N(1, 523), N(1, 523), O(2, 13), O(2, 13), O(2, 13), O(2, 13)) \
    ROW(OFPBAC_BAD_SET_LEN, N(1, 524), N(1, 524), O(2, 14), O(2, 14), O(2, 14), O(2, 14)) \
    ROW(OFPBAC_BAD_SET_ARGUMENT, N(1, 525), N(1, 525), O(2, 15), O(2, 15), O(2, 15), O(2, 15)) \
    ROW(OFPBAC_BAD_METER, X, X, X, X, X, O(2, 17)) \
    ROW(NXBAC_BAD_CONJUNCTION, N(2, 526), N(2, 526), N(15, 0), N(15, 0), N(15, 0), N(15, 0)) \
    ROW(NXBAC_BAD_ED_PROP, X, X, X, N(41, 0), N(41, 0), N(41, 0)) \
    ROW(NXBAC_BAD_HEADER_TYPE, X, X, X, N(39, 0), N(39, 0), N(39, 0)) \
    ROW(NXBAC_CT_DATAPATH_SUPPORT, N(1, 265), N(1, 265), N(42, 0), N(42, 0), N(42, 0), N(42, 0)) \
    ROW(NXBAC_MUST_BE_ZERO, N(2, 256), N(2, 256), N(11, 0), N(11, 0), N(11, 0), N(11, 0)) \
    ROW(NXBAC_UNKNOWN_ED_PROP, X, X, X, N(40, 0), N(40, 0), N(40, 0)) \
    ROW(OFPBIC_DUP_INST, X, N(3, 256), F(2600, 0), F(2600, 0), O(3, 9), O(3, 9)) \
    ROW(OFPBIC_UNKNOWN_INST, X, O(3, 0), O(3, 0), O(3, 0), O(3, 0), O(3, 0)) \
    ROW(OFPBIC_UNSUP_INST, N(2, 257), O(3, 1), O(3, 1), O(3, 1), O(3, 1), O(3, 1)) \
    ROW(OFPBIC_BAD_TABLE_ID, X, O(3, 2), O(3, 2), O(3, 2), O(3, 2), O(3, 2)) \
    ROW(OFPBIC_UNSUP_METADATA, X, O(3, 3), O(3, 3), O(3, 3), O(3, 3), O(3, 3)) \
    ROW(OFPBIC_UNSUP_METADATA_MASK, X, O(3, 4), O(3, 4), O(3, 4), O(3, 4), O(3, 4)) \
    ROW(OFPBIC_BAD_EXPERIMENTER, X, O(3, 5), O(3, 5), O(3, 5), O(3, 5), O(3, 5)) \
    ROW(OFPBIC_BAD_EXP_TYPE, X, O(3, 5), O(3, 6), O(3, 6), O(3, 6), O(3, 6)) \
    ROW(OFPBIC_BAD_LEN, X, X, O(3, 7), O(3, 7), O(3, 7), O(3, 7)) \
    ROW(OFPBIC_EPERM, X, X, O(3, 8), O(3, 8), O(3, 8), O(3, 8)) \
    ROW(OFPBMC_BAD_TYPE, X, O(4, 0), O(4, 0), O(4, 0), O(4, 0), O(4, 0)) \
    ROW(OFPBMC_BAD_LEN, X, O(4, 1), O(4, 1), O(4, 1), O(4, 1), O(4, 1)) \
    ROW(OFPBMC_BAD_TAG, X, O(4, 2), O(4, 2), O(4, 2), O(4, 2), O(4, 2)) \
    ROW(OFPBMC_BAD_DL_ADDR_MASK, X, O(4, 3), O(4, 3), O(4, 3), O(4, 3), O(4, 3)) \
    ROW(OFPBMC_BAD_NW_ADDR_MASK, X, O(4, 4), O(4, 4), O(4, 4), O(4, 4), O(4, 4)) \
    ROW(OFPBMC_BAD_WILDCARDS, N(1, 262), O(4, 5), O(4, 5), O(4, 5), O(4, 5), O(4, 5)) \
    ROW(OFPBMC_BAD_FIELD, N(0, 263), O(4, 6), O(4, 6), O(4, 6), O(4, 6), O(4, 6)) \
    ROW(OFPBMC_BAD_VALUE, N(1, 258), O(4, 7), O(4, 7), O(4, 7), O(4, 7), O(4, 7)) \
    ROW(OFPBMC_BAD_MASK, N(1, 259), N(1, 259), O(4, 8), O(4, 8), O(4, 8), O(4, 8)) \
    ROW(OFPBMC_BAD_PREREQ, N(1, 260), N(1, 260), O(4, 9), O(4, 9), O(4, 9), O(4, 9)) \
    ROW(OFPBMC_DUP_FIELD, N(1, 261), N(1, 261), O(4, 10), O(4, 10), O(4, 10), O(4, 10)) \
    ROW(OFPBMC_EPERM, X, X, O(4, 11), O(4, 11), O(4, 11), O(4, 11)) \
    ROW(NXBMC_CT_DATAPATH_SUPPORT, N(1, 264), N(1, 264), N(43, 0), N(43, 0), N(43, 0), N(43, 0)) \
    ROW(OFPFMFC_BAD_PRIORITY, X, X, X, F(2360, 0), O(5, 9), O(5, 9)) \
    ROW(OFPFMFC_TABLE_FULL, O(3, 0), O(5, 1), O(5, 1), O(5, 1), O(5, 1), O(5, 1)) \
    ROW(OFPFMFC_UNKNOWN, X, O(5, 0), O(5, 0), O(5, 0), O(5, 0), O(5, 0)) \
    ROW(OFPFMFC_OVERLAP, O(3, 1), O(5, 3), O(5, 3), O(5, 3), O(5, 3), O(5, 3)) \
    ROW(OFPFMFC_BAD_TABLE_ID, X, O(5, 2), O(5, 2), O(5, 2), O(5, 2), O(5, 2)) \
    ROW(OFPFMFC_EPERM, O(3, 2), O(5, 4), O(5, 4), O(5, 4), O(5, 4), O(5, 4)) \
    ROW(OFPFMFC_BAD_EMERG_TIMEOUT, O(3, 3), X, X, X, X, X) \
    ROW(OFPFMFC_BAD_COMMAND, O(3, 4), O(5, 6), O(5, 6), O(5, 6), O(5, 6), O(5, 6)) \
    ROW(OFPFMFC_BAD_TIMEOUT, X, O(5, 5), O(5, 5), O(5, 5), O(5, 5), O(5, 5)) \
    ROW(OFPFMFC_UNSUPPORTED, O(3, 5), X, X, X, X, X) \
    ROW(OFPFMFC_BAD_FLAGS, N(3, 258), N(5, 258), O(5, 7), O(5, 7), O(5, 7), O(5, 7)) \
    ROW(OFPFMFC_CANT_SYNC, X, X, X, X, O(5, 8), O(5, 8)) \
    ROW(OFPFMFC_IS_SYNC, X, X, X, X, O(5, 10), O(5, 10)) \
    ROW(NXFMFC_BAD_TABLE_ID, N(5, 257), N(5, 257), N(13, 0), N(13, 0), N(13, 0), N(13, 0)) \
    ROW(NXFMFC_HARDWARE, N(5, 256), N(5, 256), N(12, 0), N(12, 0), N(12, 0), N(12, 0)) \
    ROW(NXFMFC_INVALID_TLV_FIELD, N(1, 536), N(1, 536), N(37, 0), N(37, 0), N(37, 0), N(37, 0)) \
    ROW(OFPGMFC_GROUP_EXISTS, N(6, 0), O(6, 0), O(6, 0), O(6, 0), O(6, 0), O(6, 0)) \
    ROW(OFPGMFC_INVALID_GROUP, N(6, 1), O(6, 1), O(6, 1), O(6, 1), O(6, 1), O(6, 1)) \
    ROW(OFPGMFC_WEIGHT_UNSUPPORTED, N(6, 2), O(6, 2), O(6, 2), O(6, 2), O(6, 2), O(6, 2)) \
    ROW(OFPGMFC_OUT_OF_GROUPS, N(6, 3), O(6, 3), O(6, 3), O(6, 3), O(6, 3), O(6, 3)) \
    ROW(OFPGMFC_OUT_OF_BUCKETS, N(6, 4), O(6, 4), O(6, 4), O(6, 4), O(6, 4), O(6, 4)) \
    ROW(OFPGMFC_CHAINING_UNSUPPORTED, N(6, 5), O(6, 5), O(6, 5), O(6, 5), O(6, 5), O(6, 5)) \
    ROW(OFPGMFC_WATCH_UNSUPPORTED, N(6, 6), O(6, 6), O(6, 6), O(6, 6), O(6, 6), O(6, 6)) \
    ROW(OFPGMFC_LOOP, N(6, 7), O(6, 7), O(6, 7), O(6, 7), O(6, 7), O(6, 7)) \
    ROW(OFPGMFC_UNKNOWN_GROUP, N(6, 8), O(6, 8), O(6, 8), O(6, 8), O(6, 8), O(6, 8)) \
    ROW(OFPGMFC_CHAINED_GROUP, N(6, 9), X, O(6, 9), O(6, 9), O(6, 9), O(6, 9)) \
    ROW(OFPGMFC_BAD_TYPE, N(6, 10), X, O(6, 10), O(6, 10), O(6, 10), O(6, 10)) \
    ROW(OFPGMFC_BAD_COMMAND, N(6, 11), X, O(6, 11), O(6, 11), O(6, 11), O(6, 11)) \
    ROW(OFPGMFC_BAD_BUCKET, N(6, 12), X, O(6, 12), O(6, 12), O(6, 12), O(6, 12)) \
    ROW(OFPGMFC_BAD_WATCH, N(6, 13), X, O(6, 13), O(6, 13), O(6, 13), O(6, 13)) \
    ROW(OFPGMFC_EPERM, N(6, 14), X, O(6, 14), O(6, 14), O(6, 14), O(6, 14)) \
    ROW(OFPGMFC_UNKNOWN_BUCKET, N(6, 15), X, X, X, X, O(6, 15)) \
    ROW(OFPGMFC_BUCKET_EXISTS, N(6, 16), X, X, X, X, O(6, 16)) \
    ROW(OFPPMFC_BAD_PORT, O(4, 0), O(7, 0), O(7, 0), O(7, 0), O(7, 0), O(7, 0)) \
    ROW(OFPPMFC_BAD_HW_ADDR, O(4, 1), O(7, 1), O(7, 1), O(7, 1), O(7, 1), O(7, 1)) \
    ROW(OFPPMFC_BAD_CONFIG, X, O(7, 2), O(7, 2), O(7, 2), O(7, 2), O(7, 2)) \
    ROW(OFPPMFC_BAD_ADVERTISE, X, O(7, 3), O(7, 3), O(7, 3), O(7, 3), O(7, 3)) \
    ROW(OFPPMFC_EPERM, X, X, O(7, 4), O(7, 4), O(7, 4), O(7, 4)) \
    ROW(OFPTMFC_BAD_TABLE, X, O(8, 0), O(8, 0), O(8, 0), O(8, 0), O(8, 0)) \
    ROW(OFPTMFC_BAD_CONFIG, X, O(8, 1), O(8, 1), O(8, 1), O(8, 1), O(8, 1)) \
    ROW(OFPTMFC_EPERM, X, X, O(8, 2), O(8, 2), O(8, 2), O(8, 2)) \
    ROW(OFPQOFC_BAD_PORT, O(5, 0), O(9, 0), O(9, 0), O(9, 0), O(9, 0), O(9, 0)) \
    ROW(OFPQOFC_BAD_QUEUE, O(5, 1), O(9, 1), O(9, 1), O(9, 1), O(9, 1), O(9, 1)) \
    ROW(OFPQOFC_EPERM, O(5, 2), O(9, 2), O(9, 2), O(9, 2), O(9, 2), O(9, 2)) \
    ROW(NXQOFC_QUEUE_ERROR, X, X, X, X, N(23, 0), N(23, 0)) \
    ROW(OFPSCFC_BAD_FLAGS, X, O(10, 0), O(10, 0), O(10, 0), O(10, 0), O(10, 0)) \
    ROW(OFPSCFC_BAD_LEN, X, O(10, 1), O(10, 1), O(10, 1), O(10, 1), O(10, 1)) \
    ROW(OFPSCFC_EPERM, X, X, O(10, 2), O(10, 2), O(10, 2), O(10, 2)) \
    ROW(OFPRRFC_STALE, X, X, O(11, 0), O(11, 0), O(11, 0), O(11, 0)) \
    ROW(OFPRRFC_UNSUP, X, X, O(11, 1), O(11, 1), O(11, 1), O(11, 1)) \
    ROW(OFPRRFC_BAD_ROLE, N(1, 513), N(1, 513), O(11, 2), O(11, 2), O(11, 2), O(11, 2)) \
    ROW(OFPRRFC_ID_UNSUP, X, X, X, X, X, O(11, 3)) \
    ROW(OFPRRFC_ID_IN_USE, X, X, X, X, X, O(11, 4)) \
    ROW(OFPMMFC_UNKNOWN, X, X, X, O(12, 0), O(12, 0), O(12, 0)) \
    ROW(OFPMMFC_METER_EXISTS, X, X, X, O(12, 1), O(12, 1), O(12, 1)) \
    ROW(OFPMMFC_INVALID_METER, X, X, X, O(12, 2), O(12, 2), O(12, 2)) \
    ROW(OFPMMFC_UNKNOWN_METER, X, X, X, O(12, 3), O(12, 3), O(12, 3)) \
    ROW(OFPMMFC_BAD_COMMAND, X, X, X, O(12, 4), O(12, 4), O(12, 4)) \
    ROW(OFPMMFC_BAD_FLAGS, X, X, X, O(12, 5), O(12, 5), O(12, 5)) \
    ROW(OFPMMFC_BAD_RATE, X, X, X, O(12, 6), O(12, 6), O(12, 6)) \
    ROW(OFPMMFC_BAD_BURST, X, X, X, O(12, 7), O(12, 7), O(12, 7)) \
    ROW(OFPMMFC_BAD_BAND, X, X, X, O(12, 8), O(12, 8), O(12, 8)) \
    ROW(OFPMMFC_BAD_BAND_VALUE, X, X, X, O(12, 9), O(12, 9), O(12, 9)) \
    ROW(OFPMMFC_OUT_OF_METERS, X, X, X, O(12, 10), O(12, 10), O(12, 10)) \
    ROW(OFPMMFC_OUT_OF_BANDS, X, X, X, O(12, 11), O(12, 11), O(12, 11)) \
    ROW(OFPTFFC_BAD_TABLE, X, X, X, O(13, 0), O(13, 0), O(13, 0)) \
    ROW(OFPTFFC_BAD_METADATA, X, X, X, O(13, 1), O(13, 1), O(13, 1)) \
    ROW(OFPTFFC_EPERM, X, X, X, O(13, 5), O(13, 5), O(13, 5)) \
    ROW(OFPTFFC_BAD_CAPA, X, X, X, X, X, O(13, 6)) \
    ROW(OFPTFFC_BAD_MAX_ENT, X, X, X, X, X, O(13, 7)) \
    ROW(OFPTFFC_BAD_FEATURES, X, X, X, X, X, O(13, 8)) \
    ROW(OFPTFFC_BAD_COMMAND, X, X, X, X, X, O(13, 9)) \
    ROW(OFPTFFC_TOO_MANY, X, X, X, X, X, O(13, 10)) \
    ROW(NXTFFC_DUP_TABLE, X, X, X, N(44, 0), N(44, 0), N(44, 0)) \
    ROW(OFPBPC_BAD_EXPERIMENTER, N(14, 5), N(14, 5), N(30, 0), F(4445, 0), O(14, 5), O(14, 5)) \
    ROW(OFPBPC_BAD_EXP_TYPE, N(14, 6), N(14, 6), N(31, 0), F(4446, 0), O(14, 6), O(14, 6)) \
    ROW(OFPBPC_BAD_EXP_VALUE, N(14, 7), N(14, 7), N(32, 0), F(4447, 0), O(14, 7), O(14, 7)) \
    ROW(OFPBPC_BAD_LEN, N(13, 3), N(13, 3), N(26, 0), O(13, 3), O(14, 1), O(14, 1)) \
    ROW(OFPBPC_BAD_TYPE, N(13, 2), N(13, 2), N(25, 0), O(13, 2), O(14, 0), O(14, 0)) \
    ROW(OFPBPC_BAD_VALUE, N(13, 4), N(13, 4), N(27, 0), O(13, 4), O(14, 2), O(14, 2)) \
    ROW(OFPBPC_DUP_TYPE, N(14, 4), N(14, 4), N(29, 0), F(4444, 0), O(14, 4), O(14, 4)) \
    ROW(OFPBPC_EPERM, N(14, 8), N(14, 8), N(33, 0), F(4448, 0), O(14, 8), O(14, 8)) \
    ROW(OFPBPC_TOO_MANY, N(14, 3), N(14, 3), N(28, 0), F(4443, 0), O(14, 3), O(14, 3)) \
    ROW(OFPACFC_EPERM, X, X, X, F(2372, 0), O(15, 2), O(15, 2)) \
    ROW(OFPACFC_INVALID, X, X, X, F(2370, 0), O(15, 0), O(15, 0)) \
    ROW(OFPACFC_UNSUPPORTED, X, X, X, F(2371, 0), O(15, 1), O(15, 1)) \
    ROW(OFPBFC_BAD_FLAGS, X, X, X, F(2307, 0), O(17, 7), O(17, 7)) \
    ROW(OFPBFC_BAD_ID, X, X, X, F(2302, 0), O(17, 2), O(17, 2)) \
    ROW(OFPBFC_BAD_TYPE, X, X, X, F(2306, 0), O(17, 6), O(17, 6)) \
    ROW(OFPBFC_BAD_VERSION, X, X, X, X, N(22, 0), N(22, 0)) \
    ROW(OFPBFC_BUNDLE_CLOSED, X, X, X, F(2304, 0), O(17, 4), O(17, 4)) \
    ROW(OFPBFC_BUNDLE_EXIST, X, X, X, F(2303, 0), O(17, 3), O(17, 3)) \
    ROW(OFPBFC_BUNDLE_IN_PROGRESS, X, X, X, F(2315, 0), O(17, 15), O(17, 15)) \
    ROW(OFPBFC_EPERM, X, X, X, F(2301, 0), O(17, 1), O(17, 1)) \
    ROW(OFPBFC_MSG_BAD_LEN, X, X, X, F(2308, 0), O(17, 8), O(17, 8)) \
    ROW(OFPBFC_MSG_BAD_XID, X, X, X, F(2309, 0), O(17, 9), O(17, 9)) \
    ROW(OFPBFC_MSG_CONFLICT, X, X, X, F(2311, 0), O(17, 11), O(17, 11)) \
    ROW(OFPBFC_MSG_FAILED, X, X, X, F(2313, 0), O(17, 13), O(17, 13)) \
    ROW(OFPBFC_MSG_TOO_MANY, X, X, X, F(2312, 0), O(17, 12), O(17, 12)) \
    ROW(OFPBFC_MSG_UNSUP, X, X, X, F(2310, 0), O(17, 10), O(17, 10)) \
    ROW(OFPBFC_OUT_OF_BUNDLES, X, X, X, F(2305, 0), O(17, 5), O(17, 5)) \
    ROW(OFPBFC_TIMEOUT, X, X, X, F(2314, 0), O(17, 14), O(17, 14)) \
    ROW(OFPBFC_UNKNOWN, X, X, X, F(2300, 0), O(17, 0), O(17, 0)) \
    ROW(OFPBFC_SCHED_NOT_SUPPORTED, X, X, X, X, X, O(17, 16)) \
    ROW(OFPBFC_SCHED_FUTURE, X, X, X, X, X, O(17, 17)) \
    ROW(OFPBFC_SCHED_PAST, X, X, X, X, X, O(17, 18)) \
    ROW(OFPMOFC_BAD_FLAGS, N(1, 518), N(1, 518), N(7, 0), N(7, 0), O(16, 5), O(16, 5)) \
    ROW(OFPMOFC_MONITOR_EXISTS, N(1, 517), N(1, 517), N(6, 0), N(6, 0), O(16, 1), O(16, 1)) \
    ROW(OFPMOFC_UNKNOWN, X, X, X, X, O(16, 0), O(16, 0)) \
    ROW(OFPMOFC_UNKNOWN_MONITOR, N(1, 519), N(1, 519), N(8, 0), N(8, 0), O(16, 3), O(16, 3)) \
    ROW(OFPMOFC_INVALID_MONITOR, X, X, X, X, O(16, 2), O(16, 2)) \
    ROW(OFPMOFC_BAD_COMMAND, X, X, X, X, O(16, 4), O(16, 4)) \
    ROW(OFPMOFC_BAD_TABLE_ID, X, X, X, X, O(16, 6), O(16, 6)) \
    ROW(OFPMOFC_BAD_OUT, X, X, X, X, O(16, 7), O(16, 7)) \
    ROW(NXR_NOT_SUPPORTED, N(1, 533), N(1, 533), N(34, 0), N(34, 0), N(34, 0), N(34, 0)) \
    ROW(NXR_STALE, N(1, 534), N(1, 534), N(35, 0), N(35, 0), N(35, 0), N(35, 0)) \
    ROW(NXTTMFC_ALREADY_MAPPED, N(1, 531), N(1, 531), N(20, 0), N(20, 0), N(20, 0), N(20, 0)) \
    ROW(NXTTMFC_BAD_COMMAND, N(1, 527), N(1, 527), N(16, 0), N(16, 0), N(16, 0), N(16, 0)) \
    ROW(NXTTMFC_BAD_FIELD_IDX, N(1, 529), N(1, 529), N(18, 0), N(18, 0), N(18, 0), N(18, 0)) \
    ROW(NXTTMFC_BAD_OPT_LEN, N(1, 528), N(1, 528), N(17, 0), N(17, 0), N(17, 0), N(17, 0)) \
    ROW(NXTTMFC_DUP_ENTRY, N(1, 532), N(1, 532), N(21, 0), N(21, 0), N(21, 0), N(21, 0)) \
    ROW(NXTTMFC_INVALID_TLV_DEL, N(1, 537), N(1, 537), N(38, 0), N(38, 0), N(38, 0), N(38, 0)) \
    ROW(NXTTMFC_TABLE_FULL, N(1, 530), N(1, 530), N(19, 0), N(19, 0), N(19, 0), N(19, 0))
// clang-format on
