// SPDX-License-Identifier: GPL-2.0-or-later
/* mktree - unpacks a machine's text (tests/trees/NAME.tree) into an empty folder laid out like "/". */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "err.h"
#include "tree.h"

int main(int argc, char *argv[])
{
	struct err e = ERR_INIT;

	if (argc != 3) {
		fprintf(stderr, "usage: mktree FILE.tree FOLDER\n");
		return 2;
	}
	if (mkdir(argv[2], 0755) < 0 && errno != EEXIST) {
		fprintf(stderr, "mktree: cannot make the folder '%s': %s\n", argv[2], err_text(errno));
		return 1;
	}
	if (tree_load(argv[1], argv[2], &e) < 0) {
		fprintf(stderr, "mktree: %s\n", e.msg);
		return 1;
	}
	return 0;
}
