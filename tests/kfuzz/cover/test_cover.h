/* SPDX-License-Identifier: GPL-2.0 */
/*
 * test_cover - which basic blocks of vhost_doorbell.ko have run
 *
 * A block is named by its place: the distance of the return address of its call to
 * __sanitizer_cov_trace_pc() from that function, which is linked last, divided by 4 (a
 * call has 5 bytes, so no two blocks share a place). Blocks outside of .text, such as
 * those of __init functions, are not counted.
 */
#ifndef TEST_COVER_H
#define TEST_COVER_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
typedef uint8_t u8;
typedef uint32_t u32;
#endif

#define TEST_COVER_SHIFT	2
#define TEST_COVER_SIZE		(1U << 18)
#define TEST_COVER_LIST		(1U << 16)

/*
 * struct test_cover_area - what /dev/test-cover maps; read() returns @ever
 * @nr: entries of @index; the reader sets it and the hits of these entries to zero
 * @index: places with hits, in the order in which they were first hit
 * @hits: hits by place, 255 at most
 * @ever: 1 for each place that was hit since this module was loaded
 */
struct test_cover_area {
	u32	nr;
	u32	pad[1023];
	u32	index[TEST_COVER_LIST];
	u8	hits[TEST_COVER_SIZE];
	u8	ever[TEST_COVER_SIZE];
};

#ifdef __KERNEL__
extern struct test_cover_area *test_cover_area;
#endif

#endif
