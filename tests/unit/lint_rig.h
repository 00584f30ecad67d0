/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lint_rig: a site made of the text of a configuration, and what lint says about it. Included
 * once by a test program.
 */
#ifndef WEBSRV_TESTS_LINT_RIG_H
#define WEBSRV_TESTS_LINT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "made_site.h"
#include "base/log.h"
#include "core/lint.h"
#include "handler/file_shared.h"
#include "handler/handlers.h"

struct lint_rig {
	struct config *conf;
	struct file_shared *files;
	struct site *site;
	struct lint lint;
	struct buf text; /* what is printed */
};

/* Relative paths are beneath `dir`. */
static inline void
lint_rig_open(struct lint_rig *r, const char *config_text, const char *dir,
	      void (*check)(struct lint *l, const struct site *site))
{
	static const struct log quiet = { STDERR_FILENO, LOG_LEVEL_ERROR };
	struct handler_env env = { .log = &quiet };

	buf_init(&r->text);
	r->conf = make_config(config_text, dir);
	r->files = file_shared_new(r->conf, NULL, 0);
	env.conf = r->conf;
	env.files = r->files;
	r->site = make_site(&env, handler_kinds, &errpage_handler);
	lint_init(&r->lint, r->conf);
	check(&r->lint, r->site);
	assert_false(r->lint.failed);
	lint_print(&r->lint, true, &r->text);
	buf_add_char(&r->text, '\0');
	assert_false(r->text.failed);
}

static inline void
lint_rig_close(struct lint_rig *r)
{
	buf_fini(&r->text);
	lint_fini(&r->lint);
	site_free(r->site);
	file_shared_free(r->files);
	conf_free(r->conf);
}

#endif
