/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* cmocka_all - cmocka and the headers it wants in front. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
