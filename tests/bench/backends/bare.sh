# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
# fio on the disk itself: the limit for all back ends
client=host

backend_why()
{
	:
}

backend_start()
{
	:
}
