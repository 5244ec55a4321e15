# SPDX-License-Identifier: ISC
#
# Makes the rows of topic_table (topics.c) out of inetws-examples(7): the
# literal block that follows a line
#	.\" help TOPIC: SENTENCE
/^\.\\" help / {
	sub(/^\.\\" help /, "")
	i = index($0, ": ")
	head = "\t{ \"" substr($0, 1, i - 1) "\", \"" substr($0, i + 2) "\","
	next
}
/^\.Bd / { if (head != "") { print head; inside = 1; head = "" } next }
/^\.Ed/ { if (inside) print "\t},"; inside = 0; next }
inside {
	gsub(/\\e/, "\\")
	gsub(/\\&/, "")
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	print "\t    \"" $0 "\\n\""
}
