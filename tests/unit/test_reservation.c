// SPDX-License-Identifier: GPL-2.0-or-later
/* Proxmox's reservation file: what is read, what is passed over, what is in force. */
#include "test_pve_box.h"

#include "reservation.h"

#define FILE_NAME "/run/qemu-server/pci-id-reservations"

static struct reservations load(struct box *b)
{
	struct reservations list = RESERVATIONS_INIT;

	box_worked(b, reservation_load(&b->h, &list, &b->e), 0);
	return list;
}

/* One line, and what becomes of it; vmid 0 = nothing. */
static const struct {
	const char *line, *address;
	unsigned vmid;
	enum reservation_kind kind;
	uint64_t value;
} lines[] = {
	{ "0000:01:00.0 100 pid:4242", "0000:01:00.0", 100, RESERVATION_PID, 4242 },
	{ "0000:01:00.0 100 time:1790000000", "0000:01:00.0", 100, RESERVATION_TIME, 1790000000 },
	{ "10000:e1:00.0 999999999 pid:1", "10000:e1:00.0", 999999999, RESERVATION_PID, 1 },
	{ "ffffffff:ff:1f.7 100 pid:1", "ffffffff:ff:1f.7", 100, RESERVATION_PID, 1 },
	{ "0000:01:00 100 pid:1", "0000:01:00", 100, RESERVATION_PID, 1 },
	{ "01:00.0 100 pid:1", "01:00.0", 100, RESERVATION_PID, 1 },
	{ "0000:01:00.0\t100\ttime:0", "0000:01:00.0", 100, RESERVATION_TIME, 0 },
	{ "0000:01:00.0 100 time:99999999999999999999999", "0000:01:00.0", 100, RESERVATION_TIME, UINT64_MAX },
	{ .line = "" },
	{ .line = " " },
	{ .line = "# 0000:01:00.0 100 pid:1" },
	{ .line = "0000:01:00.0" },
	{ .line = "0000:01:00.0 100" },
	{ .line = "0000:01:00.0 100 " },
	{ .line = "0000:01:00.0 100 pid:" },
	{ .line = "0000:01:00.0 100 pid:-1" },
	{ .line = "0000:01:00.0 100 pid:4242 " },
	{ .line = "0000:01:00.0 100 pid:4242 x" },
	{ .line = "0000:01:00.0 100 tid:4242" },
	{ .line = "0000:01:00.0 100 pid 4242" },
	{ .line = "0000:01:00.0  100 pid:4242" },
	{ .line = " 0000:01:00.0 100 pid:4242" },
	{ .line = "0000:01:00.0 -100 pid:4242" },
	{ .line = "0000:01:00.0 99999999999 pid:4242" },
	{ .line = "0000:01:00.0 pid:4242" },
	{ .line = "0000:01:00.g 100 pid:4242" },
	{ .line = "0000:01:00. 100 pid:4242" },
	{ .line = "0000:01:00.00 100 pid:4242" },
	{ .line = "0000:01:0.0 100 pid:4242" },
	{ .line = "000:01:00.0 100 pid:4242" },
	{ .line = ":01:00.0 100 pid:4242" },
	{ .line = "0000:0A:00.0 100 pid:4242" },
	{ .line = "0000000000000000000000000:01:00.0 100 pid:4242" },
	{ .line = "nonsense 100 pid:4242" },
	{ .line = ":: 100 pid:4242" },
};

static void reads_lines_of_the_one_form(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct reservations list;
		bool seen = !lines[i].vmid;

		/* Neighbours show that one bad line spoils no other. */
		assert_int_equal(tfs_putf(b->h.rootfd, FILE_NAME, 0644, "0000:00:01.0 1 pid:1\n%s\n0000:ff:01.0 2 "
					  "time:2\n", lines[i].line), 0);
		list = load(b);
		if (list.n != (lines[i].vmid ? 3 : 2))
			fail_msg("'%s': %zu entries", lines[i].line, list.n);
		for (size_t k = 0; lines[i].vmid && k < list.n; k++) {
			if (strcmp(list.list[k].address, lines[i].address) != 0)
				continue;
			assert_int_equal(list.list[k].vmid, lines[i].vmid);
			assert_int_equal(list.list[k].kind, lines[i].kind);
			assert_int_equal(list.list[k].value, lines[i].value);
			seen = true;
		}
		assert_true(seen);
		reservation_release(&list);
	}
}

static void keeps_the_last_of_equal_addresses(void **state)
{
	struct box *b = *state;
	struct reservations list;

	box_text(b, FILE_NAME, "0000:02:00.0 100 pid:1\n"
			       "0000:01:00.0 101 pid:2\n"
			       "0000:02:00.0 102 time:3\n"
			       "0000:01:00.0 103 pid:4\n"
			       "0000:01:00.0 broken\n"
			       "0000:02:00.0 104 time:5");
	list = load(b);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.list[0].address, "0000:01:00.0");
	assert_int_equal(list.list[0].vmid, 103);
	assert_string_equal(list.list[1].address, "0000:02:00.0");
	assert_int_equal(list.list[1].vmid, 104);
	assert_int_equal(list.list[1].value, 5);
	reservation_release(&list);
	assert_int_equal(list.n, 0);
	reservation_release(&list);
}

static const struct {
	const char *reserved, *device;
	bool covers;
} coverings[] = {
	{ "0000:01:00.0", "0000:01:00.0", true },
	{ "0000:01:00.0", "0000:01:00.1", false },
	{ "0000:01:00", "0000:01:00.1", true },
	{ "0000:01:00", "0000:01:01.0", false },
	{ "01:00", "0000:01:00.7", true },
	{ "01:00.0", "0000:01:00.0", true },
	{ "01:00.0", "0001:01:00.0", false },
	{ "10000:01:00.0", "10000:01:00.0", true },
	{ "10000:01:00.0", "0000:01:00.0", false },
	{ "0000:01:00.f", "0000:01:00.0", false },
	{ "0000:01:ff.0", "0000:01:1f.0", false },
};

static void knows_which_functions_are_meant(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(coverings); i++) {
		struct reservation r = { .vmid = 100 };
		struct bdf a;

		assert_int_equal(str_copy(r.address, sizeof(r.address), coverings[i].reserved), 0);
		assert_int_equal(bdf_parse(coverings[i].device, &a), 0);
		if (reservation_covers(&r, a) != coverings[i].covers)
			fail_msg("%s, %s", coverings[i].reserved, coverings[i].device);
	}
}

static int in_force(struct box *b, enum reservation_kind kind, uint64_t value)
{
	struct reservation r = { .address = "0000:01:00.0", .vmid = 100, .kind = kind, .value = value };

	return reservation_in_force(&b->h, &r, 1000, &b->e);
}

static void time_holds_while_it_lies_ahead(void **state)
{
	struct box *b = *state;

	assert_int_equal(in_force(b, RESERVATION_TIME, 0), 0);
	assert_int_equal(in_force(b, RESERVATION_TIME, 999), 0);
	assert_int_equal(in_force(b, RESERVATION_TIME, 1000), 0);
	assert_int_equal(in_force(b, RESERVATION_TIME, 1001), 1);
	assert_int_equal(in_force(b, RESERVATION_TIME, UINT64_MAX), 1);
}

static void pid_holds_while_it_is_that_vm(void **state)
{
	struct box *b = *state;
	struct tree_vm vm = { .vmid = 100, .pid = 5000000, .start = 12345 };

	assert_int_equal(in_force(b, RESERVATION_PID, 5000000), 0);
	assert_int_equal(tree_vm_start(b->tree.dir, &vm, &b->e), 0);
	assert_int_equal(in_force(b, RESERVATION_PID, 5000000), 1);
	assert_int_equal(in_force(b, RESERVATION_PID, 5000001), 0);
	assert_int_equal(in_force(b, RESERVATION_PID, 0), 0);
	assert_int_equal(in_force(b, RESERVATION_PID, UINT64_MAX), 0);
	assert_int_equal(in_force(b, RESERVATION_PID, 5000000 + (1ull << 32)), 0);
	/* The pid file goes first when QEMU exits; the devices are still its. */
	assert_int_equal(tfs_unlink(b->h.rootfd, "/run/qemu-server/100.pid"), 0);
	assert_int_equal(in_force(b, RESERVATION_PID, 5000000), 1);
	/* The number now belongs to another VM's QEMU. */
	assert_int_equal(tree_vm_end(b->tree.dir, 100, &b->e), 0);
	vm.vmid = 101;
	assert_int_equal(tree_vm_start(b->tree.dir, &vm, &b->e), 0);
	assert_int_equal(in_force(b, RESERVATION_PID, 5000000), 0);
	/* Cannot be told. */
	assert_int_equal(tfs_remove(b->h.rootfd, "/proc/5000000/cmdline"), 0);
	box_folder(b, "/proc/5000000/cmdline");
	box_failed(b, in_force(b, RESERVATION_PID, 5000000), -EISDIR, "0000:01:00.0 is reserved for VM 100");
}

static void survives_what_lies_in_the_way(void **state)
{
	struct box *b = *state;
	struct reservations list = load(b);

	assert_int_equal(list.n, 0);
	reservation_release(&list);
	box_text(b, FILE_NAME, "");
	list = load(b);
	assert_int_equal(list.n, 0);
	reservation_release(&list);
	box_noise(b, FILE_NAME, 500 * 1024);
	list = load(b);
	assert_int_equal(list.n, 0);
	reservation_release(&list);
	box_bytes(b, FILE_NAME, "0000:01:00.0 100 pid:1\0x\n0000:02:00.0 100 pid:1\n\0", 49);
	list = load(b);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.list[0].address, "0000:02:00.0");
	reservation_release(&list);

	box_noise(b, FILE_NAME, 2 << 20);
	box_failed(b, reservation_load(&b->h, &list, &b->e), -EFBIG, FILE_NAME);
	assert_int_equal(tfs_unlink(b->h.rootfd, FILE_NAME), 0);
	box_folder(b, FILE_NAME);
	box_failed(b, reservation_load(&b->h, &list, &b->e), -EISDIR, FILE_NAME);
	assert_int_equal(tfs_remove(b->h.rootfd, FILE_NAME), 0);
	box_fifo(b, FILE_NAME);
	box_failed(b, reservation_load(&b->h, &list, &b->e), -EINVAL, "no regular file");
	assert_int_equal(tfs_unlink(b->h.rootfd, FILE_NAME), 0);
	/* A link that leads out of the tree stays inside. */
	box_link(b, FILE_NAME, "../../../../../../../../etc/passwd");
	list = load(b);
	assert_int_equal(list.n, 0);
	reservation_release(&list);
}

static void takes_ten_thousand_functions(void **state)
{
	struct box *b = *state;
	struct str s = STR_INIT;
	struct reservations list;

	for (unsigned i = 0; i < 10000; i++)
		str_addf(&s, "%04x:%02x:00.0 100 pid:4242\n", i % 5000 / 256, i % 5000 % 256);
	box_text(b, FILE_NAME, s.s);
	str_release(&s);
	list = load(b);
	assert_int_equal(list.n, 5000);
	assert_string_equal(list.list[4999].address, "0013:87:00.0");
	reservation_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(reads_lines_of_the_one_form),
		BOX_TEST(keeps_the_last_of_equal_addresses),
		cmocka_unit_test(knows_which_functions_are_meant),
		BOX_TEST(time_holds_while_it_lies_ahead),
		BOX_TEST(pid_holds_while_it_is_that_vm),
		BOX_TEST(survives_what_lies_in_the_way),
		BOX_TEST(takes_ten_thousand_functions),
	};

	return cmocka_run_group_tests_name("reservation", tests, NULL, NULL);
}
