// SPDX-License-Identifier: GPL-2.0
/* bell_rig - set up the ringing guest and the listener of a row, and measure */
#include "bell_rig.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/kvm.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "bell_epoll.h"
#include "cpus.h"
#include "fd.h"
#include "vhd.h"

#define DATA		1u
#define LENGTH		4u
#define PATIENCE_S	10u
/*
 * After this time the handler of the last ring sleeps, so that the next ring
 * must wake it.
 */
#define QUIET_US	200u
#define MAX_COUNT	(1u << 24)

/* --- choice of CPUs --- */

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Are these hardware threads of one core, which slow each other down? */
static bool siblings(int a, int b)
{
	char path[96], list[256] = "";
	cpu_set_t set;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/"
		 "thread_siblings_list", a);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(list, sizeof(list), f))
		list[0] = 0;
	fclose(f);
	list[strcspn(list, "\n")] = 0;
	return !cpus_parse(list, &set) && CPU_ISSET(b, &set);
}

unsigned int bell_place_init(struct bell_place *p)
{
	int vcpu = -1, waiter = -1;
	cpu_set_t set;

	p->dev = vhd_dev_open(NULL);
	if (sched_getaffinity(0, sizeof(set), &set))
		CPU_ZERO(&set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		if (vcpu < 0)
			vcpu = cpu;
		else if (waiter < 0 || (siblings(vcpu, waiter) &&
					!siblings(vcpu, cpu)))
			waiter = cpu;
	}
	p->vcpu_cpu = vcpu < 0 ? 0 : vcpu;
	p->waiter_cpu = waiter < 0 ? p->vcpu_cpu : waiter;
	p->awake = (struct bell_awake){ 0 };
	if (waiter < 0)
		return 1;
	bell_awake_start(&p->awake, waiter);
	return 2;
}

void bell_place_exit(struct bell_place *p)
{
	bell_awake_stop(&p->awake);
	fd_close(&p->dev);
}

/* --- eventfd, bell and page of a rig --- */

__attribute__((format(printf, 3, 4)))
static int fail(struct bell_row *row, int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(row->reason, sizeof(row->reason), fmt, args);
	va_end(args);
	row->failed = status < 0;
	return status;
}

static int ring_bell(void *arg, const struct vmm_exit *e)
{
	struct bell_rig *r = arg;

	if (e->data != DATA)
		return -EIO;
	return vhd_bell_ring(r->bell, 1);
}

static int open_bell(struct bell_rig *r, struct bell_row *row, uint32_t mode)
{
	/* The bell's thread takes its affinity from the creating thread. */
	pin(r->place->waiter_cpu);
	r->bell = vhd_create_bell(r->place->dev, mode);
	pin(r->place->vcpu_cpu);
	if (r->bell < 0)
		return fail(row, -1, "no bell: %s", strerror(-r->bell));
	return 0;
}

static int open_eventfd(struct bell_rig *r, struct bell_row *row)
{
	r->efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return r->efd < 0 ? fail(row, -1, "no eventfd: %s", strerror(errno)) :
			    0;
}

static int wire(struct bell_rig *r, struct bell_row *row)
{
	int ret = vhd_bell_wire(r->bell, r->efd);

	return ret ? fail(row, -1, "wiring: %s", strerror(-ret)) : 0;
}

/*
 * Maps the bell's page, or memory of the same layout for a handler in user
 * space.
 */
static int open_page(struct bell_rig *r, struct bell_row *row)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	int flags = r->bell < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, r->bell, 0);

	if (page == MAP_FAILED)
		return fail(row, -1, "the bell's page: %s", strerror(errno));
	r->page = page;
	return 0;
}

/* --- opening and closing a rig --- */

static bool needs_module(const struct bell_desc *d)
{
	return d->kind == BELL_QEMU ||
	       (d->kind == BELL_HANDLER && d->mode != BELL_EPOLL);
}

static int open_handler(struct bell_rig *r, struct bell_row *row)
{
	bool epoll = r->desc->mode == BELL_EPOLL;
	int ret = 0;

	if (!epoll)
		ret = open_bell(r, row, (uint32_t)r->desc->mode);
	if (!ret)
		ret = open_eventfd(r, row);
	if (!ret && !epoll)
		ret = wire(r, row);
	if (!ret)
		ret = open_page(r, row);
	if (ret || !epoll)
		return ret;
	ret = bell_epoll_start(r);
	return ret ? fail(row, -1, "the waiting thread: %s", strerror(-ret)) :
		     0;
}

static int open_parts(struct bell_rig *r, struct bell_row *row)
{
	int ret;

	switch (r->desc->kind) {
	case BELL_QEMU:
		return open_bell(r, row, VHOST_DOORBELL_BELL_HOOK);
	case BELL_IOEVENTFD:
		ret = open_eventfd(r, row);
		if (ret || r->place->dev < 0)
			return ret;
		ret = open_bell(r, row, VHOST_DOORBELL_BELL_HOOK);
		return ret ? ret : wire(r, row);
	case BELL_HANDLER:
		return open_handler(r, row);
	case BELL_HYPERCALL:
		break;
	}
	return 0;
}

int bell_rig_open(struct bell_rig *r, struct bell_place *p,
		  struct bell_row *row)
{
	*r = (struct bell_rig){
		.desc = row->desc, .place = p, .efd = -1, .bell = -1,
	};
	if (needs_module(r->desc) && p->dev < 0)
		return fail(row, 1, VHD_DEV_PATH ": %s", strerror(-p->dev));
	pin(p->vcpu_cpu);
	return open_parts(r, row);
}

void bell_rig_close(struct bell_rig *r)
{
	if (r->started)
		bell_epoll_stop(r);
	if (r->page)
		munmap(r->page, (size_t)sysconf(_SC_PAGESIZE));
	fd_close(&r->bell);
	fd_close(&r->efd);
}

/* --- registration with a virtual machine --- */

static unsigned int number(const struct bell_rig *r)
{
	return (unsigned int)(r->desc - bell_descs);
}

static uint64_t address(const struct bell_rig *r)
{
	return r->desc->pio ? VMM_PORT + 16 * number(r) :
			      VMM_MMIO + 4096 * number(r);
}

static int assign(struct bell_rig *r, struct bell_row *row)
{
	struct kvm_ioeventfd reg = { .addr = address(r), .fd = r->efd };

	if (r->desc->pio)
		reg.flags |= KVM_IOEVENTFD_FLAG_PIO;
	if (!r->desc->any) {
		reg.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
		reg.datamatch = DATA;
		reg.len = LENGTH;
	} else if (!vmm_cap(r->vmm, KVM_CAP_IOEVENTFD_NO_LENGTH)) {
		return fail(row, 1, "this kernel wants a length");
	}
	if (ioctl(r->vmm->fd, KVM_IOEVENTFD, &reg))
		return fail(row, -1, "KVM_IOEVENTFD: %s", strerror(errno));
	return 0;
}

int bell_rig_enter(struct bell_rig *r, struct vmm *vmm, struct bell_row *row)
{
	int ret;

	r->vmm = vmm;
	ret = r->efd < 0 ? 0 : assign(r, row);
	if (ret || !r->page)
		return ret;
	ret = vmm_map_page(vmm, number(r), r->page);
	return ret ? fail(row, -1, "the bell's page in the guest: %s",
			  strerror(-ret)) : 0;
}

/* --- measurement --- */

uint64_t bell_rig_max(const struct bell_desc *d)
{
	return d->kind == BELL_HANDLER ? VMM_MAX_SAMPLES : MAX_COUNT;
}

/* Checks that the listener counted all rings. */
static int count_rings(struct bell_rig *r, struct bell_row *row, uint64_t count)
{
	struct vhost_doorbell_bell_stats st;
	uint64_t n = 0;

	r->total += count;
	if (r->desc->kind == BELL_HYPERCALL) {
		if (r->vmm->rbx == count)
			return 0;
		return fail(row, -1, "KVM answered %llu of %llu hypercalls",
			    (unsigned long long)r->vmm->rbx,
			    (unsigned long long)count);
	}
	if (r->desc->mode == BELL_EPOLL && r->desc->kind == BELL_HANDLER) {
		n = __atomic_load_n(&r->page->count, __ATOMIC_ACQUIRE);
	} else if (r->bell >= 0) {
		if (!vhd_bell_get_stats(r->bell, &st))
			n = st.count;
	} else {
		if (eventfd_read(r->efd, &n))
			n = 0;
		n += r->total - count;
	}
	if (n == r->total)
		return 0;
	return fail(row, -1, "%llu rings, but %llu were counted",
		    (unsigned long long)r->total, (unsigned long long)n);
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* A negative sample means that the CPUs' clocks differ. */
static int median(struct bell_rig *r, struct bell_row *row, uint64_t count,
		  double *ns)
{
	int64_t *copy = malloc(count * sizeof(*copy)), cycles;

	if (!copy)
		return fail(row, -1, "%s", strerror(ENOMEM));
	for (uint64_t i = 0; i < count; i++)
		copy[i] = (int64_t)vmm_samples(r->vmm)[i] + r->vmm->tsc_offset;
	qsort(copy, count, sizeof(*copy), compare);
	cycles = copy[count / 2];
	free(copy);
	if (cycles < 0)
		return fail(row, -1, "the processors' clocks differ");
	*ns = (double)cycles * 1e6 / r->vmm->tsc_khz;
	return 0;
}

static struct vmm_job job_of(const struct bell_rig *r, uint64_t count)
{
	struct vmm_job job = {
		.count = count,
		.addr = address(r),
		.data = DATA,
		.page = number(r),
		.quiet = QUIET_US * (uint64_t)r->vmm->tsc_khz / 1000,
		.patience = PATIENCE_S * 1000ull * r->vmm->tsc_khz,
	};

	if (r->desc->kind == BELL_HYPERCALL)
		job.op = guest_hypercall_op();
	else if (r->desc->kind == BELL_HANDLER)
		job.op = GUEST_HANDSHAKE;
	else
		job.op = guest_write_op(r->desc->pio, LENGTH);
	return job;
}

/* Context switches of the handler's thread so far; 0 without such a thread. */
static double handler_switches(const struct bell_rig *r)
{
	pid_t tid = __atomic_load_n(&r->tid, __ATOMIC_ACQUIRE);
	struct vhost_doorbell_bell_stats st;
	char path[64], line[128];
	double sum = 0, n;
	FILE *f;

	if (r->desc->kind != BELL_HANDLER)
		return 0;
	if (r->bell >= 0 && !vhd_bell_get_stats(r->bell, &st))
		tid = (pid_t)st.worker_pid;
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		const char *value = strstr(line, "ctxt_switches:");

		if (value && sscanf(value, "ctxt_switches: %lf", &n) == 1)
			sum += n;
	}
	if (f)
		fclose(f);
	return sum;
}

static int measure(struct bell_rig *r, struct bell_row *row, uint64_t count,
		   struct bell_sample *s)
{
	struct vmm_job job = job_of(r, count);
	uint64_t exits, cycles;
	double switches;
	int ret;

	switches = handler_switches(r);
	r->vmm->on_exit = r->desc->kind == BELL_QEMU ? ring_bell : NULL;
	r->vmm->arg = r;
	ret = vmm_run(r->vmm, &job);
	if (ret)
		return fail(row, -1, "the guest: %s", strerror(-ret));
	if (r->vmm->rcx)
		return fail(row, -1, "a ring was not handled in %u s",
			    PATIENCE_S);
	exits = r->desc->kind == BELL_QEMU ? count : 0;
	if (r->vmm->exits != exits)
		return fail(row, -1, "%llu exits to user space, not %llu",
			    (unsigned long long)r->vmm->exits,
			    (unsigned long long)exits);
	ret = count_rings(r, row, count);
	if (ret)
		return ret;
	s->switches = handler_switches(r) - switches;
	/*
	 * Time by the guest's clock: it does not include entering and leaving
	 * the guest.
	 */
	cycles = r->vmm->ended - r->vmm->began;
	s->seconds = (double)cycles / 1e3 / r->vmm->tsc_khz;
	s->rtt = s->seconds * 1e9 / (double)count;
	s->rate = (double)count / s->seconds;
	if (r->desc->kind != BELL_HANDLER)
		return 0;
	s->rate *= (double)cycles / (double)(cycles - r->vmm->rbx);
	return median(r, row, count, &s->rtt);
}

int bell_rig_measure(struct bell_rig *r, struct bell_row *row, uint64_t count,
		     struct bell_sample *s)
{
	bool awake = r->desc->kind == BELL_HANDLER;
	int ret;

	if (awake)
		bell_awake_set(&r->place->awake, true);
	ret = measure(r, row, count, s);
	if (awake)
		bell_awake_set(&r->place->awake, false);
	return ret;
}
