/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_FSNOTIFY_H
#define SHIM_LINUX_FSNOTIFY_H

#define fsnotify_modify(file)	((void)(file))
#define fsnotify_access(file)	((void)(file))

#endif
