// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import static org.junit.jupiter.api.Assertions.assertSame;

import io.faultline.device.MmapProvider;
import io.faultline.kernel.KernelProfile;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.compliance.Step.Fill;
import io.faultline.testkit.compliance.Step.Load;
import io.faultline.testkit.compliance.Step.Map;
import java.lang.ref.WeakReference;
import java.lang.reflect.Constructor;
import java.time.Duration;
import java.util.List;

/** Has a driver live in a class loader of its own, and looks whether that can be collected. */
final class LoaderCheck {
  /** Tries. */
  static final int COLLECTIONS = 20;

  private final DriverCompliance compliance;

  LoaderCheck(DriverCompliance compliance) {
    this.compliance = compliance;
  }

  /**
   * Whether it is; what is reachable softly may not be, as the JVM likes.
   *
   * @param patience for threads that ran it, and may take a while to end
   */
  boolean isCollected(Duration patience) throws Exception {
    WeakReference<ClassLoader> loader = liveInAnotherLoader();
    long deadline = System.nanoTime() + patience.toNanos();
    for (int i = 0; loader.get() != null
        && (i < COLLECTIONS || System.nanoTime() < deadline); i++) {
      System.gc();
      Thread.sleep(i < 10 ? 5 : 30);
    }
    return loader.get() == null;
  }

  private WeakReference<ClassLoader> liveInAnotherLoader() throws Exception {
    Class<?> test = compliance.getClass();
    try (OwnLoader loader = OwnLoader.of(test, driverClass())) {
      Class<?> twin = loader.loadClass(test.getName());
      assertSame(loader, twin.getClassLoader(), "who loaded the test a second time");
      new History(newInstance(twin)).live(
          List.of(
              new Fill(), new Map(0, 0, Step.PAGES, 0, true, true), new Load(0, 0)));
      return new WeakReference<>(loader);
    }
  }

  /** A test of that class, made as JUnit makes it. */
  static DriverCompliance newInstance(Class<?> test) throws ReflectiveOperationException {
    Constructor<?> constructor = test.getDeclaredConstructor();
    constructor.setAccessible(true);
    return (DriverCompliance) constructor.newInstance();
  }

  private Class<?> driverClass() throws Exception {
    try (BootedKernel kernel =
        BootedKernel.boot(compliance.memory(), KernelProfile.LINUX_6_18)) {
      MmapProvider sample =
          compliance.driver(kernel.pages("sample"), kernel.memory("sample"), kernel.io("sample"));
      compliance.remove(sample);
      return sample.getClass();
    }
  }
}
