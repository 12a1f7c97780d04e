# SPDX-License-Identifier: GPL-2.0
# progress.awk: turn the output of mmdebstrap --verbose into lines '@@ TEXT' of
# progress; name is what mmdebstrap makes. There is a line for each tenth of a
# step.

# Megabytes in a size as apt writes it: "38.0", "MB"
function megabytes(n, unit)
{
	gsub(/[^0-9.]/, "", n)
	if (unit ~ /^kB/)
		return n / 1000
	if (unit ~ /^MB/)
		return n
	if (unit ~ /^GB/)
		return n * 1000
	return n / 1000000
}

# Prints TEXT when another tenth of the whole is done.
function tenth(done, all, text)
{
	if (all <= 0 || int(done * 10 / all) == shown)
		return
	shown = int(done * 10 / all)
	say(text)
}

function say(text)
{
	print "@@ " name ": " text
	fflush()
}

/^I: running apt-get update/ { say("asks the archive what there is") }

/ newly installed,/ {
	packages = $3
	unpacked = configured = 0
	shown = -1
}

/^Need to get / {
	total = megabytes($4, $5)
	fetched = 0
	shown = -1
}

# "Get:7 http://... bookworm/main amd64 gcc-12 amd64 12.2.0 [19.3 MB]"
/^Get:[0-9]+ / && total > 0 {
	tenth(fetched, total, sprintf("fetches packages: %d of %d MB", fetched, total))
	unit = $NF
	sub(/].*/, "", unit)
	fetched += megabytes($(NF - 1), unit)
}

/^Fetched / { total = 0; shown = -1 }

/^Unpacking / {
	unpacked++
	tenth(unpacked, packages, sprintf("unpacks packages: %d of %d", unpacked,
					  packages))
}

/^Setting up / {
	if (!configured++)
		shown = -1
	tenth(configured, packages, sprintf("sets up packages: %d of %d",
					    configured, packages))
}
