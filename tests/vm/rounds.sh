# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# rounds.sh: a load that a guest repeats in the background, see migrate.sh and net.sh. In
# the guest's /tmp the load appends a line to 'rounds' after each round, makes 'bad' after an
# error, ends a round after 'stop' exists, and then makes 'ended'.
#
#   rounds_done		print how many rounds it has done
#   rounds_go_on SHOW	wait until it has done two more rounds, without an error; else run
#			the command SHOW in the guest, and fail
#   $rounds_stop	a command for the guest: stop the load, and wait for its end

# shellcheck disable=SC2034 # for the files that source this one
rounds_stop='touch /tmp/stop; while [ ! -e /tmp/ended ]; do sleep 0.2; done'

rounds_done()
{
	guest_run 'cat /tmp/rounds 2>/dev/null | wc -l' | tr -dc 0-9
}

rounds_more()
{
	local now

	now=$(rounds_done)
	guest_run 'test ! -e /tmp/bad' && [ "${now:-0}" -ge $((rounds_seen + 2)) ]
}

rounds_go_on()
{
	rounds_seen=$(rounds_done)
	rounds_seen=${rounds_seen:-0}
	wait_for 60 rounds_more || {
		guest_run "$1"
		return 1
	}
}
