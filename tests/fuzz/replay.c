// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * replay - gives a fuzz target files instead of inventions: each argument, or each file in a folder, as it
 * is, and again cut short and with a byte turned, so that a run without libFuzzer looks a little further.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VARIANTS 200

static size_t inputs;

static void try_variants(uint8_t *data, size_t size)
{
	uint32_t seed = 1;

	(void)LLVMFuzzerTestOneInput(data, size);
	inputs++;
	for (unsigned i = 0; i < VARIANTS && size; i++, inputs++) {
		size_t at = (seed = seed * 1103515245u + 12345u) % size, cut = size - seed % (size < 64 ? size : 64);
		uint8_t kept = data[at];

		data[at] = (uint8_t)"\n\r\0 :,=#[];\xff"[i % 12];
		(void)LLVMFuzzerTestOneInput(data, cut);
		data[at] = kept;
	}
}

static int try_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(64 * 1024);
	size_t n;

	if (!f || !data) {
		fprintf(stderr, "cannot read '%s'\n", path);
		return 1;
	}
	n = fread(data, 1, 64 * 1024, f);
	fclose(f);
	try_variants(data, n);
	free(data);
	return 0;
}

static int try_path(const char *path)
{
	struct stat st;
	struct dirent *d;
	char name[4096];
	DIR *dir;
	int r = 0;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return try_file(path);
	dir = opendir(path);
	while (dir && r == 0 && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, d->d_name);
		r = try_file(name);
	}
	if (dir)
		closedir(dir);
	return r;
}

int main(int argc, char *argv[])
{
	int r = 0;

	for (int i = 1; r == 0 && i < argc; i++)
		r = try_path(argv[i]);
	printf("%s: %zu inputs\n", argv[0], inputs);
	return r || inputs == 0;
}
