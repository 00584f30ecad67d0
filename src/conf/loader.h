/* SPDX-License-Identifier: BSD-2-Clause
 *
 * loader: what the parts of the loader share: the state of one load, reports of errors,
 * the walk over the table, and the special shapes that the table refers to. Private to
 * this folder. Nothing here stops at an error: it is noted, and the walk goes on.
 */
#ifndef WEBSRV_CONF_LOADER_H
#define WEBSRV_CONF_LOADER_H

#include <jansson.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/strmap.h"
#include "conf/config.h"
#include "conf/locate.h"
#include "conf/schema.h"

struct conf_error;

/* A value: what it is, and where. */
struct conf_at {
	const struct locate_node *node;
	json_t *json;
};

/* An object that is being loaded, and those around it. */
struct conf_scope_at {
	const struct conf_section *section;
	const struct locate_node *node;
	struct conf_scope_at *outer; /* NULL at the top */
	uint64_t meant;              /* keys, by number, that are there misspelt */
};

/* A server name, remembered until all servers are there. */
struct conf_name {
	const struct conf_server *server;
	const char *name;
	struct conf_place place;
	struct conf_name *next;
};

/* A file that the configuration is read from; the first is the main one. */
struct conf_file {
	const char *name;     /* for messages; in the config's arena */
	const char *path;     /* absolute; NULL for the main one */
	const char *base_dir; /* absolute; what relative paths in it are relative to */
	dev_t device;         /* of an included one, with inode: which it is, */
	ino_t inode;          /* whatever the way to it is called */
};

#define LOAD_FILE_MAX ((size_t)256 << 20)

struct load {
	struct config *config;
	struct arena scratch; /* lives as long as the load */
	const char *name;     /* of the file, for messages */
	struct conf_file *files;
	size_t file_count;
	bool may_include;          /* it is a file itself */
	struct buf *out;           /* where errors of syntax go at once */
	bool builtin;              /* no file: it was made from the command line */
	bool failed;               /* out of memory */
	struct conf_error *errors; /* a list, newest first */
	size_t error_count;
	size_t error_max;                      /* more are only counted; 0 = no limit */
	struct buf of_files;                   /* errors of other files, printed */
	struct conf_scope_at *scope;           /* the object that is being loaded */
	struct conf_server *server;            /* the one that is being loaded */
	struct conf_name *names, **names_tail; /* in the order of the file */
};

/* load.c */

/* The JSON of a text whose comments are blanked in place; text[len] is '\0'. NULL after
 * appending to `errors` what is wrong with its syntax. */
json_t *load_parse(char *text, size_t len, const char *name, struct buf *errors)
	__attribute__((warn_unused_result));

/* report.c */

/* Notes an error at a value, at the key of a member, or at a place. */
void load_error(struct load *l, const struct conf_at *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void load_error_key(struct load *l, const struct locate_node *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void load_error_place(struct load *l, const struct conf_place *place, const char *fmt,
		      ...) __attribute__((format(printf, 3, 4)));
/* Writes them all, in the order of the file. */
void load_print_errors(struct load *l, struct buf *out);

/* The place of a value (or of its key), its pointer in the config's arena. */
struct conf_place load_place(struct load *l, const struct locate_node *node);
struct conf_place load_place_key(struct load *l, const struct locate_node *node);
/* "FILE:LINE:COLUMN" */
const char *load_where(struct load *l, const struct conf_place *place);
/* The same of a key. */
const char *load_where_node(struct load *l, const struct locate_node *node);
/* The string in double quotes, cut when it is long. */
const char *load_quote(struct load *l, struct slice s);
/* Text in scratch memory; never NULL. */
const char *load_text(struct load *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Zeroed memory in the config's arena, and a copy there. NULL: l->failed is set. */
void *load_alloc(struct load *l, size_t count, size_t size);
const char *load_strdup(struct load *l, struct slice s);
const char *load_strdup_lower(struct load *l, struct slice s);
/* The absolute form of a path that stands at `at` (NULL: in no file). NULL: l->failed is
 * set. */
const char *load_path(struct load *l, const struct conf_at *at, struct slice s);

/* The JSON pointer of a value, in scratch memory; never NULL. */
const char *load_pointer(struct load *l, const struct locate_node *node);

/* unknown.c */

/* Notes that the object in l->scope does not take this member, and what would be right. */
void load_unknown_key(struct load *l, const struct locate_node *node);
/* Is the key of the object in l->scope there under a misspelt name? */
bool load_is_meant(const struct load *l, const char *name);

/* scalar.c */

/* Stores a value of a type that is no container. */
void load_scalar(struct load *l, const struct conf_key *key, void *target,
		 const struct conf_at *at);
/* Stores the default of any key but sections, lists and maps. */
void load_default(struct load *l, const struct conf_key *key, void *target);
/* Runs key->check, then key->set or a plain store of a string. */
void load_string(struct load *l, const struct conf_key *key, void *target,
		 const struct conf_at *at, struct slice s);
/* Stores a number of any width at target + offset. */
void load_store(void *target, size_t offset, size_t size, uint64_t value);
/* Notes that the value has the wrong type. */
void load_wrong_type(struct load *l, const struct conf_key *key,
		     const struct conf_at *at);
/* "an object", "a string" */
const char *load_type_name(const json_t *json);
/* ""a", "b"", without the refused ones; null where it is a value. */
const char *load_choices(struct load *l, const struct conf_key *key);
/* The choice of that word, or NULL after noting the error. */
const struct conf_choice *load_choice(struct load *l, const struct conf_key *key,
				      const struct conf_at *at, struct slice word);

/* pairs.c */

/* An object of strings, laid over the pairs that `target` has. */
void load_pairs(struct load *l, const struct conf_key *key, void *target,
		const struct conf_at *at);
void load_default_pairs(struct load *l, const struct conf_key *key, void *target);
/* All but one of them. */
struct conf_pairs load_pairs_without(struct load *l, const struct conf_pairs *pairs,
				     const struct conf_pair *one);
/* The pair of that name in any case, or NULL. */
const struct conf_pair *pair_find(const struct conf_pairs *pairs, const char *name);

/* container.c */

/* Loads one object as a section whose target is zeroed or has been inherited. */
void load_section(struct load *l, const struct conf_section *section, void *target,
		  const struct conf_at *at);
/* Loads the whole file into l->config. */
void load_top(struct load *l, const struct conf_at *at);
/* The objects of a LIST or MAP. */
void load_items(struct load *l, const struct conf_key *key, void *target,
		const struct conf_at *at);
/* Notes that the object has the key already. */
bool load_is_duplicate(struct load *l, const struct locate_node *node);
/* The member of an object, or false. */
bool load_member(const struct conf_at *object, const char *name, struct conf_at *out);

/* Hooks of the table. */

/* load_listen.c */
void listen_set_address(struct load *l, const struct conf_key *key, void *target,
			const struct conf_at *at, struct slice s);
/* "127.0.0.1:8080", "[::1]:8080", "unix:/path": the same text for the same address. */
const char *listen_id(struct load *l, const struct conf_listen *listen);
/* load_names.c */
void name_set(struct load *l, const struct conf_key *key, void *target,
	      const struct conf_at *at, struct slice s);
/* Puts the name into ASCII, that of a host, or that of the host of an http URL; *s is
 * replaced by text in scratch memory. NULL, or what is wrong. */
const char *load_host_to_ascii(struct load *l, struct slice *s, bool is_url);
/* load_servers.c */
void log_set_error(struct load *l, const struct conf_key *key, void *target,
		   const struct conf_at *at, struct slice s);
void log_set_access(struct load *l, const struct conf_key *key, void *target,
		    const struct conf_at *at, struct slice s);
void server_begin(struct load *l, void *target);
void server_done(struct load *l, void *target, const struct conf_at *at, bool clean);
void request_rate_done(struct load *l, void *target, const struct conf_at *at,
		       bool clean);
void config_done(struct load *l, void *target, const struct conf_at *at, bool clean);
/* load_files.c */
void fallback_set(struct load *l, const struct conf_key *key, void *target,
		  const struct conf_at *at, struct slice s);
void compress_done(struct load *l, void *target, const struct conf_at *at, bool clean);
/* load_cors.c */
void cors_done(struct load *l, void *target, const struct conf_at *at, bool clean);
/* What the rest of the route says to its "cors"; `served` is the set of its methods. */
void cors_check_route(struct load *l, const struct conf_route *r,
		      const struct conf_at *at, unsigned served);
/* load_access.c */
void access_set(struct load *l, const struct conf_key *key, void *target,
		const struct conf_at *at, struct slice s);
/* What of "allow" is in "deny", too. */
void access_check_route(struct load *l, const struct conf_route *r,
			const struct conf_at *at);
/* load_auth.c */
void auth_done(struct load *l, void *target, const struct conf_at *at, bool clean);
/* The methods that "for" names are served by the route. */
void auth_check_route(struct load *l, const struct conf_route *r,
		      const struct conf_at *at, unsigned served);
/* load_regex.c */
void path_regex_set(struct load *l, const struct conf_key *key, void *target,
		    const struct conf_at *at, struct slice s);
/* A route has a path or an expression. */
void regex_check_route(struct load *l, const struct conf_at *at);
/* load_redirect.c */
/* Compiles the target of a route's "redirect"; "path" has been loaded. */
void redirect_check_route(struct load *l, struct conf_route *r, const struct conf_at *at);
/* load_routes.c */
/* "GET, HEAD" of a set. */
const char *load_methods(struct load *l, unsigned set);
/* Notes each method of the list that is not in `served`; `by` says whose methods they are. */
void load_check_methods(struct load *l, const struct conf_at *list, unsigned served,
			const char *by);
void route_begin(struct load *l, void *target);
void route_done(struct load *l, void *target, const struct conf_at *at, bool clean);
void respond_done(struct load *l, void *target, const struct conf_at *at, bool clean);
void row_done(struct load *l, void *target, const struct conf_at *at, bool clean);
/* dump_text.c */
void listen_get_address(const void *target, struct buf *out);
void log_get_error(const void *target, struct buf *out);
void log_get_access(const void *target, struct buf *out);
void row_get_name(const void *target, struct buf *out);
/* The path of a row as the router compares it; `out` has room for from.len bytes. NULL, or
 * what is wrong. */
const char *row_canonical(struct slice from, char *out, size_t *len);
const char *check_row_target(struct slice to);
/* load_table.c */
void redirects_set_file(struct load *l, const struct conf_key *key, void *target,
			const struct conf_at *at, struct slice name);
/* load_rows.c */
/* Row `i` has the path of row `first`. */
typedef void (*rows_again)(const void *arg, size_t i, size_t first);
/* Makes the map of the server's rows, whose text may be in scratch memory and points into the map
 * then. Each path that is there once more is told. */
void rows_pack(struct load *l, struct conf_server *s, rows_again again, const void *arg);
/* The same of rows that are members of `object`, in its order. */
void rows_pack_object(struct load *l, struct conf_server *s,
		      const struct locate_node *object);

#endif
