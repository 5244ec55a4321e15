# SPDX-License-Identifier: ISC
#
# Joins the logs of two sides: a line for each tunnel that is in both, with
# what each says of it.
#
#	awk -f join.awk client.log server.log
#	{ ssh a journalctl -o cat -u inetws; } | awk -f join.awk - server.log
#
# Two inetws write id= (their own name for the connection) and peer_id= (the
# other side's) into the line at its end.  What is in one log alone comes last.

# The value of a key, with its quotes, or "-".
function value(key,	i)
{
	if (!match(" " $0, " " key "=(\"[^\"]*\"|[^ ]*)"))
		return "-"
	i = length(key) + 2
	return substr(" " $0, RSTART + i, RLENGTH - i)
}

function said()
{
	return "peer=" value("peer") " target=" value("target") \
	    " up=" value("up") " down=" value("down") \
	    " seconds=" value("seconds") " end=" value("end") \
	    ($0 ~ / why=/ ? " why=" value("why") : "")
}

/event=(closed|child-killed) / && / peer_id=/ {
	mine = value("id")
	theirs = value("peer_id")
	if (theirs in first) {
		print "id=" theirs " a: " first[theirs]
		print "id=" mine " b: " said()
		print ""
		delete first[theirs]
	} else
		first[mine] = said()
}

END {
	for (id in first)
		print "id=" id " alone: " first[id]
}
