# SPDX-License-Identifier: ISC
#
# Makes a script for GNU ld of what its option --verbose prints.  The segments of
# text, constants and variables begin in a huge page of 2 MiB of their own, for
# src/os/huge_text.c.  Only addresses change: the file does not become longer.
#
# Text begins as far behind the beginning of a huge page as in the file, so that
# profilers find its names in the file.  With "-z max-page-size=0x200000", which
# tells the kernel where a program may lie whose addresses differ at each start,
# all segments do.

1,/^====/d
/^====/,$d
/SEGMENT_START("rodata-segment"/d
1,/^ *\.init /s/^\( *\. = \)ALIGN(CONSTANT (MAXPAGESIZE));$/\1ALIGN(CONSTANT (COMMONPAGESIZE));\
\1ALIGN(0x200000) + (. \& 0x1fffff);/
s/^\( *\. = \)ALIGN(CONSTANT (MAXPAGESIZE));$/\1ALIGN(CONSTANT (COMMONPAGESIZE));\
\1ALIGN(0x200000) + (. \& (CONSTANT (MAXPAGESIZE) - 1));/
s/^\( *\. = \)DATA_SEGMENT_ALIGN (CONSTANT (MAXPAGESIZE), /\1ALIGN(0x200000) + (. \& (CONSTANT (MAXPAGESIZE) - 1));\
\1DATA_SEGMENT_ALIGN (CONSTANT (COMMONPAGESIZE), /
