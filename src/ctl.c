/* SPDX-License-Identifier: BSD-2-Clause
 *
 * websrvctl: argv in, exit status out: 0 fine, 1 failure, 2 usage. Writes the files of users
 * and tokens. A secret is asked for or made here; it is never an argument, which every user of
 * the machine could read.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/secretfile.h"
#include "app/terminal.h"
#include "base/base64.h"
#include "base/password.h"
#include "base/secret.h"
#include "config.h"
#include "core/auth_file.h"

#define SHORT_PASSWORD 8
#define TOKEN_BYTES 32

struct arguments {
	bool deletes;
	const char *file;
	struct slice name;
};

static const char help[] =
	"websrvctl " PACKAGE_VERSION ", the other half of websrv\n\n"
	"websrvctl passwd FILE USER      ask for a password, and write USER into FILE\n"
	"websrvctl passwd -D FILE USER   take USER out of FILE\n"
	"websrvctl token FILE NAME       make a token, print it once, write its hash\n"
	"websrvctl token -D FILE NAME    take the token of that name out of FILE\n"
	"websrvctl -V                    version\n"
	"websrvctl -h                    this help\n\n"
	"The password is asked for on the terminal; where standard input is none, it is\n"
	"the first line of it. Exit status: 0 fine, 1 failure, 2 usage.\n";

static int
complain(const char *what, const char *arg)
{
	fprintf(stderr, "websrvctl: %s%s\nTry \"websrvctl -h\".\n", what, arg);
	return CLI_EXIT_USAGE;
}

static int
fail(const char *what, int rc)
{
	fprintf(stderr, "websrvctl: %s: %s\n", what, strerror(-rc));
	return 1;
}

/* What was done, and what is left to do. */
static void
tell(const char *done, const char *kind, struct slice name)
{
	fprintf(stderr, "%s %s %.*s; a running server knows it after a reload (SIGHUP)\n",
		done, kind, SLICE_ARG(name));
}

/* What stands behind the command. 0 or an exit status. */
static int
take_arguments(int argc, char **argv, struct arguments *out)
{
	const char *wrong;
	int c;

	*out = (struct arguments){ 0 };
	opterr = 0;
	optind = 2;
	while ((c = getopt(argc, argv, "+D")) != -1) {
		if (c != 'D')
			return complain("unknown option ", argv[optind - 1]);
		out->deletes = true;
	}
	if (argc - optind > 2)
		return complain("a file and a name are all that is taken: a secret on "
				"the command line can be read by every user of this "
				"machine",
				"");
	if (argc - optind < 2)
		return complain("a file and a name are needed behind ", argv[1]);
	out->file = argv[optind];
	out->name = slice_from_str(argv[optind + 1]);
	wrong = auth_name_check(out->name);
	if (wrong != NULL) {
		fprintf(stderr, "websrvctl: this name %s\n", wrong);
		return CLI_EXIT_USAGE;
	}
	return 0;
}

/* Of secretfile_set() with a secret of this kind, "user" or "token"; the exit status. */
static int
fail_file(const struct arguments *a, const char *kind, int rc)
{
	const char *other = strcmp(kind, "user") == 0 ? "tokens" : "users";

	if (rc == -ENODATA)
		fprintf(stderr, "websrvctl: %s: there is no %s \"%.*s\" in it\n", a->file,
			kind, SLICE_ARG(a->name));
	else if (rc == -EINVAL)
		fprintf(stderr, "websrvctl: %s: is no regular file; name one\n", a->file);
	else if (rc == -EMEDIUMTYPE)
		fprintf(stderr,
			"websrvctl: %s: this is a file of %s, and users and tokens want "
			"a file each; nothing is changed\n",
			a->file, other);
	else
		return fail(a->file, rc);
	return 1;
}

static int
delete_line(const struct arguments *a, const char *kind)
{
	bool existed;
	int rc = secretfile_set(a->file, a->name, slice_make("", 0), &existed);

	if (rc < 0)
		return fail_file(a, kind, rc);
	tell("removed", kind, a->name);
	return 0;
}

/* --- passwd --- */

/* Asked twice: what nobody sees is easily mistyped. Its length, or -errno. */
static ssize_t
ask_twice(char *out, size_t size)
{
	char again[PASSWORD_MAX + 1];
	ssize_t n = terminal_ask("Password: ", out, size), m = n;

	if (n >= 0)
		m = terminal_ask("The same again: ", again, sizeof(again));
	if (m < 0) {
		n = m;
	} else if (m != n || memcmp(out, again, (size_t)n) != 0) {
		fprintf(stderr, "websrvctl: these were two different passwords; nothing "
				"is changed\n");
		n = -ECANCELED;
	}
	explicit_bzero(again, sizeof(again));
	return n;
}

/* 0, or an exit status after saying why. */
static int
get_password(char *out, size_t size)
{
	ssize_t n = terminal_is_there() ? ask_twice(out, size) : terminal_read(out, size);

	if (n == -ECANCELED)
		return 1;
	if (n == -ENODATA)
		fprintf(stderr, "websrvctl: there was no password; nothing is changed\n");
	else if (n == -ERANGE)
		fprintf(stderr, "websrvctl: the password is longer than %d bytes\n",
			PASSWORD_MAX);
	else if (n < 0)
		return fail("the password cannot be read", (int)n);
	else if (n == 0)
		fprintf(stderr, "websrvctl: the password is empty; nothing is changed\n");
	else if (slice_has_control(slice_make(out, (size_t)n)))
		fprintf(stderr, "websrvctl: the password has a control character, which "
				"HTTP cannot carry\n");
	else
		return 0;
	return 1;
}

static int
write_password(const struct arguments *a, const char *password)
{
	char hash[PASSWORD_HASH_MAX + 1];
	bool existed;
	int rc = password_hash(password, hash);

	if (rc < 0)
		return fail("the password cannot be hashed", rc);
	if (strlen(password) < SHORT_PASSWORD)
		fprintf(stderr,
			"websrvctl: warning: a password of less than %d characters is "
			"easily guessed\n",
			SHORT_PASSWORD);
	rc = secretfile_set(a->file, a->name, slice_from_str(hash), &existed);
	if (rc < 0)
		return fail_file(a, "user", rc);
	tell(existed ? "changed" : "added", "user", a->name);
	return 0;
}

static int
passwd(const struct arguments *a)
{
	char password[PASSWORD_MAX + 1];
	int status;

	if (a->deletes)
		return delete_line(a, "user");
	if (!password_is_built_in()) {
		fprintf(stderr, "websrvctl: passwords are not built in; run configure "
				"with --with-crypt\n");
		return 1;
	}
	status = get_password(password, sizeof(password));
	if (status == 0)
		status = write_password(a, password);
	explicit_bzero(password, sizeof(password));
	return status;
}

/* --- token --- */

/* RFC 4648 section 5, without padding: a token68 that is safe in shells and URLs. */
static int
make_token(char out[BASE64_LEN(TOKEN_BYTES) + 1])
{
	unsigned char bytes[TOKEN_BYTES];
	int rc = secret_random(bytes, sizeof(bytes));
	size_t n;

	if (rc < 0)
		return rc;
	n = base64_encode(bytes, sizeof(bytes), out);
	explicit_bzero(bytes, sizeof(bytes));
	while (n > 0 && out[n - 1] == '=')
		n--;
	out[n] = '\0';
	for (char *p = out; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	return 0;
}

static int
write_token(const struct arguments *a, const char *made)
{
	char secret[sizeof("sha256:") + (size_t)2 * SECRET_DIGEST];
	unsigned char digest[SECRET_DIGEST];
	size_t len;
	bool existed;
	int rc;

	secret_digest(slice_from_str(made), digest);
	len = (size_t)snprintf(secret, sizeof(secret), "sha256:");
	for (size_t i = 0; i < sizeof(digest); i++)
		len += (size_t)snprintf(secret + len, sizeof(secret) - len, "%02x",
					digest[i]);
	rc = secretfile_set(a->file, a->name, slice_make(secret, len), &existed);
	if (rc < 0)
		return fail_file(a, "token", rc);
	if (printf("%s\n", made) < 0 || fflush(stdout) != 0) {
		fprintf(stderr,
			"websrvctl: the token could not be printed, and nobody will ever "
			"see it; make another one\n");
		return 1;
	}
	tell(existed ? "replaced" : "added", "token", a->name);
	fputs("the token is shown only now\n", stderr);
	return 0;
}

static int
token(const struct arguments *a)
{
	char made[BASE64_LEN(TOKEN_BYTES) + 1];
	int rc, status;

	if (a->deletes)
		return delete_line(a, "token");
	rc = make_token(made);
	if (rc < 0)
		return fail("no random bytes", rc);
	status = write_token(a, made);
	explicit_bzero(made, sizeof(made));
	return status;
}

/* --- commands --- */

static const struct {
	const char *name;
	int (*run)(const struct arguments *a);
} commands[] = {
	{ "passwd", passwd },
	{ "token", token },
};

int
main(int argc, char **argv)
{
	struct arguments arguments;
	int status;

	if (argc < 2)
		return complain("a command is needed: passwd or token", "");
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		return fputs(help, stdout) < 0 || fflush(stdout) != 0;
	if (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0)
		return printf("websrvctl %s\n", PACKAGE_VERSION) < 0 ||
		       fflush(stdout) != 0;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		status = take_arguments(argc, argv, &arguments);
		return status == 0 ? commands[i].run(&arguments) : status;
	}
	return complain("there is no command ", argv[1]);
}
