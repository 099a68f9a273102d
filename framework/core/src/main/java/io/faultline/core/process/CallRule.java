// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.area.Rule;
import io.faultline.core.jfr.CallEvent;
import io.faultline.core.jfr.MmapEvent;
import io.faultline.core.jfr.MunmapEvent;
import io.faultline.core.mm.AioContexts;
import io.faultline.core.mm.BrkOperation;
import io.faultline.core.mm.MadviseOperation;
import io.faultline.core.mm.MempolicyOperation;
import io.faultline.core.mm.MincoreOperation;
import io.faultline.core.mm.MlockOperation;
import io.faultline.core.mm.MmapOperation;
import io.faultline.core.mm.MprotectOperation;
import io.faultline.core.mm.MremapOperation;
import io.faultline.core.mm.MsealOperation;
import io.faultline.core.mm.MsyncOperation;
import io.faultline.core.mm.MunmapOperation;
import io.faultline.core.mm.ProtectionKeys;
import io.faultline.core.mm.RemapFilePagesOperation;
import io.faultline.core.mm.SysvShm;
import io.faultline.kernel.Decision.Kind;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The memory calls, each with its own checks; the constant in small letters is the call's name. */
enum CallRule implements Rule {
  MMAP(Kind.CHECK, "the checks of mmap", "do_mmap", MmapOperation.class),
  MUNMAP(Kind.CHECK, "the checks of munmap", "do_vmi_munmap", MunmapOperation.class),
  MPROTECT(Kind.CHECK, "the checks of mprotect", "do_mprotect_pkey", MprotectOperation.class),
  PKEY_MPROTECT(
      Kind.CHECK, "the checks of pkey_mprotect",
      "RULES 15, do_mprotect_pkey", MprotectOperation.class),
  PKEY_ALLOC(Kind.CHECK, "the checks of pkey_alloc", "__do_sys_pkey_alloc", ProtectionKeys.class),
  PKEY_FREE(Kind.CHECK, "the checks of pkey_free", "__do_sys_pkey_free", ProtectionKeys.class),
  BRK(Kind.CHECK, "the checks of brk", "__do_sys_brk", BrkOperation.class),
  MREMAP(Kind.CHECK, "the checks of mremap", "RULES 9, do_mremap", MremapOperation.class),
  MADVISE(Kind.CHECK, "the checks of madvise", "do_madvise", MadviseOperation.class),
  MSYNC(Kind.CHECK, "the checks of msync", "__do_sys_msync", MsyncOperation.class),
  MLOCK(Kind.CHECK, "the checks of mlock", "do_mlock", MlockOperation.class),
  MLOCK2(Kind.CHECK, "the checks of mlock2", "do_mlock", MlockOperation.class),
  MUNLOCK(Kind.CHECK, "the checks of munlock", "apply_vma_lock_flags", MlockOperation.class),
  MLOCKALL(Kind.CHECK, "the checks of mlockall", "__do_sys_mlockall", MlockOperation.class),
  MUNLOCKALL(Kind.CHECK, "the checks of munlockall", "apply_mlockall_flags", MlockOperation.class),
  MINCORE(Kind.CHECK, "the checks of mincore", "do_mincore", MincoreOperation.class),
  MSEAL(Kind.CHECK, "the checks of mseal", "RULES 19, do_mseal", MsealOperation.class),
  REMAP_FILE_PAGES(
      Kind.CHECK, "the checks of remap_file_pages",
      "__do_sys_remap_file_pages", RemapFilePagesOperation.class),
  MBIND(Kind.CHECK, "the checks of mbind", "do_mbind", MempolicyOperation.class),
  SET_MEMPOLICY(
      Kind.CHECK, "the checks of set_mempolicy", "mpol_new", MempolicyOperation.class),
  PRCTL(Kind.CHECK, "the checks of prctl", "__do_sys_prctl", SystemCalls.class),
  SHMGET(Kind.CHECK, "the checks of shmget", "newseg", SysvShm.class),
  SHMCTL(Kind.CHECK, "the checks of shmctl", "shmctl_down", SysvShm.class),
  SHMAT(Kind.CHECK, "the checks of shmat", "do_shmat", SysvShm.class),
  SHMDT(Kind.CHECK, "the checks of shmdt", "ksys_shmdt", SysvShm.class),
  IO_SETUP(Kind.CHECK, "the checks of io_setup", "ioctx_alloc", AioContexts.class),
  IO_DESTROY(Kind.CHECK, "the checks of io_destroy", "__do_sys_io_destroy", AioContexts.class);

  private final Facts facts;

  CallRule(Kind kind, String text, String source, Class<?> decider) {
    this.facts = new Facts(kind, text, source, decider);
  }

  /** The system call's name. */
  String call() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Begins an event for Flight Recorder; null while nobody records such calls. */
  @Nullable CallEvent startEvent() {
    return switch (this) {
      case MMAP -> MmapEvent.start();
      case MUNMAP -> MunmapEvent.start();
      default -> null;
    };
  }

  @Override
  public Facts facts() {
    return facts;
  }
}
