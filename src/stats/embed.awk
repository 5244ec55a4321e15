# SPDX-License-Identifier: ISC
#
# Makes a C string of page.js or page.css, without indentation and the comments
# that have lines of their own.
/\\|[^\t -~]/ { print FILENAME ": not plain text: " $0 >"/dev/stderr"; exit 1 }
{ sub(/^[\t ]+/, "") }
/^\/\*/ { comment = 1 }
comment { if (/\*\/$/) comment = 0; next }
/^$/ { next }
{
	gsub(/"/, "\\\"")
	print "\"" $0 "\\n\""
}
