// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * storm - VMs that start and stop in the lab, and hooks that are killed, faster than a shell could.
 *
 * usage: storm kill SEED POINTS VMID ADDRESS
 *            POINTS times: a claim or a return by gpu-hook, killed -9 at a moment drawn from SEED;
 *            then `watch`, which must be running, has 5 s to put the card back (on a machine so
 *            busy that a claim takes more than half a second, ten times as long as a claim)
 *        storm rounds SEED ROUNDS VMID ADDRESS[,ADDRESS] ...
 *            every VM starts and stops at random, ROUNDS times all together; one hook in four is
 *            killed, one post-stop in four never comes; 20 s after the last, nothing may be held
 *
 * HOOK is the program under test.  A start is a task of its own that holds Proxmox's lock of the VM and
 * ends, as qmstart does.  What stands for QEMU is this program again, under QEMU's name: it opens
 * its functions through VFIO, which the kernel allows to one process only, and leaves a mark beside.
 * The last line of output counts what happened; the exit status is 0 when every rule was kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PCI "/sys/bus/pci/devices"
#define BACK_MS 5000
#define SETTLE_MS 20000
#define FUNCTIONS 4
#define VMS 8

struct vm {
	char id[12];
	char functions[FUNCTIONS][16];
	int n;
	unsigned random;
};

static struct counts {
	int left;			/* rounds that nobody has begun yet */
	int started, refused, failed, killed, lost, broken;
} *count;

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wait_us(unsigned us)
{
	usleep(us);
}

/* xorshift32: the same moments for the same seed. */
static unsigned draw(struct vm *v, unsigned below)
{
	v->random ^= v->random << 13;
	v->random ^= v->random >> 17;
	v->random ^= v->random << 5;
	return v->random % below;
}

static void add(int *what)
{
	__atomic_add_fetch(what, 1, __ATOMIC_SEQ_CST);
}

static void broken(const struct vm *v, const char *fmt, ...)
{
	va_list ap;

	printf("VM %s: ", v->id);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	add(&count->broken);
}

struct path { char s[320]; };

static struct path path_of(const char *fmt, ...)
{
	struct path p;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p.s, sizeof(p.s), fmt, ap);
	va_end(ap);
	return p;
}

struct link { char s[64]; };

/* The last part of where a link leads; "" = there is none. */
static struct link read_link(const char *path)
{
	char text[256];
	ssize_t n = readlink(path, text, sizeof(text) - 1);
	struct link l = { "" };

	text[n < 0 ? 0 : n] = '\0';
	if (strrchr(text, '/'))
		snprintf(l.s, sizeof(l.s), "%.63s", strrchr(text, '/') + 1);
	return l;
}

/* --- what stands for QEMU ---------------------------------------------------------------------- */

static int open_function(int container, const char *address)
{
	struct link link = read_link(path_of(PCI "/%s/iommu_group", address).s);
	int group = open(path_of("/dev/vfio/%s", link.s).s, O_RDWR | O_CLOEXEC);

	if (group < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0)
		return -1;
	(void)ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);	/* once per container */
	return ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address);
}

static int mark(const char *address)
{
	return open(path_of("/run/lab/owned-%s", address).s, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

/* kvm -id VMID -pidfile FILE ADDRESS...: the pid file tells that every function is open. */
static int be_qemu(int argc, char *argv[])
{
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC), fd;
	char pid[16];

	for (int i = 5; i < argc; i++)
		if (open_function(container, argv[i]) < 0 || mark(argv[i]) < 0) {
			printf("VM %s: %s cannot be opened: %s\n", argv[2], argv[i], strerror(errno));
			return 1;
		}
	fd = open(argv[4], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, pid, (size_t)snprintf(pid, sizeof(pid), "%d\n", (int)getpid())) < 0)
		return 1;
	for (;;)
		pause();
}

static struct path pid_file(const struct vm *v)
{
	return path_of("/var/run/qemu-server/%s.pid", v->id);
}

static void start_qemu(struct vm *v)
{
	char name[] = "/usr/bin/kvm", id[] = "-id", option[] = "-pidfile";
	struct path file = pid_file(v);
	char *argv[6 + FUNCTIONS] = { name, id, v->id, option, file.s };

	if (fork() != 0)
		return;
	setsid();
	for (int i = 0; i < v->n; i++)
		argv[5 + i] = v->functions[i];
	execv("/proc/self/exe", argv);
	_exit(1);
}

static pid_t qemu_of(const struct vm *v)
{
	int fd = open(pid_file(v).s, O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strchr(text, '\n') ? (pid_t)strtol(text, NULL, 10) : 0;
}

/* As Proxmox does it: the pid file goes before post-stop comes. */
static void end_qemu(struct vm *v)
{
	pid_t pid = qemu_of(v);

	for (int i = 0; i < v->n; i++)
		unlink(path_of("/run/lab/owned-%s", v->functions[i]).s);
	kill(pid, draw(v, 2) ? SIGKILL : SIGTERM);
	waitpid(pid, NULL, 0);
	unlink(pid_file(v).s);
}

/* --- the hook ------------------------------------------------------------------------------------ */

static void be_hook(const struct vm *v, const char *phase)
{
	char path[] = "PATH=/sbin:/bin:/usr/sbin:/usr/bin", locale[] = "LC_ALL=C", migrated[] = "PVE_MIGRATED_FROM=";
	char *env[] = { path, locale, migrated, NULL };
	int fd = open(path_of("/run/lab/said-%s", v->id).s, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(fd, 1);
	dup2(fd, 2);
	execle(getenv("HOOK"), "gpu-hook", v->id, phase, (char *)NULL, env);
	_exit(127);
}

static void show_log(const struct vm *v)
{
	int fd = open(path_of("/run/lab/said-%s", v->id).s, O_RDONLY | O_CLOEXEC);
	char text[2048];
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	if (fd >= 0)
		close(fd);
	if (n > 0)
		fwrite(text, 1, (size_t)n, stdout);
	fflush(stdout);
}

/* Exit status; -1 = it was killed, after `us` microseconds (0 = let it live). */
static int hook(struct vm *v, const char *phase, unsigned us)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		be_hook(v, phase);
	if (us) {
		wait_us(us);
		kill(pid, SIGKILL);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	add(&count->killed);
	return -1;
}

/* Proxmox's own lock of the VM. */
static int lock_vm(const struct vm *v)
{
	int fd = open(path_of("/var/lock/qemu-server/lock-%s.conf", v->id).s, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	flock(fd, LOCK_EX);
	return fd;
}

/* A task: a process that holds the lock, does its work and ends; its result. */
static int task(struct vm *v, int (*work)(struct vm *v))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		lock_vm(v);
		_exit(work(v));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* --- kill ------------------------------------------------------------------------------------------ */

static unsigned kill_after;
static const char *kill_phase;

static int killed_phase(struct vm *v)
{
	return hook(v, kill_phase, kill_after) == 0 ? 0 : 1;
}

static bool has_lease(const struct vm *v)
{
	return access(path_of("/run/pve-gpu/leases/%s", v->id).s, F_OK) == 0;
}

static bool is_home(const struct vm *v, const char *home)
{
	return !has_lease(v) && strcmp(read_link(path_of(PCI "/%s/driver", v->functions[0]).s).s, home) == 0;
}

static long longest;		/* that a phase of ours took, unharmed */

static long back_ms(void)
{
	return longest * 10 > BACK_MS ? longest * 10 : BACK_MS;
}

/* How long it takes until the card is home, ms. */
static long comes_home(struct vm *v, const char *home)
{
	long begin = now_ms();

	while (!is_home(v, home)) {
		if (now_ms() - begin > 4 * back_ms())
			break;
		wait_us(5000);
	}
	return now_ms() - begin;
}

static long phase_ms(struct vm *v, const char *phase)
{
	long begin = now_ms(), took;

	kill_phase = phase;
	kill_after = 0;
	if (task(v, killed_phase) != 0) {
		broken(v, "%s fails with nobody in its way:", phase);
		show_log(v);
	}
	took = now_ms() - begin;
	longest = took > longest ? took : longest;
	return took;
}

static long kill_once(struct vm *v, const char *phase, long length, int point)
{
	long took;

	if (strcmp(phase, "post-stop") == 0)
		phase_ms(v, "pre-start");
	kill_phase = phase;
	kill_after = 1 + draw(v, (unsigned)length * 1000);
	task(v, killed_phase);
	took = comes_home(v, "fakegpu");
	if (took > back_ms())
		broken(v, "point %d, %s killed after %u us: back after %ld ms", point, phase, kill_after, took);
	return took;
}

static int kill_points(struct vm *v, int points)
{
	long claim, back, slowest = 0;

	/* What the first round loads does not count. */
	phase_ms(v, "pre-start");
	phase_ms(v, "post-stop");
	longest = 0;
	claim = phase_ms(v, "pre-start");
	back = phase_ms(v, "post-stop");
	for (int i = 0; i < points; i++) {
		bool start = draw(v, 2);
		long took = kill_once(v, start ? "pre-start" : "post-stop", start ? claim : back, i);

		slowest = took > slowest ? took : slowest;
	}
	printf("%d points (a claim takes %ld ms, a return %ld ms): %d hooks killed, the card was back after at most "
	       "%ld ms of %ld\n", points, claim, back, count->killed, slowest, back_ms());
	return count->broken != 0;
}

/* --- rounds ---------------------------------------------------------------------------------------- */

static unsigned sometimes(struct vm *v)
{
	return draw(v, 4) == 0 ? 1 + draw(v, 300000) : 0;
}

static int start(struct vm *v)
{
	int r = hook(v, "pre-start", sometimes(v));

	if (r != 0)
		return r < 0 ? 200 : r;
	start_qemu(v);
	for (int i = 0; i < 4000 && !qemu_of(v); i++)
		wait_us(5000);
	if (!qemu_of(v)) {
		broken(v, "pre-start succeeded, but QEMU does not come up");
		return 201;
	}
	(void)hook(v, "post-start", draw(v, 8) == 0 ? 1 + draw(v, 20000) : 0);
	return 0;
}

static int stop(struct vm *v)
{
	return hook(v, "post-stop", sometimes(v));
}

static void round_of(struct vm *v)
{
	int r;

	wait_us(draw(v, 50000));
	r = task(v, start);
	if (r == 4)
		add(&count->refused);
	if (r != 0 && r != 4 && r != 200) {
		add(&count->failed);
		show_log(v);
	}
	if (r != 0)
		return;
	add(&count->started);
	wait_us(draw(v, 60000));
	end_qemu(v);
	if (draw(v, 4) == 0)
		add(&count->lost);
	else
		task(v, stop);
}

static void be_vm(struct vm *v)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (__atomic_fetch_sub(&count->left, 1, __ATOMIC_SEQ_CST) > 0)
		round_of(v);
	_exit(0);
}

static bool nothing_held(const struct vm *vms, int n)
{
	for (int i = 0; i < n; i++)
		if (has_lease(&vms[i]))
			return false;
	return true;
}

static int rounds(struct vm *vms, int n, int total)
{
	long begin = now_ms(), end;

	count->left = total;
	for (int i = 0; i < n; i++)
		if (fork() == 0)
			be_vm(&vms[i]);
	while (wait(NULL) > 0)
		;
	end = now_ms();
	while (!nothing_held(vms, n) && now_ms() - end < SETTLE_MS)
		wait_us(20000);
	if (!nothing_held(vms, n))
		broken(&vms[0], "or another one still has a lease %d ms after the last round", SETTLE_MS);
	printf("%d rounds of %d VMs in %ld s: %d started, %d refused, %d failed, %d hooks killed, %d post-stops lost, "
	       "%d rules broken\n", total, n, (now_ms() - begin) / 1000, count->started, count->refused, count->failed,
	       count->killed, count->lost, count->broken);
	return count->broken != 0 || count->failed != 0;
}

static void read_vm(struct vm *v, const char *id, char *functions, unsigned seed)
{
	char *word, *rest = functions;

	snprintf(v->id, sizeof(v->id), "%s", id);
	v->random = seed * 2654435761U + (unsigned)strtoul(id, NULL, 10);
	while (v->n < FUNCTIONS && (word = strsep(&rest, ",")))
		snprintf(v->functions[v->n++], sizeof(v->functions[0]), "%s", word);
}

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(1);
	return p;
}

int main(int argc, char *argv[])
{
	struct vm *vms;
	int n = 0;

	if (strcmp(argv[0], "/usr/bin/kvm") == 0)
		return be_qemu(argc, argv);
	if (argc < 6 || !getenv("HOOK")) {
		fprintf(stderr, "usage: HOOK=PROGRAM storm kill|rounds SEED N VMID ADDRESS...\n");
		return 2;
	}
	count = shared(sizeof(*count));
	vms = shared(VMS * sizeof(*vms));	/* what a task draws must not be drawn again */
	for (int i = 4; i + 1 < argc && n < VMS; i += 2)
		read_vm(&vms[n++], argv[i], argv[i + 1], (unsigned)strtoul(argv[2], NULL, 10));
	if (strcmp(argv[1], "kill") == 0)
		return kill_points(vms, (int)strtol(argv[3], NULL, 10));
	return rounds(vms, n, (int)strtol(argv[3], NULL, 10));
}
