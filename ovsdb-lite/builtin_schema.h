/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* builtin_schema - the text of vswitch.ovsschema, made into an array by the build.
 *
 * Threads  Any: constant. */

extern const char builtin_schema[]; /* JSON, ended by NUL. */
