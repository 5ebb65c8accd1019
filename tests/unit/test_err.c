// SPDX-License-Identifier: GPL-2.0-or-later
/* The error idiom: codes stay negative, sentences grow at both ends and never overflow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "err.h"

static void code_is_never_success(void **state)
{
	static const struct { int code, want; } cases[] = {
		{ EBUSY, -EBUSY }, { ENODEV, -ENODEV }, { 1, -1 }, { 0, -EINVAL }, { -EBUSY, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(err_set(&e, cases[i].code, "x"), cases[i].want);
		assert_int_equal(e.code, -cases[i].want);
	}
}

static void wrap_puts_text_before(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, EBUSY, "%s is on %s", "01:00.0", "nvidia");
	assert_int_equal(err_wrap(&e, "VM %u", 100), -EBUSY);
	assert_string_equal(e.msg, "VM 100: 01:00.0 is on nvidia");
	assert_int_equal(err_wrap(&e, "start"), -EBUSY);
	assert_string_equal(e.msg, "start: VM 100: 01:00.0 is on nvidia");
}

static void hint_puts_text_behind(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, EPERM, "no");
	assert_int_equal(err_hint(&e, "Type '%s'.", "qm stop 100"), -EPERM);
	assert_string_equal(e.msg, "no. Type 'qm stop 100'.");
}

/* A caller that wraps what never happened still fails. */
static void nothing_set_is_still_an_error(void **state)
{
	struct err a = ERR_INIT, b = ERR_INIT;

	(void)state;
	assert_int_equal(err_wrap(&a, "VM %u", 1), -EINVAL);
	assert_int_equal(err_hint(&b, "try again"), -EINVAL);
	assert_int_equal(a.code, EINVAL);
	assert_int_equal(b.code, EINVAL);
}

/* Lengths around the size of the buffer: always terminated, the code always kept. */
static void long_sentences_are_cut(void **state)
{
	char text[4096];

	(void)state;
	for (size_t n = sizeof(((struct err *)0)->msg) - 6; n < sizeof(((struct err *)0)->msg) + 6; n++) {
		struct err e = ERR_INIT;

		memset(text, 'x', n);
		text[n] = '\0';
		assert_int_equal(err_set(&e, EIO, "%s", text), -EIO);
		assert_true(strlen(e.msg) < sizeof(e.msg));
		assert_int_equal(err_hint(&e, "%s", text), -EIO);
		assert_true(strlen(e.msg) < sizeof(e.msg));
		assert_int_equal(err_wrap(&e, "%s", text), -EIO);
		assert_true(strlen(e.msg) < sizeof(e.msg));
		assert_int_equal(e.msg[0], 'x');
	}
}

static void texts(void **state)
{
	(void)state;
	assert_string_equal(err_text(ENOENT), "No such file or directory");
	assert_string_equal(err_text(-ENOENT), "No such file or directory");
	assert_string_equal(err_text(524), "unknown error");	/* ENOTSUPP, which the kernel leaks */
	assert_non_null(err_text(0));
}

static void out_of_memory(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_nomem(&e), -ENOMEM);
	assert_string_equal(e.msg, "out of memory");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_is_never_success),
		cmocka_unit_test(wrap_puts_text_before),
		cmocka_unit_test(hint_puts_text_behind),
		cmocka_unit_test(nothing_set_is_still_an_error),
		cmocka_unit_test(long_sentences_are_cut),
		cmocka_unit_test(texts),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
