/* SPDX-License-Identifier: ISC */
/* flopen(3), which compat.h declares. */
