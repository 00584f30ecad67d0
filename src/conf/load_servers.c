/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_servers: log targets, and what must be unique: an address and a path
 * within a server, a name on an address among all of them.
 */
#include <string.h>
#include <unistd.h>

#include "conf/loader.h"
#include "conf/suggest.h"
#include "http/chars.h"

#define WORKERS_MAX 1024

/* A word is not taken for a file name: "syslgo" would silently become a file. */
static void
refuse_word(struct load *l, const struct conf_at *at, struct slice s, bool syslog)
{
	static const char *const words[] = { "stderr", "syslog" };
	const char *near = suggest_nearest(s, words, syslog ? 2 : 1);

	if (near != NULL)
		load_error(l, at, "%s is not known here; did you mean \"%s\"?",
			   load_quote(l, s), near);
	else
		load_error(
			l, at,
			"%s is not known here; write \"stderr\"%s or a path with a \"/\"",
			load_quote(l, s), syslog ? ", \"syslog\"" : "");
}

static enum conf_log_target
log_target(struct load *l, const struct conf_at *at, struct slice s, bool syslog,
	   const char **path)
{
	if (slice_eq(s, SLICE("stderr")))
		return CONF_LOG_STDERR;
	if (slice_eq(s, SLICE("syslog")) && syslog)
		return CONF_LOG_SYSLOG;
	if (slice_find(s, '/') == s.len && slice_find(s, '.') == s.len) {
		refuse_word(l, at, s, syslog);
		return CONF_LOG_STDERR;
	}
	*path = load_path(l, at, s);
	return CONF_LOG_FILE;
}

void
log_set_error(struct load *l, const struct conf_key *key, void *target,
	      const struct conf_at *at, struct slice s)
{
	struct conf_logs *logs = target;

	(void)key;
	logs->error.target = log_target(l, at, s, true, &logs->error.path);
}

void
log_set_access(struct load *l, const struct conf_key *key, void *target,
	       const struct conf_at *at, struct slice s)
{
	struct conf_logs *logs = target;

	(void)key;
	logs->access.target = log_target(l, at, s, false, &logs->access.path);
}

void
server_begin(struct load *l, void *target)
{
	struct conf_server *s = target;

	s->limits = l->config->limits;
	s->timeouts = l->config->timeouts;
	s->server_header = l->config->server_header;
	l->server = s;
}

/* A burst that was inherited was for another rate. */
void
request_rate_done(struct load *l, void *target, const struct conf_at *at, bool clean)
{
	struct conf_request_rate *r = target;
	struct conf_at burst;

	(void)l;
	(void)clean;
	if (!load_member(at, "burst", &burst))
		r->burst = r->rate;
}

/* Sets that grow as the file is walked; false: the key is there already, *first tells
 * which number it has. Without memory nothing is a duplicate, and the load fails. */
static bool
add_unique(struct load *l, struct strmap *seen, const char *key, size_t i, size_t *first)
{
	struct slice k = slice_from_str(key);

	if (key == NULL || l->failed || strmap_add(seen, k, (uint32_t)i))
		return true;
	*first = strmap_find(seen, k);
	return false;
}

static bool
start_unique(struct load *l, struct strmap *seen, size_t count)
{
	if (strmap_init(seen, count) == 0)
		return true;
	l->failed = true;
	return false;
}

static void
check_listens(struct load *l, const struct conf_server *s)
{
	struct strmap seen;
	size_t first;

	if (!start_unique(l, &seen, s->listen_count))
		return;
	for (size_t i = 0; i < s->listen_count; i++) {
		const struct conf_listen *listen = &s->listens[i];
		const char *id = listen->host != NULL ? listen_id(l, listen) : NULL;

		if (!add_unique(l, &seen, id, i, &first))
			load_error_place(
				l, &listen->place,
				"%s is listed twice in this server, first at %s; "
				"remove one",
				id, load_where(l, &s->listens[first].place));
	}
	strmap_fini(&seen);
}

/* A table in a file of its own has been packed there. */
static void
pack_rows(struct load *l, struct conf_server *s, const struct conf_at *at)
{
	struct conf_at rows;

	if (load_member(at, "redirects", &rows) && rows.node->is_object)
		rows_pack_object(l, s, rows.node);
}

static void
check_routes(struct load *l, const struct conf_server *s, const struct conf_at *at)
{
	struct conf_at routes, path;
	struct strmap seen;
	size_t first;

	if (!load_member(at, "routes", &routes) ||
	    !start_unique(l, &seen, s->route_count))
		return;
	for (const struct locate_node *n = routes.node->first; n != NULL; n = n->next) {
		struct conf_at route = { n, json_array_get(routes.json, n->index) };

		if (n->index >= s->route_count ||
		    add_unique(l, &seen, s->routes[n->index].path, n->index, &first))
			continue;
		if (load_member(&route, "path", &path))
			load_error(
				l, &path, "%s has a route already, at %s; remove one",
				load_quote(l, slice_from_str(s->routes[n->index].path)),
				load_where(l, &s->routes[first].place));
	}
	strmap_fini(&seen);
}

void
server_done(struct load *l, void *target, const struct conf_at *at, bool clean)
{
	struct conf_server *s = target;
	struct conf_at rows;

	(void)clean;
	if (load_member(at, "redirects", &rows) && rows.node->is_object)
		s->redirects_place = load_place(l, rows.node);
	check_listens(l, s);
	pack_rows(l, s, at);
	check_routes(l, s, at);
}

/* The addresses of all servers, numbered; one may be that of many servers. */
struct addresses {
	struct strmap map;
	size_t count;
	struct {
		const struct conf_server *server;
		const struct conf_listen *listen;
	} * first; /* by number: who named it first */
};

static bool
start_addresses(struct load *l, struct addresses *a)
{
	size_t total = 0;

	for (size_t i = 0; i < l->config->server_count; i++)
		total += l->config->servers[i].listen_count;
	a->count = 0;
	a->first = arena_zalloc(&l->scratch, (total + 1) * sizeof(*a->first));
	if (a->first == NULL) {
		l->failed = true;
		return false;
	}
	return start_unique(l, &a->map, total);
}

/* STRMAP_NONE for an address that could not be read. */
static uint32_t
address_number(struct load *l, struct addresses *a, const struct conf_server *s,
	       const struct conf_listen *listen)
{
	struct slice id;
	uint32_t n;

	if (listen->host == NULL)
		return STRMAP_NONE;
	id = slice_from_str(listen_id(l, listen));
	n = strmap_find(&a->map, id);
	if (n != STRMAP_NONE || l->failed)
		return n;
	n = (uint32_t)a->count++;
	a->first[n].server = s;
	a->first[n].listen = listen;
	(void)strmap_add(&a->map, id, n);
	return n;
}

/* One socket serves all servers of an address, so they must agree on its options; and a
 * server without names behind another of the same address is never asked. */
static void
check_shared(struct load *l, struct addresses *a, const struct conf_server *s)
{
	const struct conf_listen *first = NULL;
	bool reached = s->names.count != 0 || s->listen_count == 0;

	for (size_t i = 0; i < s->listen_count; i++) {
		uint32_t n = address_number(l, a, s, &s->listens[i]);

		if (n == STRMAP_NONE || a->first[n].server == s) {
			reached = true;
			continue;
		}
		first = a->first[n].listen;
		if (first->backlog != s->listens[i].backlog)
			load_error_place(l, &s->listens[i].place,
					 "\"backlog\" is %u here and %u for the same "
					 "address at %s; write the same in both",
					 s->listens[i].backlog, first->backlog,
					 load_where(l, &first->place));
		if (first->interim_104 != s->listens[i].interim_104)
			load_error_place(l, &s->listens[i].place,
					 "\"interim_104\" is %s here and %s for the same "
					 "address at %s; write the same in both",
					 s->listens[i].interim_104 ? "true" : "false",
					 first->interim_104 ? "true" : "false",
					 load_where(l, &first->place));
	}
	if (!reached)
		load_error_place(l, &s->place,
				 "this server is never asked: it has no names, and %s is "
				 "that of another server at %s; add \"names\"",
				 first->text, load_where(l, &first->place));
}

/* The names that are taken, each on each address of its server. */
struct names {
	struct strmap map; /* "ADDRESS-NUMBER NAME" */
	const struct conf_name **owners;
	size_t count;
};

static void
name_taken(struct load *l, const struct conf_name *entry, const struct conf_name *first,
	   const struct conf_listen *listen)
{
	if (first->server == entry->server)
		load_error_place(l, &entry->place,
				 "\"%s\" is listed twice in this server, first at %s; "
				 "remove one",
				 entry->name, load_where(l, &first->place));
	else
		load_error_place(l, &entry->place,
				 "\"%s\" on %s is the name of another server already, at "
				 "%s; remove one",
				 entry->name, listen->text, load_where(l, &first->place));
}

/* Reports a name once, however many addresses it collides on. */
static void
take_name(struct load *l, struct addresses *a, struct names *names,
	  const struct conf_name *entry)
{
	for (size_t i = 0; i < entry->server->listen_count; i++) {
		const struct conf_listen *listen = &entry->server->listens[i];
		uint32_t n = address_number(l, a, entry->server, listen);
		const char *key = load_text(l, "%u %s", n, entry->name);
		size_t first = 0;

		if (n == STRMAP_NONE)
			continue;
		names->owners[names->count] = entry;
		if (add_unique(l, &names->map, key, names->count, &first)) {
			names->count++;
		} else if (names->owners[first] != entry) {
			name_taken(l, entry, names->owners[first], listen);
			return;
		}
	}
}

static void
check_names(struct load *l, struct addresses *a)
{
	struct names names = { .count = 0 };
	size_t total = 0;

	for (const struct conf_name *e = l->names; e != NULL; e = e->next)
		total += e->server->listen_count;
	names.owners = arena_zalloc(&l->scratch, (total + 1) * sizeof(*names.owners));
	if (names.owners == NULL) {
		l->failed = true;
		return;
	}
	if (!start_unique(l, &names.map, total))
		return;
	for (const struct conf_name *e = l->names; e != NULL; e = e->next)
		take_name(l, a, &names, e);
	strmap_fini(&names.map);
}

static uint32_t
online_cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 1)
		return 1;
	return n > WORKERS_MAX ? WORKERS_MAX : (uint32_t)n;
}

void
config_done(struct load *l, void *target, const struct conf_at *at, bool clean)
{
	struct config *c = target;
	struct addresses a;

	(void)at;
	(void)clean;
	if (c->workers == 0)
		c->workers = online_cores();
	if (!start_addresses(l, &a))
		return;
	for (size_t i = 0; i < c->server_count; i++)
		check_shared(l, &a, &c->servers[i]);
	check_names(l, &a);
	if (l->config->group != NULL && l->config->user == NULL)
		load_error_place(
			l, &l->config->group_place,
			"a group without a user would leave root in charge; name "
			"the \"user\" too");
	strmap_fini(&a.map);
}
