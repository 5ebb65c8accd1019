// SPDX-License-Identifier: GPL-2.0-or-later
/* What Proxmox's files say that this node cannot do without. */
#include "test_pve_box.h"

#include <stdio.h>

#include "str.h"
#include "upkeep.h"

/* One item per line: "network 10.0.0.1 corosync link 0". */
static void expect(struct box *b, const char *want)
{
	static const char *const kinds[] = {
		[UPKEEP_NETWORK] = "network", [UPKEEP_SERVER] = "server", [UPKEEP_GROUP] = "group", [UPKEEP_POOL] = "pool",
	};
	struct upkeep u = UPKEEP_INIT;
	struct str s = STR_INIT;

	if (upkeep_load(&b->h, &u, &b->e) < 0)
		fail_msg("%s", b->e.msg);
	for (size_t i = 0; i < u.n; i++)
		assert_int_equal(str_addf(&s, "%s %s %s\n", kinds[u.list[i].kind], u.list[i].name, u.list[i].why), 0);
	assert_string_equal(s.s, want);
	str_release(&s);
	upkeep_release(&u);
}

static void nothing_asks_for_nothing(void **state)
{
	expect(*state, "");
}

static void the_nodes_own_address(void **state)
{
	struct box *b = *state;

	box_text(b, "/etc/hostname", "pve1\n");
	box_text(b, "/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 pve1\n# 10.0.0.9 pve1\n"
		 "192.168.1.5\tpve1.example.org pve1 # me\nfd00::5 pve1\n10.0.0.7 pve10\n");
	expect(b, "network 192.168.1.5 the address of the node pve1\nnetwork fd00::5 the address of the node pve1\n");
}

static void the_links_of_corosync(void **state)
{
	struct box *b = *state;

	box_text(b, "/etc/hostname", "pve2\n");
	box_text(b, "/etc/hosts", "10.9.0.2 ring-b\n");
	box_text(b, "/etc/pve/corosync.conf", "logging {\n  debug: off\n}\n\nnodelist {\n"
		 "  node {\n    name: pve1\n    nodeid: 1\n    ring0_addr: 10.10.10.1\n  }\n"
		 "  node {\n    # ring0_addr: 10.10.10.9\n    ring0_addr: 10.10.10.2\n    ring1_addr: ring-b\n"
		 "    ring22_addr: 10.0.0.1\n    name: pve2\n    quorum_votes: 1\n  }\n}\n\ntotem {\n  interface {\n    linknumber: 0\n  }\n}\n");
	expect(b, "network 10.10.10.2 corosync link 0\nnetwork 10.9.0.2 corosync link 1\n");
}

static void the_networks_of_migrations_and_of_ceph(void **state)
{
	struct box *b = *state;

	box_text(b, "/etc/pve/datacenter.cfg", "keyboard: de\nmigration: secure,network=10.1.2.0/24\n"
		 "replication: network=10.1.3.0/24,type=secure\nmigrations: network=10.9.9.0/24\n");
	box_text(b, "/etc/pve/ceph.conf", "[global]\n\tauth_client_required = cephx\n\tcluster network = 10.2.0.0/16\n"
		 "\tpublic_network = 10.3.0.0/16, fd00:3::/64\n");
	expect(b, "network 10.1.2.0/24 the network of Proxmox's migration\n"
	       "network 10.1.3.0/24 the network of Proxmox's replication\n"
	       "network 10.2.0.0/16 Ceph's cluster_network\nnetwork 10.3.0.0/16 Ceph's public_network\n"
	       "network fd00:3::/64 Ceph's public_network\n");
}

static void what_storages_stand_on(void **state)
{
	struct box *b = *state;

	box_text(b, "/etc/hostname", "pve1\n");
	box_text(b, "/etc/hosts", "10.0.0.8 nas\n");
	box_text(b, "/etc/pve/storage.cfg", "dir: local\n\tpath /var/lib/vz\n\n"
		 "lvmthin: vms\n\tthinpool data\n\tvgname vmdata\n\nlvm: off\n\tvgname gone\n\tdisable\n\n"
		 "lvm: elsewhere\n\tvgname theirs\n\tnodes pve2,pve3\n\nzfspool: tank\n\tpool tank/vm/disks\n\n"
		 "nfs: share\n\tserver nas\n\texport /x\n\tpath /mnt/pve/share\n\niscsi: san\n\tportal 10.0.0.9:3260\n\ttarget iqn\n\n"
		 "rbd: ceph\n\tpool rbd\n\tmonhost 10.0.0.1:6789;[fd00::1]:6789\n\n");
	expect(b, "group vmdata the Proxmox storage vms\npool tank the Proxmox storage tank\n"
	       "server 10.0.0.8 the Proxmox storage share\nserver 10.0.0.9 the Proxmox storage san\n"
	       "server 10.0.0.1 the Proxmox storage ceph\nserver fd00::1 the Proxmox storage ceph\n");
}

/* "Cannot tell" is not "not needed". */
static void what_cannot_be_read_is_said(void **state)
{
	struct box *b = *state;
	struct upkeep u = UPKEEP_INIT;

	box_text(b, "/etc/pve/corosync.conf/x", "");
	assert_true(upkeep_load(&b->h, &u, &b->e) < 0);
	assert_non_null(strstr(b->e.msg, "/etc/pve/corosync.conf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(nothing_asks_for_nothing),
		BOX_TEST(the_nodes_own_address),
		BOX_TEST(the_links_of_corosync),
		BOX_TEST(the_networks_of_migrations_and_of_ceph),
		BOX_TEST(what_storages_stand_on),
		BOX_TEST(what_cannot_be_read_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
