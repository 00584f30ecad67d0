/* SPDX-License-Identifier: BSD-2-Clause
 *
 * privileges: initgroups, setgid, setuid, in this order, and a look back.
 */
#include "app/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/config.h"
#include "conf/load.h"

int
privileges_check(const struct config *conf, struct buf *errors)
{
	int rc = 0;

	if (conf->user != NULL && getpwnam(conf->user) == NULL) {
		conf_report(errors, &conf->user_place,
			    "there is no user \"%s\" on this system; create it, or name "
			    "another",
			    conf->user);
		rc = -1;
	}
	if (conf->group != NULL && getgrnam(conf->group) == NULL) {
		conf_report(errors, &conf->group_place,
			    "there is no group \"%s\" on this system; create it, or name "
			    "another",
			    conf->group);
		rc = -1;
	}
	return rc;
}

static int
become(const struct config *conf)
{
	const struct passwd *pw = getpwnam(conf->user);
	const struct group *gr = conf->group != NULL ? getgrnam(conf->group) : NULL;
	gid_t gid;
	uid_t uid;

	if (pw == NULL || (conf->group != NULL && gr == NULL))
		return -ENOENT;
	uid = pw->pw_uid;
	gid = gr != NULL ? gr->gr_gid : pw->pw_gid;
	if (initgroups(conf->user, gid) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return -errno;
	return uid != 0 && setuid(0) == 0 ? -EPERM : 0;
}

int
privileges_drop(const struct config *conf, const struct log *log)
{
	int rc = 0;

	if (geteuid() == 0 && conf->user != NULL)
		rc = become(conf);
	if (rc < 0) {
		log_error(log, "cannot become user %s: %s", conf->user, strerror(-rc));
		return -1;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		log_error(log, "no_new_privs: %s", strerror(errno));
		return -1;
	}
	return 0;
}
