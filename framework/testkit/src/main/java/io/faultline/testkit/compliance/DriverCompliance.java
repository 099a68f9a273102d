// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.faultline.device.DeviceMemory;
import io.faultline.device.IoMemory;
import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.testkit.compliance.Step.AtOnce;
import io.faultline.testkit.compliance.Step.Cycle;
import io.faultline.testkit.compliance.Step.Exit;
import io.faultline.testkit.compliance.Step.Fill;
import io.faultline.testkit.compliance.Step.FillMore;
import io.faultline.testkit.compliance.Step.Fork;
import io.faultline.testkit.compliance.Step.Grow;
import io.faultline.testkit.compliance.Step.Hoard;
import io.faultline.testkit.compliance.Step.Load;
import io.faultline.testkit.compliance.Step.LoadInNeed;
import io.faultline.testkit.compliance.Step.Map;
import io.faultline.testkit.compliance.Step.MapInNeed;
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
import io.faultline.testkit.compliance.Step.WriteInNeed;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;
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
  /** Who takes longer is asked in a JVM of its own. */
  private static final Duration COLLECTING = Duration.ofSeconds(1);

  private final History history = new History(this);
  private @Nullable List<Window> windows;

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

  /**
   * Which page a page is another view of, for a device that shows the same memory at several places, as
   * {@code ring} does: the first place. Without it each page is its own.
   *
   * @param page of the device, from 0
   */
  protected int firstViewOf(int page) {
    return page;
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
    check(history, origin, List.of(steps));
  }

  /** With the device's first pages, and with each other part of it. */
  private void check(History one, String origin, List<Step> steps) {
    one.check(origin, steps);
    for (Window window : windows()) {
      one.check(origin + ", " + window, window.in(steps));
    }
  }

  private List<Window> windows() {
    List<Window> known = windows;
    if (known == null) {
      known = Window.of(this);
      windows = known;
    }
    return known;
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
    // What is in the way is closed before the driver is asked: if it refuses, there is a hole.
    for (Window window : windows()) {
      steps.addAll(
          List.of(
              whole(0, 20), new Map(0, 23, 2, window.offset(), true, true), new Load(0, 21),
              new Load(0, 26), new Fork(0), new Exit(1), new Unmap(0, 20, ALL)));
    }
    history.check("mmap that may be refused", steps);
  }

  @Test
  void withoutMemoryNothingIsLeftAndAllGoesOnAfterwards() {
    // First a device of which nothing was touched: where pages are made when they are.
    check(
        "no memory for the driver", whole(0, 0), new LoadInNeed(0, 3), new Load(0, 3),
        new Store(0, 3), new LoadInNeed(0, 3), new Load(0, 3), new Exit(0));
    for (int request = 1; request <= 4; request++) {
      check("no memory for the driver's first mmap", new MapInNeed(0, 0, ALL, 0, true, request));
    }
    for (boolean shared : new boolean[] {true, false}) {
      List<Step> steps = new ArrayList<>(
          List.of(
              new Fill(), new Cycle(), new Fill(), new MapInNeed(0, 0, ALL, 0, shared, 1),
              new MapInNeed(0, 20, 1, 3, shared, 1), whole(0, 0), new Load(0, 1),
              new MapInNeed(0, 2, 3, 2, shared, 1), new Load(0, 0), new Load(0, 6)));
      for (Window window : windows()) {
        steps.add(new MapInNeed(0, 40, window.pages(), window.offset(), shared, 1));
      }
      steps.addAll(List.of(new Fork(0), new Exit(0), new Load(1, 7)));
      history.check("no memory for the driver's mmap", steps);
    }
    check(
        "no memory for the driver's write", new WriteInNeed(0), new WriteInNeed(ALL + 2),
        new Fill(), new WriteInNeed(2), whole(0, 0), new Load(0, 2), new Load(0, 3));
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
    for (Window window : windows()) {
      steps.add(new FillMore(window.offset(), window.pages()));
    }
    for (Window window : windows()) {
      steps.add(new Map(0, 60, window.pages(), window.offset(), true, true));
      for (int i = 0; i < Math.min(window.pages(), ALL); i++) {
        steps.addAll(List.of(new Load(0, 60 + i), new Store(0, 60 + i), new Load(0, 60 + i)));
      }
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
    Said said = new Said(this);
    for (Window window : windows()) {
      List<Step> there = new ArrayList<>(
          List.of(
              new FillMore(window.offset(), window.pages()),
              new Map(0, 0, window.pages(), window.offset(), true, true)));
      for (int i = 0; i < window.pages(); i++) {
        int page = window.offset() + i;
        if (said.has(page)) {
          there.addAll(
              List.of(
                  new Load(0, i), new Read(page), new Store(0, i), new Read(page),
                  new Write(page), new Load(0, i)));
        }
      }
      history.check("read, write, load and store, " + window, there);
    }
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
      one.check("random, seed " + seed, new RandomSteps(seed, windows()).history());
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

  /** With all parts of the device where that takes no time. */
  private void checkWith(UnplugPolicy policy, String origin, List<Step> steps) {
    History one = new History(this, Setting.with(policy));
    String text = origin + ", UnplugPolicy." + policy;
    if (policy == UnplugPolicy.WAIT) {
      one.check(text, steps);
    } else {
      check(one, text, steps);
    }
  }

  @Test
  void unpluggedItIsClosedAndAccessesAreRefused() {
    for (UnplugPolicy policy : UnplugPolicy.values()) {
      checkWith(
          policy, "hot removal",
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
      checkWith(
          policy, "removal and return",
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
    LoaderCheck check = new LoaderCheck(this);
    if (check.isCollected(COLLECTING) || exempt().contains(Rule.CLASS_LOADER_IS_COLLECTABLE)) {
      return;
    }
    // What the JDK remembers softly (records' equals, for one) is no leak.
    String held = LoaderJvm.ask(getClass());
    if (held != null) {
      history.fail(
          new Violation(Rule.CLASS_LOADER_IS_COLLECTABLE, held),
          List.of(
              " 1. the driver is made by a class loader of its own",
              " 2. process 1 maps page 0, loads from it, and exits",
              " 3. the driver is removed, and everything of the kit's that knew it"));
    }
  }
}
