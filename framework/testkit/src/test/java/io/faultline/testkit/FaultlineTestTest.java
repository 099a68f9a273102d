// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.engine.JupiterTestEngine;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** What the annotation and the kernel that it boots promise. */
@FaultlineTest(memory = 4 << 20, maxMapCount = 100)
class FaultlineTestTest {
  private final Kernel kernel;

  FaultlineTestTest(Kernel kernel) {
    this.kernel = kernel;
  }

  @Test
  void constructorAndMethodGetTheSameKernel(Kernel asAKernel, BootedKernel asItself) {
    assertThat(asAKernel).isSameAs(kernel).isSameAs(asItself);
  }

  @Test
  void everyTestHasItsOwn() {
    assertThat(kernel.tasks().list()).isEmpty();
    assertThat(kernel.spawn().task().pid()).isEqualTo(1);
  }

  @Test
  void hasTheMemoryAndLimitsThatTheAnnotationNames(BootedKernel booted) {
    assertThat(booted.frames().total()).isEqualTo(1024);
    assertThat(kernel.spawn().task().profile().maxMapCount()).isEqualTo(100);
  }

  @Test
  void bootsInMilliseconds() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    // The least of several runs, and of the processor's time: neither says how busy the machine is.
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 20; i++) {
      long before = threads.getCurrentThreadCpuTime();
      boot().close();
      least = Math.min(least, threads.getCurrentThreadCpuTime() - before);
    }

    assertThat(Duration.ofNanos(least)).isLessThan(Duration.ofMillis(25));
  }

  @Test
  void closeEndsEveryProcess() throws ErrnoException {
    BootedKernel other = boot();
    Program program = other.spawn();
    Program child = program.fork();

    other.close();

    assertThat(program.task().alive()).isFalse();
    assertThat(child.task().alive()).isFalse();
  }

  @Test
  void aFrameThatIsLeftFailsTheTestThatLostIt() {
    TestExecutionSummary summary = run(Leaky.class);

    assertThat(summary.getTestsSucceededCount()).isEqualTo(1);
    assertThat(summary.getFailures()).singleElement().satisfies(failure -> {
      assertThat(failure.getTestIdentifier().getDisplayName()).isEqualTo("loses(BootedKernel)");
      assertThat(failure.getException()).isInstanceOf(AssertionError.class)
          .hasMessageContaining("frames are left").hasMessageContaining("driver=1");
    });
  }

  @Test
  void aFrameThatADriverStillHoldsDoesNot() throws ErrnoException {
    try (BootedKernel other = boot()) {
      assertThat(other.pages("tidy").allocate().referenceCount()).isEqualTo(1);
    }
  }

  private static BootedKernel boot() {
    return BootedKernel.boot(4 << 20, KernelProfile.LINUX_6_18);
  }

  private static TestExecutionSummary run(Class<?> testClass) {
    SummaryGeneratingListener listener = new SummaryGeneratingListener();
    LauncherFactory.create(LauncherConfig.builder().enableTestEngineAutoRegistration(false)
        .addTestEngines(new JupiterTestEngine()).build()).execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(testClass)).build(),
            listener);
    return listener.getSummary();
  }

  /** Run by {@link #aFrameThatIsLeftFailsTheTestThatLostIt} alone. */
  @FaultlineTest(memory = 4 << 20)
  static final class Leaky {
    @Test
    void loses(BootedKernel kernel) throws ErrnoException {
      Page page = kernel.pages("leaky").allocate();
      AutoCloseable unused =
          kernel.devices().register(DeviceRegistration.of("leaky"), new TakesAndForgets(page));
      Program program = kernel.spawn();
      int fd = program.open("/dev/leaky", AccessMode.READ_WRITE);
      long address = program.mmapShared(fd, Mman.PAGE_SIZE, 0);
      program.memory().touch(address, Access.READ);
      program.memory().touch(address, Access.WRITE);
    }

    @Test
    void losesNothing(Kernel kernel) {
      assertThat(kernel.spawn().areas()).isNotEmpty();
    }
  }

  /** Its {@code pageMkwrite} takes a reference that nobody keeps account of. */
  private record TakesAndForgets(Page page) implements MmapProvider, VmOperations {
    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(this);
    }

    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      return Nopage.minor(page.get());
    }

    @Override
    public Nopage pageMkwrite(Vma vma, long address, Page written) {
      return Nopage.minor(written.get());
    }
  }
}
