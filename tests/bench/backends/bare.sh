# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
# The disk itself: what no back end can beat
client=host

backend_why()
{
	:
}

backend_start()
{
	:
}
