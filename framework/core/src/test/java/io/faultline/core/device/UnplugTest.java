// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static io.faultline.core.device.DeviceRig.START;
import static io.faultline.core.device.DeviceRig.named;
import static io.faultline.core.device.DeviceRig.operations;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.area.Area;
import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A driver is taken away while its device is open and mapped. */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class UnplugTest {
  private final DeviceRig rig = new DeviceRig();
  private final List<String> events = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    rig.close();
  }

  /** Writes down every call. */
  private final class Noting implements MmapProvider, VmOperations {
    @Override
    public void open(OpenFile file) {
      events.add("open file");
    }

    @Override
    public void release(OpenFile file) {
      events.add("release file");
    }

    @Override
    public int read(OpenFile file, long offset, java.lang.foreign.MemorySegment target) {
      events.add("read");
      return 0;
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      events.add("mmap");
      request.setOperations(this);
      request.setPrivateData(this);
    }

    @Override
    public void open(Vma vma) {
      events.add("open area");
    }

    @Override
    public void close(Vma vma) {
      events.add("close area");
    }

    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      events.add("nopage");
      return Nopage.SIGBUS;
    }
  }

  private static void assertErrno(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(
        ErrnoException.class, e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
  }

  /** What core.mm does: closes the area and leaves gone operations behind. */
  private void closeOnUnplug(Area area) {
    rig.table.addUnplugHandler(driver -> {
      if (driver.owns(area)) {
        events.add("unplug");
        operations(area).close(area);
        area.setOperations(driver.goneOperations(area));
        area.setPrivateData(null);
      }
    });
  }

  @Test
  void areasAreClosedAndFilesReleasedWhileTheCodeIsStillThere() throws Exception {
    Driver driver = rig.table.register(named("scull"), new Noting());
    Area area = rig.map(rig.open("scull"), 2);
    closeOnUnplug(area);

    driver.close();

    assertThat(events)
        .containsExactly("open file", "mmap", "unplug", "close area", "release file");
  }

  @Test
  void duringTheUnplugNothingNewBegins() throws Exception {
    Driver driver = rig.table.register(named("scull"), new Noting());
    OpenFileObject file = rig.open("scull");
    Area area = rig.map(file, 2);
    events.clear();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    rig.table.addUnplugHandler(d -> {
      try {
        assertThat(operations(area).nopage(area, START, Access.READ)).isSameAs(Nopage.SIGBUS);
        assertErrno(Errno.ENODEV, () -> file.mmap(rig.request(1)));
        assertErrno(Errno.ENXIO, () -> rig.open("scull"));
        // A fork that was under way is balanced by the close to come.
        operations(area).open(area);
      } catch (Throwable t) {
        failure.set(t);
      }
    });

    driver.close();

    assertThat(failure.get()).isNull();
    assertThat(events).containsExactly("open area", "release file");
  }

  @Test
  void afterwardsNothingReachesTheDriver() throws Exception {
    Driver driver = rig.table.register(named("scull"), new Noting());
    OpenFileObject file = rig.open("scull");
    Area area = rig.map(file, 2);
    driver.close();
    events.clear();

    assertThat(operations(area).nopage(area, START, Access.READ)).isSameAs(Nopage.SIGBUS);
    assertThat(operations(area).lastRefusal()).contains("/dev/scull", "test.scull", "gone");
    operations(area).open(area);
    operations(area).maySplit(area, START + 4096);
    operations(area).close(area);
    try (Arena arena = Arena.ofConfined()) {
      assertErrno(Errno.ENXIO, () -> file.read(0, arena.allocate(8)));
    }
    assertErrno(Errno.ENODEV, () -> file.mmap(rig.request(1)));
    assertErrno(Errno.ENXIO, () -> rig.open("scull"));
    area.setOperations(null);
    file.put();
    file.release();

    assertThat(events).isEmpty();
    assertThat(rig.log).isEmpty();
  }

  @Test
  void theDeviceStaysAsGoneUntilItsLastAreaIsUnmapped() throws Exception {
    Driver driver = rig.table.register(named("scull"), new Noting());
    OpenFileObject file = rig.open("scull");
    Area area = rig.map(file, 2);
    file.release();

    driver.close();

    assertThat(rig.info("scull").present()).isFalse();
    assertThat(rig.info("scull").areas()).isEqualTo(1);
    area.setOperations(null);
    file.put();
    assertThat(rig.table.find("/dev/scull")).isEmpty();
    assertErrno(Errno.ENOENT, () -> rig.open("scull"));
  }

  @Test
  void goneOperationsRefuseEveryFaultAndCallNothing() throws Exception {
    Driver driver = rig.table.register(named("scull"), new Noting());
    Area area = rig.map(rig.open("scull"), 2);
    closeOnUnplug(area);
    driver.close();

    assertThat(operations(area).hasClose()).isFalse();
    assertThat(operations(area).nopage(area, START, Access.READ)).isSameAs(Nopage.SIGBUS);
    assertThat(operations(area).lastRefusal()).contains("/dev/scull", "gone");
    assertThat(driver.owns(area)).isTrue();
  }

  @Test
  void callsUnderWayAreWaitedFor() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    Area area = rig.mapped("slow", new VmOperations() {
      @Override
      public Nopage nopage(Vma vma, long address, Access access) {
        inside.countDown();
        try {
          go.await();
        } catch (InterruptedException e) {
          events.add("interrupted");
        }
        events.add("nopage ends");
        return Nopage.SIGBUS;
      }
    });
    rig.table.addUnplugHandler(driver -> events.add("unplug"));
    Thread faulting = Thread.ofPlatform().start(
        () -> operations(area).nopage(area, START, Access.READ));
    inside.await();
    Thread letting = Thread.ofPlatform().start(() -> {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(30));
      go.countDown();
    });

    rig.table.close();

    assertThat(events).containsExactly("nopage ends", "unplug");
    faulting.join();
    letting.join();
  }

  @Test
  void aCallThatHangsHoldsUpTheUnplugForItsLimitOnly() throws Exception {
    rig.limit(DeviceRig.LIMIT_MILLIS);
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    Area area = rig.mapped("stuck", new VmOperations() {
      @Override
      public Nopage nopage(Vma vma, long address, Access access) {
        inside.countDown();
        while (go.getCount() > 0) {
          // Reacts to no interrupt.
          LockSupport.parkNanos(1_000_000);
          boolean unused = Thread.interrupted();
        }
        return Nopage.SIGBUS;
      }
    });
    Thread faulting = Thread.ofPlatform().start(
        () -> operations(area).nopage(area, START, Access.READ));
    inside.await();

    rig.table.close();

    assertThat(go.getCount()).as("it hangs still").isOne();
    assertThat(rig.log).anyMatch(line -> line.contains("reacts to no interrupt")
        || line.contains("react to no interrupt"));
    go.countDown();
    faulting.join();
  }

  @Test
  void aDriverMayUnregisterItselfFromACallback() throws Exception {
    AtomicReference<Driver> self = new AtomicReference<>();
    self.set(rig.table.register(named("suicidal"), new MmapProvider() {
      @Override
      public void open(OpenFile file) {
        self.get().close();
      }
    }));

    OpenFileObject file = rig.open("suicidal");

    assertThat(file.driver().isPresent()).isFalse();
  }

  @Test
  void anUnplugHandlerThatFailsDoesNotKeepTheDriver() throws Exception {
    Driver driver = rig.table.register(named("scull"), new Noting());
    Area area = rig.map(rig.open("scull"), 2);
    rig.table.addUnplugHandler(d -> {
      throw new IllegalStateException("broken");
    });

    driver.close();

    events.clear();
    operations(area).close(area);
    assertThat(events).isEmpty();
    assertThat(rig.log).singleElement().asString().contains("broken");
  }

  @Test
  void theSameNameCanBeRegisteredAgainWhileTheOldFileIsStillOpen() throws Exception {
    Driver first = rig.table.register(named("scull"), new Noting());
    OpenFileObject old = rig.open("scull");
    first.close();

    Driver second = rig.table.register(named("scull"), new Noting());

    assertThat(second.generation()).isGreaterThan(first.generation());
    assertThat(rig.info("scull").present()).isTrue();
    assertThat(rig.table.list()).hasSize(2);
    assertErrno(Errno.ENODEV, () -> old.mmap(rig.request(1)));
    rig.open("scull").mmap(rig.request(1));
  }

  /** Loads the driver below from a class loader of its own. */
  private static final class ThrowAway extends ClassLoader {
    ThrowAway() {
      super(UnplugTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(Bundled.class.getName())) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> known = findLoadedClass(name);
        return known != null ? known : define(name);
      }
    }

    private Class<?> define(String name) {
      try (InputStream in = UnplugTest.class.getResourceAsStream(
          '/' + name.replace('.', '/') + ".class")) {
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** A driver with objects of its own in every place that the kernel offers, and a failure. */
  public static final class Bundled implements MmapProvider {
    /** What it throws. */
    static final class OwnException extends RuntimeException {
      private static final long serialVersionUID = 1L;
    }

    /** What it maps with. */
    static final class Operations implements VmOperations {
      @Override
      public Nopage nopage(Vma vma, long address, Access access) {
        throw new OwnException();
      }

      @Override
      public void close(Vma vma) {}
    }

    @Override
    public void open(OpenFile file) {
      file.setPrivateData(new Operations());
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(new Operations());
      request.setPrivateData(new Operations());
    }
  }

  @Test
  void theClassLoaderOfAGoneDriverIsCollectedWhileFilesAndAreasAreLeft() throws Exception {
    Kept kept = useAndRemove();

    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
    while (!kept.loader.refersTo(null) && System.nanoTime() - end < 0) {
      System.gc();
      Thread.sleep(20);
    }

    assertThat(kept.loader.refersTo(null)).as("the driver's class loader is collected").isTrue();
    assertThat(kept.file.driver().isPresent()).isFalse();
    assertThat(operations(kept.area).nopage(kept.area, START, Access.READ))
        .isSameAs(Nopage.SIGBUS);
    assertThat(rig.info("bundled").lastError()).contains("OwnException");
  }

  private record Kept(
      WeakReference<ClassLoader> loader, OpenFileObject file, Area area, Area bare) {}

  private Kept useAndRemove() throws Exception {
    ClassLoader loader = new ThrowAway();
    MmapProvider provider = (MmapProvider) loader.loadClass(Bundled.class.getName())
        .getDeclaredConstructor().newInstance();
    assertThat(provider).isNotInstanceOf(Bundled.class);
    Driver driver = rig.table.register(named("bundled"), provider);
    OpenFileObject file = rig.open("bundled");
    Area area = rig.map(file, 2);
    closeOnUnplug(area);
    Area bare = rig.map(file, 2);
    bare.setPrivateData(null);
    assertThat(operations(area).nopage(area, START, Access.READ)).isSameAs(Nopage.SIGBUS);
    OpenFileObject second = rig.table.open("/dev/bundled", AccessMode.READ_ONLY, false);
    second.release();

    driver.close();

    return new Kept(new WeakReference<>(loader), file, area, bare);
  }
}
