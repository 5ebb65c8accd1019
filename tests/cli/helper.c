// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * helper - what the cases of tests/cli need and a shell does not have.
 *
 *   helper json [PATH...]    stdin is exactly one JSON document of version 1 in valid UTF-8; prints the
 *                            value at each path ("devices.0.driver"; a trailing "#" counts an array,
 *                            a trailing "*" lists an object's keys)
 *   helper lease             adds the checksum to each line of stdin, as a lease has it
 *   helper tty COMMAND...    runs a command on a terminal and copies what it prints
 *   helper deaf COMMAND...   runs a command whose standard output is a pipe that nobody reads any more
 */
#include <errno.h>
#include <json-c/json.h>
#include <pty.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int bad(const char *why)
{
	printf("no good JSON: %s\n", why);
	return 1;
}

static struct json_object *step_into(struct json_object *o, const char *word)
{
	struct json_object *found = NULL;

	if (json_object_is_type(o, json_type_array))
		return json_object_array_get_idx(o, (size_t)strtoul(word, NULL, 10));
	json_object_object_get_ex(o, word, &found);
	return found;
}

static int print_keys(const char *path, struct json_object *o)
{
	printf("%s:", path);
	if (!json_object_is_type(o, json_type_object))
		return printf(" no object\n") < 0;
	json_object_object_foreach(o, key, value) {
		(void)value;
		printf(" %s", key);
	}
	printf("\n");
	return 0;
}

static int print_path(struct json_object *o, const char *path)
{
	char *copy = strdup(path), *save = NULL;

	for (char *word = strtok_r(copy, ".", &save); word; word = strtok_r(NULL, ".", &save)) {
		if (strcmp(word, "#") == 0)
			return printf("%s: %zu\n", path, json_object_array_length(o)) < 0;
		if (strcmp(word, "*") == 0)
			return print_keys(path, o);
		o = step_into(o, word);
	}
	printf("%s: %s\n", path, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
								    JSON_C_TO_STRING_NOSLASHESCAPE));
	free(copy);
	return 0;
}

static int check_json(int n, char *const paths[])
{
	static char text[4 << 20];
	size_t len = fread(text, 1, sizeof(text), stdin), end;
	struct json_tokener *t = json_tokener_new();
	struct json_object *o, *version;

	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, text, (int)len);
	if (json_tokener_get_error(t) != json_tokener_success)
		return bad(json_tokener_error_desc(json_tokener_get_error(t)));
	end = json_tokener_get_parse_end(t);
	if (len < 2 || text[len - 2] != '}' || text[len - 1] != '\n' || end < len - 1)
		return bad("a newline and nothing else must follow the document");
	if (!json_object_object_get_ex(o, "version", &version) || json_object_get_int(version) != 1)
		return bad("its version is not 1");
	for (int i = 0; i < n; i++)
		print_path(o, paths[i]);
	json_object_put(o);
	json_tokener_free(t);
	return 0;
}

/* FNV-1a, written down a second time: leases on disk must stay readable. */
static int sign_lease(void)
{
	char line[4096];

	while (fgets(line, sizeof(line), stdin)) {
		uint32_t sum = 2166136261U;

		line[strcspn(line, "\n")] = '\0';
		for (const char *p = line; *p; p++)
			sum = (sum ^ (unsigned char)*p) * 16777619U;
		printf("%s #%08x\n", line, sum);
	}
	return 0;
}

static int on_terminal(char *const argv[])
{
	char buf[4096];
	int fd, status;
	ssize_t n;
	pid_t pid = forkpty(&fd, NULL, NULL, NULL);

	if (pid < 0)
		return 1;
	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			fwrite(buf, 1, (size_t)n, stdout);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int unheard(char *const argv[])
{
	int end[2];

	if (pipe(end) < 0 || dup2(end[1], STDOUT_FILENO) < 0)
		return 1;
	close(end[0]);
	close(end[1]);
	execvp(argv[0], argv);
	return 127;
}

int main(int argc, char *argv[])
{
	if (argc >= 2 && strcmp(argv[1], "json") == 0)
		return check_json(argc - 2, argv + 2);
	if (argc == 2 && strcmp(argv[1], "lease") == 0)
		return sign_lease();
	if (argc >= 3 && strcmp(argv[1], "tty") == 0)
		return on_terminal(argv + 2);
	if (argc >= 3 && strcmp(argv[1], "deaf") == 0)
		return unheard(argv + 2);
	return 2;
}
