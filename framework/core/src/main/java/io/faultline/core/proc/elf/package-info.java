// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Core dumps: a process's memory as an ELF64 core file, as {@code fs/coredump.c} and {@code
 * fs/binfmt_elf.c} of Linux write it. {@link io.faultline.core.proc.elf.CoreWriter} puts it together:
 *
 * <pre>
 * ELF header | PT_NOTE PT_LOAD … | notes | (to a page) | contents of each area | (section header)
 *                  ^                 ^                      ^
 *             AreaSnapshot         CoreNotes             DumpPages
 *             DumpRules
 * </pre>
 *
 * A {@link io.faultline.core.proc.elf.CoreSink} takes the bytes: a file with holes, or a stream. The
 * address space's lock is held for reading while the areas are listed and while a stretch of pages is
 * copied, never while something is written.
 */
@NullMarked
package io.faultline.core.proc.elf;

import org.jspecify.annotations.NullMarked;
