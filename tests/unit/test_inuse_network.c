// SPDX-License-Identifier: GPL-2.0-or-later
/* Which network interfaces the host would miss. */
#include "test_inuse_tree.h"

#define NIC	"0000:03:00.0"
#define ROUTES	"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
#define ROUTE(dev, to, flags, mask)	dev "\t" to "\t00000000\t" flags "\t0\t0\t0\t" mask "\t0\t0\t0\n"
#define DEFAULT(dev)	ROUTE(dev, "00000000", "0003", "00000000")

static void make_nic(const struct box *b, const char *name, bool up, const char *operstate)
{
	if (access(box_path(b, "/sys/bus/pci/devices/" NIC).s, F_OK) < 0)
		box_pci(b, NIC);
	box_put(b, host_path(PCI NIC "/net/%s/flags", name).s, up ? "0x1003\n" : "0x1002\n");
	box_put(b, host_path(PCI NIC "/net/%s/operstate", name).s, host_path("%s\n", operstate).s);
	box_link(b, host_path("/sys/class/net/%s", name).s, host_path("../../../sys/devices/pci0000:00/" NIC "/net/%s", name).s);
}

/* A virtual interface; `what` is a folder that shows its kind ("bridge", "bonding") or "". */
static void make_virtual(const struct box *b, const char *name, const char *what)
{
	box_put(b, host_path("/sys/devices/virtual/net/%s/flags", name).s, "0x1003\n");
	box_dirs(b, host_path("/sys/devices/virtual/net/%s/%s/", name, what).s);
	box_link(b, host_path("/sys/class/net/%s", name).s, host_path("../../devices/virtual/net/%s", name).s);
}

static void join(const struct box *b, const char *lower, const char *upper)
{
	box_link(b, host_path("/sys/class/net/%s/upper_%s", lower, upper).s, host_path("../../../%s", upper).s);
}

static void expect(struct box *b, const char *expected)
{
	box_expect(b, NIC, *expected ? host_path(NIC " %s\n", expected).s : "");
}

static void a_port_that_is_down_passes(void **state)
{
	make_nic(*state, "eno2", false, "down");
	expect(*state, "");
}

static void the_second_interface_passes_beside_a_working_first(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno2", false, "down");
	make_virtual(b, "vmbr0", "bridge");
	box_put(b, "/proc/net/route", ROUTES DEFAULT("vmbr0"));
	expect(b, "");
}

static void up_without_a_link_or_a_user_is_a_note(void **state)
{
	make_nic(*state, "eno2", true, "down");
	expect(*state, "note is eno2, which is up but has no link");
}

static void merely_up_may_be_busy(void **state)
{
	make_nic(*state, "eno2", true, "up");
	expect(*state, "maybe is eno2, which is up");
}

static void the_default_route_is_critical(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno1", true, "up");
	box_put(b, "/proc/net/route", ROUTES DEFAULT("eno1"));
	expect(b, "CRITICAL is eno1, which has the default route");
}

static void an_ipv6_default_route_is_critical(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno1", true, "up");
	box_put(b, "/proc/net/ipv6_route",
		"fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eno1\n"
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eno1\n");
	expect(b, "CRITICAL is eno1, which has the default route");
}

static void reject_and_link_local_routes_are_no_use(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno1", true, "up");
	box_put(b, "/proc/net/route", ROUTES ROUTE("eno1", "0000FEA9", "0001", "0000FFFF")
		ROUTE("eno1", "00000000", "0201", "00000000"));
	box_put(b, "/proc/net/ipv6_route",
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n"
		"ff000000000000000000000000000000 08 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eno1\n");
	expect(b, "maybe is eno1, which is up");
}

static void a_bridge_port_towards_the_default_route_is_critical(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno1", true, "up");
	make_virtual(b, "vmbr0", "bridge");
	join(b, "eno1", "vmbr0");
	box_put(b, "/proc/net/route", ROUTES DEFAULT("vmbr0") ROUTE("vmbr0", "0001A8C0", "0001", "00FFFFFF"));
	expect(b, "CRITICAL is port eno1 of bridge vmbr0, which has the default route");
}

static void only_master_or_brport_will_do(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno1", true, "up");
	make_virtual(b, "vmbr0", "bridge");
	box_link(b, PCI NIC "/net/eno1/brport/bridge", "../../../../../virtual/net/vmbr0");
	box_put(b, "/proc/net/route", ROUTES DEFAULT("vmbr0"));
	expect(b, "CRITICAL is port eno1 of bridge vmbr0, which has the default route");
}

static void bond_bridge_and_vlan_are_climbed(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno1", true, "up");
	make_virtual(b, "bond0", "bonding");
	make_virtual(b, "vmbr0", "bridge");
	make_virtual(b, "vmbr0.10", "");
	join(b, "eno1", "bond0");
	join(b, "bond0", "vmbr0");
	join(b, "vmbr0", "vmbr0.10");
	box_put(b, "/proc/net/route", ROUTES DEFAULT("vmbr0.10"));
	expect(b, "CRITICAL is member eno1 of bond bond0, a port of bridge vmbr0, below vmbr0.10, which has the default route");
}

static void a_bridge_for_guests_alone_is_busy(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno2", true, "up");
	make_virtual(b, "vmbr0", "bridge");
	make_virtual(b, "vmbr1", "bridge");
	join(b, "eno2", "vmbr1");
	box_put(b, "/proc/net/route", ROUTES DEFAULT("vmbr0"));
	expect(b, "busy is port eno2 of bridge vmbr1");
}

static void a_storage_network_is_busy_and_named(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno2", true, "up");
	box_put(b, "/proc/net/route", ROUTES DEFAULT("vmbr0") ROUTE("eno2", "000A0A0A", "0001", "00FFFFFF"));
	expect(b, "busy is eno2, which has the route to 10.10.10.0/24");
}

static void the_network_of_the_hosts_disks_is_critical(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno2", true, "up");
	box_put(b, "/proc/net/route", ROUTES DEFAULT("vmbr0") ROUTE("eno2", "000A0A0A", "0001", "00FFFFFF"));
	box_put(b, "/proc/self/mountinfo",
		"50 1 0:50 / /mnt/far rw - nfs4 far:/x rw,vers=4.2,clientaddr=10.10.10.1,addr=192.168.9.9\n"
		"51 1 0:51 / /mnt/pve/nas rw - nfs4 nas:/x rw,vers=4.2,clientaddr=10.10.10.1,local_lock=none,addr=10.10.10.5\n");
	expect(b, "CRITICAL is eno2, which reaches the NFS server 10.10.10.5 of /mnt/pve/nas");
	box_put(b, "/proc/self/mountinfo", "51 1 0:51 / /mnt/cephfs rw - ceph 10.10.10.7,10.10.10.8:/ rw,name=admin\n");
	expect(b, "CRITICAL is eno2, which reaches the Ceph monitor 10.10.10.7 of /mnt/cephfs");
	box_put(b, "/proc/self/mountinfo", "");
	box_put(b, "/sys/class/iscsi_connection/connection1:0/address", "10.10.10.9\n");
	expect(b, "CRITICAL is eno2, which reaches the iSCSI target 10.10.10.9 of connection1:0");
	box_put(b, "/sys/class/iscsi_connection/connection1:0/address", "192.168.9.9\n");
	expect(b, "busy is eno2, which has the route to 10.10.10.0/24");
}

/* What only the configuration knows: corosync, migrations, servers that no kernel has mounted. */
static void a_need_makes_a_network_critical(void **state)
{
	static const struct inuse_need needs[] = {
		{ INUSE_NEED_NETWORK, "10.10.10.1", "corosync link 0" },
		{ INUSE_NEED_NETWORK, "10.20.0.0/16", "the network of Proxmox's migration" },
		{ INUSE_NEED_SERVER, "10.30.0.5", "the Proxmox storage pbs" },
		{ INUSE_NEED_SERVER, "fd00:9::5", "the Proxmox storage ceph" },
		{ INUSE_NEED_NETWORK, "no-address", "nothing" },
	};
	static const struct { const char *route, *expected; } cases[] = {
		{ ROUTES ROUTE("eno2", "000A0A0A", "0001", "00FFFFFF"), "CRITICAL is eno2, which carries corosync link 0 (10.10.10.1)" },
		{ ROUTES ROUTE("eno2", "0000140A", "0001", "0000FFFF"),
		  "CRITICAL is eno2, which carries the network of Proxmox's migration (10.20.0.0/16)" },
		{ ROUTES ROUTE("eno2", "00001E0A", "0001", "00FFFFFF"), "CRITICAL is eno2, which reaches the Proxmox storage pbs (10.30.0.5)" },
		{ ROUTES ROUTE("eno2", "0000280A", "0001", "00FFFFFF"), "busy is eno2, which has the route to 10.40.0.0/24" },
	};
	struct box *b = *state;

	make_nic(b, "eno2", true, "up");
	b->needs = (struct inuse_needs){ needs, sizeof(needs) / sizeof(*needs), false };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		box_put(b, "/proc/net/route", cases[i].route);
		expect(b, cases[i].expected);
	}
	box_put(b, "/proc/net/route", ROUTES);
	box_put(b, "/proc/net/ipv6_route",
		"fd000009000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 "
		"00000000 00000001     eno2\n");
	expect(b, "CRITICAL is eno2, which reaches the Proxmox storage ceph (fd00:9::5)");
}

static void a_disabled_bridge_port_is_a_note(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno1", false, "down");
	make_virtual(b, "vmbr0", "bridge");
	join(b, "eno1", "vmbr0");
	box_put(b, "/proc/net/route", ROUTES DEFAULT("vmbr0"));
	expect(b, "note is port eno1 of bridge vmbr0, but is down");
}

static void an_open_vswitch_port_is_judged_by_the_hosts_way_out(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno1", true, "up");
	make_virtual(b, "ovs-system", "");
	make_virtual(b, "vmbr0", "");
	join(b, "eno1", "ovs-system");
	box_put(b, "/proc/net/route", ROUTES DEFAULT("vmbr0"));
	expect(b, "CRITICAL is port eno1 of Open vSwitch ovs-system, which has the default route");
}

static void an_open_vswitch_port_beside_the_way_out_is_busy(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno1", true, "up");
	make_virtual(b, "ovs-system", "");
	make_virtual(b, "vmbr0", "bridge");
	join(b, "eno1", "ovs-system");
	box_put(b, "/proc/net/route", ROUTES DEFAULT("vmbr0"));
	expect(b, "busy is port eno1 of Open vSwitch ovs-system");
}

static void an_interface_in_a_container_is_busy(void **state)
{
	struct box *b = *state;

	box_pci(b, NIC);
	box_dirs(b, PCI NIC "/net/");
	expect(b, "busy has its network interface in another network namespace, a container's perhaps");
}

static void loops_end(void **state)
{
	struct box *b = *state;

	make_nic(b, "eno1", true, "up");
	make_virtual(b, "a", "");
	make_virtual(b, "b", "");
	join(b, "eno1", "a");
	join(b, "a", "b");
	join(b, "b", "a");
	join(b, "b", "eno1");
	expect(b, "busy is eno1, below a, below b");
}

static void virtio_interfaces_are_found_below_their_bus(void **state)
{
	struct box *b = *state;

	box_pci(b, NIC);
	box_put(b, PCI NIC "/virtio0/net/eth0/flags", "0x1003\n");
	box_put(b, PCI NIC "/virtio0/net/eth0/operstate", "unknown\n");
	box_put(b, "/proc/net/route", ROUTES DEFAULT("eth0"));
	expect(b, "CRITICAL is eth0, which has the default route");
}

static void hostile_names_stay_one_line(void **state)
{
	struct box *b = *state;

	make_nic(b, "e\n\x1b[0m%s", true, "up");
	expect(b, "maybe is e\\x0a\\x1b[0m%s, which is up");
}

#define T(name)	cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_port_that_is_down_passes),
		T(the_second_interface_passes_beside_a_working_first),
		T(up_without_a_link_or_a_user_is_a_note),
		T(merely_up_may_be_busy),
		T(the_default_route_is_critical),
		T(an_ipv6_default_route_is_critical),
		T(reject_and_link_local_routes_are_no_use),
		T(a_bridge_port_towards_the_default_route_is_critical),
		T(only_master_or_brport_will_do),
		T(bond_bridge_and_vlan_are_climbed),
		T(a_bridge_for_guests_alone_is_busy),
		T(a_storage_network_is_busy_and_named),
		T(the_network_of_the_hosts_disks_is_critical),
		T(a_need_makes_a_network_critical),
		T(a_disabled_bridge_port_is_a_note),
		T(an_open_vswitch_port_is_judged_by_the_hosts_way_out),
		T(an_open_vswitch_port_beside_the_way_out_is_busy),
		T(an_interface_in_a_container_is_busy),
		T(loops_end),
		T(virtio_interfaces_are_found_below_their_bus),
		T(hostile_names_stay_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
