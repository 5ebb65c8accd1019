// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fakegpu - a host driver that behaves as badly as it is told to, for the lab.
 *
 * It takes QEMU's "edu" device (1234:11e8, docs/specs/edu), which no driver of the kernel wants, and
 * does nothing with it.  Its parameters can be written at any time in /sys/module/fakegpu/parameters;
 * they count for every card, or for the one whose address is in `only`:
 *
 *   remove_hang   1 = remove does not return before this is 0 again (uninterruptible, as a driver
 *                 that waits for its hardware)
 *   remove_holder 1 = remove waits until nobody has /dev/fakegpu open any more (as nvidia does)
 *   remove_ms     remove takes so long
 *   probe_error   probe fails with this errno, e.g. 16 for EBUSY
 *   probe_ms      probe takes so long
 *
 * /dev/fakegpu belongs to no card as far as sysfs tells: who holds it cannot be known beforehand.
 */
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

static char only[32];
static bool remove_hang, remove_holder;
static unsigned int remove_ms, probe_ms;
static int probe_error;
static atomic_t opened = ATOMIC_INIT(0);

module_param_string(only, only, sizeof(only), 0644);
module_param(remove_hang, bool, 0644);
module_param(remove_holder, bool, 0644);
module_param(remove_ms, uint, 0644);
module_param(probe_ms, uint, 0644);
module_param(probe_error, int, 0644);

static bool concerns(struct pci_dev *dev)
{
	size_t len = strcspn(only, "\n");

	return len == 0 || (strlen(pci_name(dev)) == len && strncmp(only, pci_name(dev), len) == 0);
}

static int fakegpu_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	if (!concerns(dev))
		return 0;
	if (probe_ms)
		msleep(probe_ms);
	return -probe_error;
}

/* msleep() cannot be interrupted, not by SIGKILL either. */
static void fakegpu_remove(struct pci_dev *dev)
{
	if (!concerns(dev))
		return;
	if (remove_ms)
		msleep(remove_ms);
	while (READ_ONCE(remove_hang) || (READ_ONCE(remove_holder) && atomic_read(&opened) > 0))
		msleep(20);
}

static const struct pci_device_id fakegpu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, fakegpu_ids);

static struct pci_driver fakegpu_driver = {
	.name = "fakegpu",
	.id_table = fakegpu_ids,
	.probe = fakegpu_probe,
	.remove = fakegpu_remove,
};

static int fakegpu_open(struct inode *inode, struct file *file)
{
	atomic_inc(&opened);
	return 0;
}

static int fakegpu_release(struct inode *inode, struct file *file)
{
	atomic_dec(&opened);
	return 0;
}

static const struct file_operations fakegpu_fops = {
	.owner = THIS_MODULE,
	.open = fakegpu_open,
	.release = fakegpu_release,
};

static struct miscdevice fakegpu_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "fakegpu",
	.fops = &fakegpu_fops,
};

static int __init fakegpu_init(void)
{
	int r = misc_register(&fakegpu_misc);

	if (r < 0)
		return r;
	r = pci_register_driver(&fakegpu_driver);
	if (r < 0)
		misc_deregister(&fakegpu_misc);
	return r;
}

static void __exit fakegpu_exit(void)
{
	pci_unregister_driver(&fakegpu_driver);
	misc_deregister(&fakegpu_misc);
}

module_init(fakegpu_init);
module_exit(fakegpu_exit);
MODULE_DESCRIPTION("A host driver that misbehaves on demand");
MODULE_LICENSE("GPL");
