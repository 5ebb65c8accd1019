// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of logs: every finding that comes of them has its texts, and none of them steers a terminal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "logscan.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(str_release) struct str text = STR_INIT;
	struct findings l = FINDINGS_INIT;
	struct logscan *s = NULL;
	struct err e = ERR_INIT;

	if (size == 0 || logscan_new(&s, &e) < 0)
		return 0;
	str_addn(&text, (const char *)data, size);
	logscan_text(s, "kernel log", text.s);
	logscan_keep(s);
	logscan_findings(s, &l);
	for (size_t i = 0; i < l.n; i++)
		if (!l.v[i].id || !l.v[i].text || strpbrk(l.v[i].text, "\033\r"))
			abort();
	findings_release(&l);
	logscan_free(s);
	return 0;
}
