/* SPDX-License-Identifier: ISC */
/*
 * Private to config: the types of values, and the functions that they are made
 * of.
 */
#ifndef CONFIG_TYPES_H
#define CONFIG_TYPES_H

#include <stddef.h>
#include <stdio.h>

#include "config/table.h"

#define OPT_FILE_MAX	65536	/* bytes of a configuration file or @FILE */

/*
 * Each type: the type of its member in struct options, and what min and max of
 * the row mean.
 */
extern const struct option_type
    type_flag,		/* int, set to min */
    type_count,		/* int, one more each time, up to max */
    type_number,	/* unsigned int, min..max */
    type_size,		/* uint32_t, min..max bytes */
    type_duration,	/* int64_t, ms */
    type_limit,		/* the same; without a value it is max */
    type_drain,		/* the same; "leave" is -1 */
    type_choice,	/* int, min + number of the word among choices */
    type_switch,	/* the same; without a value min, "no" is 0 */
    type_facility,	/* int, of syslog(3); without a value LOG_DAEMON */
    type_text,		/* const char *, no control characters */
    type_token,		/* const char *, RFC 9110 5.6.2 */
    type_servername,	/* the same, may be empty */
    type_tokens,	/* the same, several with commas between them */
    type_path,		/* const char *, a URL's path without query */
    type_file,		/* const char *, name of a file or directory */
    type_program,	/* char **, a program and its arguments */
    type_action,	/* no member: prints something and ends (--help) */
    type_config,	/* no member: the name of a configuration file */
    type_mode;		/* mode, which is set before all others */

extern const struct option_type
    type_listen,	/* the array listen, nlisten */
    type_address,	/* const struct addr *, to listen at */
    type_target,	/* target, or program */
    type_url,		/* struct url */
    type_header,	/* struct opt_list of header fields for a server */
    type_proxy_header,	/* the same for a proxy */
    type_secret,	/* struct opt_secret, USER:PASSWORD or @FILE */
    type_proxy,		/* const struct proxy * */
    type_interface,	/* const char *, for interface_parse() */
    type_hosts,		/* const char *, may be empty */
    type_socket,	/* const struct addr *, by its path */
    type_resolve,	/* struct opt_list of words of override_resolve() */
    type_connect_to,	/* struct opt_list of words of override_connect() */
    type_origin,	/* struct opt_list of Origins */
    type_files,		/* struct opt_list of names of files; the command
			 * line replaces the list of a file */
    type_network;	/* struct opt_list of networks */

/* A value that is being parsed. */
struct value {
	struct options *o;
	const struct option *row;
	const char *text;	/* must stay; NULL: the option has none */
	char *err;		/* for an error, errlen bytes */
	size_t errlen;
};

/*
 * A pointer to the member of a value's option in the options that are being
 * filled in; of an option in given options.
 */
#define VALUE_AT(v, type) \
	((type *)((char *)(v)->o + (v)->row->offset))
#define VALUE_OF(o, row, type) \
	((type const *)((const char *)(o) + (row)->offset))

/* Checks a value and writes it to its member.  0, or -1 and err. */
int value_set(const struct value *);

/* Write err, as printf(3), or as "'VALUE' is not EXPECTED".  Return -1. */
int value_fail(const struct value *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int value_is_not(const struct value *, const char *expected);

/* is_on of members that are pointers: is it set? */
int value_is_there(const void *field, const struct option *);

/* parse and dump of texts. */
int text_parse(const struct value *);
void text_dump(const struct options *, const struct option *, FILE *);

/*
 * owned.c: memory, and the text of a file, that options_free() frees.  NULL and
 * err.
 */
void *value_alloc(const struct value *, size_t);
char *value_file(const struct value *, const char *path);

/* The same without a value.  NULL: out of memory. */
void *options_alloc(struct options *, size_t);

/* NULL and err.  The text is NUL-terminated and has no NUL inside. */
char *options_file(struct options *, const char *path, char *err,
    size_t errlen);

/*
 * Does a word begin with a character that text pasted from a document may have,
 * such as a long dash or a blank that is not ASCII?  Then err says which,
 * without the word, as this may be a password.
 */
int word_is_pasted(const char *word, char *err, size_t errlen);

/*
 * -1 and err if the value is a URL where an address is expected, or an address
 * where a URL is expected; else 0.
 */
int value_refuse_url(const struct value *, const char *expected);
int value_refuse_address(const struct value *);

/*
 * -1 and err if it is a URL that lacks its scheme, or a slash of "ws://"; else
 * 0.
 */
int value_refuse_bare(const struct value *);

/*
 * Writes a word for a message: escaped, cut if it is too long, and without the
 * userinfo of a URL.  Returns dst.
 */
char *word_show(char *dst, size_t size, const char *word);

/*
 * syntax.c: removes the quotes and escapes of a quoted text in place; p is
 * behind the opening quote.  Returns what follows the closing quote, or NULL if
 * there is none.
 */
#define BLANKS	" \t\r"
char *syntax_unquote(char *p);

/*
 * Splits the line PROGRAM ARG "AN ARG" into a NULL-terminated argv that *o
 * owns.  NULL if it has no word, or a quote is not closed.
 */
char **syntax_split(struct options *o, const char *line);

/*
 * Write a line of a configuration file, with quotes where they are needed:
 * "NAME VALUE"; "NAME WORD WORD..."; "NAME VALUE" where the value is words that
 * syntax_split() reads.
 */
void syntax_put(const char *name, const char *value, FILE *);
void syntax_put_words(const char *name, char *const *words, FILE *);
void syntax_put_program(const char *name, char *const *words, FILE *);

#endif
