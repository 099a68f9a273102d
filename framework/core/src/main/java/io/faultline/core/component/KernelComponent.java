// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.Kernel;
import io.faultline.core.device.Watchdog;
import io.faultline.kernel.KernelProfile;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.Designate;

/**
 * Boots the kernel that its configuration describes, and shuts it down. A service for the other
 * components of this room alone: nobody else can see its class.
 */
@Component(name = KernelComponent.PID, service = KernelComponent.class, immediate = true)
@Designate(ocd = KernelConfig.class)
public final class KernelComponent {
  static final String PID = "io.faultline.kernel";

  private static final int CENTISECOND_MILLIS = 10;

  private final KernelLog log = new KernelLog();
  private final Kernel kernel;
  private final KernelThread watchdog;
  private final KernelThread writeback;
  private final KernelThread kswapd;
  private final PageAccounts accounts;

  /**
   * Boots.
   *
   * @throws IllegalArgumentException when no such machine can be
   */
  @Activate
  public KernelComponent(KernelConfig config) {
    kernel = new Kernel(config.memory_bytes(), profile(config), log);
    kernel.deviceTable().setGapMillis(config.driver_gap_millis());
    kernel.deviceTable().setKeptBytes(config.driver_kept_bytes());
    kernel.deviceTable().setErrorBudget(config.driver_error_budget());
    kernel.cores().setPattern(config.core_pattern());
    kernel.setDriverThreads(new DriverThreadPool());
    watchdog =
        KernelThread.every(
            "watchdog", Watchdog.PERIOD_MILLIS, kernel.watchdog(), "the watchdog over drivers",
            log);
    kswapd = new KernelThread("kswapd", kernel.reclaim());
    accounts = new PageAccounts(kernel, log);
    writeback = writeback(config);
  }

  /** Writes files back that have been dirty for a while: what {@code kworker/…flush} does in Linux. */
  private KernelThread writeback(KernelConfig config) {
    long interval = Math.max(1L, config.vm_dirty__writeback__centisecs()) * CENTISECOND_MILLIS;
    // Never 0, which means all at once.
    long expire = Math.max(
        1,
        TimeUnit.MILLISECONDS.toNanos(
            (long) config.vm_dirty__expire__centisecs() * CENTISECOND_MILLIS));
    return KernelThread.every(
        "writeback", interval, () -> kernel.writeback(expire), "the write-back of files", log);
  }

  /** Shuts down: all processes end. Whoever used the kernel has let go of it by now. */
  @Deactivate
  public void close() {
    try {
      writeback.close();
      kswapd.close();
      kernel.close();
    } finally {
      watchdog.close();
    }
  }

  Kernel kernel() {
    return kernel;
  }

  PageAccounts accounts() {
    return accounts;
  }

  KernelLog log() {
    return log;
  }

  static KernelProfile profile(KernelConfig config) {
    KernelProfile linux = KernelProfile.LINUX_6_18;
    return new KernelProfile(
        linux.name(),
        linux.taskSize(),
        config.vm_mmap__min__addr(),
        linux.lowestPlacement(),
        config.stack__guard__gap(),
        config.vm_max__map__count(),
        config.memory_total_bytes(),
        config.swap_total_bytes(),
        config.vm_overcommit__memory(),
        config.vm_overcommit__ratio(),
        config.transparent__hugepage(),
        linux.protectionKeys(),
        config.vm_nr__hugepages());
  }
}
