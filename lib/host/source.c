// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a fact was read: see source.h. */
#include "source.h"

#include <stdio.h>

struct source_text source_format(const struct source *at)
{
	struct source_text t;

	if (at->line)
		snprintf(t.s, sizeof(t.s), "%s:%u", at->file, at->line);
	else
		snprintf(t.s, sizeof(t.s), "%s", at->file);
	return t;
}
