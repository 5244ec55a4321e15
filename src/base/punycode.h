/* SPDX-License-Identifier: ISC */
/*
 * Host names with letters beyond ASCII as the DNS has them (RFC 5891, RFC
 * 3492): for messages, as no table of Unicode is looked at.
 */
#ifndef BASE_PUNYCODE_H
#define BASE_PUNYCODE_H

#include <stddef.h>

/*
 * "Bücher.example" becomes "xn--bcher-kva.example".  0, or -1 if it is no
 * UTF-8, a label is empty or too long, or it does not fit.
 */
int punycode_host(char *dst, size_t size, const char *host);

#endif
