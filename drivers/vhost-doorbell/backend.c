// SPDX-License-Identifier: GPL-2.0
/*
 * backend - what the passes of all back ends share
 */
#include <linux/compiler.h>
#include <linux/errno.h>

#include "backend.h"
#include "vq.h"

/**
 * bell_backend_stop_reason() - how a pass ends at a chain that it did not serve
 * @vq: the queue
 * @error: of bell_vq_take(), or of what came after it
 *
 * Context: The queue's runner.
 * Return: BELL_PASS_STOP if the queue is broken or its owner has died; else
 * BELL_PASS_PUNT: the worker pins, or there is memory later.
 */
enum bell_pass bell_backend_stop_reason(struct bell_vq *vq, int error)
{
	switch (error) {
	case -ESRCH:
		WRITE_ONCE(vq->parked, true);
		fallthrough;
	case -EPROTO:
		return BELL_PASS_STOP;
	default:
		return BELL_PASS_PUNT;
	}
}
