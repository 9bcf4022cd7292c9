/* Checksums by cyclic redundancy. Private to base: others use digest.h. Any thread.
 * Each function continues from `crc`, the value for the bytes before (0 at the start). */
#ifndef CISTERN_BASE_CRC_H
#define CISTERN_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc_32(uint32_t crc, const void *p, size_t n);
uint32_t crc_32c(uint32_t crc, const void *p, size_t n);
uint64_t crc_64nvme(uint64_t crc, const void *p, size_t n);
/* The ways that serve processors without the instructions; for tests too. */
uint32_t crc_32_table(uint32_t crc, const void *p, size_t n);
uint32_t crc_32c_table(uint32_t crc, const void *p, size_t n);
uint64_t crc_64nvme_table(uint64_t crc, const void *p, size_t n);

#define CRC_POLY_32 0xedb88320u /* reflected */
#define CRC_POLY_32C 0x82f63b78u
#define CRC_POLY_64NVME 0x9a6c9329ac4bc9b5u

/* CRC of A‖B from that of A, that of B and B's length, for a reflected CRC of `bits` bits with
 * all-ones before and after. */
uint64_t crc_combine(uint64_t poly, unsigned bits, uint64_t a, uint64_t b, uint64_t b_bytes);

#endif
