/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fdstore - descriptors that a keeper holds for the next process of this program
 *
 * The keeper is the service manager, or the parent of --keep (keeper.h): it gets
 * descriptors by the messages FDSTORE=1 of sd_notify(3), and passes all of them to the
 * process that it starts after this one (sd_listen_fds(3)). $FDSTORE says that there is
 * a keeper.
 */
#ifndef TOOLS_LIB_FDSTORE_H
#define TOOLS_LIB_FDSTORE_H

#include <stdbool.h>
#include <stddef.h>

/* As FileDescriptorStoreMax= of the units: 509 regions of memory, 3 eventfds for each
 * of 64 queues, and some more
 */
#define FDSTORE_MAX	768
#define FDSTORE_NAME	40

/* Names of what is stored begin with this: all other descriptors are sockets. */
#define FDSTORE_PREFIX	"vhd-"

/**
 * struct fdstore - the store
 * @num: entries in use
 * @entry: what the keeper holds: its name without the prefix, and the descriptor that the
 *	keeper passed to this process; -1: taken, or stored by this process
 */
struct fdstore {
	unsigned int num;
	struct fdstore_entry {
		char name[FDSTORE_NAME];
		int  fd;
	} entry[FDSTORE_MAX];
};

/* Whether there is a keeper. */
bool fdstore_is_there(void);
/*
 * Takes the descriptors that an earlier process of this program has stored from those
 * that the keeper passes, and leaves the others to activation_take().
 */
void fdstore_begin(struct fdstore *s);

bool fdstore_has(const struct fdstore *s, const char *name);
/* The descriptor, which stays the store's; -1: there is none. */
int fdstore_get(const struct fdstore *s, const char *name);
/* The descriptor, which the caller owns; the keeper holds it on. -1: there is none. */
int fdstore_take(struct fdstore *s, const char *name);
/*
 * Has the keeper hold @fd, too; the caller keeps it. One of this name is replaced.
 * Returns 0, -ENOSPC, or the -errno of the message.
 */
int fdstore_put(struct fdstore *s, const char *name, int fd);
/* Closes this process's copies of what the keeper has passed and the caller has not taken. */
void fdstore_forget(struct fdstore *s);
/* Does nothing if there is none of this name. */
void fdstore_remove(struct fdstore *s, const char *name);
/* Removes all but the one of this name. */
void fdstore_remove_others(struct fdstore *s, const char *name);
/* Removes all, the one called @last after the others. */
void fdstore_clear(struct fdstore *s, const char *last);

#endif
