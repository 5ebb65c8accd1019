/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * array - room in a growable list of plain values.
 *
 *   struct thing *list; size_t n, size;
 *   if (array_room(&list, n, &size, sizeof(*list)) < 0) return err_nomem(e);
 *   list[n++] = t;
 */
#ifndef ARRAY_H
#define ARRAY_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for element number n.  `list` is the address of the list's pointer; new room is
 * zeroed.  -ENOMEM leaves everything as it was. */
static inline int array_room(void *list, size_t n, size_t *size, size_t element)
{
	size_t more = *size ? 2 * *size : 16;
	void *old, *grown;

	if (n < *size)
		return 0;
	memcpy(&old, list, sizeof(old));
	grown = realloc(old, more * element);
	if (!grown)
		return -ENOMEM;
	memset((char *)grown + *size * element, 0, (more - *size) * element);
	memcpy(list, &grown, sizeof(grown));
	*size = more;
	return 0;
}

#endif
