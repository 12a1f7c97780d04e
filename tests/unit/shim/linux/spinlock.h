/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SPINLOCK_H
#define SHIM_LINUX_SPINLOCK_H

#include <linux/types.h>

/*
 * One thread runs everything, so a lock only checks that no code sleeps or
 * takes it twice while it is held.
 */
typedef struct {
	bool held;
} spinlock_t;

void spin_lock_init(spinlock_t *lock);
void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);

#define spin_lock_irqsave(l, flags)	((void)((flags) = 0), spin_lock(l))
#define spin_unlock_irqrestore(l, flags) ((void)(flags), spin_unlock(l))

#define lockdep_assert_held(l)						\
	do {								\
		if (!(l)->held)						\
			shim_die("%s: %s is not held", __func__, #l);	\
	} while (0)

#endif
