// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries for the journal, as its socket gets them; and the words for Proxmox's notifications. */
#include "test_pve_box.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal.h"
#include "notify.h"

/* What stands for systemd-journald. */
static int listen_in(struct box *b)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char folder[sizeof(at.sun_path) - 32];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), dir;

	assert_int_equal(tfs_mkdirs(b->h.rootfd, "/run/systemd/journal"), 0);
	dir = host_open_file(&b->h, "/run/systemd/journal", O_RDONLY | O_DIRECTORY, 0);
	assert_true(dir >= 0);
	snprintf(folder, sizeof(folder), "/proc/self/fd/%d", dir);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", folder);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	close(dir);
	return fd;
}

static void one_entry_is_one_datagram(void **state)
{
	struct box *b = *state;
	struct str entry = STR_INIT;
	int journald = listen_in(b), fd = journal_open(&b->h);
	char got[512] = "";

	assert_true(fd >= 0);
	journal_entry(&entry, JOURNAL_ERR, "VM 100: two\nlines\tPRIORITY=0");
	journal_field(&entry, "PVE_GPU_VMID", "100");
	assert_int_equal(journal_send(fd, &entry), 0);
	assert_true(recv(journald, got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(got, "SYSLOG_IDENTIFIER=pve-gpu\nPRIORITY=3\nMESSAGE=VM 100: two lines PRIORITY=0\n"
			    "PVE_GPU_VMID=100\n");
	close(fd);
	close(journald);
	assert_true(journal_open(&b->h) < 0);	/* nobody listens */
	str_release(&entry);
}

static void without_a_journal_there_is_none(void **state)
{
	struct box *b = *state;

	assert_int_equal(journal_open(&b->h), -ENOENT);
}

static void knows_the_journals_own_stream(void **state)
{
	char name[64];
	struct stat st;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fstat(p[1], &st), 0);
	unsetenv("JOURNAL_STREAM");
	assert_false(journal_has(p[1]));
	snprintf(name, sizeof(name), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", name, 1);
	assert_true(journal_has(p[1]));
	assert_false(journal_has(0));
	unsetenv("JOURNAL_STREAM");
	close(p[0]);
	close(p[1]);
}

/* --- notifications ------------------------------------------------------------------------------- */

static char ran[16][512];
static int n_ran, answer;

static int record_run(struct host *h, const char *const argv[], uint64_t ms, struct host_run *ret)
{
	(void)h;
	(void)ms;
	for (n_ran = 0; argv[n_ran] && n_ran < 16; n_ran++)
		snprintf(ran[n_ran], sizeof(ran[0]), "%s", argv[n_ran]);
	*ret = (struct host_run){ .status = answer };
	if (answer)
		snprintf(ret->output, sizeof(ret->output), "Failed to connect to bus");
	return 0;
}

static struct host_ops recording(struct box *b)
{
	struct host_ops ops = *b->h.ops;

	ops.run = record_run;
	return ops;
}

static void proxmox_node(struct box *b)
{
	assert_int_equal(tfs_mkdirs(b->h.rootfd, "/usr/share/perl5/PVE"), 0);
	assert_int_equal(tfs_mkdirs(b->h.rootfd, "/etc"), 0);
	box_bytes(b, NOTIFY_MODULE, "1;\n", 3);
	box_bytes(b, "/etc/hostname", "pve1\n", 5);
}

static void outside_text_is_an_argument(void **state)
{
	struct box *b = *state;
	struct host_ops ops = recording(b);

	b->h.ops = &ops;
	n_ran = answer = 0;
	assert_int_equal(notify_send(&b->h, 100, "x", &b->e), -ENOENT);
	assert_int_equal(n_ran, 0);
	proxmox_node(b);
	assert_int_equal(notify_send(&b->h, 100, "-e `reboot` $HOME '\"", &b->e), 0);
	assert_string_equal(ran[0], "/usr/bin/systemd-run");
	assert_string_equal(ran[n_ran - 6], notify_program);
	assert_string_equal(ran[n_ran - 5], "--");
	assert_string_equal(ran[n_ran - 4], "pve1");
	assert_string_equal(ran[n_ran - 3], "100");
	assert_string_equal(ran[n_ran - 2], "-e `reboot` $$HOME '\"");
	answer = 1;
	assert_int_equal(notify_send(&b->h, 100, "x", &b->e), -EIO);
	assert_non_null(strstr(b->e.msg, "Failed to connect to bus"));
}

/* A module of our own in the place of Proxmox's says what it is given. */
static void the_program_calls_proxmox(void **state)
{
	static const char module[] =
		"package PVE::Notify;\n"
		"sub error { my ($name, $data, $fields) = @_;\n"
		"  print \"$name|$data->{hostname}|$data->{vmid}|$data->{message}|$fields->{type}|$fields->{hostname}\"; }\n"
		"1;\n";
	struct box *b = *state;
	char folder[PATH_MAX + 64], include[PATH_MAX + 80], got[256] = "";
	struct host_run done;
	struct host here;

	proxmox_node(b);
	box_bytes(b, NOTIFY_MODULE, module, sizeof(module) - 1);
	snprintf(folder, sizeof(folder), "%s/usr/share/perl5", b->tree.dir);
	snprintf(include, sizeof(include), "-I%s", folder);
	assert_int_equal(host_open(&here, NULL, &b->e), 0);
	assert_int_equal(host_run(&here, (const char *const[]){ "/usr/bin/perl", "-w", include, "-MPVE::Notify", "-e",
				  notify_program, "--", "pve1", "100", "-x it's \"held\"; $(reboot)", "pve1", NULL },
				  60000, &done), 0);
	snprintf(got, sizeof(got), "%.255s", done.output);
	assert_string_equal(got, "pve-gpu|pve1|100|-x it's \"held\"; $(reboot)|pve-gpu|pve1");
	host_close(&here);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(one_entry_is_one_datagram),
		BOX_TEST(without_a_journal_there_is_none),
		BOX_TEST(knows_the_journals_own_stream),
		BOX_TEST(outside_text_is_an_argument),
		BOX_TEST(the_program_calls_proxmox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
