# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0
. "$here/net-doorbell.sh" auto
