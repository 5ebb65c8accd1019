// SPDX-License-Identifier: GPL-2.0-or-later
/* Storages: which there are, where their snippets lie, what speaks against using them. */
#include "test_pve_box.h"

#include "section.h"
#include "storage.h"

static struct storages load(struct box *b)
{
	struct storages s = STORAGES_INIT;

	box_worked(b, storage_load(&b->h, &s, &b->e), 0);
	return s;
}

/* One line for everything that is known of a storage. */
static void describe(const struct storage *st, struct str *s)
{
	str_addf(s, "%s %s %s%s%s%s%s", st->id, st->type, st->snippets ? st->snippets : "-",
		 st->shared ? " shared" : "", st->disabled ? " disabled" : "", st->broken ? " broken" : "",
		 st->offers_snippets ? " offers" : "");
	str_addf(s, *st->nodes ? " nodes=%s" : "%s", st->nodes);
	str_addf(s, *st->mountpoint ? " mount=%s" : "%s", st->mountpoint);
}

#define LOCAL "local dir /var/lib/vz/snippets offers\n"

/* Verdicts are those of Proxmox's own parser. */
static const struct {
	const char *text, *want;
} files[] = {
	{ "", LOCAL },
	{ "dir: local\n\tpath /var/lib/vz\n\tcontent iso,backup\n", "local dir /var/lib/vz/snippets\n" },
	{ "dir: local\n\tpath /var/lib/vz\n\tcontent snippets\n\tnodes pve2\n\tshared 1\n\tdisable\n",
	  "local dir /var/lib/vz/snippets shared disabled offers\n" },
	{ "dir: local\n\tpath /var//lib/./vz/\n\tcontent iso\n", "local dir /var/lib/vz/snippets\n" },
	{ "dir: local\n\tpath /srv\n\tcontent iso\n", LOCAL },
	{ "dir: local\n\tcontent iso\n", LOCAL },
	{ "nfs: local\n\tserver a\n\texport /e\n", LOCAL },
	{ "zfspool: local\n\tpool p\n", LOCAL },
	{ "dir: local\n\tpath /var/lib/vz\n\tcontent iso\n\nfoo: local\n\tcontent snippets\n",
	  "local dir /var/lib/vz/snippets\n" },
	{ "dir: a1\n\tpath /srv/a\n", LOCAL "a1 dir /srv/a/snippets\n" },
	{ "dir: a1\n\tpath /srv/a\n\npath /b\n\ndir: a1\n\tpath /srv/b\n", LOCAL "a1 dir /srv/b/snippets\n" },
	{ "dir: a1\n\tpath /srv/a\n\npbs: a1\n", LOCAL "a1 pbs - shared\n" },
	{ "dir: a1\n\tpath /srv/a\n\ndir: b1\n\tpath /b\n\ndir: a1\n", LOCAL "b1 dir /b/snippets\na1 dir - broken\n" },
	{ "dir: a1\n\tpath srv\n", LOCAL "a1 dir - broken\n" },
	{ "dir: a1\n\tpath srv\n\tpath /srv\n\tpath /b\n", LOCAL "a1 dir /srv/snippets\n" },
	{ "dir: a1\n\tpath /s r\n", LOCAL "a1 dir - broken\n" },
	{ "dir: a1\n\tpath /\n", LOCAL "a1 dir - broken\n" },
	{ "dir: a1\n\tpath //\n", LOCAL "a1 dir //snippets\n" },
	{ "dir: a1\n\tpath /../a/../b/.\n", LOCAL "a1 dir /a/../b/snippets\n" },
	{ "btrfs: a1\n\tpath /srv/\n\tcontent-dirs snippets=x\n\tcontent snippets,none\n",
	  LOCAL "a1 btrfs - broken\n" },
	{ "btrfs: a1\n\tpath /srv/\n\tcontent-dirs snippets=x\n\tcontent none\n", LOCAL "a1 btrfs /srv/snippets\n" },
	{ "btrfs: a1\n\tpath /srv/\n\tis_mountpoint yes\n", LOCAL "a1 btrfs /srv/snippets mount=/srv\n" },
	{ "dir: a1\n\tpath /srv\n\tis_mountpoint /mnt\n", LOCAL "a1 dir /srv/snippets mount=/mnt\n" },
	{ "dir: a1\n\tpath /srv\n\tis_mountpoint 0\n", LOCAL "a1 dir /srv/snippets\n" },
	{ "dir: a1\n\tpath /srv\n\tcontent-dirs iso=i, snippets=h/k\n", LOCAL "a1 dir /srv/h/k\n" },
	{ "dir: a1\n\tpath /srv\n\tcontent-dirs snippets=/abs\n", LOCAL "a1 dir /srv//abs\n" },
	{ "dir: a1\n\tpath /srv\n\tcontent-dirs snippets=a;snippets=b\n", LOCAL "a1 dir /srv/b\n" },
	{ "dir: a1\n\tpath /srv\n\tcontent-dirs snippets=../a\n", LOCAL "a1 dir /srv/snippets\n" },
	{ "dir: a1\n\tpath /srv\n\tcontent-dirs snippets=a.\n", LOCAL "a1 dir /srv/snippets\n" },
	{ "dir: a1\n\tpath /srv\n\tcontent-dirs bogus=a,snippets=b\n", LOCAL "a1 dir /srv/snippets\n" },
	{ "dir: a1\n\tpath /srv\n\tcontent-dirs snippets=\n", LOCAL "a1 dir /srv/snippets\n" },
	{ "dir: a1\n\tpath /srv\n\tcontent snippets;iso  backup\n", LOCAL "a1 dir /srv/snippets offers\n" },
	{ "dir: a1\n\tpath /srv\n\tcontent snippets,bogus\n", LOCAL "a1 dir /srv/snippets\n" },
	{ "dir: a1\n\tpath /srv\n\tnodes pve1, pve2\n", LOCAL "a1 dir /srv/snippets nodes=pve1 pve2\n" },
	{ "dir: a1\n\tpath /srv\n\tnodes pve1,pve_2\n", LOCAL "a1 dir /srv/snippets\n" },
	{ "dir: a1\n\tpath /srv\n\tdisable yes\n\tshared\n", LOCAL "a1 dir /srv/snippets shared\n" },
	{ "nfs: n1\n\tserver a\n\texport /e\n\tcontent snippets\n",
	  LOCAL "n1 nfs /mnt/pve/n1/snippets shared offers mount=/mnt/pve/n1\n" },
	{ "nfs: n1\n\tserver a\n\texport /e\n\tpath /x/\n", LOCAL "n1 nfs /x//snippets shared mount=/x/\n" },
	{ "nfs: n1\n\tserver a\n\texport e\n", LOCAL "n1 nfs - shared broken\n" },
	{ "nfs: n1\n\texport /e\n", LOCAL "n1 nfs - shared broken\n" },
	{ "cifs: n1\n\tserver a\n\tshare s\n", LOCAL "n1 cifs /mnt/pve/n1/snippets shared mount=/mnt/pve/n1\n" },
	{ "cephfs: n1\n", LOCAL "n1 cephfs /mnt/pve/n1/snippets shared mount=/mnt/pve/n1\n" },
	{ "cephfs: n1\n\tcontent iso\n", LOCAL "n1 cephfs /mnt/pve/n1/snippets shared mount=/mnt/pve/n1\n" },
	{ "cephfs: n1\n\tcontent images\n", LOCAL "n1 cephfs - shared broken\n" },
	{ "cephfs: n1\n\tcontent none\n", LOCAL "n1 cephfs - shared broken\n" },
	{ "third: n1\n\tcontent snippets\n\tpath /x\n", LOCAL "n1 third -\n" },
	{ "dir: a\n\tpath /x\n\ndir: a_\n\tpath /x\n\ndir: 1a\n\tpath /x\n", LOCAL },
};

static void reads_as_proxmox_does(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct storages s;
		struct str text = STR_INIT;

		box_text(b, STORAGE_FILE, files[i].text);
		s = load(b);
		for (size_t k = 0; k < s.n; k++) {
			describe(&s.list[k], &text);
			str_add(&text, "\n");
			assert_int_equal(s.list[k].path != NULL, s.list[k].snippets != NULL);
		}
		if (strcmp(text.s, files[i].want) != 0)
			fail_msg("'%s' is read as '%s', not '%s'", files[i].text, text.s, files[i].want);
		str_release(&text);
		storage_release(&s);
	}
}

static void has_local_without_a_file(void **state)
{
	struct box *b = *state;
	struct storages s = load(b);

	assert_int_equal(s.n, 1);
	assert_int_equal(s.list[0].line, 0);
	assert_string_equal(s.list[0].path, "/var/lib/vz");
	assert_ptr_equal(storage_find(&s, "local"), &s.list[0]);
	assert_null(storage_find(&s, "loca"));
	storage_release(&s);
	storage_release(&s);
}

static void knows_the_nodes_of_a_storage(void **state)
{
	struct box *b = *state;
	struct storages s;
	const struct storage *a1;

	box_text(b, STORAGE_FILE, "dir: a1\n\tpath /srv\n\tnodes pve1,pve20\n\ndir: a2\n\tpath /srv\n");
	s = load(b);
	a1 = storage_find(&s, "a1");
	assert_true(storage_on_node(a1, "pve1"));
	assert_true(storage_on_node(a1, "pve20"));
	assert_false(storage_on_node(a1, "pve2"));
	assert_false(storage_on_node(a1, "pve"));
	assert_true(storage_on_node(storage_find(&s, "a2"), "pve2"));
	storage_release(&s);
}

static const struct {
	const char *volid, *path;
	int r;
	const char *part;
} volids[] = {
	{ "local:snippets/gpu-hook", "/var/lib/vz/snippets/gpu-hook", 0, NULL },
	{ "nas:snippets/my hook.pl", "/mnt/pve/nas/hooks/my hook.pl", 0, NULL },
	{ "nas:snippets/a:b", "/mnt/pve/nas/hooks/a:b", 0, NULL },
	{ "off:snippets/x", "/srv/snippets/x", 0, NULL },
	{ "none:snippets/x", NULL, -ENOENT, "no storage 'none'" },
	{ "bad:snippets/x", NULL, -ENOENT, "line 9" },
	{ "zfs:snippets/x", NULL, -ENOTSUP, "'zfs'" },
	{ "local:iso/x.iso", NULL, -EINVAL, "<storage>:snippets/<name>" },
	{ "local:snippets/", NULL, -EINVAL, "<storage>" },
	{ "local:snippets", NULL, -EINVAL, "<storage>" },
	{ "local:snippets/a/b", NULL, -EINVAL, "<storage>" },
	{ "local:snippets/../x", NULL, -EINVAL, "<storage>" },
	{ "local:snippets/a\nb", NULL, -EINVAL, "<storage>" },
	{ "local", NULL, -EINVAL, "<storage>" },
	{ "local:", NULL, -EINVAL, "<storage>" },
	{ ":snippets/x", NULL, -EINVAL, "<storage>" },
	{ "l:snippets/x", NULL, -EINVAL, "<storage>" },
	{ "lo cal:snippets/x", NULL, -EINVAL, "<storage>" },
	{ "/var/lib/vz/snippets/x", NULL, -EINVAL, "<storage>" },
	{ "", NULL, -EINVAL, "<storage>" },
};

static void resolves_snippets(void **state)
{
	struct box *b = *state;
	struct storages s;
	char path[64];

	box_text(b, STORAGE_FILE, "nfs: nas\n\tserver a\n\texport /e\n\tcontent-dirs snippets=hooks\n\n"
				  "zfspool: zfs\n\tpool p\n\ndir: bad\n\ndir: off\n\tpath /srv\n\tdisable\n");
	s = load(b);
	for (size_t i = 0; i < ARRAY_SIZE(volids); i++) {
		int r = storage_resolve(&s, volids[i].volid, path, sizeof(path), &b->e);

		if (r != volids[i].r)
			fail_msg("'%s': %d, %s", volids[i].volid, r, b->e.msg);
		if (r < 0)
			box_failed(b, r, volids[i].r, volids[i].part);
		else
			assert_string_equal(path, volids[i].path);
	}
	box_failed(b, storage_resolve(&s, "local:snippets/gpu-hook", path, 29, &b->e), -ENAMETOOLONG, "28 bytes");
	assert_int_equal(storage_resolve(&s, "local:snippets/gpu-hook", path, 30, &b->e), 0);
	storage_release(&s);
}

static void survives_what_lies_in_the_way(void **state)
{
	struct box *b = *state;
	struct storages s;
	struct str text = STR_INIT;

	box_noise(b, STORAGE_FILE, SECTION_FILE_MAX);
	s = load(b);
	assert_non_null(storage_find(&s, "local"));
	storage_release(&s);
	str_add(&text, "dir: a1\n\tpath /");
	while (text.len < SECTION_FILE_MAX / 2)
		str_add(&text, "a/");
	str_add(&text, "\n\tnodes p");
	while (text.len < SECTION_FILE_MAX - 16)
		str_add(&text, ",pve1");
	box_text(b, STORAGE_FILE, text.s);
	str_release(&text);
	s = load(b);
	assert_true(strlen(storage_find(&s, "a1")->path) > SECTION_FILE_MAX / 2 - 32);
	assert_true(storage_on_node(storage_find(&s, "a1"), "pve1"));
	storage_release(&s);

	assert_int_equal(tfs_unlink(b->h.rootfd, STORAGE_FILE), 0);
	box_folder(b, STORAGE_FILE);
	box_failed(b, storage_load(&b->h, &s, &b->e), -EISDIR, STORAGE_FILE);
	assert_int_equal(tfs_remove(b->h.rootfd, STORAGE_FILE), 0);
	box_fifo(b, STORAGE_FILE);
	box_failed(b, storage_load(&b->h, &s, &b->e), -EINVAL, "no regular file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(reads_as_proxmox_does),
		BOX_TEST(has_local_without_a_file),
		BOX_TEST(knows_the_nodes_of_a_storage),
		BOX_TEST(resolves_snippets),
		BOX_TEST(survives_what_lies_in_the_way),
	};

	return cmocka_run_group_tests_name("storage", tests, NULL, NULL);
}
