// SPDX-License-Identifier: GPL-2.0-or-later
/* Single lines of a VM config: see vmedit.h. */
#include "vmedit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int vmedit_init(struct vmedit *ed, const char *bytes, size_t len, const struct schema_env *env,
		bool running, struct err *e)
{
	*ed = (struct vmedit){ .env = env, .running = running, .gone = STR_INIT };
	return vmconf_parse_env(bytes, len, env, &ed->now, e);
}

void vmedit_release(struct vmedit *ed)
{
	vmconf_freep(&ed->now);
	str_release(&ed->gone);
}

const char *vmedit_effective(const struct vmconf *c, const char *key)
{
	const char *waiting = vmconf_get(c, vmconf_section(c, VMCONF_PENDING, NULL), key);

	if (waiting)
		return waiting;
	return vmconf_deletes(c, key, NULL) ? NULL : vmconf_current(c, key);
}

/* --- bytes ------------------------------------------------------------------------------------- */

/* Where the line ends, its line feed included. */
static size_t line_end(const struct vmconf_line *line)
{
	return (size_t)line->off + line->len + (line->newline ? 1 : 0);
}

static bool has_cr(const struct vmconf *c, const struct vmconf_line *line)
{
	return line->len && c->bytes[line->off + line->len - 1] == '\r';
}

/* The line end that new lines beside line `i` get: the one their neighbour has. */
static const char *ending(const struct vmconf *c, size_t i)
{
	if (c->n_lines == 0)
		return "\n";
	return has_cr(c, &c->lines[i < c->n_lines ? i : c->n_lines - 1]) ? "\r\n" : "\n";
}

/* The text with bytes [start, end) replaced becomes the present one. */
static int splice(struct vmedit *ed, size_t start, size_t end, const char *text, size_t len, struct err *e)
{
	_cleanup_(str_release) struct str all = STR_INIT;
	struct vmconf *next = NULL;
	int r;

	str_addn(&all, ed->now->bytes, start);
	str_addn(&all, text, len);
	str_addn(&all, ed->now->bytes + end, ed->now->len - end);
	if (all.failed)
		return err_nomem(e);
	r = vmconf_parse_env(all.s, all.len, ed->env, &next, e);
	if (r < 0)
		return r;
	vmconf_free(ed->now);
	ed->now = next;
	return 0;
}

/* --- sections ---------------------------------------------------------------------------------- */

/* The line behind which the section's content ends: its trailing blank lines are no part of it. */
static size_t content_end(const struct vmconf *c, const struct vmconf_section *s)
{
	size_t i = s->end;

	while (i > s->first && c->lines[i - 1].kind == VMCONF_BLANK)
		i--;
	return i;
}

/* Where a new key belongs: before the first one that Proxmox would sort behind it. */
static size_t place(const struct vmconf *c, const struct vmconf_section *s, const char *key)
{
	for (size_t i = s->first; i < s->end; i++)
		if (c->lines[i].kind == VMCONF_KEY && c->lines[i].verdict == VMCONF_KEPT &&
		    strcmp(c->lines[i].key, key) > 0)
			return i;
	return content_end(c, s);
}

/* Inserts whole lines before line `i`; `text` has no line feed at its end. */
static int insert(struct vmedit *ed, size_t i, const char *text, struct err *e)
{
	const struct vmconf *c = ed->now;
	const char *eol = ending(c, i ? i - 1 : 0);
	bool open = i && !c->lines[i - 1].newline;
	size_t at = i ? line_end(&c->lines[i - 1]) : 0;
	_cleanup_(str_release) struct str s = STR_INIT;
	int r;

	if (open) {	/* it gets no CR: in a comment that would be one more character of the text */
		eol = ending(c, i > 1 ? i - 2 : 0);
		str_add(&s, "\n");
	}
	for (const char *p = text; *p; p++)
		*p == '\n' ? str_add(&s, eol) : str_addn(&s, p, 1);
	/* Of white space alone the value would begin with its last character, a CR is not allowed there. */
	str_add(&s, s.len && s.s[s.len - 1] == ' ' ? "\n" : eol);
	if (s.failed)
		return err_nomem(e);
	r = splice(ed, at, at, s.s, s.len, e);
	if (r == 0 && open)
		ed->newline_added = true;
	return r;
}

static int add_key(struct vmedit *ed, enum vmconf_section_kind where, const char *key, const char *value,
		   struct err *e)
{
	const struct vmconf_section *s = vmconf_section(ed->now, where, NULL);
	_cleanup_(str_release) struct str text = STR_INIT;
	size_t at;

	if (!s) {	/* Proxmox writes it behind the main section, after a blank line */
		at = content_end(ed->now, ed->now->sections);
		str_add(&text, at ? "\n[PENDING]\n" : "[PENDING]\n");
	} else {
		at = place(ed->now, s, key);
	}
	str_addf(&text, "%s: %s", key, value);
	return text.failed ? err_nomem(e) : insert(ed, at, text.s, e);
}

static int replace_value(struct vmedit *ed, const struct vmconf_line *line, const char *value, struct err *e)
{
	const char *colon = memchr(ed->now->bytes + line->off, ':', line->len);
	size_t start = (size_t)(colon - ed->now->bytes) + 1;
	size_t end = (size_t)line->off + line->len - (*value && has_cr(ed->now, line) ? 1 : 0);
	_cleanup_(str_release) struct str text = STR_INIT;

	str_addf(&text, " %s", value);
	return text.failed ? err_nomem(e) : splice(ed, start, end, text.s, text.len, e);
}

/* --- reading back ------------------------------------------------------------------------------ */

static size_t count_dropped(const struct vmconf *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_lines; i++)
		n += c->lines[i].verdict == VMCONF_DROPPED;
	return n;
}

/* The last line of the key in the section, whatever became of it. */
static const struct vmconf_line *written(const struct vmconf *c, const struct vmconf_section *s,
					 const char *key)
{
	const struct vmconf_line *last = NULL;

	for (size_t i = s ? s->first : 0; s && i < s->end; i++)
		if (c->lines[i].key && strcmp(c->lines[i].key, key) == 0)
			last = &c->lines[i];
	return last;
}

static int check_read_back(struct vmedit *ed, enum vmconf_section_kind where, const char *key,
			   const char *value, size_t dropped, struct err *e)
{
	const struct vmconf_section *s = vmconf_section(ed->now, where, NULL);
	const char *got = vmconf_get(ed->now, s, key);
	const struct vmconf_line *line = written(ed->now, s, key);
	struct err why = ERR_INIT;

	if (got && strcmp(got, *value ? value : " ") == 0 && count_dropped(ed->now) == dropped)
		return 0;
	if (line && line->verdict == VMCONF_DROPPED && vmconf_explain(ed->now, line, ed->env, &why) < 0)
		return err_set(e, EINVAL, "'%s: %.300s' is not written, because Proxmox would drop the line: %s",
			       key, value, why.msg);
	return err_set(e, EINVAL, "'%s: %.300s' is not written, because Proxmox would read %s%.300s%s", key, value,
		       got ? "'" : "nothing", got ? got : "", got ? "'" : "");
}

/* Keeps a way back: a change that does not read back as meant is none. */
static int back(struct vmedit *ed, struct vmconf *before, bool newline_added, int r)
{
	if (r < 0) {
		vmconf_free(ed->now);
		ed->now = before;
		ed->newline_added = newline_added;
	} else {
		vmconf_free(before);
	}
	return r;
}

int vmedit_set(struct vmedit *ed, enum vmconf_section_kind where, const char *key, const char *value,
	       struct err *e)
{
	const struct vmconf_line *line = vmconf_find(ed->now, vmconf_section(ed->now, where, NULL), key);
	size_t dropped = count_dropped(ed->now);
	bool newline_added = ed->newline_added;
	struct vmconf *before = NULL;
	int r;

	if (line && line->value && strlen(line->value) == line->value_len && strcmp(line->value, value) == 0)
		return 0;
	if (strpbrk(value, "\r\n"))
		return err_set(e, EINVAL, "the value of '%s' has more than one line", key);
	/* QemuServer.pm: write_vm_config takes one pair of quotes off. */
	if (strcmp(key, "args") == 0 && *value == '"' && value[strlen(value) - 1] == '"')
		return err_set(e, EINVAL, "'args: %.300s' is not written: Proxmox would take its quotes off at the next change",
			       value);
	r = vmconf_parse_env(ed->now->bytes, ed->now->len, ed->env, &before, e);
	if (r < 0)
		return r;
	r = line ? replace_value(ed, line, value, e) : add_key(ed, where, key, value, e);
	if (r == 0)
		r = check_read_back(ed, where, key, value, dropped, e);
	return back(ed, before, newline_added, r);
}

/* --- taking out -------------------------------------------------------------------------------- */

/* Nothing but its header is left, and no earlier [PENDING] would come to life again. */
static bool is_hollow(const struct vmconf *c, const struct vmconf_section *s)
{
	if (content_end(c, s) != s->first + 1)
		return false;
	for (size_t i = 0; i < c->n_sections; i++)
		if (c->sections[i].kind == VMCONF_PENDING && &c->sections[i] != s)
			return false;
	return true;
}

static int remove_hollow_pending(struct vmedit *ed, struct err *e)
{
	const struct vmconf *c = ed->now;
	const struct vmconf_section *s = vmconf_section(c, VMCONF_PENDING, NULL);
	size_t first;

	if (!s || !is_hollow(c, s))
		return 0;
	first = s->first;
	if (first && c->lines[first - 1].kind == VMCONF_BLANK)
		first--;
	return splice(ed, c->lines[first].off, line_end(&c->lines[s->first]), "", 0, e);
}

static const struct vmconf_line *find_any(const struct vmconf *c, const struct vmconf_section *s,
					  const char *key)
{
	for (size_t i = s ? s->first : 0; s && i < s->end; i++)
		if (c->lines[i].kind == VMCONF_KEY && c->lines[i].verdict != VMCONF_DROPPED &&
		    c->lines[i].verdict != VMCONF_SKIPPED && strcmp(c->lines[i].key, key) == 0)
			return &c->lines[i];
	return NULL;
}

int vmedit_unset(struct vmedit *ed, enum vmconf_section_kind where, const char *key, struct err *e)
{
	const struct vmconf_line *line;
	bool found = false;
	int r = 0;

	while (r == 0 && (line = find_any(ed->now, vmconf_section(ed->now, where, NULL), key))) {
		r = splice(ed, line->off, line_end(line), "", 0, e);
		found = true;
	}
	if (r == 0 && found && where == VMCONF_PENDING)
		r = remove_hollow_pending(ed, e);
	return r;
}
