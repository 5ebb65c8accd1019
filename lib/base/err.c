// SPDX-License-Identifier: GPL-2.0-or-later
/* The error value: see err.h. */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	e->code = code > 0 ? code : EINVAL;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	return -e->code;
}

/* As much of it as there is room for. */
static void append(struct err *e, const char *text)
{
	size_t n = strlen(e->msg), more = strlen(text);

	if (more > sizeof(e->msg) - 1 - n)
		more = sizeof(e->msg) - 1 - n;
	memcpy(e->msg + n, text, more);
	e->msg[n + more] = '\0';
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	struct err old = *e;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	append(e, ": ");
	append(e, old.msg);
	if (e->code <= 0)
		e->code = EINVAL;
	return -e->code;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	bool sentence = fmt[0] >= 'A' && fmt[0] <= 'Z';
	size_t n = strlen(e->msg);
	va_list ap;

	if (sentence && n && n + 1 < sizeof(e->msg) && !strchr(".!?", e->msg[n - 1]))
		e->msg[n++] = '.';
	if (n + 2 < sizeof(e->msg)) {
		e->msg[n++] = ' ';
		va_start(ap, fmt);
		vsnprintf(e->msg + n, sizeof(e->msg) - n, fmt, ap);
		va_end(ap);
	}
	if (e->code <= 0)
		e->code = EINVAL;
	return -e->code;
}

int err_nomem(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

const char *err_text(int code)
{
	const char *s = strerrordesc_np(abs(code));

	return s ? s : "unknown error";
}
