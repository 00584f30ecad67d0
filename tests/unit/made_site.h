/* SPDX-License-Identifier: BSD-2-Clause
 *
 * made_site: a site made of the text of a configuration, or the end of the program with what is
 * wrong with it. Included after cmocka.h.
 */
#ifndef WEBSRV_TESTS_MADE_SITE_H
#define WEBSRV_TESTS_MADE_SITE_H

#include "base/buf.h"
#include "base/counters.h"
#include "conf/load.h"
#include "core/site.h"

/* Relative paths are beneath `dir`. */
static inline struct config *
make_config(const char *text, const char *dir)
{
	struct buf errors;
	struct config *c;

	buf_init(&errors);
	c = conf_load_text(slice_from_str(text), "t", dir, &errors);
	if (c == NULL)
		fail_msg("%.*s", (int)errors.len, errors.ptr);
	buf_fini(&errors);
	return c;
}

/* Of env->conf. */
static inline struct site *
make_site(const struct handler_env *env, const struct handler_ops *const *kinds,
	  const struct handler_ops *error_page)
{
	struct buf errors;
	struct site *s;

	buf_init(&errors);
	s = site_new(env->conf, env, kinds, error_page, &errors);
	if (s == NULL)
		fail_msg("%.*s", (int)errors.len, errors.ptr);
	buf_fini(&errors);
	return s;
}

/* A site with the counters of one process, where nothing else is needed. */
struct made_site {
	struct config *conf;
	struct site *site;
	struct counter_block *counters;
};

/* `env` has what else there is. */
static inline void
made_site_open(struct made_site *m, const char *text, const char *dir,
	       struct handler_env env, const struct handler_ops *const *kinds,
	       const struct handler_ops *error_page)
{
	m->counters = counters_new(1);
	assert_non_null(m->counters);
	m->conf = make_config(text, dir);
	env.conf = m->conf;
	env.counters = m->counters;
	m->site = make_site(&env, kinds, error_page);
}

static inline void
made_site_close(struct made_site *m)
{
	site_free(m->site);
	conf_free(m->conf);
	counters_free(m->counters, 1);
}

#endif
