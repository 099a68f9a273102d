// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static io.faultline.mm.Mman.MADV_PAGEOUT;
import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.itests.harness.KernelLog;
import io.faultline.itests.harness.Machine;
import io.faultline.kernel.Proc;
import io.faultline.kernel.SwapInfo;
import io.faultline.kernel.Swaps;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.UserMemory;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.service.cm.ConfigurationAdmin;

/** The bundle of swap-zram in a machine of 4 MiB: installed, used, switched off, uninstalled. */
@InFelix
class SwapUnderPressureIT {
  private static final int FRAMES = 1024;
  private static final String ZRAM = "/dev/zram0";

  private Machine machine;
  private BundleContext context;

  @BeforeEach
  void bootASmallMachine(BundleContext given, ConfigurationAdmin configurations) throws Exception {
    context = given;
    machine =
        Machine.boot(
            given, configurations, Map.of("memory.bytes", (long) FRAMES * PAGE_SIZE));
  }

  @AfterEach
  void bootTheFirstMachine() throws Exception {
    machine.close();
  }

  private <S> S current(Class<S> type) {
    return machine.service(type);
  }

  private Bundle insmod() throws Exception {
    Path jar = Path.of(context.getProperty("faultline.available"), "swap-zram.jar");
    Bundle bundle = context.installBundle(jar.toUri().toString());
    bundle.start();
    Eventually.holds("the kernel uses it",
        () -> current(Swaps.class).list().stream().anyMatch(one -> one.name().equals(ZRAM)));
    return bundle;
  }

  private long used() {
    return current(Swaps.class).list().stream().mapToLong(SwapInfo::used).sum();
  }

  private long map(Task task, int pages) throws ErrnoException {
    long base = current(VmaService.class).mmap(
        task, 0, (long) pages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
        0);
    UserMemory memory = task.newCpu();
    for (int i = 0; i < pages; i++) {
      memory.putLong(base + (long) i * PAGE_SIZE, i + 77);
    }
    return base;
  }

  private static void check(Task task, long base, int pages) {
    UserMemory memory = task.newCpu();
    for (int i = 0; i < pages; i++) {
      assertThat(memory.getLong(base + (long) i * PAGE_SIZE)).as("page %d", i).isEqualTo(i + 77);
    }
  }

  @Test
  void itIsUsedAndSwitchedOffAsSoonAsItsPagesFit() throws Exception {
    Bundle bundle = insmod();
    Swaps swaps = current(Swaps.class);
    Task task = current(Tasks.class).spawn("big");
    long base = map(task, 2 * FRAMES);
    assertThat(current(Proc.class).swaps()).contains(ZRAM);
    assertThat(used()).isGreaterThan(FRAMES);
    assertThatThrownBy(() -> swaps.swapoff(ZRAM))
        .isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
    check(task, base, 2 * FRAMES);
    current(VmaService.class).munmap(
        task, base + (long) FRAMES / 2 * PAGE_SIZE, (long) 3 * FRAMES / 2 * PAGE_SIZE);
    swaps.swapoff(ZRAM);
    assertThat(swaps.list()).isEmpty();
    check(task, base, FRAMES / 2);
    bundle.uninstall();
    check(task, base, FRAMES / 2);
  }

  @Test
  void uninstallingItsBundleBringsItsPagesHome() throws Exception {
    Task task = current(Tasks.class).spawn("small");
    long base = map(task, 128);
    WeakReference<ClassLoader> loader = pageOutAndUninstall(task, base, 128);
    assertThat(current(Swaps.class).list()).isEmpty();
    check(task, base, 128);
    Eventually.collected("the driver's class loader", loader);
  }

  private WeakReference<ClassLoader> pageOutAndUninstall(Task task, long base, int pages)
      throws Exception {
    Bundle bundle = insmod();
    current(VmaService.class).madvise(task, base, (long) pages * PAGE_SIZE, MADV_PAGEOUT);
    assertThat(used()).isEqualTo(pages);
    WeakReference<ClassLoader> loader = new WeakReference<>(loader(bundle));
    bundle.uninstall();
    return loader;
  }

  private static ClassLoader loader(Bundle bundle) {
    return bundle.adapt(BundleWiring.class).getClassLoader();
  }

  @Test
  void whatDoesNotFitIsLostWithAMessageAndNothingElse() throws Exception {
    Task task = current(Tasks.class).spawn("big");
    try (KernelLog log = new KernelLog()) {
      Lost lost = fillAndUninstall(task);
      assertThat(log.warnings())
          .anySatisfy(line -> assertThat(line).contains("a swap device is gone with")
              .contains("accesses to them get SIGBUS"));
      UserMemory memory = task.newCpu();
      int refused = 0;
      for (int i = 0; i < 2 * FRAMES; i++) {
        long address = lost.base + (long) i * PAGE_SIZE;
        SignalException signal =
            catchThrowableOfType(SignalException.class, () -> memory.getLong(address));
        if (signal != null) {
          refused++;
          assertThat(signal.info().code()).isEqualTo(SignalCode.BUS_ADRERR);
          assertThat(signal.info().cause()).contains(ZRAM).contains("its driver is gone");
        } else {
          assertThat(memory.getLong(address)).isEqualTo(i + 77);
        }
      }
      assertThat(refused).isBetween(FRAMES / 2, 2 * FRAMES - FRAMES / 2);
      assertThat(current(Proc.class).swaps()).contains(ZRAM + "\\040(deleted)");
      Eventually.collected("the driver's class loader", lost.loader);
    }
    insmod().uninstall();
    current(Tasks.class).exit(task, 0);
    assertThat(current(Swaps.class).list()).isEmpty();
  }

  private record Lost(long base, WeakReference<ClassLoader> loader) {}

  private Lost fillAndUninstall(Task task) throws Exception {
    Bundle bundle = insmod();
    long base = map(task, 2 * FRAMES);
    WeakReference<ClassLoader> loader = new WeakReference<>(loader(bundle));
    bundle.uninstall();
    return new Lost(base, loader);
  }
}
