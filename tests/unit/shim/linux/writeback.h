/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_WRITEBACK_H
#define SHIM_LINUX_WRITEBACK_H

#define inode_attach_wb(inode, folio)	((void)(inode))

#endif
