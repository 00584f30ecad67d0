/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The main() of a fuzz target without a fuzzer: runs it over every file that is named,
 * or that is in a folder that is named, each from an allocation of exactly its size.
 * Without arguments replay_X takes $srcdir/fuzz/corpus/X, and replay_conf $srcdir/tests/conf
 * too. Exits 1 when there was no file to run, 2 when one cannot be read.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
die(const char *path)
{
	perror(path);
	exit(2);
}

static void
replay_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size != 0 ? size : 1);

	if (f == NULL || data == NULL || fread(data, 1, size, f) != size)
		die(path);
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

/* The number of files; folders within folders count too, dot files do not. */
static size_t
replay(const char *path)
{
	struct dirent *entry;
	struct stat st;
	size_t count = 0;
	DIR *dir;

	if (stat(path, &st) < 0)
		die(path);
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path, (size_t)st.st_size);
		return 1;
	}
	dir = opendir(path);
	if (dir == NULL)
		die(path);
	while ((entry = readdir(dir)) != NULL) {
		char *name;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&name, "%s/%s", path, entry->d_name) < 0)
			die(path);
		count += replay(name);
		free(name);
	}
	closedir(dir);
	return count;
}

/* What is kept elsewhere in the source and is input as well. */
static const char *
other_corpus(const char *name)
{
	return strcmp(name, "conf") == 0 ? "tests/conf" : NULL;
}

static size_t
replay_beneath(const char *folder, const char *name)
{
	const char *srcdir = getenv("srcdir");
	char *path;
	size_t count;

	if (asprintf(&path, "%s/%s%s", srcdir != NULL ? srcdir : ".", folder, name) < 0)
		die(folder);
	count = replay(path);
	free(path);
	return count;
}

static size_t
replay_own_corpus(const char *program)
{
	const char *name = strstr(program, "replay_");
	size_t count;

	if (name == NULL)
		return 0;
	name += strlen("replay_");
	count = replay_beneath("fuzz/corpus/", name);
	if (other_corpus(name) != NULL)
		count += replay_beneath(other_corpus(name), "");
	return count;
}

int
main(int argc, char **argv)
{
	size_t count = argc > 1 ? 0 : replay_own_corpus(argv[0]);

	for (int i = 1; i < argc; i++)
		count += replay(argv[i]);
	printf("%zu inputs replayed\n", count);
	return count != 0 ? 0 : 1;
}
