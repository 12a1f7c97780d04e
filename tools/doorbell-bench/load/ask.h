/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ask - send requests named on the command line, one at a time
 *
 * The commands are separated by ';'. SECTOR and COUNT count 512 bytes, and BYTE
 * fills the data:
 *
 *   read SECTOR COUNT		write SECTOR COUNT BYTE		flush
 *   discard SECTOR COUNT	zero SECTOR COUNT		erase SECTOR COUNT
 *   append SECTOR COUNT BYTE	report SECTOR ZONES
 *   open SECTOR		close SECTOR			finish SECTOR
 *   reset SECTOR		reset-all
 *   id				lifetime
 */
#ifndef ASK_H
#define ASK_H

#include "options.h"

/*
 * Prints a line for each command, with its status and data. Returns 0 if all
 * requests had an answer, whatever their status, and -EINVAL for an unknown
 * command.
 */
int ask_run(const struct options *o, const char *commands);

#endif
