/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-1 of a whole buffer (FIPS 180-4, section 6.1). */
#include "sha1.h"

#include <stdint.h>
#include <string.h>

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t big_endian(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* One round over the five words. */
#define ROUND(f, k, t) do { \
	uint32_t next = rotate(a, 5) + (f) + e + (k) + w[t]; \
	e = d; \
	d = c; \
	c = rotate(b, 30); \
	b = a; \
	a = next; \
} while (0)

static void block(uint32_t hash[5], const unsigned char *p)
{
	uint32_t w[80], a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4];

	for (unsigned t = 0; t < 16; t++)
		w[t] = big_endian(p + 4 * t);
	for (unsigned t = 16; t < 80; t++)
		w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	for (unsigned t = 0; t < 20; t++)
		ROUND((b & c) | (~b & d), 0x5a827999, t);
	for (unsigned t = 20; t < 40; t++)
		ROUND(b ^ c ^ d, 0x6ed9eba1, t);
	for (unsigned t = 40; t < 60; t++)
		ROUND((b & c) | (b & d) | (c & d), 0x8f1bbcdc, t);
	for (unsigned t = 60; t < 80; t++)
		ROUND(b ^ c ^ d, 0xca62c1d6, t);
	hash[0] += a;
	hash[1] += b;
	hash[2] += c;
	hash[3] += d;
	hash[4] += e;
}

void sha1_hex(const void *bytes, size_t len, char ret[SHA1_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	uint32_t hash[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	const unsigned char *p = bytes;
	unsigned char tail[128] = { 0 };
	size_t whole = len / 64 * 64, rest = len - whole, padded = rest < 56 ? 64 : 128;

	for (size_t i = 0; i < whole; i += 64)
		block(hash, p + i);
	if (rest)
		memcpy(tail, p + whole, rest);
	tail[rest] = 0x80;
	for (unsigned i = 0; i < 8; i++)
		tail[padded - 1 - i] = (unsigned char)((uint64_t)len * 8 >> (8 * i));
	for (size_t i = 0; i < padded; i += 64)
		block(hash, tail + i);
	for (unsigned i = 0; i < 40; i++)
		ret[i] = hex[hash[i / 8] >> (28 - 4 * (i % 8)) & 15];
	ret[40] = '\0';
}
