// SPDX-License-Identifier: GPL-2.0-or-later
/* Machines in fresh directories, and looks at their state: see tree.h. */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus.h"
#include "treefs.h"

#define MANIFEST_LIMIT (4u << 20)

static int read_text(const char *path, char **ret, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;
	char *text;

	if (fd < 0)
		return err_set(e, errno, "cannot open the machine '%s': %s", path, err_text(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > MANIFEST_LIMIT) {
		close(fd);
		return err_set(e, EINVAL, "'%s' is no file of at most 4 MiB", path);
	}
	text = malloc((size_t)st.st_size + 1);
	if (text)
		n = read(fd, text, (size_t)st.st_size);
	close(fd);
	if (n != st.st_size || memchr(text, '\0', (size_t)n)) {
		free(text);
		return err_set(e, EIO, "cannot read the machine '%s', or it is not text", path);
	}
	text[n] = '\0';
	*ret = text;
	return 0;
}

int tree_load(const char *path, const char *dir, struct err *e)
{
	char *text = NULL;
	int r = read_text(path, &text, e);

	if (r < 0)
		return r;
	r = tree_load_text(path, text, dir, e);
	free(text);
	return r;
}

/* Directories that are not removed yet.  A test that fails jumps over its own tree_close(). */
static struct open_tree {
	pid_t pid;		/* 0 = free */
	char dir[PATH_MAX];
} open_trees[16];

static void close_rest(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(open_trees); i++) {
		struct tree t;

		if (open_trees[i].pid != getpid())
			continue;
		memcpy(t.dir, open_trees[i].dir, sizeof(t.dir));
		tree_close(&t);
	}
}

static void remember(const struct tree *t)
{
	static bool registered;

	if (!registered)
		registered = atexit(close_rest) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(open_trees); i++) {
		if (open_trees[i].pid)
			continue;
		open_trees[i].pid = getpid();
		memcpy(open_trees[i].dir, t->dir, sizeof(t->dir));
		return;
	}
}

static void forget(const struct tree *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(open_trees); i++)
		if (open_trees[i].pid && strcmp(open_trees[i].dir, t->dir) == 0)
			open_trees[i].pid = 0;
}

/* Memory rather than a disk: a thousand small files take 30 ms there, and 600 on some disks. */
static int make_dir(struct tree *t, struct err *e)
{
	const char *top = getenv("TMPDIR");

	if (!top || !*top)
		top = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(t->dir, sizeof(t->dir), "%s/pve-gpu-tree-XXXXXX", top);
	if (!mkdtemp(t->dir))
		return err_set(e, errno, "cannot make the folder '%s': %s", t->dir, err_text(errno));
	remember(t);
	return 0;
}

int tree_open_text(struct tree *t, const char *text, struct err *e)
{
	int r = make_dir(t, e);

	if (r < 0)
		return r;
	r = tree_load_text("text", text, t->dir, e);
	if (r < 0)
		tree_close(t);
	return r;
}

int tree_open(struct tree *t, const char *name, struct err *e)
{
	const char *folder = getenv("PVE_GPU_TREES");
	char path[PATH_MAX];
	int r = make_dir(t, e);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/%s.tree", folder ? folder : "tests/trees", name);
	r = tree_load(path, t->dir, e);
	if (r < 0)
		tree_close(t);
	return r;
}

void tree_close(struct tree *t)
{
	int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (top < 0)
		return;
	if (str_starts(t->dir, "/"))
		tfs_remove(top, t->dir);
	close(top);
	forget(t);
}

/* --- looking ---------------------------------------------------------------------------------- */

static struct tree_text text_at(int root, const char *path)
{
	struct tree_text t;

	if (tfs_is_link(root, path)) {
		if (tfs_linkname(root, path, t.s, sizeof(t.s)) < 0)
			t.s[0] = '\0';
	} else {
		tfs_get(root, path, t.s, sizeof(t.s));
	}
	return t;
}

struct tree_text tree_attr(const char *dir, struct bdf a, const char *name)
{
	int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct tree_text t = { "" };

	if (root < 0)
		return t;
	t = text_at(root, bus_attr(a, name).s);
	close(root);
	return t;
}

static void dump_function(int root, struct bdf a, struct str *s)
{
	static const struct { const char *word, *attr; } what[] = {
		{ "driver", "driver" }, { "override", "driver_override" }, { "power", "power/control" },
		{ "d3cold", "d3cold_allowed" }, { "reset", "reset_method" }, { "enable", "enable" },
	};

	str_add(s, BDF_S(a));
	for (size_t i = 0; i < ARRAY_SIZE(what); i++) {
		struct tree_text t = text_at(root, bus_attr(a, what[i].attr).s);
		const char *quote = strchr(t.s, ' ') ? "\"" : "";

		str_addf(s, " %s=%s%s%s", what[i].word, quote, t.s, quote);
	}
	str_add(s, "\n");
}

static void dump_children(int root, struct bdf a, struct str *s)
{
	char text[2048], *cursor = text, *line;

	tfs_get(root, bus_hidden("children", a).s, text, sizeof(text));
	while ((line = str_token(&cursor, "\n"))) {
		line[strcspn(line, " ")] = '\0';
		if (tfs_exists(root, bus_attr(a, line).s))
			str_addf(s, "%s offers %s\n", BDF_S(a), line);
	}
}

/* A line per name in a folder, with its content when asked for. */
static void dump_folder(int root, const char *folder, const char *label, bool content, struct str *s)
{
	struct tfs_names names;
	char text[8192];

	if (tfs_list(root, folder, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		text[0] = '\0';
		if (content)
			tfs_get(root, tfs_path("%s/%s", folder, names.v[i]).s, text, sizeof(text));
		str_addf(s, "%s %s%s", label, names.v[i], *text ? ": " : "");
		for (char *p = text; *p; p++)
			if (*p == '\n')
				*p = '|';
		str_addf(s, "%s\n", text);
	}
	tfs_names_release(&names);
}

char *tree_dump(const char *dir, unsigned flags)
{
	int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct str s = STR_INIT;
	struct bdf v[512];
	size_t n;

	if (root < 0)
		return NULL;
	n = bus_all(root, v, ARRAY_SIZE(v));
	for (size_t i = 0; i < n; i++) {
		dump_function(root, v[i], &s);
		if (flags & TREE_CHILDREN)
			dump_children(root, v[i], &s);
	}
	dump_folder(root, "/dev/vfio", "node", false, &s);
	if (flags & TREE_DYNIDS)
		dump_folder(root, "/.fake/dynid", "dynid", true, &s);
	if (flags & TREE_LEASES)
		dump_folder(root, "/run/pve-gpu/leases", "lease", true, &s);
	close(root);
	return str_steal(&s);
}

static bool has_line(const char *text, const char *line, size_t len)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n == len && memcmp(text, line, n) == 0)
			return true;
		text += n + (text[n] != '\0');
	}
	return false;
}

static size_t lines_missing(const char *from, const char *in, char sign, struct str *ret)
{
	size_t count = 0;

	while (*from) {
		size_t n = strcspn(from, "\n");

		if (!has_line(in, from, n)) {
			str_addf(ret, "%c%.*s\n", sign, (int)n, from);
			count++;
		}
		from += n + (from[n] != '\0');
	}
	return count;
}

size_t tree_diff(const char *before, const char *after, struct str *ret)
{
	return lines_missing(before, after, '-', ret) + lines_missing(after, before, '+', ret);
}
