/* SPDX-License-Identifier: GPL-2.0 */
/* gmem_table - make and destroy a table of guest memory, for the gmem tests */
#ifndef TESTS_UNIT_GMEM_TABLE_H
#define TESTS_UNIT_GMEM_TABLE_H

#include <linux/err.h>
#include <linux/vhost_types.h>

#include "gmem.h"
#include "tap.h"

#define GPA	0x80000000ULL

static struct bell_gmem *gm;
/* user2 is not registered with the table until a test adds it. */
static struct bell_gmem_user user, user2;

static struct vhost_memory_region region(u64 gpa, unsigned long n,
					 unsigned long count)
{
	return (struct vhost_memory_region){
		.guest_phys_addr = gpa,
		.memory_size = count * PAGE_SIZE,
		.userspace_addr = WORLD_UADDR + n * PAGE_SIZE,
	};
}

static struct bell_gmem *create(const struct vhost_memory_region *r,
				unsigned int n, struct bell_gmem *old)
{
	return bell_gmem_create(&world.mm, r, n, old);
}

/*
 * One region at GPA of @count user pages, from user page @n on. User page N
 * maps RAM page N.
 */
static inline void begin(unsigned long n, unsigned long count)
{
	struct vhost_memory_region r = region(GPA, n, count);

	world_map(0, WORLD_UPAGES, 0);
	CHECK_EQ(bell_gmem_init(), 0);
	gm = create(&r, 1, NULL);
	if (IS_ERR(gm))
		shim_die("create: %ld", PTR_ERR(gm));
	bell_gmem_user_init(&user);
	bell_gmem_user_init(&user2);
	bell_gmem_add_user(gm, &user);
}

static inline void end(void)
{
	bell_gmem_del_user(gm, &user);
	bell_gmem_destroy(gm);
	bell_gmem_exit();
}

#endif
