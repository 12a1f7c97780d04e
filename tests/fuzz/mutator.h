/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mutator - libFuzzer begins now and then with an input that is nearly valid
 */
#ifndef TESTS_FUZZ_MUTATOR_H
#define TESTS_FUZZ_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

size_t fuzz_make_input(uint8_t *data, size_t max, uint64_t (*random)(void));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed);
/* libFuzzer's mutator calls this; driver.c calls fuzz_make_input() itself. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
	__attribute__((weak));

static uint64_t mutator_state;

static uint64_t mutator_random(void)
{
	uint64_t z = mutator_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	return z ^ z >> 31;
}

/*
 * From an empty input libFuzzer takes long to find a ring that starts at all.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed)
{
	mutator_state = seed;
	if (max >= 3000 && (size < 64 || !(mutator_random() % 16)))
		return fuzz_make_input(data, max, mutator_random);
	return LLVMFuzzerMutate(data, size, max);
}

#endif
