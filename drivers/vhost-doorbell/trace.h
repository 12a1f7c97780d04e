/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vhost_doorbell

#if !defined(BELL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define BELL_TRACE_H

#include <linux/preempt.h>
#include <linux/tracepoint.h>

/*
 * Documentation/tracing.rst describes each event; the scripts in tools/trace use them.
 * An event that is off costs one no-op instruction, as its fields are computed only
 * when it is on.
 */

/* Context of the kick hook, in bell_kick */
#define BELL_TRACE_TASK		0
#define BELL_TRACE_SOFTIRQ	1
#define BELL_TRACE_HARDIRQ	2

/* Why an inline pass leaves the rest to the worker, in bell_punt */
#define BELL_PUNT_SLEEP		0	/* the next request may sleep */
#define BELL_PUNT_BUDGET	1	/* the pass has used up its budget */

TRACE_EVENT(bell_kick,
	TP_PROTO(u32 dev, u16 queue, u64 count, bool is_inline),
	TP_ARGS(dev, queue, count, is_inline),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u16, queue)
		__field(u64, count)
		__field(u8, is_inline)
		__field(u8, context)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->queue = queue;
		__entry->count = count;
		__entry->is_inline = is_inline;
		__entry->context = in_hardirq() ? BELL_TRACE_HARDIRQ :
				   in_serving_softirq() ? BELL_TRACE_SOFTIRQ :
				   BELL_TRACE_TASK;
	),
	TP_printk("dev=%u queue=%u count=%llu to=%s from=%s", __entry->dev,
		  __entry->queue, __entry->count,
		  __entry->is_inline ? "inline" : "worker",
		  __entry->context == BELL_TRACE_HARDIRQ ? "hardirq" :
		  __entry->context == BELL_TRACE_SOFTIRQ ? "softirq" : "task")
);

TRACE_EVENT(bell_take,
	TP_PROTO(u32 dev, u16 queue, u16 id, u32 nout, u32 nin),
	TP_ARGS(dev, queue, id, nout, nin),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u16, queue)
		__field(u16, id)
		__field(u32, nout)
		__field(u32, nin)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->queue = queue;
		__entry->id = id;
		__entry->nout = nout;
		__entry->nin = nin;
	),
	TP_printk("dev=%u queue=%u head=%u readable=%u writable=%u",
		  __entry->dev, __entry->queue, __entry->id, __entry->nout,
		  __entry->nin)
);

TRACE_EVENT(bell_untake,
	TP_PROTO(u32 dev, u16 queue, u16 id),
	TP_ARGS(dev, queue, id),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u16, queue)
		__field(u16, id)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->queue = queue;
		__entry->id = id;
	),
	TP_printk("dev=%u queue=%u head=%u", __entry->dev, __entry->queue,
		  __entry->id)
);

TRACE_EVENT(bell_submit,
	TP_PROTO(u32 dev, u16 queue, u16 id, u32 type, u64 sector, u32 bytes),
	TP_ARGS(dev, queue, id, type, sector, bytes),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u16, queue)
		__field(u16, id)
		__field(u32, type)
		__field(u64, sector)
		__field(u32, bytes)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->queue = queue;
		__entry->id = id;
		__entry->type = type;
		__entry->sector = sector;
		__entry->bytes = bytes;
	),
	TP_printk("dev=%u queue=%u head=%u type=%u sector=%llu bytes=%u",
		  __entry->dev, __entry->queue, __entry->id, __entry->type,
		  __entry->sector, __entry->bytes)
);

TRACE_EVENT(bell_end_io,
	TP_PROTO(u32 dev, u16 queue, u16 id, int error),
	TP_ARGS(dev, queue, id, error),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u16, queue)
		__field(u16, id)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->queue = queue;
		__entry->id = id;
		__entry->error = error;
	),
	TP_printk("dev=%u queue=%u head=%u error=%d", __entry->dev,
		  __entry->queue, __entry->id, __entry->error)
);

TRACE_EVENT(bell_retry,
	TP_PROTO(u32 dev, u16 queue, u16 id),
	TP_ARGS(dev, queue, id),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u16, queue)
		__field(u16, id)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->queue = queue;
		__entry->id = id;
	),
	TP_printk("dev=%u queue=%u head=%u", __entry->dev, __entry->queue,
		  __entry->id)
);

TRACE_EVENT(bell_punt,
	TP_PROTO(u32 dev, u16 queue, u8 reason),
	TP_ARGS(dev, queue, reason),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u16, queue)
		__field(u8, reason)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->queue = queue;
		__entry->reason = reason;
	),
	TP_printk("dev=%u queue=%u reason=%s", __entry->dev, __entry->queue,
		  __entry->reason == BELL_PUNT_BUDGET ? "budget" : "sleep")
);

TRACE_EVENT(bell_complete,
	TP_PROTO(u32 dev, u16 queue, u16 id, u32 len),
	TP_ARGS(dev, queue, id, len),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u16, queue)
		__field(u16, id)
		__field(u32, len)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->queue = queue;
		__entry->id = id;
		__entry->len = len;
	),
	TP_printk("dev=%u queue=%u head=%u len=%u", __entry->dev,
		  __entry->queue, __entry->id, __entry->len)
);

TRACE_EVENT(bell_signal,
	TP_PROTO(u32 dev, u16 queue, u16 used_idx),
	TP_ARGS(dev, queue, used_idx),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u16, queue)
		__field(u16, used_idx)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->queue = queue;
		__entry->used_idx = used_idx;
	),
	TP_printk("dev=%u queue=%u used_idx=%u", __entry->dev, __entry->queue,
		  __entry->used_idx)
);

TRACE_EVENT(bell_net_frame,
	TP_PROTO(u32 dev, u16 queue, u32 bytes, u32 buffers),
	TP_ARGS(dev, queue, bytes, buffers),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u16, queue)
		__field(u32, bytes)
		__field(u32, buffers)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->queue = queue;
		__entry->bytes = bytes;
		__entry->buffers = buffers;
	),
	TP_printk("dev=%u queue=%u bytes=%u buffers=%u", __entry->dev,
		  __entry->queue, __entry->bytes, __entry->buffers)
);

TRACE_EVENT(bell_net_drop,
	TP_PROTO(u32 dev, u16 queue, u32 frames, int error),
	TP_ARGS(dev, queue, frames, error),
	TP_STRUCT__entry(
		__field(u32, dev)
		__field(u16, queue)
		__field(u32, frames)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->queue = queue;
		__entry->frames = frames;
		__entry->error = error;
	),
	TP_printk("dev=%u queue=%u frames=%u error=%d", __entry->dev,
		  __entry->queue, __entry->frames, __entry->error)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
