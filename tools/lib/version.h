/* SPDX-License-Identifier: GPL-2.0 */
/* version - of all programs here; what --version prints */
#ifndef TOOLS_LIB_VERSION_H
#define TOOLS_LIB_VERSION_H

#ifndef VHOST_DOORBELL_VERSION
#define VHOST_DOORBELL_VERSION	"0.1.0"
#endif

#endif
