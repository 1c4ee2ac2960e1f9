/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* annotations - what the compiler can check for us.
 *
 * PRINTF_LIKE checks format strings; GUARDED and REQUIRES are Clang's thread-safety analysis
 * (-Wthread-safety) and vanish under gcc. */

#define PRINTF_LIKE(format_arg, first_arg) __attribute__((format(printf, format_arg, first_arg)))
#define MUST_CHECK                         __attribute__((warn_unused_result))
#define UNUSED                             __attribute__((unused))
#define ALWAYS_INLINE                      __attribute__((always_inline))

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(array)[0])

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#if defined(__clang__)
#define CAPABILITY(name) __attribute__((capability(name)))
#define GUARDED_BY(lock) /* For people: in C, Clang 14 does not find a lock in the same struct. */
#define REQUIRES(lock)   __attribute__((requires_capability(lock)))
#define ACQUIRES(...)    __attribute__((acquire_capability(__VA_ARGS__)))
#define RELEASES(...)    __attribute__((release_capability(__VA_ARGS__)))
#define NO_LOCK_ANALYSIS __attribute__((no_thread_safety_analysis))
#else
#define CAPABILITY(name)
#define GUARDED_BY(lock)
#define REQUIRES(lock)
#define ACQUIRES(...)
#define RELEASES(...)
#define NO_LOCK_ANALYSIS
#endif
