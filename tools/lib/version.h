/* SPDX-License-Identifier: GPL-2.0 */
/*
 * version - the version of all programs, for --version; the Makefile takes it
 * from the file VERSION
 */
#ifndef TOOLS_LIB_VERSION_H
#define TOOLS_LIB_VERSION_H

#define VERSION_TEXT_OF(tokens)	#tokens
#define VERSION_TEXT(macro)	VERSION_TEXT_OF(macro)

#define VHOST_DOORBELL_VERSION	VERSION_TEXT(VHD_RELEASE)

#endif
