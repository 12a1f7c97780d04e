/* SPDX-License-Identifier: GPL-2.0 */
/* guest_code - the labels of the guest's program, which is in assembler */
#ifndef GUEST_CODE_H
#define GUEST_CODE_H

#define HIDDEN __attribute__((visibility("hidden")))

extern const char guest_begin[] HIDDEN;
extern const char guest_out1[] HIDDEN;
extern const char guest_out2[] HIDDEN;
extern const char guest_out4[] HIDDEN;
extern const char guest_mov1[] HIDDEN;
extern const char guest_mov2[] HIDDEN;
extern const char guest_mov4[] HIDDEN;
extern const char guest_mov8[] HIDDEN;
extern const char guest_vmcall[] HIDDEN;
extern const char guest_vmmcall[] HIDDEN;
extern const char guest_tsc[] HIDDEN;
extern const char guest_handshake[] HIDDEN;
extern const char guest_end[] HIDDEN;

#undef HIDDEN

#endif
