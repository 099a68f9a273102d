// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.faultline.device.DeviceMemory;
import io.faultline.device.IoMemory;
import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.compliance.Step.AtOnce;
import io.faultline.testkit.compliance.Step.Cycle;
import io.faultline.testkit.compliance.Step.Exit;
import io.faultline.testkit.compliance.Step.Fill;
import io.faultline.testkit.compliance.Step.Fork;
import io.faultline.testkit.compliance.Step.Grow;
import io.faultline.testkit.compliance.Step.Hoard;
import io.faultline.testkit.compliance.Step.Load;
import io.faultline.testkit.compliance.Step.Map;
import io.faultline.testkit.compliance.Step.MapOddly;
import io.faultline.testkit.compliance.Step.Move;
import io.faultline.testkit.compliance.Step.Protect;
import io.faultline.testkit.compliance.Step.Read;
import io.faultline.testkit.compliance.Step.Replug;
import io.faultline.testkit.compliance.Step.Scatter;
import io.faultline.testkit.compliance.Step.Store;
import io.faultline.testkit.compliance.Step.Unmap;
import io.faultline.testkit.compliance.Step.Unplug;
import io.faultline.testkit.compliance.Step.Upgrade;
import io.faultline.testkit.compliance.Step.Write;
import java.lang.ref.WeakReference;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The contract between kernel and driver, as tests. A driver's test extends this and says how the
 * driver is made:
 *
 * <pre>{@code
 * class ScullpComplianceTest extends DriverCompliance {
 *   @Override
 *   protected MmapProvider driver(PageAllocator pages) {
 *     return new Scullp(pages);
 *   }
 * }
 * }</pre>
 *
 * What the driver can do is found out: which methods it overrides, which pages {@code read} has. The
 * other methods here say what cannot be found out; none of them has to be overridden.
 *
 * <p>A test that fails says which {@link Rule} is broken, on which page of LDD3 it stands, and the
 * shortest history that breaks it. The drivers run behind an observer, so a debugger shows frames of
 * this package between kernel and driver.
 *
 * <p>The system property {@code faultline.compliance.histories} is the number of random histories (200),
 * {@code faultline.compliance.seed} the seed of the first (1).
 */
@Timeout(1800)
public abstract class DriverCompliance {
  private static final int ALL = Step.PAGES;
  private static final int COLLECTIONS = 20;
  private static final Duration COLLECTING = Duration.ofSeconds(10);

  private final History history = new History(this);

  /** For implementors. */
  protected DriverCompliance() {}

  /**
   * A new driver; called for each history, for a kernel of its own, and for each upgrade. One of the
   * methods of this name is overridden.
   *
   * @param pages where the driver gets its pages
   */
  protected MmapProvider driver(PageAllocator pages) throws Exception {
    throw new UnsupportedOperationException("override driver: it makes the driver");
  }

  /**
   * A new driver, for one that keeps memory which outlives it.
   *
   * @param pages where the driver gets its pages
   * @param memory the same for all versions in one kernel
   */
  protected MmapProvider driver(PageAllocator pages, DeviceMemory memory) throws Exception {
    return driver(pages);
  }

  /**
   * A new driver, for one that has registers.
   *
   * @param pages where the driver gets its pages
   * @param memory the same for all versions in one kernel
   * @param io the regions are the same for all versions, the handlers are this one's
   */
  protected MmapProvider driver(PageAllocator pages, DeviceMemory memory, IoMemory io)
      throws Exception {
    return driver(pages, memory);
  }

  /**
   * Whether a mapping shows registers: what a load gives need not be what was stored, neither by another
   * process nor by the same one. The kit then says nothing about the values that the device gives, only
   * where there must be any, and what belongs to a process once it has copied it.
   */
  protected boolean showsRegisters() {
    return false;
  }

  /**
   * The same for one page, where a device has pages of both kinds: what the others hold is checked.
   * Without it, what {@link #showsRegisters()} says of all.
   *
   * @param page of the device, from 0, as {@link #offsetSelectsMap} counts them
   */
  protected boolean showsRegisters(int page) {
    return showsRegisters();
  }

  /**
   * The driver has gone: what its bundle's deactivation does. Closes one that is {@link
   * AutoCloseable}; else calls its method {@code deactivate()}, if it has one.
   */
  protected void remove(MmapProvider driver) throws Exception {
    if (driver instanceof AutoCloseable closeable) {
      closeable.close();
      return;
    }
    for (Class<?> type = driver.getClass(); type != null; type = type.getSuperclass()) {
      for (Method method : type.getDeclaredMethods()) {
        if (method.getName().equals("deactivate") && method.getParameterCount() == 0) {
          deactivate(method, driver);
          return;
        }
      }
    }
  }

  private static void deactivate(Method method, MmapProvider driver) throws Exception {
    method.setAccessible(true);
    try {
      Object unused = method.invoke(driver);
    } catch (InvocationTargetException thrown) {
      throw new IllegalStateException("deactivate() threw " + thrown.getCause(), thrown);
    }
  }

  /**
   * How many areas the driver believes to map its devices, for one that counts. With it a wrong count
   * is found at the call where it goes wrong; without, only by what follows from it.
   */
  protected OptionalInt areas(MmapProvider driver) {
    return OptionalInt.empty();
  }

  /**
   * How many pages a device of a fixed size has, 8 at least. Without it, without {@link #hasPage}, and
   * without {@code read}, the kit knows of no holes.
   */
  protected OptionalInt size() {
    return OptionalInt.empty();
  }

  /**
   * Whether the device has a page, for a device with holes that {@code read} does not tell of. Where it
   * is overridden it decides: an access to that page must go through, or must be SIGBUS. Without it a
   * page behind {@link #size()} is a hole, and one before is there, or as {@code read} says.
   *
   * @param page of the device, from 0, as {@link #offsetSelectsMap} counts them; may be behind its end
   */
  protected boolean hasPage(int page) {
    OptionalInt size = size();
    return size.isEmpty() || page < size.getAsInt();
  }

  /**
   * Whether the offset of {@code mmap} selects one of several maps, as with Linux's {@code uio}: offset
   * <i>n</i> pages is map <i>n</i> from its beginning. Map 0 has 8 pages at least. The kit calls page
   * <i>i</i> of map <i>n</i> page 50<i>n</i> + <i>i</i>. A part of an area that a split or a move left
   * with another map's offset is not looked at any more: which page it shows depends on whether it was
   * touched before.
   */
  protected boolean offsetSelectsMap() {
    return false;
  }

  /**
   * Whether {@code read} and {@code write} move the bytes of the device's pages. Not so where they tell
   * something else: interrupts, say.
   */
  protected boolean filesShowPages() {
    return true;
  }

  /** Its nodes, of which the kit uses the first; and its time limit. */
  protected DeviceRegistration registration() {
    return DeviceRegistration.of("compliance").withTimeoutMillis(1000);
  }

  /** Physical memory of the kernels, in bytes. */
  protected long memory() {
    return 16L << 20;
  }

  /** Rules that the device breaks on purpose. Say why in a comment. */
  protected Set<Rule> exempt() {
    return Set.of();
  }

  @BeforeEach
  final void canBeMapped() throws Exception {
    try (Machine machine = new Machine(this, Setting.USUAL, new Facades())) {
      assertTrue(machine.scene().canMap(),
          "the driver does not override mmap: there is nothing to check");
      machine.finish();
    }
  }

  private void check(String origin, Step... steps) {
    history.check(origin, List.of(steps));
  }

  private static Step.Map whole(int process, int at) {
    return new Map(process, at, ALL, 0, true, true);
  }

  @Test
  void munmapClosesWhatMmapMade() {
    check(
        "mmap and munmap", new Fill(), new Cycle(), new Fill(), whole(0, 0), new Load(0, 3),
        new Store(0, 4),
        whole(0, 20), new Load(0, 24), new Unmap(0, 0, ALL), new Load(0, 23), new Load(0, 27),
        new Unmap(0, 20, ALL));
  }

  @Test
  void forkOpensAndExitCloses() {
    check(
        "fork and exit", new Fill(), new Cycle(), new Fill(), whole(0, 0), new Load(0, 0),
        new Fork(0),
        new Store(0, 1), new Load(1, 1), new Store(1, 2), new Load(0, 2), new Exit(1),
        new Load(0, 3), new Load(0, 4), new Fork(0), new Fork(1), new Exit(0), new Load(1, 5),
        new Exit(1), new Load(2, 6), new Load(2, 0));
  }

  @Test
  void splitsOpenThePieces() {
    check(
        "munmap and mprotect in the middle", new Fill(), new Cycle(), new Fill(), whole(0, 0),
        new Unmap(0, 3, 2), new Load(0, 5), new Load(0, 1), new Protect(0, 6, 1, false),
        new Load(0, 6), new Store(0, 7), new Unmap(0, 5, 3), new Load(0, 2), new Store(0, 0),
        new Protect(0, 1, 1, false), new Protect(0, 1, 1, true), new Store(0, 1),
        new Unmap(0, 0, 1), new Load(0, 2));
  }

  @Test
  void mremapMovesAndGrows() {
    check(
        "mremap", new Fill(), new Cycle(), new Fill(), new Map(0, 0, 4, 2, true, true),
        new Store(0, 1),
        new Move(0, 0, 4, 20, 4), new Load(0, 21), new Load(0, 23), new Grow(0, 20, 4, 6),
        new Load(0, 25), new Move(0, 21, 2, 40, 3), new Load(0, 40), new Load(0, 42),
        new Load(0, 20), new Load(0, 24), new Move(0, 23, 3, 50, 1), new Load(0, 50));
  }

  @Test
  void whatMmapRefusesIsNotCounted() {
    List<Step> steps = new ArrayList<>(List.of(new Fill(), new Cycle(), new Fill(), whole(0, 0)));
    for (MapOddly.Odd odd : MapOddly.Odd.values()) {
      steps.add(new MapOddly(0, odd));
      steps.add(new Load(0, 1));
    }
    steps.addAll(List.of(whole(0, 2), new Load(0, 3), new Unmap(0, 0, 16)));
    history.check("mmap that may be refused", steps);
  }

  @Test
  void exitClosesAll() {
    check(
        "exit", new Fill(), new Cycle(), new Fill(), whole(0, 0), whole(0, 20), new Unmap(0, 22, 2),
        new Load(0, 1), new Load(0, 21), new Fork(0), new Load(1, 2), new Exit(0),
        new Load(1, 3), new Load(1, 26));
  }

  @Test
  void everyPageIsThatOfItsOffset() {
    List<Step> steps = new ArrayList<>(List.of(new Fill(), whole(0, 0)));
    for (int page = 0; page < ALL; page++) {
      steps.add(new Map(0, 20 + 2 * page, 1, page, true, true));
      steps.add(new Load(0, 20 + 2 * page));
      steps.add(new Store(0, 20 + 2 * page));
      steps.add(new Load(0, page));
    }
    history.check("a mapping for each page", steps);
  }

  @Test
  void holesAreSigbus() {
    List<Step> steps = new ArrayList<>(List.of(new Fill()));
    steps.add(new Map(0, 0, ALL + 4, 0, true, true));
    for (int page = ALL; page < ALL + 4; page++) {
      steps.add(new Load(0, page));
      steps.add(new Store(0, page));
      steps.add(new Load(0, page));
    }
    // The last page, and the first behind it.
    steps.add(new Map(0, 60, 4, size().orElse(ALL) - 2, true, true));
    steps.add(new Load(0, 61));
    steps.add(new Load(0, 62));
    steps.add(new Map(0, 20, 4, 1000, true, true));
    steps.add(new Load(0, 20));
    steps.add(new Store(0, 21));
    steps.add(new Map(0, 30, 4, 1000, false, true));
    steps.add(new Store(0, 30));
    steps.add(new Write(ALL + 2));
    steps.add(new Load(0, ALL + 2));
    steps.add(new Load(0, ALL + 1));
    steps.add(new Load(0, ALL + 3));
    history.check("pages that nobody wrote", steps);
  }

  @Test
  void readAndWriteSeeWhatIsMapped() {
    List<Step> steps = new ArrayList<>(List.of(new Fill(), whole(0, 0)));
    for (int page = 0; page < ALL; page++) {
      steps.addAll(
          List.of(
              new Load(0, page), new Store(0, page), new Read(page), new Write(page),
              new Load(0, page), new Read(page)));
    }
    history.check("read, write, load and store", steps);
  }

  @Test
  void privateMappingsKeepWhatIsTheirs() {
    check(
        "MAP_PRIVATE", new Fill(), new Map(0, 0, ALL, 0, false, true), whole(0, 20),
        new Load(0, 1), new Store(0, 1), new Load(0, 21), new Store(0, 22), new Load(0, 2),
        new Store(0, 3), new Fork(0), new Store(1, 1), new Load(0, 1), new Load(1, 3),
        new Read(1), new Read(3), new Exit(0), new Load(1, 1), new Load(1, 3));
  }

  @Test
  void thoseWhoTouchAPageAtOnceShareIt() {
    List<Step> steps = new ArrayList<>();
    for (int page = 0; page < 4; page++) {
      steps.add(new AtOnce(page, false));
    }
    steps.addAll(List.of(new AtOnce(ALL, true), new AtOnce(ALL + 1, true)));
    history.check("several at once", steps);
    check("several at once", new Fill(), new AtOnce(1, false), new AtOnce(2, true));
  }

  @Test
  void histories() {
    int count = Integer.getInteger("faultline.compliance.histories", 200);
    long first = Long.getLong("faultline.compliance.seed", 1);
    History zero = new History(this, Setting.with(UnplugPolicy.ZERO));
    for (long seed = first; seed < first + count; seed++) {
      History one = seed % 2 == 0 ? zero : history;
      one.check("random, seed " + seed, new RandomSteps(seed).history());
    }
  }

  @Test
  void whatTheKernelRefusesHalfwayIsUndone() {
    new History(this, Setting.tight(memory())).check(
        "too little memory, too many areas",
        List.of(
            new Fill(), new Cycle(), new Fill(), whole(0, 0), new Load(0, 0), new Hoard(0),
            new Fork(0), new Load(0, 1), new Scatter(0, 0), new Unmap(0, 3, 2), new Load(0, 3),
            new Protect(0, 3, 1, false), new Store(0, 3), new Map(0, 20, 2, 0, true, true),
            new Move(0, 2, 2, 40, 2), new Load(0, 2), new Scatter(0, 2), new Unmap(0, 3, 1),
            new Load(0, 4), new Map(0, 6, 1, 2, true, true), new Load(0, 5), new Exit(0)));
  }

  @Test
  void unpluggedItIsClosedAndAccessesAreRefused() {
    for (UnplugPolicy policy : UnplugPolicy.values()) {
      new History(this, Setting.with(policy)).check(
          "hot removal, UnplugPolicy." + policy,
          List.of(
              new Fill(), whole(0, 0), new Load(0, 0), new Store(0, 1), new Fork(0),
              new Unmap(1, 2, 2), new Load(1, 5), new Map(1, 20, 4, 2, false, true),
              new Store(1, 20), new Unplug()));
    }
  }

  @Test
  void whoComesBackAdoptsWhatIsLeft() throws Exception {
    assumeHandsOver();
    for (UnplugPolicy policy : UnplugPolicy.values()) {
      new History(this, Setting.with(policy)).check(
          "removal and return, UnplugPolicy." + policy,
          List.of(
              new Fill(), whole(0, 0), new Load(0, 0), new Store(0, 1), new Fork(0),
              new Unmap(1, 2, 2), new Map(1, 20, 4, 2, false, true), new Store(1, 20),
              new Replug(), new Load(0, 0), new Load(0, 1), new Load(0, 2), new Load(1, 5),
              new Load(1, 20), new Load(1, 21), new Read(3), new Write(3), new Load(0, 3),
              new Store(0, 4), new Replug(), new Load(0, 4), new Fork(0), new Exit(0),
              new Load(1, 6), new Upgrade(), new Map(1, 40, 4, 4, true, true), new Load(1, 43),
              new Exit(1)));
    }
  }

  private void assumeHandsOver() throws Exception {
    try (Machine machine = new Machine(this, Setting.USUAL, new Facades())) {
      boolean handsOver = machine.handsOver();
      machine.finish();
      assumeTrue(handsOver, "the driver does not implement HandOver");
    }
  }

  @Test
  void anUpgradeIsNotSeen() throws Exception {
    assumeHandsOver();
    check(
        "upgrade", new Fill(), whole(0, 0), new Load(0, 0), new Store(0, 1), new Fork(0),
        new Unmap(1, 2, 2), new Map(1, 20, 4, 2, false, true), new Store(1, 20), new Upgrade(),
        new Load(0, 0), new Load(0, 1), new Load(0, 2), new Load(1, 5), new Load(1, 20),
        new Load(1, 21), new Read(3), new Write(3), new Load(0, 3), new Store(0, 4),
        new Upgrade(), new Upgrade(), new Load(0, 4), new Load(0, 5), new Fork(0), new Exit(0),
        new Load(1, 6), new Map(1, 40, 4, 4, true, true), new Load(1, 43), new Exit(1));
  }

  // ---- the class loader -------------------------------------------------------------------------

  @Test
  void itsClassLoaderCanBeCollected() throws Exception {
    Constructor<?> constructor = getClass().getDeclaredConstructor();
    assumeTrue(
        constructor.getParameterCount() == 0,
        "the test's class cannot be made a second time: make it a top-level or a static class");
    WeakReference<ClassLoader> loader = liveInAnotherLoader();
    // Threads that ran it may take a moment to end.
    long deadline = System.nanoTime() + COLLECTING.toNanos();
    for (int i = 0; loader.get() != null
        && (i < COLLECTIONS || System.nanoTime() < deadline); i++) {
      System.gc();
      Thread.sleep(i < 10 ? 5 : 30);
    }
    if (loader.get() != null && !exempt().contains(Rule.CLASS_LOADER_IS_COLLECTABLE)) {
      history.fail(
          new Violation(
              Rule.CLASS_LOADER_IS_COLLECTABLE,
              "the driver was loaded, mapped, removed and dropped, and its class loader is still"
                  + " reachable after " + COLLECTIONS
                  + " collections and more; a heap dump shows from where"),
          List.of(
              " 1. the driver is made by a class loader of its own",
              " 2. process 1 maps page 0, loads from it, and exits",
              " 3. the driver is removed, and everything of the kit's that knew it"));
    }
  }

  private WeakReference<ClassLoader> liveInAnotherLoader() throws Exception {
    Class<?> driverClass;
    try (BootedKernel kernel =
        BootedKernel.boot(memory(), KernelProfile.LINUX_6_18)) {
      MmapProvider sample =
          driver(kernel.pages("sample"), kernel.memory("sample"), kernel.io("sample"));
      driverClass = sample.getClass();
      remove(sample);
    }
    try (OwnLoader loader = OwnLoader.of(getClass(), driverClass)) {
      Class<?> twin = loader.loadClass(getClass().getName());
      assertSame(loader, twin.getClassLoader(), "who loaded the test a second time");
      Constructor<?> constructor = twin.getDeclaredConstructor();
      constructor.setAccessible(true);
      DriverCompliance again = (DriverCompliance) constructor.newInstance();
      new History(again).live(List.of(new Fill(), whole(0, 0), new Load(0, 0)));
      return new WeakReference<>(loader);
    }
  }
}
