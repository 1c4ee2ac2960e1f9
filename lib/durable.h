/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* durable - the two steps that writing a file for good needs beyond fsync().
 *
 * Neither says a sentence: the caller knows what the file is for.
 *
 * Threads  Any. */

#include <stddef.h>

/* Writes everything, however the kernel cuts it.  0 or a negative errno. */
int durable_write(int fd, const void *bytes, size_t n_bytes);

/* A new name lasts only once its directory is on the disk: syncs that of 'path'.  0 or a negative
 * errno. */
int durable_sync_directory(const char *path);
