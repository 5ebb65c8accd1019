// SPDX-License-Identifier: GPL-2.0-or-later
/* bare - runs a program with an empty list of arguments: not even its own name. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	char *none[] = { NULL };

	if (argc < 2)
		return 2;
	execv(argv[1], none);
	perror(argv[1]);
	return 127;
}
