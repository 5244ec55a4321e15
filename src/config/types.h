/* SPDX-License-Identifier: ISC */
/*
 * Private to config: the types of values, and what they are made with.
 */
#ifndef CONFIG_TYPES_H
#define CONFIG_TYPES_H

#include <stddef.h>
#include <stdio.h>

#include "config/table.h"

#define OPT_FILE_MAX	65536	/* bytes of a configuration file or @FILE */

extern const struct option_type
    type_flag,		/* int, set to min */
    type_count,		/* int, one more each time, at most max */
    type_number,	/* unsigned int, min..max */
    type_size,		/* uint32_t, min..max bytes */
    type_duration,	/* int64_t, ms */
    type_limit,		/* the same; without a value max */
    type_drain,		/* the same, or -1 for "leave" */
    type_choice,	/* int, place of the word among choices, from min */
    type_switch,	/* the same; without a value min, and "no" is 0 */
    type_facility,	/* int, of syslog(3); without a value daemon */
    type_text,		/* const char *, no control characters */
    type_token,		/* const char *, RFC 9110 5.6.2 */
    type_servername,	/* the same, may be empty */
    type_tokens,	/* the same, several with commas between them */
    type_path,		/* const char *, a URL's path without query */
    type_file,		/* const char *, name of a file or folder */
    type_program,	/* char **, a program and its arguments */
    type_asked,		/* asks for something else than running */
    type_config,	/* the same, a file's name */
    type_mode;		/* found before all others */

extern const struct option_type
    type_listen,	/* the list in listen, nlisten */
    type_address,	/* const struct addr *, to listen on */
    type_target,	/* target or program */
    type_url,		/* struct url */
    type_header,	/* struct opt_list of fields for a server */
    type_proxy_header,	/* the same for a proxy */
    type_secret,	/* struct opt_secret, USER:PASSWORD or @FILE */
    type_proxy,		/* const struct proxy * */
    type_interface,	/* const char *, for interface_parse() */
    type_hosts,		/* const char *, may be empty */
    type_socket,	/* const struct addr *, by its path */
    type_resolve,	/* struct opt_list of words of override_resolve() */
    type_connect_to,	/* struct opt_list of words of override_connect() */
    type_origin,	/* struct opt_list of Origins */
    type_files,		/* struct opt_list of names of files, those of the
			 * command line instead of all others */
    type_network;	/* struct opt_list of networks */

/* One value on its way into struct options. */
struct value {
	struct options *o;
	const struct option *row;
	const char *text;	/* must stay; NULL: none was given */
	char *err;
	size_t errlen;
};

/* Where a row's value is: in what is being filled in, in what is there. */
#define VALUE_AT(v, type) \
	((type *)((char *)(v)->o + (v)->row->offset))
#define VALUE_OF(o, row, type) \
	((type const *)((const char *)(o) + (row)->offset))

/* Puts one value where the row says: 0, or -1 and err. */
int value_set(const struct value *);

/* -1 and err: as written, or "'VALUE' is not EXPECTED". */
int value_fail(const struct value *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int value_is_not(const struct value *, const char *expected);

/* Of any pointer: is it there? */
int value_is_there(const void *field, const struct option *);

/* A text that fits its type; also of one that dumps as it is written. */
int text_parse(const struct value *);
void text_dump(const struct options *, const struct option *, FILE *);

/* owned.c: memory and files that last until options_free(); NULL and err. */
void *value_alloc(const struct value *, size_t);
char *value_file(const struct value *, const char *path);

/* The same for whoever has no value in hand; NULL: there is no memory. */
void *options_alloc(struct options *, size_t);

/* NULL and err; the text is NUL-terminated, without NULs inside. */
char *options_file(struct options *, const char *path, char *err,
    size_t errlen);

/*
 * Does it begin with a character that looks like another one, or like none?
 * Then err says which, without the word, which may be a password.
 */
int word_is_pasted(const char *word, char *err, size_t errlen);

/* -1 and err if it is a URL or an address, and the other was expected; else 0. */
int value_refuse_url(const struct value *, const char *expected);
int value_refuse_address(const struct value *);

/* -1 and err if it is HOST/PATH, or the slashes of ws:// are not all there. */
int value_refuse_bare(const struct value *);

/*
 * A word for a message: escaped, cut, without the userinfo of a URL.
 * Returns dst.
 */
char *word_show(char *dst, size_t size, const char *word);

/*
 * syntax.c: what a line of a file is written with.  A quoted text is undone
 * in place, p being behind the opening quote: what follows the closing one, or
 * NULL if there is none.
 */
#define BLANKS	" \t\r"
char *syntax_unquote(char *p);

/*
 * Splits "prog arg "an arg"" into a NULL-terminated vector that *o owns.
 * NULL if there is no word or a quote is not closed.
 */
char **syntax_split(struct options *o, const char *line);

/*
 * Lines "NAME VALUE" and "NAME WORD WORD...", quoted where it is needed; in the
 * third one the words are one value, as syntax_split() reads it.
 */
void syntax_put(const char *name, const char *value, FILE *);
void syntax_put_words(const char *name, char *const *words, FILE *);
void syntax_put_program(const char *name, char *const *words, FILE *);

#endif
