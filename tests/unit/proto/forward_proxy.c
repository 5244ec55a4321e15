/* SPDX-License-Identifier: ISC */
/*
 * Forward proxies: their URLs, CONNECT, SOCKS, and overrides.
 *
 * If it fails: there is no way through a proxy, or its password goes
 * elsewhere.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/forward_proxy.h"
#include "proto/http.h"
#include "proto/overrides.h"
#include "proto/socks.h"
#include "tap.h"

static char err[200];

static void
test_words(void)
{
	static const struct { const char *word, *prints, *user; } good[] = {
		{ "h:3128", "http://h:3128", "" },
		{ "h", "http://h:1080", "" },
		{ "http://h", "http://h:1080", "" },
		{ "HTTP://h:80/", "http://h:80", "" },
		{ "https://h", "https://h:443", "" },
		{ "https://[2001:db8::1]:3129", "https://[2001:db8::1]:3129",
		  "" },
		{ "socks5://h", "socks5://h:1080", "" },
		{ "socks5h://u@h:9050", "socks5h://h:9050", "u" },
		{ "socks4://u@h", "socks4://h:1080", "u" },
		{ "socks4a://h:1", "socks4a://h:1", "" },
		{ "socks://h:1", "socks5h://h:1", "" },
		{ "http://u:p@h:1", "http://h:1", "u:p" },
		{ "u:p@h:1", "http://h:1", "u:p" },
		{ "http://u:p%40%2F:@h:1", "http://h:1", "u:p@/:" },
		{ "http://u:p@q@h:1", "http://h:1", "u:p@q" },
		{ "", "none", "" }
	};
	static const char *const bad[] = {
		"socks6://h", "ftp://h", "http://", "http://h:0",
		"http://h:65536", "http://h:x", "http://h/path",
		"http://u:secret/x@h:1", "secret:secret://h",
		"http://u:secret%0d@h", "http://u:secret%@h", "h h:1",
		"http://u:secret@", "secret@x://h", "://h", "http://u:secret@h\r\nX:1"
	};
	struct proxy p;
	char text[400], name[400], label[64] = "";
	size_t i;

	memset(label, 'a', 63);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		is(proxy_parse(&p, good[i].word, err, sizeof(err)), 0,
		    good[i].word);
		is_str(proxy_print(text, sizeof(text), &p), good[i].prints,
		    "is");
		is_str(p.user, good[i].user, "its user");
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		ok(proxy_parse(&p, bad[i], err, sizeof(err)) == -1 &&
		    err[0] != '\0', "refused: %s", err);
		ok(strstr(err, "secret") == NULL, "no secret in it");
	}
	snprintf(name, sizeof(name), "http://%.63s.%.63s.%.63s.%.61s:65535",
	    label, label, label, label);
	is(proxy_parse(&p, name, err, sizeof(err)), 0, "a name of 253 letters");
	is_str(proxy_print(text, sizeof(text), &p), name, "is shown whole");
	proxy_parse(&p, "ftp://h:1", err, sizeof(err));
	ok(strstr(err, "'ftp://' is no kind of proxy: expected [http://|") ==
	    err, "it names the kinds there are: %s", err);
	proxy_parse(&p, "https://:3128/", err, sizeof(err));
	ok(strstr(err, "'https://:3128' has no host: expected [http://|") ==
	    err, "it names what was given: %s", err);
}

static void
test_exceptions(void)
{
	/* at port 443 */
	static const struct { const char *list, *host; int want; } t[] = {
		{ "*", "h", 1 }, { "*", "::1", 1 }, { "*,a", "h", 1 },
		{ "a, *", "h", 1 }, { "*.org", "h.org", 0 },
		{ "h:443", "h", 1 }, { "h:80", "h", 0 },
		{ ".h:443", "a.h", 1 }, { "h:80,h:443", "h", 1 },
		{ "h:0", "h", 0 }, { "h:", "h", 0 }, { "h:x", "h", 0 },
		{ "10.0.0.0/8:443", "10.1.2.3", 1 },
		{ "10.1.2.3:80", "10.1.2.3", 0 },
		{ "[::1]:443", "::1", 1 }, { "[::1]:80", "::1", 0 },
		{ "[2001:db8::1]", "2001:db8::1", 1 },
		{ "::1:443", "::1", 0 }, { "*:443", "h", 1 },
		{ "*:80", "h", 0 }, { ":443", "h", 0 },
		{ "", "h", 0 }, { " , ,", "h", 0 },
		{ "example.org", "example.org", 1 },
		{ "example.org", "EXAMPLE.org.", 1 },
		{ "example.org.", "example.org", 1 },
		{ "example.org", "a.b.example.org", 1 },
		{ ".example.org", "a.example.org", 1 },
		{ ".example.org", "example.org", 1 },
		{ "example.org", "badexample.org", 0 },
		{ ".example.org", "badexample.org", 0 },
		{ "a.example.org", "example.org", 0 },
		{ "x,example.org", "example.org", 1 },
		{ "x example.org y", "example.org", 1 },
		{ "x,\texample.org", "example.org", 1 },
		{ ".", "example.org", 0 }, { "org", "example.org", 1 },
		{ "10.0.0.0/8", "10.1.2.3", 1 },
		{ "10.0.0.0/8", "11.1.2.3", 0 },
		{ "10.1.2.3", "10.1.2.3", 1 }, { "10.1.2.3", "10.1.2.3.", 1 },
		{ "1.2.3", "0.1.2.3", 0 }, { "2.3", "1.2.3", 1 },
		{ "10.0.0.0/33", "10.1.2.3", 0 },
		{ "x,192.168.0.0/16", "192.168.7.1", 1 },
		{ "::1", "::1", 1 }, { "2001:db8::/32", "2001:db8::7", 1 },
		{ "2001:db8::/32", "2001:db9::7", 0 },
		{ "[::1]", "::1", 1 }, { "127.0.0.1", "localhost", 0 },
		{ "localhost", "127.0.0.1", 0 }
	};
	struct addr at = { .kind = ADDR_TCP, .port = 443 };
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		strlcpy(at.host, t[i].host, sizeof(at.host));
		ok(proxy_is_excepted(t[i].list, &at) == t[i].want,
		    "'%s' %s %s", t[i].list, t[i].want ? "holds" : "lacks",
		    t[i].host);
	}
}

static void
test_connect(void)
{
	struct addr to;
	char out[1024], tight[1024];
	int n, i;

	addr_target(&to, "[fe80::1%eth0]:443", err, sizeof(err));
	n = proxy_write_connect(out, sizeof(out), &to, "", "me", "");
	is_str(out, "CONNECT [fe80::1]:443 HTTP/1.1\r\nHost: [fe80::1]:443"
	    "\r\nUser-Agent: me\r\n\r\n", "a plain one, without a zone");
	is(n, strlen(out), "its length");
	addr_target(&to, "h.example:22", err, sizeof(err));
	n = proxy_write_connect(out, sizeof(out), &to, "u:p", "me",
	    "X: y\r\n");
	is_str(out, "CONNECT h.example:22 HTTP/1.1\r\nHost: h.example:22\r\n"
	    "User-Agent: me\r\nProxy-Authorization: Basic dTpw\r\nX: y\r\n"
	    "\r\n", "with credentials");
	for (i = 1; i <= n; i++)
		if (proxy_write_connect(tight, i, &to, "u:p", "me",
		    "X: y\r\n") != -1)
			break;
	is(i, n + 1, "-1 whenever it does not fit");
	proxy_write_connect(out, sizeof(out), &to, "u:p", NULL,
	    "proxy-authorization: Bearer x\r\n");
	ok(strstr(out, "Basic") == NULL, "the user's own replace ours");
	ok(strstr(out, "User-Agent: inetws/") != NULL, "our name");
}

static int
offers(const char *fields, char *dst, size_t size)
{
	static struct http_head head;
	struct http_parser_state st;
	char text[1000];
	int status;

	snprintf(text, sizeof(text), "HTTP/1.1 407 No\r\n%s\r\n", fields);
	http_begin(&st, 1);
	if (http_parse(&st, text, strlen(text), &head, &status, err,
	    sizeof(err)) <= 0)
		abort();
	return http_offers(&head, "Proxy-Authenticate", "Basic", dst, size);
}

static void
test_challenges(void)
{
	char text[100], tight[8];

	is(offers("Proxy-Authenticate: Basic realm=\"a, Digest b\"\r\n", text,
	    sizeof(text)), 1, "Basic");
	is_str(text, "Basic", "and no other");
	is(offers("Proxy-Authenticate: Negotiate\r\nproxy-authenticate: "
	    "Digest realm=\"Basic x\", nonce=\"a==\", qop=auth, NTLM\r\n",
	    text, sizeof(text)), 0, "no Basic");
	is_str(text, "Negotiate, Digest, NTLM", "but others");
	is(offers("Proxy-Authenticate: Digest a=b, basic\r\n", text,
	    sizeof(text)), 1, "in a list");
	is(offers("Proxy-Authenticate: Basic\trealm=x, Ba(sic, (x y\r\n", text,
	    sizeof(text)), 1, "a tab");
	is_str(text, "Basic", "what is no token is no scheme");
	is(offers("WWW-Authenticate: Basic\r\n", text, sizeof(text)), 0,
	    "not a server's");
	is_str(text, "", "nothing");
	offers("Proxy-Authenticate: Negotiate, NTLM\r\n", tight,
	    sizeof(tight));
	is_str(tight, "Negotia", "cut");
}

/* Plays one turn: ours must be this, theirs is that.  As socks_read(). */
static ssize_t
turn(struct socks *s, const char *ours, size_t ours_len, const char *theirs,
    size_t theirs_len, struct error *why)
{
	unsigned char out[SOCKS_ASK_MAX];
	struct socks before = *s;
	size_t i;
	int n = socks_write(out, s, why);

	ok(n == (int)ours_len && memcmp(out, ours, ours_len) == 0,
	    "says what it should in step %d", s->step);
	for (i = 0; i < theirs_len; i++) {
		*s = before;
		if (socks_read(s, (const unsigned char *)theirs, i,
		    why) != 0)
			return socks_read(s, (const unsigned char *)theirs, i,
			    why);
	}
	*s = before;
	return socks_read(s, (const unsigned char *)theirs, theirs_len, why);
}

#define TURN(ours, theirs)	turn(&s, ours, sizeof(ours) - 1, theirs, \
    sizeof(theirs) - 1, &why)

static void
test_socks(void)
{
	struct socks s = { .user = "", .host = "h.example", .port = 443 };
	struct error why = { 0, "" };
	char host[300], user[600];
	unsigned char out[SOCKS_ASK_MAX];
	struct ip ip;
	static const struct { char code; int status; } refusals[] = {
		{ 1, EXIT_UNREACHABLE }, { 2, EXIT_DENIED },
		{ 5, EXIT_UNREACHABLE }, { 6, EXIT_AGAIN },
		{ 7, EXIT_PROTOCOL }, { 9, EXIT_PROTOCOL },
		{ (char)255, EXIT_PROTOCOL }
	};
	size_t i;

	is(TURN("\5\1\0", "\5\0"), 2, "no login");
	is(TURN("\5\1\0\3\11h.example\1\273",
	    "\5\0\0\1\1\2\3\4\0\1"), 10, "connected");
	is(s.step, SOCKS_DONE, "done");
	is(socks_write(out, &s, &why), 0, "nothing more is said");
	is(socks_read(&s, (const unsigned char *)"x", 1, &why), 0,
	    "nor read");

	s.step = SOCKS_METHODS;
	s.user = "me:secret:x";
	is(TURN("\5\2\0\2", "\5\2"), 2, "by password");
	is(TURN("\1\2me\10secret:x", "\1\0"), 2, "logged in");
	ip_parse(&ip, slice_of("192.0.2.7"));
	s.ip = &ip;
	is(TURN("\5\1\0\1\300\0\2\7\1\273", "\5\0\0\3\3abc\0\1"), 10,
	    "an IPv4 address; bound to a name");
	ip_parse(&ip, slice_of("2001:db8::7"));
	s.step = SOCKS_CONNECT;
	is(TURN("\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\7\1\273",
	    "\5\0\0\4" "0123456789abcdef" "\0\1"), 22, "IPv6");

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		char answer[] = "\5.\0\1\0\0\0\0\0\0";

		answer[1] = refusals[i].code;
		s.step = SOCKS_CONNECT;
		is(socks_read(&s, (unsigned char *)answer, 10, &why), -1,
		    "refused");
		ok(why.status == refusals[i].status, "%d: %s", why.status,
		    why.text);
		ok(strstr(why.text, "secret") == NULL, "no secret");
	}
	s.step = SOCKS_METHODS;
	is(TURN("\5\2\0\2", "\5\377"), -1, "no method");
	is(why.status, EXIT_DENIED, "77");
	is(TURN("\5\2\0\2", "\5\1"), -1, "one that was not offered");
	is(why.status, EXIT_PROTOCOL, "76");
	is(TURN("\5\2\0\2", "HTTP/1.1 400"), -1, "another protocol");
	is(why.status, EXIT_PROTOCOL, "76");
	ok(strstr(why.text, "use http://") != NULL, "HTTP is told");
	is(TURN("\5\2\0\2", "SSH-2.0"), -1, "one that is not known");
	ok(strstr(why.text, "http") == NULL, "is not taken for it");
	s.user = "";
	is(TURN("\5\1\0", "\5\2"), -1, "a password, without one");
	is(TURN("\5\1\0", "\5\377"), -1, "credentials are wanted");
	ok(strstr(why.text, "--proxy-user") != NULL, "and named");
	s.user = "a:b";
	s.step = SOCKS_LOGIN;
	is(TURN("\1\1a\1b", "\1\1"), -1, "a wrong password");
	is(why.status, EXIT_DENIED, "77");
	is(TURN("\1\1a\1b", "\5\0"), -1, "another version of login");
	is(why.status, EXIT_PROTOCOL, "76");
	s.step = SOCKS_CONNECT;
	is(socks_read(&s, (const unsigned char *)"\4\0\0\1\0", 5, &why), -1,
	    "another version of SOCKS");
	is(why.status, EXIT_PROTOCOL, "76");
	is(socks_read(&s, (const unsigned char *)"\5\1", 1, &why), 0,
	    "of an answer in pieces");
	is(socks_read(&s, (const unsigned char *)"\5\0\0\2\0", 4, &why), 0,
	    "what has come is not looked beyond");
	is(socks_read(&s, (const unsigned char *)"\5\0\0\2\0", 5, &why), -1,
	    "an unknown kind of address");

	memset(user, 'u', sizeof(user));
	memcpy(user + 256, ":p", 3);
	s = (struct socks){ .step = SOCKS_LOGIN, .user = user, .host = host };
	is(socks_write(out, &s, &why), -1, "too long a user");
	is(why.status, EXIT_BADUSAGE, "64");
	memset(user, 'u', sizeof(user));
	user[255] = ':';
	user[511] = '\0';
	is(socks_write(out, &s, &why), 3 + 255 + 255, "the longest");
	user[511] = 'u';
	user[512] = '\0';
	is(socks_write(out, &s, &why), -1, "too long a password");
	memset(host, 'h', sizeof(host));
	host[256] = '\0';
	s.step = SOCKS_CONNECT;
	is(socks_write(out, &s, &why), -1, "too long a host");
}

static void
test_socks4(void)
{
	struct socks s = { .user = "me:secret", .host = "h.example",
	    .port = 443, .step = SOCKS4_CONNECT };
	struct error why = { 0, "" };
	char user[300], host[300];
	unsigned char out[SOCKS_ASK_MAX];
	struct ip ip;

	is(TURN("\4\1\1\273\0\0\0\1me\0h.example\0",
	    "\0\132\0\1\1\2\3\4"), 8, "by name (4A); no password is sent");
	is(s.step, SOCKS_DONE, "done");
	ip_parse(&ip, slice_of("192.0.2.7"));
	s.ip = &ip;
	s.user = "";
	s.step = SOCKS4_CONNECT;
	is(TURN("\4\1\1\273\300\0\2\7\0", "\0\132\0\0\0\0\0\0"), 8,
	    "by address");
	s.step = SOCKS4_CONNECT;
	is(TURN("\4\1\1\273\300\0\2\7\0", "\0\133\0\0\0\0\0\0"), -1,
	    "refused");
	is(why.status, EXIT_UNREACHABLE, "69");
	is(TURN("\4\1\1\273\300\0\2\7\0", "\0\135\0\0\0\0\0\0"), -1,
	    "the user is not known");
	is(why.status, EXIT_DENIED, "77");
	is(TURN("\4\1\1\273\300\0\2\7\0", "\5\132"), -1,
	    "another protocol");
	is(why.status, EXIT_PROTOCOL, "76");
	ip_parse(&ip, slice_of("2001:db8::7"));
	is(socks_write(out, &s, &why), -1, "no IPv6");
	ok(strstr(why.text, "socks5") != NULL, "and what does it");
	memset(user, 'u', sizeof(user));
	memset(host, 'h', sizeof(host));
	user[255] = host[255] = '\0';
	s = (struct socks){ .step = SOCKS4_CONNECT, .user = user,
	    .host = host };
	is(socks_write(out, &s, &why), SOCKS_ASK_MAX, "the longest");
	host[255] = 'h';
	host[256] = '\0';
	is(socks_write(out, &s, &why), -1, "too long a host");
	host[3] = '\0';
	user[255] = 'u';
	user[256] = '\0';
	is(socks_write(out, &s, &why), -1, "too long a user");
}

static int
goes(int (*parse)(struct override *, const char *, char *, size_t),
    const char *word, const char *at, struct addr *a)
{
	struct override d;

	if (parse(&d, word, err, sizeof(err)) == -1)
		return -1;
	if (addr_target(a, at, err, sizeof(err)) == -1)
		abort();
	if (!override_is_for(&d, a))
		return 0;
	override_apply(&d, a);
	return 1;
}

static void
test_overrides(void)
{
	static const struct { const char *word, *at, *to; } connects[] = {
		{ "h:1:i:2", "h:1", "i:2" }, { "h:1:i:2", "h:2", NULL },
		{ "H:1:i:2", "h:1", "i:2" }, { "h:1:i:2", "j:1", NULL },
		{ "::i:2", "any:77", "i:2" }, { "h::i:", "h:9", "i:9" },
		{ ":1::2", "h:1", "h:2" }, { "[::1]:1:[::2]:2", "[::1]:1",
		  "[::2]:2" }, { ":::", "h:1", "h:1" }
	};
	static const char *const bad_connects[] = { "", "h", "h:1", "h:1:i",
	    "h:x:i:1", "h:1:i:65536", "h:0:i:1", "h:1:i:1:", "[::1:1:h:1", "[::1]1:h:1",
	    "h h:1:i:1", "h:1:i\r\n:1", "h:x:1", "h:0:1" };
	static const char *const bad_resolves[] = { "", "h", "h:1", "h:1:",
	    ":1:1.2.3.4", "h::1.2.3.4", "h:1:i", "h:1:1.2.3.4,",
	    "h:1:1.2.3.4,x", "h:0:1.2.3.4", "-h:1", "h h:1:1.2.3.4" };
	struct addr a;
	struct override d;
	char text[300];
	size_t i;

	for (i = 0; i < sizeof(connects) / sizeof(connects[0]); i++) {
		is(goes(override_connect, connects[i].word, connects[i].at, &a),
		    connects[i].to != NULL, connects[i].word);
		if (connects[i].to != NULL)
			is_str(addr_print(text, sizeof(text), &a),
			    connects[i].to, "there");
	}
	for (i = 0; i < sizeof(bad_connects) / sizeof(bad_connects[0]); i++)
		ok(override_connect(&d, bad_connects[i], err, sizeof(err)) ==
		    -1, "refused: %s", err);
	is(override_resolve(&d, "h.example:443:192.0.2.1,[::1],::2", err,
	    sizeof(err)), 0, "addresses");
	is_str(d.addresses, "192.0.2.1,[::1],::2", "as they are");
	is(goes(override_resolve, "*:443:192.0.2.1", "x:443", &a), 1, "any");
	is(goes(override_resolve, "*:443:192.0.2.1", "x:444", &a), 0,
	    "but for the port");
	is(goes(override_resolve, "[::1]:443:192.0.2.1", "[::1]:443", &a), 1,
	    "an address for an address");
	memset(text, 'h', sizeof(text));
	memcpy(text + 255, ":1:i:1", 7);
	is(override_connect(&d, text, err, sizeof(err)), 0, "255 bytes");
	memcpy(text + 255, "h:1:i:1", 8);
	is(override_connect(&d, text, err, sizeof(err)), -1, "256 bytes");
	for (i = 0; i < sizeof(bad_resolves) / sizeof(bad_resolves[0]); i++)
		ok(override_resolve(&d, bad_resolves[i], err, sizeof(err)) ==
		    -1, "refused: %s", err);
}

int
main(void)
{
	test_words();
	test_exceptions();
	test_connect();
	test_challenges();
	test_socks();
	test_socks4();
	test_overrides();
	return done_testing();
}
