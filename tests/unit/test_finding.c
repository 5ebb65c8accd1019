// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings: every row of the tables is shown by one machine of tests/trees and not by another, and says
 * what a finding has to say. */
#include "test_pve_box.h"

#include <glob.h>
#include <stdio.h>

#include "facts.h"
#include "finding.h"

#define EXPECTED "tests/expected/*/doctor.json"

/* What no machine of files can show; the tests below do. */
static const char *const elsewhere[] = { "card-users-unknown" };

static bool is_elsewhere(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
		if (strcmp(id, elsewhere[i]) == 0)
			return true;
	return false;
}

static char *read_whole(const char *path)
{
	char *text = calloc(1, 1 << 20);
	FILE *f = fopen(path, "r");

	assert_non_null(text);
	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

/* The tree ring proves that the program says what these files hold. */
static void every_finding_has_its_machine(void **state)
{
	glob_t files;
	char **texts;

	(void)state;
	assert_int_equal(glob(EXPECTED, 0, NULL, &files), 0);
	assert_true(files.gl_pathc >= 25);
	texts = calloc(files.gl_pathc, sizeof(*texts));
	assert_non_null(texts);
	for (size_t i = 0; i < files.gl_pathc; i++)
		texts[i] = read_whole(files.gl_pathv[i]);
	for (size_t t = 0; finding_tables[t]; t++)
		for (const struct rule *r = finding_tables[t]; r->id; r++) {
			size_t with = 0;
			char wanted[96];

			snprintf(wanted, sizeof(wanted), "\"id\": \"%s\"", r->id);
			for (size_t i = 0; i < files.gl_pathc; i++)
				with += strstr(texts[i], wanted) != NULL;
			if (!is_elsewhere(r->id) && (with == 0 || with == files.gl_pathc))
				fail_msg("'%s' is found on %zu of %zu machines", r->id, with, files.gl_pathc);
		}
	for (size_t i = 0; i < files.gl_pathc; i++)
		free(texts[i]);
	free(texts);
	globfree(&files);
}

static void ids_are_names_and_differ(void **state)
{
	(void)state;
	for (size_t t = 0; finding_tables[t]; t++)
		for (const struct rule *r = finding_tables[t]; r->id; r++) {
			assert_int_equal(strspn(r->id, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(r->id));
			for (size_t u = 0; finding_tables[u]; u++)
				for (const struct rule *o = finding_tables[u]; o->id; o++)
					assert_true(o == r || strcmp(o->id, r->id) != 0);
		}
}

static void heavy_ones_come_first(void **state)
{
	struct findings l = FINDINGS_INIT;

	(void)state;
	finding_add(&l, "a", SEVERITY_OK, NULL, "", "one");
	finding_add(&l, "b", SEVERITY_PROBLEM, "seen", "do", "%s", "two");
	finding_add(&l, "c", SEVERITY_HINT, NULL, NULL, "three");
	finding_add(&l, "d", SEVERITY_PROBLEM, NULL, NULL, "four");
	findings_sort(&l);
	assert_string_equal(l.v[0].id, "b");
	assert_string_equal(l.v[1].id, "d");
	assert_string_equal(l.v[2].id, "c");
	assert_string_equal(l.v[3].id, "a");
	assert_string_equal(l.v[0].text, "two");
	assert_null(l.v[3].fix);
	assert_int_equal(findings_worst(&l), SEVERITY_PROBLEM);
	assert_int_equal(findings_count(&l, SEVERITY_PROBLEM), 2);
	findings_release(&l);
	assert_int_equal(findings_worst(&l), SEVERITY_OK);
}

static struct findings findings_with(struct box *b, void (*change)(struct facts *f))
{
	struct facts *f = NULL;
	struct findings l;

	box_folder(b, "/sys/bus/pci/devices");
	box_worked(b, facts_load(&b->h, &f, &b->e), 0);
	if (change)
		change(f);
	box_worked(b, findings_of_host(f, &l, &b->e), 0);
	facts_free(f);
	return l;
}

static const struct finding *find(const struct findings *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].id, id) == 0)
			return &l->v[i];
	return NULL;
}

static void users_unknown(struct facts *f)
{
	snprintf(f->inuse_why, sizeof(f->inuse_why), "a process hangs");
}

static void a_hanging_look_is_told(void **state)
{
	struct box *b = *state;
	struct findings l = findings_with(b, users_unknown);

	assert_non_null(find(&l, "card-users-unknown"));
	assert_non_null(strstr(find(&l, "card-users-unknown")->text, "a process hangs"));
	findings_release(&l);
	l = findings_with(b, NULL);
	assert_null(find(&l, "card-users-unknown"));
	findings_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_finding_has_its_machine),
		cmocka_unit_test(ids_are_names_and_differ),
		cmocka_unit_test(heavy_ones_come_first),
		BOX_TEST(a_hanging_look_is_told),
	};

	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
