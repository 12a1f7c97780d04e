// SPDX-License-Identifier: GPL-2.0
/* tools/lib, and the address arithmetic of the memory table. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost_types.h>
#include <math.h>
#include <string.h>

#include "cpus.h"
#include "disk.h"
#include "fd.h"
#include "json.h"
#include "memtable.h"
#include "test_vu.h"
#include "vhd.h"

static int open_claimed(struct disk *d, const char *path, bool read_only,
			enum disk_locking locking)
{
	int ret = disk_open(d, path, read_only, locking);

	if (ret)
		return ret;
	ret = disk_claim(d);
	if (ret)
		disk_close(d);
	return ret;
}

static void test_json(void)
{
	static const char want[] =
		"{\"a\": 18446744073709551615, \"b\": [-1, true, null, 1.50, "
		"null], \"c\": {}, \"d\": [], "
		"\"e\\\"\": \"\\\\ \\u000a \\ufffd \\ufffd\\ufffd \xc3\xa9\"}\n";
	char *text = NULL;
	size_t size = 0;
	struct json j;

	json_begin_line(&j, open_memstream(&text, &size));
	json_object(&j, NULL);
	json_u64(&j, "a", UINT64_MAX);
	json_array(&j, "b");
	json_i64(&j, NULL, -1);
	json_bool(&j, NULL, true);
	json_str(&j, NULL, NULL);
	json_double(&j, NULL, 1.5, 2);
	json_double(&j, NULL, INFINITY, 2);
	json_array_end(&j);
	json_object(&j, "c");
	json_object_end(&j);
	json_array(&j, "d");
	json_array_end(&j);
	/*
	 * A lone byte and an overlong sequence, which are no UTF-8, and a valid
	 * character.
	 */
	json_str(&j, "e\"", "\\ \n \xff \xc0\xaf \xc3\xa9");
	json_object_end(&j);
	CHECK_EQ(json_end(&j), 0);
	fclose(j.out);
	if (strcmp(text, want)) {
		printf("# %s", text);
		CHECK(false);
	}
	free(text);
}

static void test_json_layout(void)
{
	char *text = NULL;
	size_t size = 0;
	struct json j;

	json_begin(&j, open_memstream(&text, &size));
	json_object(&j, NULL);
	json_array(&j, "a");
	json_u64(&j, NULL, 1);
	json_u64(&j, NULL, 2);
	json_array_end(&j);
	json_object_end(&j);
	CHECK_EQ(json_end(&j), 0);
	fclose(j.out);
	CHECK_EQ(strcmp(text, "{\n  \"a\": [\n    1,\n    2\n  ]\n}\n"), 0);
	free(text);
}

static void test_cpus(void)
{
	static const char * const bad[] = {
		"", ",", "1,", ",1", "1-", "-1", "3-1", "1--2", "1,,2", " 1",
		"1 ", "+1", "a", "1-2-3", "0x1",
	};
	cpu_set_t set;

	CHECK_EQ(cpus_parse("0-3,8", &set), 0);
	CHECK_EQ(CPU_COUNT(&set), 5);
	CHECK(CPU_ISSET(0, &set) && CPU_ISSET(3, &set) && CPU_ISSET(8, &set));
	CHECK_EQ(cpus_parse("1023", &set), 0);
	CHECK_EQ(cpus_parse("1024", &set), -ERANGE);
	CHECK_EQ(cpus_parse("99999999999999999999", &set), -ERANGE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_EQ(cpus_parse(bad[i], &set), -EINVAL);
}

static void test_modes(void)
{
	CHECK_EQ(vhd_mode_parse("auto"), VHOST_DOORBELL_MODE_AUTO);
	CHECK_EQ(vhd_mode_parse("inline"), VHOST_DOORBELL_MODE_INLINE);
	CHECK_EQ(vhd_mode_parse("poll"), VHOST_DOORBELL_MODE_POLL);
	CHECK_EQ(vhd_mode_parse("guess"), -EINVAL);
	CHECK_EQ(strcmp(vhd_mode_name(1), "worker"), 0);
	CHECK(!vhd_mode_name(4));
	CHECK_EQ(vhd_dev_open("/nonexistent/vhost-doorbell"), -ENOENT);
}

static void test_disk(void)
{
	char path[] = "/tmp/test_vu_lib.XXXXXX";
	int fd = mkstemp(path);
	struct disk a, b;

	CHECK_EQ(ftruncate(fd, 65536), 0);
	close(fd);
	CHECK_EQ(open_claimed(&a, path, false, DISK_LOCKING_AUTO), 0);
	CHECK_EQ(a.size, 65536);
	CHECK(!a.is_block && !a.lock_error);
	CHECK(fcntl(a.fd, F_GETFD) & FD_CLOEXEC);
	/* The image has one writer or many readers. */
	CHECK_EQ(open_claimed(&b, path, false, DISK_LOCKING_AUTO), -EAGAIN);
	CHECK_EQ(open_claimed(&b, path, true, DISK_LOCKING_AUTO), -EAGAIN);
	disk_close(&a);
	CHECK_EQ(open_claimed(&a, path, true, DISK_LOCKING_AUTO), 0);
	CHECK_EQ(open_claimed(&b, path, true, DISK_LOCKING_AUTO), 0);
	CHECK_EQ(fcntl(b.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	disk_close(&b);
	CHECK_EQ(open_claimed(&b, path, false, DISK_LOCKING_AUTO), -EAGAIN);
	disk_close(&a);
	unlink(path);
	CHECK_EQ(open_claimed(&a, path, false, DISK_LOCKING_AUTO), -ENOENT);
	CHECK_EQ(open_claimed(&a, "/dev/null", false, DISK_LOCKING_AUTO), -EINVAL);
	CHECK_EQ(open_claimed(&a, "/tmp", true, DISK_LOCKING_AUTO), -EINVAL);
}

static void test_translate(void)
{
	struct vu_memtable *t = calloc(1, sizeof(*t));
	struct vu_region r = { 0, 0x4000, 0x10000, 0x1000 };
	struct vhost_memory *m;
	int fd = test_memfd(0x5000);
	uint64_t addr;

	CHECK_EQ(vu_memtable_add(t, &r, fd), 0);
	r.gpa = r.user_addr = -0x4000ULL;
	CHECK_EQ(vu_memtable_add(t, &r, fd), 0);
	CHECK_EQ(vu_memtable_translate(t, 0x10000, 0x4000, &addr), 0);
	CHECK_EQ(addr, t->region[0].addr);
	CHECK_EQ(vu_memtable_translate(t, 0x13fff, 1, &addr), 0);
	CHECK_EQ(addr, t->region[0].addr + 0x3fff);
	CHECK_EQ(vu_memtable_translate(t, 0x13fff, 2, &addr), -EFAULT);
	CHECK_EQ(vu_memtable_translate(t, 0x14000, 0, &addr), -EFAULT);
	CHECK_EQ(vu_memtable_translate(t, 0xffff, 1, &addr), -EFAULT);
	CHECK_EQ(vu_memtable_translate(t, 0x10000, UINT64_MAX, &addr), -EFAULT);
	CHECK_EQ(vu_memtable_translate(t, UINT64_MAX, 1, &addr), 0);
	CHECK_EQ(vu_memtable_translate(t, UINT64_MAX, 2, &addr), -EFAULT);
	CHECK_EQ(vu_memtable_bytes(t), 0x8000);
	m = vu_memtable_to_vhost(t);
	CHECK_EQ(m->nregions, 2);
	CHECK_EQ(m->regions[1].guest_phys_addr, -0x4000);
	free(m);
	vu_memtable_clear(t);
	CHECK_EQ(t->n, 0);
	free(t);
	close(fd);
}

/*
 * A region ends within a page. The rest of that page is mapped, but has no
 * address in the front end.
 */
static void test_part_of_page(void)
{
	struct vu_memtable *t = calloc(1, sizeof(*t));
	struct vu_region r = { 0x10000, 0x1234, 0x20000, 0 };
	struct vhost_memory *m;
	int fd = test_memfd(0x1234);
	uint64_t addr;

	CHECK_EQ(vu_memtable_add(t, &r, fd), 0);
	CHECK_EQ(vu_memtable_translate(t, 0x21233, 1, &addr), 0);
	CHECK_EQ(vu_memtable_translate(t, 0x21233, 2, &addr), -EFAULT);
	m = vu_memtable_to_vhost(t);
	CHECK_EQ(m->regions[0].memory_size, 0x1234);
	free(m);
	CHECK_EQ(vu_memtable_find(t, &r), 0);
	/* Two regions may not share a page. */
	r.gpa += 0x1800;
	r.user_addr += 0x1800;
	CHECK_EQ(vu_memtable_add(t, &r, fd), -EINVAL);
	vu_memtable_clear(t);
	free(t);
	close(fd);
}

/*
 * With huge pages, offsets into the file need not be multiples of the huge
 * page.
 */
static void test_hugetlb(void)
{
	struct vu_memtable *t = calloc(1, sizeof(*t));
	struct vu_region r = { 0x100000, 0x4000, 0x10000, 0x3000 };
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
	int ret;

	if (fd < 0 || ftruncate(fd, 2 << 20)) {
		printf("# no hugetlb here\n");
	} else {
		ret = vu_memtable_add(t, &r, fd);
		/* The mapping fails if no huge pages are reserved. */
		CHECK(!ret || ret == -ENOMEM);
		if (!ret)
			CHECK_EQ(t->region[0].addr & 0x1fffff, 0x3000);
		vu_memtable_clear(t);
	}
	fd_close(&fd);
	free(t);
}

static const struct test tests[] = {
	{ "json: values and escapes", test_json },
	{ "json: layout", test_json_layout },
	{ "cpus: lists", test_cpus },
	{ "vhd: modes, open", test_modes },
	{ "disk: kinds and locks", test_disk },
	{ "memtable: translation at the edges", test_translate },
	{ "memtable: a region that ends within a page", test_part_of_page },
	{ "memtable: hugetlb", test_hugetlb },
};

TEST_MAIN(tests)
