/* SPDX-License-Identifier: ISC */
/*
 * Host names with letters beyond ASCII, as the DNS writes them (RFC 5891, RFC
 * 3492).  For hints in messages only: names are not normalized by Unicode.
 */
#ifndef BASE_PUNYCODE_H
#define BASE_PUNYCODE_H

#include <stddef.h>

/*
 * Writes "xn--bcher-kva.example" for "Bücher.example".  0, or -1 if it is not
 * UTF-8, a label is empty or too long, or the result does not fit.
 */
int punycode_host(char *dst, size_t size, const char *host);

#endif
