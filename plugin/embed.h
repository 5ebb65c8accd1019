/* SPDX-License-Identifier: GPL-2.0-or-later */
/* embed - files of the source that are inside the program; the Makefile says which object depends on which. */
#ifndef EMBED_H
#define EMBED_H

/* `name` to `name`_end, which is a zero byte: the content of the file. */
#define EMBED(name, path)	\
	__asm__(".section .rodata\n.globl " #name ", " #name "_end\n" #name ": .incbin \"" path "\"\n" #name "_end: .byte 0\n.previous\n"); \
	extern const char name[], name##_end[]

#endif
