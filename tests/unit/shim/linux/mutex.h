/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_MUTEX_H
#define SHIM_LINUX_MUTEX_H

#include <linux/spinlock.h>

struct mutex {
	bool held;
};

void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);
int mutex_lock_killable(struct mutex *m);
void mutex_unlock(struct mutex *m);

struct mutex *shim_lock_mutex(struct mutex *m);
void shim_unlock_mutex(struct mutex **m);

/* guard(mutex)(&m): holds the mutex up to the end of the block */
#define guard(kind)							\
	struct kind *shim_unique(guard)					\
		__attribute__((cleanup(shim_unlock_##kind), unused)) =	\
		shim_lock_##kind

#endif
