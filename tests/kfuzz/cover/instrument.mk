# SPDX-License-Identifier: GPL-2.0
# mkmodule appends this to the module's Makefile for COVER=1. The last line has the
# compiler leave unlikely blocks in .text, see test_cover.h.
vhost_doorbell-y += trace_pc.o
ccflags-y += -g -fsanitize-coverage=trace-pc -fno-reorder-blocks-and-partition
CFLAGS_REMOVE_trace_pc.o += -fsanitize-coverage=trace-pc
KASAN_SANITIZE_trace_pc.o := n
KCSAN_SANITIZE_trace_pc.o := n
UBSAN_SANITIZE_trace_pc.o := n
