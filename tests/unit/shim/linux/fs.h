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
#define FMODE_NOWAIT	4U

#define IOCB_NOWAIT	1
#define IOCB_DSYNC	2
#define IOCB_DIRECT	4
#define IOCB_WRITE	8

#define EIOCBQUEUED	529	/* of the kernel only */

#define WRITE		1
#define SB_FREEZE_WRITE	1

struct block_device;
struct file;
struct iov_iter;
struct kiocb;

struct file_system_type {
	const char	*name;
};

struct super_block {
	struct file_system_type *s_type;
	struct block_device	*s_bdev;
};

struct inode {
	umode_t		    i_mode;
	struct super_block *i_sb;
	loff_t		    i_size;
	unsigned int	    i_blkbits;
};

struct dentry;

struct path {
	struct dentry	*dentry;
};

struct address_space {
	unsigned long	nrpages;
	errseq_t	wb_err;
};

struct file_operations {
	ssize_t (*read_iter)(struct kiocb *iocb, struct iov_iter *iter);
	ssize_t (*write_iter)(struct kiocb *iocb, struct iov_iter *iter);
	int	(*fsync)(struct file *file, loff_t start, loff_t end, int datasync);
	long	(*fallocate)(struct file *file, int mode, loff_t pos, loff_t len);
};

struct file {
	const struct file_operations *f_op;
	struct address_space *f_mapping;
	struct path	 f_path;
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
	loff_t		 ki_pos;
	int		 ki_flags;
	void		(*ki_complete)(struct kiocb *iocb, long ret);
};

int vfs_fsync(struct file *file, int datasync);

/* Only test_disk_file.c has these. */
bool sb_start_write_trylock(struct super_block *sb);
void kiocb_start_write(struct kiocb *iocb);
void kiocb_end_write(struct kiocb *iocb);
int rw_verify_area(int type, struct file *file, const loff_t *pos, size_t count);
ssize_t vfs_iocb_iter_read(struct file *file, struct kiocb *iocb, struct iov_iter *iter);
int vfs_fallocate(struct file *file, int mode, loff_t pos, loff_t len);

#define __sb_writers_release(sb, level)	((void)(sb))
#define i_size_read(inode)		((inode)->i_size)
#define i_blocksize(inode)		(1U << (inode)->i_blkbits)
#define d_real_inode(dentry)		((struct inode *)NULL)

/* Of compat.h, which is for kernels only */
#define IOCB_DIO_CALLER_COMP		16
bool bell_dio_wants_task(const struct kiocb *iocb);
long bell_dio_finish(struct kiocb *iocb);
bool bell_file_asks(const struct file *file);
bool bell_bdev_synchronous(struct block_device *bdev);

#define file_inode(f)	((f)->inode)

#endif
