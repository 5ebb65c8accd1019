// SPDX-License-Identifier: GPL-2.0-or-later
/* What bash and zsh complete, from the table of commands: see manual.h. */
#include "manual.h"

#include <string.h>

static void put_words(FILE *to, const struct option *list)
{
	for (; list && list->name; list++) {
		if (list->letter)
			fprintf(to, " -%c", list->letter);
		fprintf(to, " --%s", list->name);
	}
}

/* Words to choose from, as the help writes them: "install|remove|status", but not "VMID|--all". */
static size_t choices(const char *text)
{
	size_t n = strcspn(text, " ");

	return text[0] >= 'a' && text[0] <= 'z' && memchr(text, '|', n) ? n : 0;
}

static void put_choices(FILE *to, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fputc(text[i] == '|' ? ' ' : text[i], to);
}

static bool wants_vm(const struct command *k)
{
	return strncmp(k->args, "VMID", 4) == 0 || strncmp(k->args, "[VMID", 5) == 0;
}

static bool is_path(const char *value)
{
	return strcmp(value, "FILE") == 0 || strcmp(value, "DIR") == 0;
}

/* --- bash ---------------------------------------------------------------------------------------- */

/* What may stand behind an option: one of its words, a path, or what nobody can guess. */
static void put_value(FILE *to, const char *command, const struct option *o)
{
	if (!o->value)
		return;
	fprintf(to, "\t%s--%s) ", command, o->name);
	if (is_path(o->value)) {
		fprintf(to, "mapfile -t COMPREPLY < <(compgen -%c -- \"$word\"); return ;;\n", *o->value == 'D' ? 'd' : 'f');
		return;
	}
	fputs("words='", to);
	put_choices(to, o->value, choices(o->value));
	fputs("' ;;\n", to);
}

static void put_values(FILE *to, const struct option *global)
{
	fputs("\tcase $command$before in\n", to);
	for (const struct command *k = commands; k->name; k++)
		for (const struct option *o = k->options; o && o->name; o++)
			put_value(to, k->name, o);
	for (const struct option *o = global; o->name; o++)
		put_value(to, "*", o);
}

static const char bash_head[] =
	"# bash completion for pve-gpu, printed by 'pve-gpu --completion'\n"
	"_pve_gpu_vms()\n"
	"{\n"
	"\tlocal vm\n"
	"\tfor vm in /etc/pve/qemu-server/*.conf; do\n"
	"\t\tvm=${vm##*/} && [[ $vm == \\** ]] || words+=\"${vm%.conf} \"\n"
	"\tdone\n"
	"}\n"
	"_pve_gpu()\n"
	"{\n"
	"\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= words= i\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\t[[ ${COMP_WORDS[i]} == -* || ${COMP_WORDS[i-1]} == --root ]] || { command=${COMP_WORDS[i]}; break; }\n"
	"\tdone\n";

void completion_bash(FILE *to, const struct option *global)
{
	fputs(bash_head, to);
	put_values(to, global);
	fputs("\t*)\n\t\tcase $command in\n\t\t'') words='", to);
	for (const struct command *k = commands; k->name; k++)
		fprintf(to, "%s%s", k == commands ? "" : " ", k->name);
	fputs("' ;;\n", to);
	for (const struct command *k = commands; k->name; k++) {
		fprintf(to, "\t\t%s) %swords+='", k->name, wants_vm(k) ? "_pve_gpu_vms; " : "");
		put_choices(to, k->args, choices(k->args));
		put_words(to, k->options);
		fputs("' ;;\n", to);
	}
	fputs("\t\tesac\n\t\twords+='", to);
	put_words(to, global);
	fputs("' ;;\n\tesac\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\ncomplete -F _pve_gpu pve-gpu\n",
	      to);
}

/* --- zsh ----------------------------------------------------------------------------------------- */

/* Inside single quotes, where a bracket ends the explanation and a colon the message. */
static void put_zsh(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", to);
		else if (strchr("[]:\\", *text))
			fprintf(to, "\\%c", *text);
		else
			fputc(*text, to);
	}
}

static void zsh_value(FILE *to, const char *value)
{
	size_t n = choices(value);

	fputc(':', to);
	put_zsh(to, value);
	fputc(':', to);
	if (n) {
		fputc('(', to);
		put_choices(to, value, n);
		fputc(')', to);
	} else if (is_path(value)) {
		fputs(*value == 'D' ? "_files -/" : "_files", to);
	}
}

static void zsh_options(FILE *to, const struct option *list, const char *indent)
{
	for (; list && list->name; list++) {
		fputs(indent, to);
		if (list->letter)
			fprintf(to, "'(-%c --%s)'{-%c,--%s}'[", list->letter, list->name, list->letter, list->name);
		else
			fprintf(to, "'--%s%s[", list->name, list->value ? "=" : "");
		put_zsh(to, list->help);
		fputc(']', to);
		if (list->value)
			zsh_value(to, list->value);
		fputs("'\n", to);
	}
}

static void zsh_arguments(FILE *to, const struct command *k)
{
	size_t n = choices(k->args);

	if (wants_vm(k)) {
		fputs("\t\t\t'1:VMID:_pve_gpu_vms'\n", to);
	} else if (n) {
		fputs("\t\t\t'1:what to do:(", to);
		put_choices(to, k->args, n);
		fputs(")'\n", to);
	}
	if (k->args_max > 1 || (k->args_max == 1 && !wants_vm(k) && !n))
		fputs("\t\t\t'*:argument:()'\n", to);
}

static const char zsh_head[] =
	"#compdef pve-gpu\n"
	"# zsh completion for pve-gpu, printed by 'pve-gpu --completion-zsh'\n"
	"_pve_gpu_vms()\n"
	"{\n"
	"\tcompadd -- /etc/pve/qemu-server/*.conf(N:t:r)\n"
	"}\n"
	"_pve_gpu()\n"
	"{\n"
	"\tlocal curcontext=$curcontext state line\n"
	"\tlocal -A opt_args\n"
	"\tlocal -a global commands own\n"
	"\tglobal=(\n";

static const char zsh_middle[] =
	"\t)\n"
	"\t_arguments -C $global '1:command:->command' '*::argument:->argument' && return\n"
	"\tif [[ $state == command ]]; then\n"
	"\t\t_describe command commands\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tcase $words[1] in\n";

void completion_zsh(FILE *to, const struct option *global)
{
	fputs(zsh_head, to);
	zsh_options(to, global, "\t\t");
	fputs("\t)\n\tcommands=(\n", to);
	for (const struct command *k = commands; k->name; k++) {
		fprintf(to, "\t\t'%s:", k->name);
		put_zsh(to, k->summary);
		fputs("'\n", to);
	}
	fputs(zsh_middle, to);
	for (const struct command *k = commands; k->name; k++) {
		fprintf(to, "\t%s)\n\t\town=(\n", k->name);
		zsh_options(to, k->options, "\t\t\t");
		zsh_arguments(to, k);
		fputs("\t\t)\n\t\t;;\n", to);
	}
	fputs("\tesac\n\t_arguments $global $own\n}\n_pve_gpu \"$@\"\n", to);
}
