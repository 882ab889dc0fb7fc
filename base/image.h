/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image - gives back what of the program's own file was needed to start, and will hardly be needed again
 *
 * Process:  any
 *
 * Code and constants are pages of a file: dropped from a process they stay in the kernel's cache as long as there is
 * room, and come back when they are touched. Programs that live for days had as much of it resident as it took to
 * start.
 */
#pragma once

/* Of what cannot be written: nothing that a process has made is lost (madvise(2), MADV_DONTNEED). */
void image_give_back(void);
