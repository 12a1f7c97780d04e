/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SLAB_H
#define SHIM_LINUX_SLAB_H

#include <linux/types.h>

typedef unsigned int gfp_t;

#define SHIM_MAY_SLEEP		1U
#define GFP_KERNEL		SHIM_MAY_SLEEP
#define GFP_KERNEL_ACCOUNT	SHIM_MAY_SLEEP
#define GFP_NOWAIT		0U
#define __GFP_NOWARN		0U
#define __GFP_ACCOUNT		0U
#define SLAB_ACCOUNT		0U

struct kmem_cache {
	size_t	size;
	long	used;
};

/*
 * Memory is zeroed or filled with 0xa5. Fails if the test has set
 * world.fail_alloc.
 */
void *shim_alloc(size_t n, size_t size, gfp_t gfp, bool zero);
void shim_free(const void *p);

#define kvcalloc(n, size, gfp)		shim_alloc(n, size, gfp, true)
#define kvzalloc(size, gfp)		shim_alloc(1, size, gfp, true)
#define kzalloc(size, gfp)		shim_alloc(1, size, gfp, true)
#define kvmalloc(size, gfp)		shim_alloc(1, size, gfp, false)
#define kmalloc(size, gfp)		shim_alloc(1, size, gfp, false)
#define kmalloc_array(n, size, gfp)	shim_alloc(n, size, gfp, false)
#define kvfree(p)			shim_free(p)
#define kfree(p)			shim_free(p)

struct kmem_cache *shim_cache_create(size_t size);
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *p);

#define KMEM_CACHE(type, flags)	shim_cache_create(sizeof(struct type))

#endif
