/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* aside - a second name for a file that is about to be replaced, so that nothing is lost.
 *
 * Threads  Any. */

#include "lib/error.h"

/* Links 'path' as "PATH.SUFFIX", or the first free of "PATH.SUFFIX.1" and so on; a name that is this
 * very file already is used again.  '*kept' is the name, the caller's. */
int aside_keep(const char *path, const char *suffix, char **kept, struct error *error);
