/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source - a file and a line in it: where a fact about the machine was read.
 */
#ifndef SOURCE_H
#define SOURCE_H

struct source {
	char file[128];
	unsigned line;		/* from 1; 0 = the file as a whole */
};

/* "/etc/default/grub:9" */
struct source_text { char s[160]; };
struct source_text source_format(const struct source *at);

#endif
