// SPDX-License-Identifier: GPL-2.0
/* The state that a server leaves to the next one: damaged, of another version, random. */
#include <fcntl.h>
#include <stddef.h>
#include <sys/eventfd.h>

#include "keep.h"
#include "session.h"
#include "state.h"
#include "test_vu.h"
#include "test_vu_fake.h"

static struct fake fake_device;
static struct fake *const fake = &fake_device;

/* A file like that of vu_state_create(), of @size bytes */
static int copy_of(int fd, size_t size, bool seal)
{
	int copy = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint8_t *bytes = calloc(1, size);
	ssize_t n = pread(fd, bytes, size, 0);

	if (n < 0 || ftruncate(copy, size) || pwrite(copy, bytes, size, 0) != (ssize_t)size)
		abort();
	free(bytes);
	if (seal)
		fcntl(copy, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	return copy;
}

static int opens(int fd)
{
	struct vu_state_map m;
	int ret = vu_state_open(&m, fd);

	vu_state_close(&m);
	close(fd);
	return ret;
}

static int opens_with(int fd, size_t size, off_t at, uint32_t value)
{
	int copy = copy_of(fd, size, true);

	if (pwrite(copy, &value, sizeof(value), at) != sizeof(value))
		abort();
	return opens(copy);
}

static void test_state(void)
{
	struct vu_state_map m;
	int fd = vu_state_create(&m, "1.0"), events;
	size_t size = lseek(fd, 0, SEEK_END);

	CHECK(!strcmp(vu_state_release(&m), "1.0"));
	CHECK_EQ(opens(copy_of(fd, size, true)), 0);
	CHECK_EQ(opens(copy_of(fd, size, false)), -EBADMSG);
	CHECK_EQ(opens(copy_of(fd, size - 1, true)), -EBADMSG);
	CHECK_EQ(opens(copy_of(fd, size + 1, true)), -EBADMSG);
	CHECK_EQ(opens(copy_of(fd, 10, true)), -EBADMSG);
	CHECK_EQ(opens(copy_of(fd, 0, true)), -EBADMSG);
	CHECK_EQ(opens_with(fd, size, 0, 0), -EBADMSG);
	CHECK_EQ(opens_with(fd, size, 8, VU_STATE_VERSION + 1), -EPROTONOSUPPORT);
	/* Another version may have another size. */
	CHECK_EQ(opens_with(fd, 4096, 8, VU_STATE_VERSION + 1), -EPROTONOSUPPORT);
	CHECK_EQ(opens_with(fd, size, 12, 7), -EBADMSG);
	CHECK_EQ(opens_with(fd, size, 48, 2), -EBADMSG);
	events = eventfd(0, EFD_CLOEXEC);
	CHECK_EQ(opens(events), -EBADMSG);
	CHECK_EQ(opens(-1), -EBADMSG);
	/* A commit makes the other copy valid; a phase changes only the valid one. */
	vu_state_next(&m)->features = 5;
	CHECK_EQ(vu_state_valid(&m)->features, 0);
	vu_state_commit(&m);
	CHECK_EQ(vu_state_valid(&m)->features, 5);
	vu_state_set_phase(&m, VU_PHASE_DONE);
	CHECK_EQ(vu_state_valid(&m)->phase, VU_PHASE_DONE);
	CHECK_EQ(vu_state_next(&m)->phase, VU_PHASE_IDLE);
	vu_state_close(&m);
	close(fd);
}

/* Whatever is in the file, a session is taken over or refused. */
static void test_random_state(void)
{
	static struct vu_session session;
	unsigned int taken = 0;

	srand(1);
	for (unsigned int i = 0; i < 2000; i++) {
		struct fdstore own = { 0 };
		struct vu_keep keep = { .store = &own };
		int fd = vu_state_create(&keep.map, "1.0");
		struct vu_saved *next = vu_state_next(&keep.map);
		size_t head = offsetof(struct vu_saved, device);
		struct vu_state_map found;

		memset(fake, 0, sizeof(*fake));
		fake->base.ops = &fake_ops;
		fake->open = true;
		own.num = 1;
		strcpy(own.entry[0].name, VU_KEEP_DEVICE);
		own.entry[0].fd = eventfd(0, EFD_CLOEXEC);
		next->num_queues = 2;
		for (unsigned int n = rand() % 20; n--;)
			((uint8_t *)next)[rand() % (n % 3 ? head : sizeof(*next))] =
				rand();
		vu_state_commit(&keep.map);
		if (!vu_state_open(&found, fd)) {
			vu_state_close(&found);
			if (!vu_session_adopt(&session, &fake->base, &keep, NULL)) {
				vu_session_close(&session);
				taken++;
			}
		}
		fdstore_forget(&own);
		vu_state_close(&keep.map);
		close(fd);
	}
	printf("# %u taken over\n", taken);
	CHECK(taken > 10 && taken < 2000);
}

static const struct test tests[] = {
	{ "a state that is damaged or of another version", test_state },
	{ "a state of random bytes", test_random_state },
};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
