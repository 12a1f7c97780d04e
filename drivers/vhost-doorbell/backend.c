// SPDX-License-Identifier: GPL-2.0
/* backend - code that the passes of all back ends share */
#include <linux/compiler.h>
#include <linux/errno.h>

#include "backend.h"
#include "vq.h"

/**
 * bell_backend_stop_reason() - how a pass ends when it cannot serve the next chain
 * @error: negative errno of bell_vq_take(), or of serving the chain that it took
 *
 * Context: The queue's runner.
 * Return: BELL_PASS_STOP if the queue is broken. Otherwise BELL_PASS_PUNT: a page must be
 * pinned, or memory was short; the worker tries again.
 */
enum bell_pass bell_backend_stop_reason(int error)
{
	return error == -EPROTO ? BELL_PASS_STOP : BELL_PASS_PUNT;
}
