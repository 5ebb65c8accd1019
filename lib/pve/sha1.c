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

static uint32_t mix(unsigned t, const uint32_t v[5])
{
	if (t < 20)
		return ((v[1] & v[2]) | (~v[1] & v[3])) + 0x5a827999;
	if (t < 40)
		return (v[1] ^ v[2] ^ v[3]) + 0x6ed9eba1;
	if (t < 60)
		return ((v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3])) + 0x8f1bbcdc;
	return (v[1] ^ v[2] ^ v[3]) + 0xca62c1d6;
}

static void block(uint32_t hash[5], const unsigned char *p)
{
	uint32_t w[80], v[5];

	for (unsigned t = 0; t < 16; t++)
		w[t] = big_endian(p + 4 * t);
	for (unsigned t = 16; t < 80; t++)
		w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	memcpy(v, hash, sizeof(v));
	for (unsigned t = 0; t < 80; t++) {
		uint32_t next = rotate(v[0], 5) + mix(t, v) + v[4] + w[t];

		v[4] = v[3];
		v[3] = v[2];
		v[2] = rotate(v[1], 30);
		v[1] = v[0];
		v[0] = next;
	}
	for (unsigned i = 0; i < 5; i++)
		hash[i] += v[i];
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
