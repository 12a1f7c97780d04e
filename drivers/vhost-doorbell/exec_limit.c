// SPDX-License-Identifier: GPL-2.0
/*
 * exec_limit - limit the number of workers of each user
 *
 * Kernel threads count neither for RLIMIT_NPROC nor for a pids cgroup, and any number
 * of bells and devices can be opened. So workers are counted by the real user ID of the
 * thread that starts them, and that thread's RLIMIT_NPROC is the limit: a user cannot
 * have more workers than processes. A worker counts from its first queue's start to its
 * last one's stop, with and without a thread; that may be after all processes of the user
 * have ended. Makers do not count: there are no more of them than workers.
 *
 * Context: process context; may sleep.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "exec.h"

struct limit_user {
	struct list_head	node;
	kuid_t			uid;
	/* Workers of this user; an entry in the list has at least one */
	unsigned long		workers;
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

/*
 * The user that the caller's workers count for: the caller, or, in a user namespace,
 * the creator of the outermost one. Otherwise each user ID that a namespace maps would
 * have a limit of its own. Root is an exception: root creates containers for other
 * users, so the user IDs that they map are counted one by one.
 */
static kuid_t limit_payer(void)
{
	struct user_namespace *ns = current_user_ns();
	kuid_t uid = current_uid();

	for (; ns != &init_user_ns; ns = ns->parent)
		uid = ns->owner;
	return uid_eq(uid, GLOBAL_ROOT_UID) ? current_uid() : uid;
}

/* The limit does not apply to root and to these capabilities, as in fork(). */
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
	struct limit_user *user, *fresh;

	*uid = limit_payer();
	/*
	 * Allocate outside of the lock: it may wait for memory of the caller's cgroup.
	 */
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return -ENOMEM;
	fresh->uid = *uid;
	mutex_lock(&limit_lock);
	user = limit_find(*uid);
	if ((user ? user->workers : 0) >= rlimit(RLIMIT_NPROC) &&
	    limit_applies(*uid)) {
		mutex_unlock(&limit_lock);
		kfree(fresh);
		return -EAGAIN;
	}
	if (!user) {
		user = fresh;
		fresh = NULL;
		list_add(&user->node, &limit_users);
	}
	user->workers++;
	mutex_unlock(&limit_lock);
	kfree(fresh);
	return 0;
}

/**
 * bell_exec_limit_uncharge() - undo bell_exec_limit_charge()
 * @uid: the user that bell_exec_limit_charge() returned
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
