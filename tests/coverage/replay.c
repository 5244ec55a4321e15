/* SPDX-License-Identifier: ISC */
/*
 * Replays the inputs of a fuzzer's corpus without libFuzzer, which gcc lacks.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX	(1 << 20)

int LLVMFuzzerInitialize(int *, char ***) __attribute__((weak));
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* In memory of exactly its size.  0 or -1. */
static int
replay(const char *path)
{
	static uint8_t bytes[INPUT_MAX];
	uint8_t *input;
	FILE *f = fopen(path, "rb");
	size_t n, i;

	if (f == NULL)
		return -1;
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	if ((input = malloc(n + 1)) == NULL)
		return -1;
	for (i = 0; i < n; i++)
		input[i] = bytes[i];
	LLVMFuzzerTestOneInput(input, n);
	free(input);
	return 0;
}

int
main(int argc, char **argv)
{
	int i;

	if (LLVMFuzzerInitialize != NULL)
		LLVMFuzzerInitialize(&argc, &argv);
	for (i = 1; i < argc; i++)
		if (replay(argv[i]) == -1) {
			perror(argv[i]);
			return 1;
		}
	printf("%d inputs\n", argc - 1);
	return 0;
}
