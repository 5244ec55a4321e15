# SPDX-License-Identifier: ISC
#
# Joins the logs of the two sides of tunnels: for each tunnel the line of one
# side and the line of the other.
#
#	awk -f join.awk client.log server.log
#	{ ssh a journalctl -o cat -u inetws; } | awk -f join.awk - server.log
#
# Two inetws log id= (their own identifier of the connection) and peer-id= (that
# of the other side).  Tunnels that are in one log only come last, as "single".

# The value of a key, with its quotes, or "-".
function value(key,	i)
{
	if (!match(" " $0, " " key "=(\"[^\"]*\"|[^ ]*)"))
		return "-"
	i = length(key) + 2
	return substr(" " $0, RSTART + i, RLENGTH - i)
}

function record()
{
	return "peer=" value("peer") " target=" value("target") \
	    " up=" value("up") " down=" value("down") \
	    " seconds=" value("seconds") " end=" value("end") \
	    ($0 ~ / why=/ ? " why=" value("why") : "")
}

/event=(closed|child-killed) / && / peer-id=/ {
	mine = value("id")
	theirs = value("peer-id")
	if (theirs in first) {
		print "id=" theirs " a: " first[theirs]
		print "id=" mine " b: " record()
		print ""
		delete first[theirs]
	} else
		first[mine] = record()
}

END {
	for (id in first)
		print "id=" id " single: " first[id]
}
