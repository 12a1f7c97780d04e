/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_MM_H
#define SHIM_LINUX_MM_H

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/types.h>

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define TASK_SIZE	((1UL << 47) - PAGE_SIZE)
#define SZ_4K		0x1000
#define SZ_16K		0x4000
#define SZ_64K		0x10000
#define SZ_128K		0x20000
#define SZ_256K		0x40000
#define SZ_1M		0x100000
#define SZ_4M		0x400000
#define SZ_8M		0x800000
#define SZ_16M		0x1000000
#define SZ_32M		0x2000000
#define SZ_64M		0x4000000
#define SZ_256M		0x10000000
#define SZ_2G		0x80000000U
#define SZ_1G		0x40000000

#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)

#define FOLL_WRITE	1U
#define FOLL_LONGTERM	2U
#define FOLL_NOFAULT	4U

struct page {
	struct page	*head;		/* first page of the folio */
	/* Order of the folio; valid in its first page */
	unsigned int	 order;
	int		 pins;
	int		 refs;		/* references of other users than guest memory */
};

struct folio {
	struct page	page;
};

struct mm_struct {
	int		count;		/* references to this structure */
	atomic_t	mm_users;	/* references to the address space */
	atomic64_t	pinned_vm;
	unsigned long	limit;
};

struct task_struct {
	struct mm_struct *mm;
	bool		 killed;
};

extern struct task_struct shim_task;
#define current	(&shim_task)

unsigned long page_to_pfn(const struct page *page);
void *page_address(const struct page *page);
#define page_to_phys(page)	((u64)page_to_pfn(page) << PAGE_SHIFT)
#define page_folio(p)		((struct folio *)(p)->head)
#define folio_nr_pages(f)	(1UL << (f)->page.order)
#define PageCompound(p)		((p)->head->order > 0)

/* The page whose memory @p points into */
struct page *virt_to_page(const void *p);
void get_page(struct page *page);
void put_page(struct page *page);

int pin_user_pages_fast(unsigned long start, int nr, unsigned int flags,
			struct page **pages);
void unpin_user_pages(struct page **pages, unsigned long n);
#define unpin_user_page(p)						\
	do {								\
		struct page *shim_page = (p);				\
									\
		unpin_user_pages(&shim_page, 1);			\
	} while (0)
#define unpin_user_pages_dirty_lock(p, n, dirty)			\
	do {								\
		might_sleep();						\
		unpin_user_pages(p, n);					\
	} while (0)


void shim_notice(const char *fmt, ...);
#define pr_notice_ratelimited	shim_notice

struct va_format {
	const char	*fmt;
	va_list		*va;
};

#endif
