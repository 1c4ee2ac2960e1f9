/* SPDX-License-Identifier: Apache-2.0 */

/* One answer is enough to look for the next; as long as none comes, each look is half as long as the one before. */

#include "datapath/look.h"

#include <stdbool.h>

#define MIN_NS     INT64_C(4000) /* Less finds nothing. */
#define AT_ONCE_NS INT64_C(2000) /* They were there: nobody waited. */

void look_learn(struct look *look, int64_t waited_ns, uint64_t came_by, uint64_t went_to)
{
    bool is_answer = came_by & look->asked_of;
    /* Who did not look had to be woken, which is in the time. */
    int64_t soon_ns = look->ns ? LOOK_MAX_NS : 2 * LOOK_MAX_NS;

    look->asked_of = went_to;
    if (waited_ns < AT_ONCE_NS)
        return;
    look->ns = is_answer && waited_ns <= soon_ns ? LOOK_MAX_NS : look->ns / 2;
    if (look->ns < MIN_NS)
        look->ns = 0;
}
