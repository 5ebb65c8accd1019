// SPDX-License-Identifier: GPL-2.0-or-later
/* The lint of VMs: every row of its tables is shown by one VM of tests/trees and not by another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lint.h"

#define TEXT_MAX (1u << 20)

static char *read_whole(const char *path)
{
	char *text = calloc(1, TEXT_MAX);
	FILE *f = fopen(path, "r");

	assert_non_null(text);
	assert_non_null(f);
	assert_true(fread(text, 1, TEXT_MAX - 1, f) > 0);
	fclose(f);
	return text;
}

/* The tree ring proves that the program says what these files hold. */
static void every_finding_has_its_vm(void **state)
{
	glob_t files;
	char **texts;

	(void)state;
	assert_int_equal(glob("tests/expected/*/doctor-*.json", 0, NULL, &files), 0);
	texts = calloc(files.gl_pathc, sizeof(*texts));
	assert_non_null(texts);
	for (size_t i = 0; i < files.gl_pathc; i++)
		texts[i] = read_whole(files.gl_pathv[i]);
	for (size_t t = 0; lint_tables[t]; t++)
		for (const struct lint_rule *r = lint_tables[t]; r->id; r++) {
			size_t with = 0;
			char wanted[96];

			snprintf(wanted, sizeof(wanted), "\"id\": \"%s\"", r->id);
			for (size_t i = 0; i < files.gl_pathc; i++)
				with += strstr(texts[i], wanted) != NULL;
			if (with == 0 || with == files.gl_pathc)
				fail_msg("'%s' is found at %zu of %zu VMs", r->id, with, files.gl_pathc);
		}
	for (size_t i = 0; i < files.gl_pathc; i++)
		free(texts[i]);
	free(texts);
	globfree(&files);
}

static void ids_differ(void **state)
{
	(void)state;
	for (size_t t = 0; lint_tables[t]; t++)
		for (const struct lint_rule *r = lint_tables[t]; r->id; r++) {
			assert_int_equal(strncmp(r->id, "vm-", 3), 0);
			for (size_t u = 0; lint_tables[u]; u++)
				for (const struct lint_rule *o = lint_tables[u]; o->id; o++)
					assert_true(o == r || strcmp(o->id, r->id) != 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_finding_has_its_vm),
		cmocka_unit_test(ids_differ),
	};

	return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}
