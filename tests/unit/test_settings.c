// SPDX-License-Identifier: GPL-2.0-or-later
/* Settings: what is accepted, what is refused and where, and that the shipped examples say the truth. */
#include "test_pve_box.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "settings.h"
#include "str.h"

#define VM_DIR	"/var/lib/vz/snippets"
#define VM_FILE	VM_DIR "/100.gpu.ini"

static void starts_from_the_defaults(void **state)
{
	struct settings s;

	(void)state;
	memset(&s, 0xff, sizeof(s));
	settings_init(&s);
	assert_int_equal(s.group_members, SETTINGS_MEMBERS_IDLE);
	assert_int_equal(s.reset, SETTINGS_RESET_AUTO);
	assert_int_equal(s.start_deadline, 120000);
	assert_int_equal(s.stop_deadline, 45000);
	assert_int_equal(s.release_wait, 30000);
	for (size_t i = 0; i < SETTINGS_N; i++) {
		assert_string_equal(s.origin[i].text, "default");
		assert_non_null(settings_keys[i].help);
		assert_int_equal(strcspn(settings_keys[i].help, "\n"), strlen(settings_keys[i].help));
	}
}

static void missing_files_change_nothing(void **state)
{
	struct box *b = *state;
	struct settings s, defaults;

	settings_init(&defaults);
	box_worked(b, settings_load(&b->h, NULL, 100, &s, &b->e), 0);
	assert_memory_equal(&s, &defaults, sizeof(s));
	box_worked(b, settings_load(&b->h, VM_DIR, 100, &s, &b->e), 0);
	assert_memory_equal(&s, &defaults, sizeof(s));
}

static void the_vm_overrides_the_host_key_by_key(void **state)
{
	struct box *b = *state;
	struct settings s;

	box_text(b, SETTINGS_HOST_FILE, "# host\n[claim]\ngroup_members = refuse\nreset=never\nstop_deadline : 20\n");
	box_text(b, VM_FILE, "[claim]\r\n\r\n  ; note\r\ngroup_members = take   ; only here\r\n"
			     "start_deadline=\t600\r\n");
	box_worked(b, settings_load(&b->h, VM_DIR, 100, &s, &b->e), 0);
	assert_int_equal(s.group_members, SETTINGS_MEMBERS_TAKE);
	assert_string_equal(s.origin[SETTINGS_GROUP_MEMBERS].text, VM_FILE ":4");
	assert_int_equal(s.reset, SETTINGS_RESET_NEVER);
	assert_string_equal(s.origin[SETTINGS_RESET].text, SETTINGS_HOST_FILE ":4");
	assert_int_equal(s.start_deadline, 600000);
	assert_string_equal(s.origin[SETTINGS_START_DEADLINE].text, VM_FILE ":5");
	assert_int_equal(s.stop_deadline, 20000);
	assert_string_equal(s.origin[SETTINGS_STOP_DEADLINE].text, SETTINGS_HOST_FILE ":5");
	assert_string_equal(s.origin[SETTINGS_RELEASE_WAIT].text, "default");
	/* Another VM, and a caller that knows no folder, see the host's alone. */
	box_worked(b, settings_load(&b->h, VM_DIR, 101, &s, &b->e), 0);
	assert_int_equal(s.group_members, SETTINGS_MEMBERS_REFUSE);
	box_worked(b, settings_load(&b->h, NULL, 100, &s, &b->e), 0);
	assert_int_equal(s.group_members, SETTINGS_MEMBERS_REFUSE);
}

#define LINE50	"# 34567890123456789012345678901234567890123456789\n"
#define X190	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* A file, and the line and words it is refused with; NULL = accepted. */
static const struct {
	const char *text, *line, *part;
} files[] = {
	{ "", NULL, NULL },
	{ "\n\n", NULL, NULL },
	{ "[claim]", NULL, NULL },
	{ "[claim]\n[claim]\nreset = auto", NULL, NULL },
	{ "[claim] # comment\n# c\n\t; c\n   \nreset = auto ; c", NULL, NULL },
	{ "\xef\xbb\xbf[claim]\nreset = always\n", NULL, NULL },
	{ "# Gr\xc3\xbc\xc3\x9f" "e\n[claim]\nreset = auto\n", NULL, NULL },
	{ "#" X190 "\n", NULL, NULL },
	{ "reset = auto\n", ":1:", "before any [section]" },
	{ "[claims]\n", ":1:", "no such section" },
	{ "\xef\xbb\xbf[claims]\n", ":1:", "no such section" },
	{ "[claim ]\nreset = auto\n", ":1:", "no such section" },
	{ "[Claim]\n", ":1:", "no such section" },
	{ "[]\n", ":1:", "no such section" },
	{ "[claim\nreset = auto\n", ":1:", "end with ']'" },
	{ "[claim] reset = never\n", ":1:", "nothing but a comment" },
	{ "[claim]\nresett = auto\n", ":2:", "no such key" },
	{ "[claim]\nRESET = auto\n", ":2:", "no such key" },
	{ "[claim]\n = auto\n", ":2:", "indented" },
	{ "[claim]\n= auto\n", ":2:", "no such key" },
	{ "[claim]\nreset\n", ":2:", "neither" },
	{ "[claim]\nreset auto\n[claims]\n", ":2:", "neither" },
	{ "[claim]\nreset = auto\nreset = auto\n", ":3:", "given twice, first in line 2" },
	{ "[claim]\nreset = auto\n[claim]\nreset = never\n", ":4:", "given twice, first in line 2" },
	{ "[claim]\nreset = auto\n  never\n", ":3:", "indented" },
	{ "[claim]\nreset = auto\n\treset = never\n", ":3:", "indented" },
	{ "[claim]\nreset =\n", ":2:", "one of auto, always, never" },
	{ "[claim]\nreset = aut\n", ":2:", "reset = aut: the value must be one of auto, always, never" },
	{ "[claim]\nreset = Auto\n", ":2:", "must be" },
	{ "[claim]\nreset = \"auto\"\n", ":2:", "must be" },
	{ "[claim]\nreset = auto # c\n", ":2:", "auto # c" },
	{ "[claim]\nreset = au\x80to\n", ":2:", "au\\x80to" },
	{ "[claim]\nstop_deadline = 4\n", ":2:", "whole seconds from 5 to 55" },
	{ "[claim]\nstop_deadline = 5\n", NULL, NULL },
	{ "[claim]\nstop_deadline = 55\n", NULL, NULL },
	{ "[claim]\nstop_deadline = 56\n", ":2:", "from 5 to 55" },
	{ "[claim]\nstop_deadline = -20\n", ":2:", "from 5 to 55" },
	{ "[claim]\nstop_deadline = 20s\n", ":2:", "from 5 to 55" },
	{ "[claim]\nstop_deadline = 1e1\n", ":2:", "from 5 to 55" },
	{ "[claim]\nstop_deadline = 0x10\n", ":2:", "from 5 to 55" },
	{ "[claim]\nstop_deadline = 18446744073709551626\n", ":2:", "from 5 to 55" },
	{ "[claim]\nstart_deadline = 601\n", ":2:", "from 5 to 600" },
	{ "[claim]\nrelease_wait = 0\n", ":2:", "from 1 to 55" },
	{ "[claim]\nreset = auto\r\n", NULL, NULL },
	{ "[claim]\nreset = au\rto\n", ":2:", "control character" },
	{ "[claim]\nreset = auto\x1b\n", ":2:", "control character" },
	{ LINE50 LINE50 LINE50 LINE50 LINE50 "[claim]\n#" X190 X190 "\nreset = auto\n", ":7:", "longer than 199 bytes" },
	{ "[claim]\nreset = auto" X190 "xxxxxxxxxxxx\n", ":2:", "longer than 199 bytes" },
};

static void refuses_what_it_does_not_understand(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct settings s, before;
		int r;

		memset(&s, 0x55, sizeof(s));
		before = s;
		box_text(b, SETTINGS_HOST_FILE, files[i].text);
		r = settings_load(&b->h, NULL, 100, &s, &b->e);
		if (r != (files[i].part ? -EINVAL : 0))
			fail_msg("'%s': %d, %s", files[i].text, r, b->e.msg);
		if (r == 0)
			continue;
		assert_memory_equal(&s, &before, sizeof(s));
		if (!strstr(b->e.msg, files[i].line) || strncmp(b->e.msg, SETTINGS_HOST_FILE, 25) != 0)
			fail_msg("'%s': %s", files[i].text, b->e.msg);
		box_failed(b, r, -EINVAL, files[i].part);
	}
}

static void a_line_may_be_as_long_as_the_library_reads(void **state)
{
	struct box *b = *state;
	struct settings s;
	struct str text = STR_INIT;

	/* 199 bytes with the value at their end: nothing of it is cut off. */
	str_add(&text, "[claim]\nreset =");
	while (text.len < 8 + 199 - strlen("never"))
		str_add(&text, " ");
	str_add(&text, "never\n");
	box_text(b, SETTINGS_HOST_FILE, text.s);
	str_release(&text);
	box_worked(b, settings_load(&b->h, NULL, 100, &s, &b->e), 0);
	assert_int_equal(s.reset, SETTINGS_RESET_NEVER);
}

static void a_bad_vm_file_is_named(void **state)
{
	struct box *b = *state;
	struct settings s;

	box_text(b, SETTINGS_HOST_FILE, "[claim]\nreset = never\n");
	box_text(b, VM_FILE, "[claim]\n\nreset = maybe\n");
	box_failed(b, settings_load(&b->h, VM_DIR, 100, &s, &b->e), -EINVAL, VM_FILE ":3: reset = maybe");
	box_failed(b, settings_load(&b->h, "snippets", 100, &s, &b->e), -EINVAL, "absolute path");
	box_failed(b, settings_load(&b->h, ".", 100, &s, &b->e), -EINVAL, "absolute path");
	box_failed(b, settings_load(&b->h, "/" X190 X190 X190, 100, &s, &b->e), -EINVAL, "absolute path");
}

/* --- who may write them -------------------------------------------------------------------- */

static const struct {
	const char *name;
	mode_t file, folder;
	bool root;		/* owner of the file */
	const char *part;	/* NULL = believed */
	unsigned owner, group;	/* of the folder */
	mode_t above;		/* the folder above it; 0 = 0755 */
	unsigned above_owner;
} owners[] = {
	{ "plain", 0644, 0755, true, NULL, 0, 0, 0, 0 },
	{ "private", 0600, 0700, true, NULL, 0, 0, 0, 0 },
	{ "folder of root's group", 0644, 0775, true, NULL, 0, 0, 0, 0 },
	{ "a user's", 0644, 0755, false, "belongs to user 4711", 0, 0, 0, 0 },
	{ "the group's to write", 0664, 0755, true, "chmod go-w", 0, 0, 0, 0 },
	{ "everybody's to write", 0646, 0755, true, "chmod go-w", 0, 0, 0, 0 },
	{ "everybody's folder", 0644, 0757, true, "chmod o-w", 0, 0, 0, 0 },
	{ "everybody's sticky folder", 0644, 01777, true, "chmod o-w", 0, 0, 0, 0 },
	{ "a user's folder", 0644, 0755, true, "belongs to user 4711", 4711, 0, 0, 0 },
	{ "a group's folder", 0644, 0775, true, "chmod g-w", 0, 4711, 0, 0 },
	{ "a group's, who may only read", 0644, 0755, true, NULL, 0, 4711, 0, 0 },
	{ "a folder that everybody can move away", 0644, 0755, true, "chmod o-w", 0, 0, 0777, 0 },
	{ "a sticky folder above", 0644, 0755, true, NULL, 0, 0, 01777, 0 },
	{ "a user's folder above", 0644, 0755, true, "belongs to user 4711", 0, 0, 0, 4711 },
};

static void believes_only_what_root_alone_can_write(void **state)
{
	struct box *b = *state;
	struct settings s;

	box_text(b, VM_FILE, "[claim]\nreset = never\n");
	if (geteuid() != 0) {
		/* Without root's rights whatever we make is a stranger's. */
		b->h.real = true;
		box_failed(b, settings_load(&b->h, VM_DIR, 100, &s, &b->e), -EPERM, "belongs to user");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		int r;

		assert_int_equal(chmod(box_path(b, VM_FILE).s, owners[i].file), 0);
		assert_int_equal(chown(box_path(b, VM_FILE).s, owners[i].root ? 0 : 4711, 0), 0);
		assert_int_equal(chown(box_path(b, VM_DIR).s, owners[i].owner, owners[i].group), 0);
		assert_int_equal(chmod(box_path(b, VM_DIR).s, owners[i].folder), 0);
		assert_int_equal(chown(box_path(b, VM_DIR "/..").s, owners[i].above_owner, 0), 0);
		assert_int_equal(chmod(box_path(b, VM_DIR "/..").s, owners[i].above ? owners[i].above : 0755), 0);
		/* In a captured tree nobody asks. */
		b->h.real = false;
		box_worked(b, settings_load(&b->h, VM_DIR, 100, &s, &b->e), 0);
		b->h.real = true;
		r = settings_load(&b->h, VM_DIR, 100, &s, &b->e);
		if (r != (owners[i].part ? -EPERM : 0))
			fail_msg("%s: %d, %s", owners[i].name, r, b->e.msg);
		if (r < 0) {
			assert_non_null(strstr(b->e.msg, VM_FILE));
			box_failed(b, r, -EPERM, owners[i].part);
		}
	}
}

static void survives_what_lies_in_the_way(void **state)
{
	struct box *b = *state;
	struct settings s;

	box_folder(b, SETTINGS_HOST_FILE);
	box_failed(b, settings_load(&b->h, NULL, 100, &s, &b->e), -EINVAL, "no regular file");
	assert_int_equal(tfs_remove(b->h.rootfd, SETTINGS_HOST_FILE), 0);
	box_fifo(b, SETTINGS_HOST_FILE);
	box_failed(b, settings_load(&b->h, NULL, 100, &s, &b->e), -EINVAL, "no regular file");
	assert_int_equal(tfs_unlink(b->h.rootfd, SETTINGS_HOST_FILE), 0);
	box_link(b, SETTINGS_HOST_FILE, "/mnt/not-mounted/settings.ini");
	box_failed(b, settings_load(&b->h, NULL, 100, &s, &b->e), -EINVAL, "leads nowhere");
	box_link(b, SETTINGS_HOST_FILE, "settings.ini");
	box_failed(b, settings_load(&b->h, NULL, 100, &s, &b->e), -ELOOP, SETTINGS_HOST_FILE);
	/* A link to a real file is the administrator's way of sharing one. */
	box_text(b, "/srv/one.ini", "[claim]\nreset = never\n");
	box_link(b, SETTINGS_HOST_FILE, "/srv/one.ini");
	box_worked(b, settings_load(&b->h, NULL, 100, &s, &b->e), 0);
	assert_int_equal(s.reset, SETTINGS_RESET_NEVER);
	assert_int_equal(tfs_unlink(b->h.rootfd, SETTINGS_HOST_FILE), 0);

	box_noise(b, SETTINGS_HOST_FILE, 4096);
	box_failed(b, settings_load(&b->h, NULL, 100, &s, &b->e), -EINVAL, SETTINGS_HOST_FILE ":1:");
	box_bytes(b, SETTINGS_HOST_FILE, "[claim]\nreset = never\0\n", 23);
	box_failed(b, settings_load(&b->h, NULL, 100, &s, &b->e), -EINVAL, ":2: there is a control character");
	box_noise(b, SETTINGS_HOST_FILE, SETTINGS_FILE_MAX + 1);
	box_failed(b, settings_load(&b->h, NULL, 100, &s, &b->e), -EFBIG, "larger than 65536 bytes");
	assert_int_equal(tfs_remove(b->h.rootfd, "/etc/pve-gpu"), 0);
	box_text(b, "/etc/pve-gpu", "a file");
	box_failed(b, settings_load(&b->h, NULL, 100, &s, &b->e), -ENOTDIR, SETTINGS_HOST_FILE);
}

static void a_full_file_is_read_to_its_end(void **state)
{
	struct box *b = *state;
	struct str text = STR_INIT;
	struct settings s;

	while (text.len < SETTINGS_FILE_MAX - 2 * strlen(LINE50))
		str_add(&text, LINE50);
	str_add(&text, "[claim]\nreset = never");
	box_text(b, SETTINGS_HOST_FILE, text.s);
	str_release(&text);
	box_worked(b, settings_load(&b->h, NULL, 100, &s, &b->e), 0);
	assert_int_equal(s.reset, SETTINGS_RESET_NEVER);
}

/* --- a table of its own: the kinds of value ------------------------------------------------ */

struct values {
	bool flag;
	struct settings_list list;
	uint64_t wait;
};

static const struct settings_key own_keys[] = {
	{ .section = "a", .name = "flag", .type = SETTINGS_BOOL, .where = SETTINGS_IN_BOTH,
	  .offset = offsetof(struct values, flag) },
	{ .section = "a", .name = "list", .type = SETTINGS_LIST, .where = SETTINGS_IN_HOST,
	  .offset = offsetof(struct values, list) },
	{ .section = "b", .name = "wait", .type = SETTINGS_SECONDS, .where = SETTINGS_IN_VM, .min = 0, .max = 9,
	  .offset = offsetof(struct values, wait) },
};

static const struct settings_table own = { own_keys, ARRAY_SIZE(own_keys) };

static const struct {
	const char *text;
	unsigned where;
	const char *part;	/* NULL = accepted */
	struct values want;
} kinds[] = {
	{ "[a]\nflag = yes\nlist = one\n", SETTINGS_IN_HOST, NULL, { true, { "one", 1 }, 77 } },
	{ "[a]\nlist = one  two,three\t,four\n", SETTINGS_IN_HOST, NULL, { false, { "one two three four", 4 }, 77 } },
	{ "[a]\nlist =\n", SETTINGS_IN_HOST, NULL, { false, { "", 0 }, 77 } },
	{ "[a]\nflag = no\n[b]\nwait = 0\n", SETTINGS_IN_VM, NULL, { false, { "old", 1 }, 0 } },
	{ "[a]\nflag = true\n", SETTINGS_IN_VM, "flag = true: the value must be yes or no", { 0 } },
	{ "[a]\nflag = 1\n", SETTINGS_IN_VM, "yes or no", { 0 } },
	{ "[a]\nlist = x\n", SETTINGS_IN_VM, "f:2: this key may only stand in /etc/pve-gpu/settings.ini", { 0 } },
	{ "[b]\nwait = 1\n", SETTINGS_IN_HOST, "f:2: this key may only stand in a VM's own file", { 0 } },
	{ "[a]\nwait = 1\n", SETTINGS_IN_VM, "no such key", { 0 } },
	{ "[b]\nwait = 10\n", SETTINGS_IN_VM, "from 0 to 9", { 0 } },
};

static void knows_kinds_of_values_and_their_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct values v = { .flag = false, .list = { "old", 1 }, .wait = 77 };
		unsigned line_of[ARRAY_SIZE(own_keys)];
		struct err e = ERR_INIT;
		int r = settings_parse(&own, "f", kinds[i].text, strlen(kinds[i].text), kinds[i].where, &v,
				       line_of, &e);

		if (r != (kinds[i].part ? -EINVAL : 0) || (r < 0 && !strstr(e.msg, kinds[i].part)))
			fail_msg("'%s': %d, %s", kinds[i].text, r, e.msg);
		if (r < 0)
			continue;
		assert_int_equal(v.flag, kinds[i].want.flag);
		assert_string_equal(v.list.text, strstr(kinds[i].text, "list") ? kinds[i].want.list.text : "old");
		assert_int_equal(v.list.n, strstr(kinds[i].text, "list") ? kinds[i].want.list.n : 1);
		assert_int_equal(v.wait, kinds[i].want.wait);
		assert_int_equal(line_of[0] != 0, strstr(kinds[i].text, "flag") != NULL);
	}
}

/* --- what may be stopped for a VM ------------------------------------------------------------- */

/* `want` NULL: it is refused; of a list the text, of a word with seconds "word ms". */
static const struct { enum settings_id id; const char *value, *want; } users[] = {
	{ SETTINGS_SERVICE_USERS, "refuse", "refuse" },
	{ SETTINGS_SERVICE_USERS, "auto", "auto" },
	{ SETTINGS_SERVICE_USERS, "auto ollama", "auto ollama.service" },
	{ SETTINGS_SERVICE_USERS, "stop, ollama, jellyfin.service app@1.service", "stop ollama.service jellyfin.service app@1.service" },
	{ SETTINGS_SERVICE_USERS, "", NULL },
	{ SETTINGS_SERVICE_USERS, "stop", NULL },
	{ SETTINGS_SERVICE_USERS, "ollama", NULL },
	{ SETTINGS_SERVICE_USERS, "refuse ollama", NULL },
	{ SETTINGS_SERVICE_USERS, "stop --all", NULL },
	{ SETTINGS_SERVICE_USERS, "stop ../ollama", NULL },
	{ SETTINGS_SERVICE_USERS, "stop a;b", NULL },
	{ SETTINGS_PROCESS_USERS, "refuse", "0 0" },
	{ SETTINGS_PROCESS_USERS, "term", "1 10000" },
	{ SETTINGS_PROCESS_USERS, "kill 60", "2 60000" },
	{ SETTINGS_PROCESS_USERS, "kill 61", NULL },
	{ SETTINGS_PROCESS_USERS, "term 0", NULL },
	{ SETTINGS_PROCESS_USERS, "term 5 6", NULL },
	{ SETTINGS_PROCESS_USERS, "refuse 5", NULL },
	{ SETTINGS_PROCESS_USERS, "murder", NULL },
	{ SETTINGS_PROCESS_USERS, "", NULL },
};

static void says_who_may_be_stopped(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		struct settings s;
		struct err e = ERR_INIT;
		char text[256];
		int r;

		settings_init(&s);
		r = settings_set(&settings_keys[users[i].id], users[i].value, &s, &e);
		if (r != (users[i].want ? 0 : -EINVAL) || (r < 0 && !strstr(e.msg, "must be")))
			fail_msg("%s = %s: %d, %s", settings_keys[users[i].id].name, users[i].value, r, e.msg);
		if (users[i].id == SETTINGS_SERVICE_USERS)
			snprintf(text, sizeof(text), "%s", s.services.text);
		else
			snprintf(text, sizeof(text), "%u %llu", s.processes.word, (unsigned long long)s.processes.ms);
		if (r == 0)
			assert_string_equal(text, users[i].want);
	}
}

/* --- what is shipped (the current directory is the repository) ------------------------------ */

static char *shipped(const char *path)
{
	struct host h;
	struct err e = ERR_INIT;
	char *text = NULL;
	size_t len;

	assert_int_equal(host_open(&h, ".", &e), 0);
	if (host_read_file(&h, path, SETTINGS_FILE_MAX, &text, &len) < 0)
		fail_msg("cannot read '.%s': run the tests from the repository", path);
	host_close(&h);
	return text;
}

static void the_example_has_every_key_with_its_default(void **state)
{
	char *text = shipped("/snippets/settings.ini");

	(void)state;
	for (size_t i = 0; i < SETTINGS_N; i++) {
		const struct settings_key *k = &settings_keys[i];

		if (!(k->where & SETTINGS_IN_HOST))
			continue;
		struct host_path section = host_path("\n[%s]\n", k->section);
		struct host_path line = host_path("\n# %s = %s\n", k->name, k->def);
		const char *at = strstr(text, line.s), *begin = strstr(text, section.s), *next;

		if (!at || !begin || begin > at)
			fail_msg("snippets/settings.ini lacks '# %s = %s' below [%s]", k->name, k->def, k->section);
		next = strstr(begin + 1, "\n[");
		if (next && next < at)
			fail_msg("'%s' stands below another section", k->name);
	}
	free(text);
}

/* Takes away the "# " before every line "# key = value" and counts them. */
static size_t uncomment(char *text)
{
	size_t n = 0;

	for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		size_t key = line[0] == '#' && line[1] == ' ' ? strspn(line + 2, "abcdefghijklmnopqrstuvwxyz_") : 0;

		if (key == 0 || strncmp(line + 2 + key, " = ", 3) != 0)
			continue;
		memmove(line, line + 2, strlen(line + 2) + 1);
		n++;
	}
	return n;
}

static size_t n_host_keys(void)
{
	size_t n = 0;

	for (size_t i = 0; i < SETTINGS_N; i++)
		n += (settings_keys[i].where & SETTINGS_IN_HOST) != 0;
	return n;
}

static void the_examples_can_be_used(void **state)
{
	static const char *const names[] = { "/snippets/settings.ini", "/snippets/100.gpu.ini" };
	struct box *b = *state;
	struct settings s, defaults;

	settings_init(&defaults);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *text = shipped(names[i]);
		size_t n;

		box_text(b, i ? VM_FILE : SETTINGS_HOST_FILE, text);
		box_worked(b, settings_load(&b->h, VM_DIR, 100, &s, &b->e), 0);
		assert_memory_equal(&s, &defaults, sizeof(s));
		n = uncomment(text);
		assert_true(i ? n >= 1 : n == n_host_keys());
		box_text(b, i ? VM_FILE : SETTINGS_HOST_FILE, text);
		box_worked(b, settings_load(&b->h, VM_DIR, 100, &s, &b->e), 0);
		if (i == 0)
			assert_memory_equal(&s, &defaults, offsetof(struct settings, origin));
		free(text);
		assert_int_equal(tfs_unlink(b->h.rootfd, i ? VM_FILE : SETTINGS_HOST_FILE), 0);
	}
}

#define WRAPPER "/a b/$HOME;'\"*/gpu-hook"

/* The wrapper that is shipped, but with `program` as what it looks for. */
static void make_wrapper(struct box *b, const char *program)
{
	static const char installed[] = "/usr/libexec/pve-gpu/gpu-hook";
	char *text = shipped("/snippets/gpu-hook"), *at = strstr(text, installed);
	struct str s = STR_INIT;

	assert_non_null(at);
	assert_null(strstr(at + 1, installed));
	str_addn(&s, text, (size_t)(at - text));
	str_add(&s, program);
	str_add(&s, at + strlen(installed));
	box_text(b, WRAPPER, s.s);
	assert_int_equal(chmod(box_path(b, WRAPPER).s, 0755), 0);
	str_release(&s);
	free(text);
}

/* Runs it as Proxmox does; its exit status, and what it said on either stream. */
static int run_wrapper(struct box *b, char *output, size_t size)
{
	struct host_path path = box_path(b, WRAPPER);
	int fds[2], status;
	size_t n = 0;
	ssize_t r;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		execl(path.s, path.s, "100", "pre-start", NULL);
		_exit(111);
	}
	close(fds[1]);
	while ((r = read(fds[0], output + n, size - 1 - n)) > 0)
		n += (size_t)r;
	output[n] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_wrapper_hands_over(void **state)
{
	struct box *b = *state;
	struct host_path program = box_path(b, "/hook");
	struct host_path want = host_path("[--snippets][%s/a b/$HOME;'\"*][100][pre-start]", b->tree.dir);
	char output[1024];

	box_text(b, "/hook", "#!/bin/sh\nprintf '[%s]' \"$@\"\nexit 7\n");
	assert_int_equal(chmod(program.s, 0755), 0);
	make_wrapper(b, program.s);
	assert_int_equal(run_wrapper(b, output, sizeof(output)), 7);
	assert_string_equal(output, want.s);
}

static void the_wrapper_strands_no_vm(void **state)
{
	struct box *b = *state;
	char output[1024];

	make_wrapper(b, box_path(b, "/hook").s);
	assert_int_equal(run_wrapper(b, output, sizeof(output)), 0);
	assert_non_null(strstr(output, "not installed"));
	assert_non_null(strstr(output, "VM 100"));
	/* Nor does a program that lost its x bit. */
	box_text(b, "/hook", "");
	assert_int_equal(run_wrapper(b, output, sizeof(output)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_from_the_defaults),
		BOX_TEST(missing_files_change_nothing),
		BOX_TEST(the_vm_overrides_the_host_key_by_key),
		BOX_TEST(refuses_what_it_does_not_understand),
		BOX_TEST(a_line_may_be_as_long_as_the_library_reads),
		BOX_TEST(a_bad_vm_file_is_named),
		BOX_TEST(believes_only_what_root_alone_can_write),
		BOX_TEST(survives_what_lies_in_the_way),
		BOX_TEST(a_full_file_is_read_to_its_end),
		cmocka_unit_test(knows_kinds_of_values_and_their_places),
		cmocka_unit_test(says_who_may_be_stopped),
		cmocka_unit_test(the_example_has_every_key_with_its_default),
		BOX_TEST(the_examples_can_be_used),
		BOX_TEST(the_wrapper_hands_over),
		BOX_TEST(the_wrapper_strands_no_vm),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
