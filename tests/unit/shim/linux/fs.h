/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_FS_H
#define SHIM_LINUX_FS_H

#include <fcntl.h>
#include <linux/errseq.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <sys/stat.h>

#define FMODE_READ	1U
#define FMODE_WRITE	2U

struct inode {
	umode_t		i_mode;
};

struct file {
	const struct cred *f_cred;
	struct inode	*inode;
	unsigned int	 f_mode;
	unsigned int	 f_flags;
	spinlock_t	 f_lock;
	errseq_t	 f_wb_err;
	int		 refs;
};

struct kiocb {
	struct file	*ki_filp;
};

int vfs_fsync(struct file *file, int datasync);

#define file_inode(f)	((f)->inode)

#endif
