/* SPDX-License-Identifier: GPL-2.0 */
/*
 * options - what the command line of `doorbell-bench emulate` asks for
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

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
	/* The device and its driver. */
	uint64_t	type;			/* blk; others have their own */
	const char	*socket;
	uint64_t	connect_timeout;	/* seconds */
	const char	*mem;
	enum mem_kind	mem_kind;
	const char	*mem_path;
	uint64_t	regions;
	bool		mem_slots;
	bool		no_event_idx;
	bool		no_indirect;
	bool		legacy;
	bool		packed;
	bool		in_order;
	bool		on_empty;
	const char	*features;
	uint64_t	refuse;			/* what @features switches off */
	uint64_t	reset_every;
	uint64_t	queue_size;
	uint64_t	queues;

	/* The load. */
	uint64_t	rw;			/* enum option_rw */
	uint64_t	mix;			/* per cent of reads */
	uint64_t	bs;
	bool		any_length;
	uint64_t	depth;
	uint64_t	flush_every;
	uint64_t	count;
	uint64_t	seconds;
	uint64_t	offset;
	uint64_t	size;
	uint64_t	layout;			/* enum option_layout */
	bool		mixed_indirect;
	uint64_t	segs;
	uint64_t	align;
	uint64_t	punch;
	uint64_t	noise;
	uint64_t	seed;
	bool		spin;

	/* Checks. */
	bool		verify;
	bool		verify_only;
	uint64_t	verify_seed;
	const char	*state;
	bool		expect_disconnect;
	uint64_t	reconnect;		/* seconds; 0: do not */
	uint64_t	restore;		/* enum option_restore */
	bool		requeue;
	uint64_t	watchdog;		/* seconds */

	/* Other jobs. */
	bool		get_id;
	const char	*ask;
	bool		config;
	const char	*hostile;
	bool		read_only_expected;

	bool		json;
	bool		help;
};

/* Fills @o. 0, or -EINVAL after having said on stderr what is wrong. */
int options_parse(struct options *o, int argc, char **argv);
void options_help(void);

#endif
