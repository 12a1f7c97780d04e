# SPDX-License-Identifier: GPL-2.0
# chart.awk: bar charts of the results that report.awk or net-report.awk has
# collected.
#
# A group of bars is a load, a bar a back end. The height of a bar is its value
# relative to the back end chart_base, so that fast and slow loads fit into one
# chart. The file that includes this one defines chart_label, the two lines of
# text below a group.

function chart_bar(x, y, width, height, colour, text)
{
	printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
		x, y, width, height, colour >chart_file
	printf "<text transform=\"translate(%.1f %.1f) rotate(-90)\" font-size=\"9\">%s</text>\n",
		x + width - 2, y - 3, text >chart_file
}

function chart_text(x, y, anchor, text)
{
	printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y,
		anchor, text >chart_file
}

# Draws the groups whose client, disk and number of CPUs match
function chart_groups(pattern, name,    i, n)
{
	n = 0
	for (i = 1; i <= ngroups; i++)
		if (groups[i] ~ pattern &&
		    at(groups[i], chart_base, name) != "null")
			chart_group[++n] = groups[i]
	return n
}

# chart FILE HEADING COLUMN PATTERN: draw the back ends in 'shown', with the
# colours in 'colour'
function chart(file, heading, name, pattern,    n, i, b, g, v, most, base,
	       left, step, width, height, x)
{
	n = chart_groups(pattern, name)
	if (!n)
		return
	chart_file = file
	most = 1
	for (i = 1; i <= n; i++)
		for (b = 1; b <= nshown; b++) {
			v = ratio(at(chart_group[i], shown[b], name),
				  at(chart_group[i], chart_base, name))
			if (v != "null" && v > most)
				most = v
		}
	width = 14
	step = (nshown + 1) * width
	left = 50
	height = 220
	base = 300
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">\n",
		left + n * step + 190, base + 60 >file
	print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>" >file
	chart_text(left, 20, "start", heading)
	for (i = 1; i <= n; i++) {
		g = chart_group[i]
		x = left + (i - 1) * step
		for (b = 1; b <= nshown; b++) {
			v = ratio(at(g, shown[b], name),
				  at(g, chart_base, name))
			if (v == "null")
				continue
			chart_bar(x + (b - 1) * width, base - v / most * height,
				  width - 2, v / most * height, colour[b],
				  number(at(g, shown[b], name), "%.0f"))
		}
		chart_text(x + nshown * width / 2, base + 16, "middle",
			   chart_label(g, 1))
		chart_text(x + nshown * width / 2, base + 30, "middle",
			   chart_label(g, 2))
	}
	printf "<path d=\"M%d %.1fH%d\" stroke=\"#888\" stroke-dasharray=\"4 3\"/>\n",
		left, base - height / most, left + n * step >file
	chart_text(left - 4, base - height / most + 4, "end", chart_base_name)
	for (b = 1; b <= nshown; b++) {
		printf "<rect x=\"%d\" y=\"%d\" width=\"10\" height=\"10\" fill=\"%s\"/>\n",
			left + n * step + 20, 60 + b * 18, colour[b] >file
		chart_text(left + n * step + 36, 69 + b * 18, "start", shown[b])
	}
	print "</svg>" >file
	close(file)
}
