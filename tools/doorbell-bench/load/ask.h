/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ask - requests named on the command line, one at a time
 *
 * The commands are separated by ';'. SECTOR and COUNT are of 512 bytes, BYTE is
 * what the data are filled with:
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
 * Prints a line for each with its status and what came with it. 0 if all were
 * answered, whatever the status; -EINVAL for what is no command.
 */
int ask_run(const struct options *o, const char *commands);

#endif
