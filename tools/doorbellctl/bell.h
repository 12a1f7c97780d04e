/* SPDX-License-Identifier: GPL-2.0 */
/* bell - the two halves of the subcommand bell */
#ifndef DOORBELLCTL_BELL_H
#define DOORBELLCTL_BELL_H

struct ctl_options;

/* Makes bells and serves them on a socket. Returns as cmd_bell(). */
int bell_serve(const struct ctl_options *o);

#endif
