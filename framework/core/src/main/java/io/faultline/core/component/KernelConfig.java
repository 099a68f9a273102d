// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.KernelProfile.Overcommit;
import io.faultline.kernel.KernelProfile.TransparentHugePages;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * The machine to boot, PID {@value KernelComponent#PID}. The properties are named as Linux names them
 * where it has a name; the defaults are those of {@link KernelProfile#LINUX_6_18}.
 */
@ObjectClassDefinition(
    name = "Faultline kernel",
    description = "The simulated machine. A change boots it anew: all processes end.")
public @interface KernelConfig {
  /** Simulated physical memory: what all processes and drivers together can fill. */
  @AttributeDefinition(
      name = "memory.bytes",
      description = "frames of physical memory, in bytes; a multiple of 4096. Memory of the host is"
          + " used only for frames that were written",
      min = "16384")
  long memory_bytes() default 256L << 20;

  /** {@code MemTotal} of {@code /proc/meminfo}, which overcommit reckons with. */
  @AttributeDefinition(
      name = "memory.total.bytes",
      description = "MemTotal that overcommit reckons with, in bytes; may be more than memory.bytes")
  long memory_total_bytes() default 4L << 30;

  /** {@code SwapTotal} of {@code /proc/meminfo}, which overcommit reckons with. */
  @AttributeDefinition(
      name = "swap.total.bytes",
      description = "SwapTotal that overcommit reckons with, in bytes")
  long swap_total_bytes() default 0;

  /** {@code vm.max_map_count}. */
  @AttributeDefinition(
      name = "vm.max_map_count",
      description = "areas allowed in one address space",
      min = "1")
  int vm_max__map__count() default 65530;

  /** {@code vm.mmap_min_addr}. */
  @AttributeDefinition(
      name = "vm.mmap_min_addr",
      description = "lowest address that may be mapped without CAP_SYS_RAWIO, in bytes",
      min = "0")
  long vm_mmap__min__addr() default 4096;

  /** {@code vm.overcommit_memory}. */
  @AttributeDefinition(
      name = "vm.overcommit_memory",
      description = "HEURISTIC (0), ALWAYS (1) or NEVER (2)")
  Overcommit vm_overcommit__memory() default Overcommit.HEURISTIC;

  /** {@code vm.overcommit_ratio}. */
  @AttributeDefinition(
      name = "vm.overcommit_ratio",
      description = "percent of MemTotal that may be committed with vm.overcommit_memory NEVER",
      min = "0")
  int vm_overcommit__ratio() default 50;

  /** {@code stack_guard_gap} of the kernel's command line. */
  @AttributeDefinition(
      name = "stack_guard_gap",
      description = "pages kept free below a growing stack",
      min = "0")
  int stack__guard__gap() default 256;

  /** {@code transparent_hugepage} of the kernel's command line. */
  @AttributeDefinition(
      name = "transparent_hugepage",
      description = "ALWAYS, MADVISE or NEVER")
  TransparentHugePages transparent__hugepage() default TransparentHugePages.MADVISE;

  /** {@code vm.nr_hugepages}. */
  @AttributeDefinition(
      name = "vm.nr_hugepages",
      description = "free pages of 2 MiB for MAP_HUGETLB",
      min = "0")
  long vm_nr__hugepages() default 0;

  /** {@code kernel.core_pattern}. */
  @AttributeDefinition(
      name = "core.pattern",
      description = "file that a process dying of SIGSEGV or SIGBUS dumps its core to, such as"
          + " /tmp/core.%e.%p; knows %p %e %s %t %u %h %%; empty for none. With it a refused access"
          + " ends the process unless it handles the signal")
  String core_pattern() default "";

  /** {@code vm.dirty_writeback_centisecs}. */
  @AttributeDefinition(
      name = "vm.dirty_writeback_centisecs",
      description = "how often files are looked at for pages to be written back, in hundredths of a"
          + " second; at each look changes of their size by others are noticed too",
      min = "1")
  int vm_dirty__writeback__centisecs() default 500;

  /** {@code vm.dirty_expire_centisecs}. */
  @AttributeDefinition(
      name = "vm.dirty_expire_centisecs",
      description = "how long a page of a file may be dirty before it is written back, in hundredths"
          + " of a second",
      min = "0")
  int vm_dirty__expire__centisecs() default 3000;

  /** How long accesses wait for a driver that was removed or is being updated. */
  @AttributeDefinition(
      name = "driver.gap.millis",
      description = "how long accesses wait for a driver that is stopped to come back, in"
          + " milliseconds, before its device.unplug answers; one that is uninstalled is not waited"
          + " for",
      min = "0")
  int driver_gap_millis() default 2000;

  /** How much is kept of what drivers have saved that are stopped or being updated. */
  @AttributeDefinition(
      name = "driver.kept.bytes",
      description = "how much is kept at most of what drivers saved when they were stopped, state and"
          + " pages, in bytes; the oldest goes first. 0 for nothing",
      min = "0")
  long driver_kept_bytes() default 64L << 20;

  /** So many errors of one driver are forgiven. */
  @AttributeDefinition(
      name = "driver.error.budget",
      description = "so many errors of one driver are forgiven; with one more it is quarantined until"
          + " driver restore brings it back. 0 for any number",
      min = "0")
  int driver_error_budget() default 100;
}
