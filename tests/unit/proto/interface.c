/* SPDX-License-Identifier: ISC */
/*
 * Where to dial from: the name of an interface, or an address.
 *
 * If it fails: a tunnel leaves by another interface than it was told to.
 */
#include "proto/interface.h"
#include "tap.h"

int
main(void)
{
	static const struct {
		const char *word, *name, *address, *zone;
	} t[] = {
		{ "eth0", "eth0", NULL, NULL },
		{ "if!eth0", "eth0", NULL, NULL },
		{ "a.b-c", "a.b-c", NULL, NULL },
		{ "!a~", "!a~", NULL, NULL },
		{ "ifb0", "ifb0", NULL, NULL },
		{ "123456789012345", "123456789012345", NULL, NULL },
		{ "...", "...", NULL, NULL },
		{ "192.0.2.1", NULL, "192.0.2.1", NULL },
		{ "host!192.0.2.1", NULL, "192.0.2.1", NULL },
		{ "::1", NULL, "::1", NULL },
		{ "host!fe80::1%eth0", NULL, "fe80::1", "eth0" },
		{ "fe80::1%eth0", NULL, "fe80::1", "eth0" }
	};
	static const char *const bad[] = {
		"", "if!", "host!", ".", "..", "a/b", "a:b", "a b", "a\tb",
		"a\x7f", "1234567890123456", "host!eth0", "host!",
		"if!192.0.2.1", "if!::1", "if!fe80::1%eth0", "if!a/b"
	};
	char text[IP_TEXT_MAX];
	struct interface it;
	size_t i;
	int r;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		r = interface_parse(&it, t[i].word);
		is(r, 0, t[i].word);
		is_str(it.name, t[i].name == NULL ? "" : t[i].name, "its name");
		if (t[i].address != NULL)
			is_str(ip_print(text, &it.ip, 0), t[i].address,
			    "its address");
		ok(t[i].zone == NULL ? it.zone == NULL : it.zone != NULL &&
		    strcmp(it.zone, t[i].zone) == 0, "its zone");
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is(interface_parse(&it, bad[i]), -1, bad[i]);
	return done_testing();
}
