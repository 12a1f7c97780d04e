// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/kthread.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "world.h"

#if defined(__SANITIZE_ADDRESS__)
#define WORLD_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WORLD_ASAN
#endif
#endif

#ifdef WORLD_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)		((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n)	((void)(p), (void)(n))
#endif

#define WORLD_EVENTFDS	16
#define WORLD_FD	1000	/* number of the first eventfd; not a real descriptor */
#define NO_PAGE		0xffffffffU

struct eventfd_ctx {
	int		refs;
	unsigned long	signals;
};

struct world world;
u64 shim_now;
u64 shim_cycles;
unsigned int tsc_khz = 2000000;
bool shim_crowded;
unsigned long shim_slept;
struct task_struct shim_task;

static int ram_fd;
static u8 *ram;			/* RAM as the guest maps it */
static u8 *direct;		/* RAM as the module maps it */
static struct page pages[WORLD_PAGES];
static u32 pte[WORLD_UPAGES];
static unsigned long invalidate_seq;
static struct list_head notifiers = { &notifiers, &notifiers };
static struct list_head works = { &works, &works };
static bool works_later;
static struct eventfd_ctx eventfds[WORLD_EVENTFDS];
static unsigned int nr_eventfds;
static struct rcu_head *rcu_callbacks;

void shim_die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	printf("Bail out! ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	abort();
}

/* --- reset, and check for leaks --- */

__attribute__((constructor)) static void world_begin(void)
{
	size_t size = WORLD_PAGES * PAGE_SIZE;

	ram_fd = memfd_create("ram", MFD_CLOEXEC);
	if (ram_fd < 0 || ftruncate(ram_fd, size))
		shim_die("no memory for the guest");
	ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ram_fd, 0);
	direct = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ram_fd,
		      0);
	if (ram == MAP_FAILED || direct == MAP_FAILED)
		shim_die("no memory for the guest");
	ASAN_POISON_MEMORY_REGION(direct, size);
	world_reset();
}

const char *world_leak(void)
{
	world_end_grace_period();
	if (world.pins)
		return "pages are still pinned";
	if (world.allocated)
		return "memory was not freed";
	if (world.frags)
		return "a part of a page was not freed";
	if (world.mm.pinned_vm.counter || world.heir.pinned_vm.counter)
		return "memory is still accounted";
	if (world.ctx_refs)
		return "an eventfd is still referenced";
	if (world.atomic || world.rcu)
		return "a lock is still held";
	if (!list_empty(&notifiers) || !list_empty(&works))
		return "a notifier or work is still queued";
	if (world.mm.count != 1 || world.mm.mm_users.counter > 1 ||
	    world.heir.count != 1)
		return "the address space is still referenced";
	return NULL;
}

void world_reset(void)
{
	static bool begun;
	unsigned long i;

	if (begun && world_leak())
		shim_die("reset: %s", world_leak());
	begun = true;
	world = (struct world){
		.mm = { .count = 1, .mm_users = { 1 }, .limit = ~0UL },
		.heir = { .count = 1, .mm_users = { 1 }, .limit = ~0UL },
	};
	shim_task = (struct task_struct){ .mm = &world.mm };
	for (i = 0; i < WORLD_PAGES; i++)
		pages[i] = (struct page){ .head = &pages[i] };
	world_unmap(0, WORLD_UPAGES);
	memset(eventfds, 0, sizeof(eventfds));
	nr_eventfds = 0;
}

/* --- memory: RAM, page table, pins --- */

static unsigned long pfn_checked(unsigned long pfn)
{
	if (pfn >= WORLD_PAGES)
		shim_die("no page %lu", pfn);
	return pfn;
}

unsigned long page_to_pfn(const struct page *page)
{
	return pfn_checked(page - pages);
}

void *page_address(const struct page *page)
{
	return direct + page_to_pfn(page) * PAGE_SIZE;
}

struct page *world_page(unsigned long pfn)
{
	return &pages[pfn_checked(pfn)];
}

void *world_ram(unsigned long pfn)
{
	return ram + pfn_checked(pfn) * PAGE_SIZE;
}

long world_pfn_of(const volatile void *p)
{
	uintptr_t at = (uintptr_t)p - (uintptr_t)direct;

	return at < WORLD_PAGES * PAGE_SIZE ? (long)(at / PAGE_SIZE) : -1;
}

int world_page_pins(unsigned long pfn)
{
	return world_page(pfn)->pins;
}

void world_map(unsigned long n, unsigned long count, unsigned long pfn)
{
	unsigned long i;

	if (n + count > WORLD_UPAGES)
		shim_die("no user page %lu", n + count);
	for (i = 0; i < count; i++)
		pte[n + i] = pfn_checked(pfn + i);
}

void world_unmap(unsigned long n, unsigned long count)
{
	while (count--)
		pte[n++] = NO_PAGE;
}

void world_set_folio(unsigned long pfn, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++)
		world_page(pfn + i)->head = world_page(pfn);
	world_page(pfn)->order = order;
}

void world_move(unsigned long n, unsigned long count, unsigned long pfn)
{
	world_invalidate(WORLD_UADDR + n * PAGE_SIZE,
			 WORLD_UADDR + (n + count) * PAGE_SIZE);
	world_map(n, count, pfn);
}

void world_punch(unsigned long n, unsigned long count)
{
	world_invalidate(WORLD_UADDR + n * PAGE_SIZE,
			 WORLD_UADDR + (n + count) * PAGE_SIZE);
	world_unmap(n, count);
}

static u32 user_page(unsigned long addr)
{
	unsigned long n = (addr - WORLD_UADDR) / PAGE_SIZE;

	return n < WORLD_UPAGES ? pte[n] : NO_PAGE;
}

int pin_user_pages_fast(unsigned long start, int nr, unsigned int flags,
			struct page **out)
{
	void (*hook)(void);
	int i;

	might_sleep();
	if ((flags & ~FOLL_NOFAULT) != (FOLL_WRITE | FOLL_LONGTERM) ||
	    offset_in_page(start))
		shim_die("pin_user_pages_fast(%#lx, %d, %u)", start, nr, flags);
	if ((current->mm != &world.mm && current->mm != &world.heir) ||
	    !current->mm->mm_users.counter)
		shim_die("pinning in nobody's memory");
	world.pin_calls++;
	if (world.pin_error)
		return world.pin_error;
	if (world.pin_max && nr > (int)world.pin_max)
		nr = world.pin_max;
	for (i = 0; i < nr; i++) {
		u32 pfn = user_page(start + i * PAGE_SIZE);

		if (pfn == NO_PAGE)
			break;
		out[i] = &pages[pfn];
		if (!pages[pfn].pins++)
			ASAN_UNPOISON_MEMORY_REGION(page_address(out[i]),
						    PAGE_SIZE);
		world.pins++;
	}
	hook = world.on_pin;
	if (hook)
		hook();
	return i ? i : -EFAULT;
}

void unpin_user_pages(struct page **list, unsigned long n)
{
	while (n--) {
		struct page *page = *list++;

		if (page->pins <= 0)
			shim_die("page %lu is not pinned", page_to_pfn(page));
		world.pins--;
		if (!--page->pins)
			ASAN_POISON_MEMORY_REGION(page_address(page),
						  PAGE_SIZE);
	}
}

struct vmapping {
	size_t	size;
	void   *addr;
	struct vmapping *next;
};

static struct vmapping *vmappings;

void *vmap(struct page **list, unsigned int n, unsigned long flags, int prot)
{
	struct vmapping *v = shim_alloc(1, sizeof(*v), GFP_KERNEL, true);
	unsigned int i;

	(void)flags;
	(void)prot;
	if (!v)
		return NULL;
	v->size = n * PAGE_SIZE;
	v->addr = mmap(NULL, v->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	for (i = 0; i < n; i++) {
		if (mmap(v->addr + i * PAGE_SIZE, PAGE_SIZE,
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram_fd,
			 page_to_pfn(list[i]) * PAGE_SIZE) == MAP_FAILED)
			shim_die("vmap of %u pages", n);
	}
	v->next = vmappings;
	vmappings = v;
	return v->addr;
}

void vunmap(const void *p)
{
	struct vmapping **at, *v;

	might_sleep();
	if (!p)
		return;
	for (at = &vmappings; *at && (*at)->addr != p; at = &(*at)->next)
		;
	v = *at;
	if (!v)
		shim_die("vunmap of what is not mapped");
	*at = v->next;
	munmap(v->addr, v->size);
	shim_free(v);
}

/* --- page fragments --- */

#define FRAG_ORDER	3
#define FRAG_PAGES	(1UL << FRAG_ORDER)
#define FRAG_SIZE	(FRAG_PAGES * PAGE_SIZE)

struct page *virt_to_page(const void *p)
{
	long pfn = world_pfn_of(p);

	if (pfn < 0)
		shim_die("no page at %p", p);
	return &pages[pfn];
}

void get_page(struct page *page)
{
	if (page->head->refs++ <= 0)
		shim_die("page %lu is not held", page_to_pfn(page));
	world.frags++;
}

void put_page(struct page *page)
{
	if (page->head->refs <= 0)
		shim_die("page %lu is not held", page_to_pfn(page));
	world.frags--;
	if (!--page->head->refs)
		ASAN_POISON_MEMORY_REGION(page_address(page->head), FRAG_SIZE);
}

void page_frag_free(void *p)
{
	put_page(virt_to_page(p));
}

static struct page *frag_alloc(gfp_t gfp)
{
	unsigned long pfn;

	if (gfp & SHIM_MAY_SLEEP)
		might_sleep();
	if (world.fail_alloc && !--world.fail_alloc)
		return NULL;
	for (pfn = WORLD_PAGES - WORLD_FRAGS; pfn < WORLD_PAGES;
	     pfn += FRAG_PAGES) {
		if (pages[pfn].refs)
			continue;
		world_set_folio(pfn, FRAG_ORDER);
		pages[pfn].refs = 1;
		world.frags++;
		return &pages[pfn];
	}
	return NULL;
}

/*
 * As in the kernel: if no other reference to the page is left, use it from the
 * start.
 */
bool skb_page_frag_refill(unsigned int size, struct page_frag *frag, gfp_t gfp)
{
	if (frag->page && frag->page->refs == 1)
		frag->offset = 0;
	if (frag->page && frag->offset + size > frag->size) {
		put_page(frag->page);
		frag->page = NULL;
	}
	if (!frag->page) {
		frag->page = frag_alloc(gfp);
		frag->offset = 0;
		frag->size = FRAG_SIZE;
	}
	if (!frag->page)
		return false;
	/* Only the bytes that were asked for may be touched. */
	ASAN_UNPOISON_MEMORY_REGION(page_address(frag->page) + frag->offset,
				    size);
	return true;
}

/* --- allocations --- */

void *shim_alloc(size_t n, size_t size, gfp_t gfp, bool zero)
{
	void *p;

	if (gfp & SHIM_MAY_SLEEP)
		might_sleep();
	if (world.fail_alloc && !--world.fail_alloc)
		return NULL;
	if (world.fail_atomic && !(gfp & SHIM_MAY_SLEEP))
		return NULL;
	if (__builtin_mul_overflow(n, size, &size))
		return NULL;
	/* The kernel aligns large pieces like this. */
	if (posix_memalign(&p, 64, size ? size : 1))
		return NULL;
	memset(p, zero ? 0 : 0xa5, size);
	world.allocated++;
	return p;
}

void shim_free(const void *p)
{
	if (!p)
		return;
	world.allocated--;
	free((void *)p);
}

struct kmem_cache *shim_cache_create(size_t size)
{
	struct kmem_cache *cache = shim_alloc(1, sizeof(*cache), GFP_KERNEL,
					      true);

	if (cache)
		cache->size = size;
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	if (cache && cache->used)
		shim_die("a cache has %ld objects left", cache->used);
	shim_free(cache);
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *p = shim_alloc(1, cache->size, gfp, true);

	cache->used += !!p;
	return p;
}

void kmem_cache_free(struct kmem_cache *cache, void *p)
{
	cache->used--;
	shim_free(p);
}

/* --- mmu notifiers --- */

int mmu_interval_notifier_insert(struct mmu_interval_notifier *n,
				 struct mm_struct *mm, unsigned long start,
				 unsigned long length,
				 const struct mmu_interval_notifier_ops *ops)
{
	might_sleep();
	if (!mm->mm_users.counter)
		shim_die("notifier for a dead mm");
	if (world.fail_alloc && !--world.fail_alloc)
		return -ENOMEM;
	n->ops = ops;
	n->start = start;
	n->last = start + length - 1;
	n->seq = invalidate_seq;
	n->mm = mm;
	mm->count++;
	list_add_tail(&n->node, &notifiers);
	return 0;
}

void mmu_interval_notifier_remove(struct mmu_interval_notifier *n)
{
	might_sleep();
	list_del_init(&n->node);
	n->mm->count--;
}

void world_invalidate(unsigned long start, unsigned long end)
{
	struct mmu_notifier_range range = { .start = start, .end = end };
	struct mmu_interval_notifier *n;

	invalidate_seq += 2;
	world.atomic++;
	list_for_each_entry(n, &notifiers, node) {
		if (n->start >= end || n->last < start)
			continue;
		n->ops->invalidate(n, &range, invalidate_seq);
		if (n->seq != invalidate_seq)
			shim_die("invalidate() without a new sequence");
	}
	world.atomic--;
}

/* --- contexts: locks, RCU, waits, work items --- */

void might_sleep(void)
{
	if (world.atomic || world.rcu)
		shim_die("sleeping where nobody may");
}

void shim_order(enum shim_order what, const volatile void *p)
{
	if (world.on_order)
		world.on_order(what, p);
}

void shim_read(const volatile void *p, size_t size)
{
	shim_order(SHIM_READ, p);
	if (world.on_read)
		world.on_read(p, size);
}

void shim_write(const volatile void *p, size_t size)
{
	shim_order(SHIM_WRITE, p);
	if (world.on_write)
		world.on_write(p, size);
}

void shim_barrier(void)
{
	void (*hook)(void) = world.on_barrier;

	shim_order(SHIM_MB, NULL);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (hook)
		hook();
}

void spin_lock_init(spinlock_t *lock)
{
	lock->held = false;
}

void spin_lock(spinlock_t *lock)
{
	if (lock->held)
		shim_die("a spinlock is taken twice");
	lock->held = true;
	world.atomic++;
	world.spin_locks++;
}

void spin_unlock(spinlock_t *lock)
{
	lockdep_assert_held(lock);
	lock->held = false;
	world.atomic--;
}

void mutex_init(struct mutex *m)
{
	m->held = false;
}

void mutex_lock(struct mutex *m)
{
	might_sleep();
	if (m->held)
		shim_die("a mutex is taken twice");
	m->held = true;
}

int mutex_lock_killable(struct mutex *m)
{
	mutex_lock(m);
	return 0;
}

void mutex_unlock(struct mutex *m)
{
	lockdep_assert_held(m);
	m->held = false;
}

struct mutex *shim_lock_mutex(struct mutex *m)
{
	mutex_lock(m);
	return m;
}

void shim_unlock_mutex(struct mutex **m)
{
	mutex_unlock(*m);
}

void rcu_read_lock(void)
{
	world.rcu++;
}

void rcu_read_unlock(void)
{
	if (!world.rcu--)
		shim_die("rcu_read_unlock() without a lock");
}

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	head->next = rcu_callbacks;
	rcu_callbacks = head;
}

void world_end_grace_period(void)
{
	struct rcu_head *head;

	if (world.rcu)
		shim_die("a grace period inside a read-side section");
	world.atomic++;
	while ((head = rcu_callbacks)) {
		rcu_callbacks = head->next;
		head->func(head);
	}
	world.atomic--;
}

void rcu_barrier(void)
{
	might_sleep();
	world_end_grace_period();
}

void synchronize_rcu(void)
{
	might_sleep();
	world_end_grace_period();
}

bool shim_wait_timeout(wait_queue_head_t *wq)
{
	unsigned int wakes = wq->wakes, tries = 0;

	might_sleep();
	/* A waiter that is not woken does not check its condition. */
	while (wq->wakes == wakes) {
		if (!world.on_wait || ++tries > 1000)
			return false;
		world.on_wait();
	}
	return true;
}

void shim_wait(wait_queue_head_t *wq)
{
	if (!shim_wait_timeout(wq))
		shim_die("nobody wakes the sleeper");
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	(void)wq;
	if (!list_empty(&work->node))
		return false;
	list_add_tail(&work->node, &works);
	return true;
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay)
{
	if (!queue_work(wq, &work->work))
		return false;
	work->delay = delay;
	works_later = delay > 0;
	return true;
}

bool cancel_delayed_work_sync(struct delayed_work *work)
{
	bool queued = !list_empty(&work->work.node);

	might_sleep();
	list_del_init(&work->work.node);
	return queued;
}

bool flush_work(struct work_struct *work)
{
	might_sleep();
	if (list_empty(&work->node))
		return false;
	list_del_init(&work->node);
	work->func(work);
	return true;
}

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int max)
{
	(void)name;
	(void)flags;
	(void)max;
	return shim_alloc(1, 1, GFP_KERNEL, true);
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	if (!list_empty(&works))
		shim_die("a workqueue has work left");
	shim_free(wq);
}

long schedule_timeout_killable(long timeout)
{
	(void)timeout;
	might_sleep();
	if (world.on_wait)
		world.on_wait();
	if (!list_empty(&works))
		flush_work(list_entry(works.next, struct work_struct, node));
	return 0;
}

bool world_run_work(void)
{
	unsigned int tries = 0;

	if (list_empty(&works))
		return false;
	works_later = false;
	while (!list_empty(&works)) {
		/* The work is delayed: meanwhile the test's hook runs. */
		if (works_later) {
			if (!world.on_wait || ++tries > 1000)
				shim_die("work waits for nobody");
			world.on_wait();
			works_later = false;
		}
		flush_work(list_entry(works.next, struct work_struct, node));
	}
	return true;
}

/* --- eventfds --- */

int world_eventfd(void)
{
	if (nr_eventfds == WORLD_EVENTFDS)
		shim_die("too many eventfds");
	return WORLD_FD + nr_eventfds++;
}

unsigned long world_signals(int fd)
{
	return eventfds[fd - WORLD_FD].signals;
}

struct eventfd_ctx *eventfd_ctx_fdget(int fd)
{
	if (fd < WORLD_FD)
		return ERR_PTR(-EBADF);
	if (fd >= WORLD_FD + (int)nr_eventfds)
		return ERR_PTR(-EINVAL);
	eventfds[fd - WORLD_FD].refs++;
	world.ctx_refs++;
	return &eventfds[fd - WORLD_FD];
}

void eventfd_ctx_put(struct eventfd_ctx *ctx)
{
	if (ctx->refs-- <= 0)
		shim_die("eventfd_ctx_put() once too often");
	world.ctx_refs--;
}

void eventfd_signal(struct eventfd_ctx *ctx)
{
	if (ctx->refs <= 0)
		shim_die("a signal to a dead eventfd");
	ctx->signals++;
	if (world.on_signal)
		world.on_signal();
}
