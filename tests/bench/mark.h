/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

/* nopl 0x6c6c6562(%rax), with an operand that compilers do not emit */
#define BENCH_MARK 0x0f, 0x1f, 0x80, 0x62, 0x65, 0x6c, 0x6c

#define BENCH_TEXT_(...) #__VA_ARGS__
#define BENCH_TEXT(...) BENCH_TEXT_(__VA_ARGS__)
#define BENCH_MARK_TEXT BENCH_TEXT(BENCH_MARK)

#endif
