/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resettable - the AMD cards that the out-of-tree module vendor-reset resets (its src/device-db.h). */
#ifndef RESETTABLE_H
#define RESETTABLE_H

#include <stdbool.h>
#include <stdint.h>

bool vendor_reset_knows(uint16_t device);	/* of vendor 1002 */

#endif
