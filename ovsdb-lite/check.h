/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* check - is a database file sound, and what can be saved of one that is not?
 *
 * Checking reads the whole file and changes nothing; a server may be using it.  Repairing keeps the
 * rows as of the last transaction before which nothing is missing: records say what changed, so one
 * that comes after a lost one says nothing certain.  The damaged file stays beside it, as
 * FILE.damaged, and each transaction that is lost is told.
 *
 * Threads  One. */

#include "lib/buffer.h"

enum check_status { CHECK_SOUND = 0, CHECK_DAMAGED = 1, CHECK_FAILED = 2 }; /* Exit statuses. */

/* 'report' gets what is found, in lines for a person. */
enum check_status check_file(const char *path, struct buffer *report);

/* CHECK_SOUND: the file was sound, or is now. */
enum check_status check_repair(const char *path, struct buffer *report);
