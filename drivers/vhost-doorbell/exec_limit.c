// SPDX-License-Identifier: GPL-2.0
/*
 * exec_limit - how many kernel threads a user may have us make
 *
 * A kernel thread counts neither for RLIMIT_NPROC nor for a pids cgroup, and any
 * number of bells and devices can be opened. So workers are counted by the real
 * user ID of the thread that starts them, and that thread's RLIMIT_NPROC is the
 * limit: nobody can have more of them than processes. A worker counts until it has
 * ended, which may be after all of the user's processes have.
 *
 * Context: process context; may sleep.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "exec.h"

struct limit_user {
	struct list_head	node;
	kuid_t			uid;
	unsigned long		workers;	/* never zero in the list */
};

static LIST_HEAD(limit_users);
static DEFINE_MUTEX(limit_lock);

static struct limit_user *limit_find(kuid_t uid)
{
	struct limit_user *user;

	lockdep_assert_held(&limit_lock);
	list_for_each_entry(user, &limit_users, node) {
		if (uid_eq(user->uid, uid))
			return user;
	}
	return NULL;
}

/* As fork() has it. */
static bool limit_applies(kuid_t uid)
{
	return !uid_eq(uid, GLOBAL_ROOT_UID) && !capable(CAP_SYS_RESOURCE) &&
	       !capable(CAP_SYS_ADMIN);
}

/**
 * bell_exec_limit_charge() - count one more worker for the caller's user
 * @uid: out: for bell_exec_limit_uncharge()
 *
 * Return: 0, -EAGAIN if RLIMIT_NPROC is reached, -ENOMEM.
 */
int bell_exec_limit_charge(kuid_t *uid)
{
	struct limit_user *user;

	*uid = current_uid();
	guard(mutex)(&limit_lock);
	user = limit_find(*uid);
	if ((user ? user->workers : 0) >= rlimit(RLIMIT_NPROC) &&
	    limit_applies(*uid))
		return -EAGAIN;
	if (!user) {
		user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
		if (!user)
			return -ENOMEM;
		user->uid = *uid;
		list_add(&user->node, &limit_users);
	}
	user->workers++;
	return 0;
}

/**
 * bell_exec_limit_uncharge() - undo bell_exec_limit_charge()
 * @uid: as it gave
 */
void bell_exec_limit_uncharge(kuid_t uid)
{
	struct limit_user *user;

	guard(mutex)(&limit_lock);
	user = limit_find(uid);
	if (WARN_ON_ONCE(!user) || --user->workers)
		return;
	list_del(&user->node);
	kfree(user);
}
