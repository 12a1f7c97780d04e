/* SPDX-License-Identifier: GPL-2.0 */
/*
 * options - the command line of `doorbell-bench emulate` for a disk
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "driver_options.h"

#define OPTIONS_MAX_QUEUES	64

enum option_rw {
	RW_READ,
	RW_WRITE,
	RW_RANDREAD,
	RW_RANDWRITE,
	RW_RANDRW,
};

enum option_layout {
	LAYOUT_NORMAL,
	LAYOUT_SPLIT,
	LAYOUT_ONESEG,
	LAYOUT_RANDOM,
};

enum option_restore {
	RESTORE_DISCONNECT,
	RESTORE_CONNECT,
};

/* All numbers are 64 bits wide so that one table can describe them. */
struct options {
	struct driver_options common;

	/* Options of the device and its driver */
	bool		mem_slots;
	bool		log;
	bool		on_empty;
	bool		writethrough;
	/* Features that --features switches off */
	uint64_t	refuse;
	uint64_t	reset_every;
	uint64_t	queues;

	/* Options of the load */
	uint64_t	rw;			/* enum option_rw */
	uint64_t	mix;			/* per cent of reads */
	uint64_t	bs;
	bool		any_length;
	uint64_t	depth;
	uint64_t	flush_every;
	uint64_t	offset;
	uint64_t	size;
	uint64_t	layout;			/* enum option_layout */
	bool		mixed_indirect;
	uint64_t	segs;
	uint64_t	align;
	uint64_t	punch;
	uint64_t	noise;
	bool		spin;

	/* Options of checks and of the end of a back end */
	bool		verify_only;
	uint64_t	verify_seed;
	const char	*state;
	/* The dm-log-writes device that gets marks */
	const char	*marks;
	bool		expect_disconnect;
	/* Seconds to wait for a new back end; 0: do not */
	uint64_t	reconnect;
	uint64_t	restore;		/* enum option_restore */
	bool		requeue;

	/* Options that replace the load by another job */
	bool		get_id;
	const char	*ask;
	bool		config;
	bool		read_only_expected;
};

/* Fills @o. Returns 0, or -EINVAL after a message on stderr. */
int options_parse(struct options *o, int argc, char **argv);
void options_help(void);

#endif
