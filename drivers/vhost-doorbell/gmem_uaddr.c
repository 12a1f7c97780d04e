// SPDX-License-Identifier: GPL-2.0
/* gmem_uaddr - which addresses of the owner's memory are guest memory, and where */
#include <linux/errno.h>

#include "gmem.h"
#include "gmem_priv.h"

/**
 * bell_gmem_covers() - is this piece of the owner's memory within one region?
 * @gm: the table
 * @uaddr: user address
 * @len: bytes
 */
bool bell_gmem_covers(struct bell_gmem *gm, u64 uaddr, size_t len)
{
	unsigned int i;

	for (i = 0; i < gm->nregions; i++) {
		struct bell_gmem_region *r = &gm->region[i];

		if (uaddr >= r->uaddr && uaddr - r->uaddr < r->size &&
		    len <= r->size - (uaddr - r->uaddr))
			return true;
	}
	return false;
}

/**
 * bell_gmem_find_gpa() - guest physical address of a piece of the owner's memory
 * @gm: the table
 * @uaddr: user address
 * @gpa: out
 *
 * Return: 0, or -EFAULT if no region holds it.
 */
int bell_gmem_find_gpa(struct bell_gmem *gm, u64 uaddr, u64 *gpa)
{
	unsigned int i;

	for (i = 0; i < gm->nregions; i++) {
		struct bell_gmem_region *r = &gm->region[i];

		if (uaddr >= r->uaddr && uaddr - r->uaddr < r->size) {
			*gpa = r->gpa + (uaddr - r->uaddr);
			return 0;
		}
	}
	return -EFAULT;
}

/**
 * bell_gmem_move_uaddr() - the address that the same guest memory has in another table
 * @gm: the table in which *@uaddr is
 * @to: the other table
 * @uaddr: in: user address for @gm; out: for @to
 *
 * Return: 0, or -EFAULT if one of the tables does not have it.
 */
int bell_gmem_move_uaddr(struct bell_gmem *gm, const struct bell_gmem *to,
			 u64 *uaddr)
{
	unsigned int i;
	u64 gpa;
	int ret;

	ret = bell_gmem_find_gpa(gm, *uaddr, &gpa);
	if (ret)
		return ret;
	for (i = 0; i < to->nregions; i++) {
		const struct bell_gmem_region *r = &to->region[i];

		if (gpa >= r->gpa && gpa - r->gpa < r->size) {
			*uaddr = r->uaddr + (gpa - r->gpa);
			return 0;
		}
	}
	return -EFAULT;
}
