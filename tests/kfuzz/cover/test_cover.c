// SPDX-License-Identifier: GPL-2.0
/*
 * test_cover - collect which basic blocks of vhost_doorbell.ko have run
 *
 * KCOV of the kernel sees one thread only, and stock kernels have none. Most of our code
 * runs in workers, softirqs and interrupts. So the instrumented module has its own trace
 * function (trace_pc.c), which writes into this module's memory from any context. The
 * counters are kept when vhost_doorbell.ko is unloaded.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "test_cover.h"

struct test_cover_area *test_cover_area;
EXPORT_SYMBOL_GPL(test_cover_area);

static int cover_mmap(struct file *file, struct vm_area_struct *vma)
{
	return remap_vmalloc_range(vma, test_cover_area, vma->vm_pgoff);
}

static ssize_t cover_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	return simple_read_from_buffer(buf, len, pos, test_cover_area->ever,
				       sizeof(test_cover_area->ever));
}

static const struct file_operations cover_fops = {
	.owner	= THIS_MODULE,
	.mmap	= cover_mmap,
	.read	= cover_read,
};

static struct miscdevice cover_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "test-cover",
	.fops	= &cover_fops,
	.mode	= 0600,
};

static int __init test_cover_init(void)
{
	int ret;

	test_cover_area = vmalloc_user(sizeof(*test_cover_area));
	if (!test_cover_area)
		return -ENOMEM;
	ret = misc_register(&cover_misc);
	if (ret)
		vfree(test_cover_area);
	return ret;
}
module_init(test_cover_init);

static void __exit test_cover_exit(void)
{
	misc_deregister(&cover_misc);
	vfree(test_cover_area);
}
module_exit(test_cover_exit);

MODULE_DESCRIPTION("Collects coverage of vhost_doorbell");
MODULE_LICENSE("GPL");
