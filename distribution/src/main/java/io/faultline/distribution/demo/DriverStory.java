// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.demo;

import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;

import io.faultline.device.AccessMode;
import io.faultline.distribution.driver.DropIn;
import io.faultline.distribution.driver.DropInException;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.FaultCounts;
import io.faultline.kernel.Task;
import io.faultline.kernel.TraceEvent.Kind;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;

/** The life of a driver in a running kernel: installed, opened, mapped, faulted, forked, removed. */
final class DriverStory {
  private static final String DRIVER = "scullp";
  static final String DEVICE = "/dev/scullp0";

  /** Pages that are written to the device, and pages that are mapped: two have nothing behind them. */
  private static final int DEVICE_PAGES = 4;

  private static final int MAPPED_PAGES = 6;

  private final Kernel kernel;
  private final DropIn dropIn;
  private final DriverCalls driver;
  private final Narrator narrator;

  private @Nullable Task parent;
  private @Nullable Task child;
  private int fd;
  private long base;

  DriverStory(Kernel kernel, DropIn dropIn, DriverCalls driver, Narrator narrator) {
    this.kernel = kernel;
    this.dropIn = dropIn;
    this.driver = driver;
    this.narrator = narrator;
  }

  void tell()
      throws DemoFailedException, DropInException, ErrnoException, InterruptedException {
    noDriver();
    install();
    openAndMap();
    firstTouch();
    fork();
    splitByMunmap();
    signals();
    populate();
    unmap();
    remove();
  }

  /** Leaves the kernel as it was found, however far the story came. */
  void cleanUp() throws InterruptedException {
    for (Task task : new @Nullable Task[] {child, parent}) {
      if (task != null) {
        kernel.tasks().exit(task, 0);
      }
    }
    if (dropIn.installed().contains(DRIVER)) {
      try {
        dropIn.remove(DRIVER);
      } catch (DropInException e) {
        narrator.say("%s", e);
      }
    }
  }

  private void noDriver() throws DemoFailedException {
    narrator.step("A kernel, and no driver");
    parent = kernel.tasks().spawn("writer");
    narrator.say("Process %d, \"%s\", looks like any small program:", parent().pid(), "writer");
    kernel.proc().maps(parent()).lines().forEach(narrator::quote);
    Errno errno = openFails();
    narrator.call("open(\"%s\", O_RDWR)".formatted(DEVICE), "-1 " + errno);
    narrator.same(Errno.ENOENT, errno, "there is no such device, since no driver has made it");
  }

  private Errno openFails() throws DemoFailedException {
    try {
      kernel.files().open(parent(), DEVICE, AccessMode.READ_WRITE);
    } catch (ErrnoException e) {
      return e.errno();
    }
    throw new DemoFailedException(
        DEVICE + " is there already; try in a shell: rmmod " + DRIVER + ", or: faultline demo");
  }

  private void install() throws DemoFailedException, DropInException, InterruptedException {
    narrator.step("A driver is dropped into the running kernel");
    long begin = System.nanoTime();
    List<DeviceInfo> devices = dropIn.install(dropIn.availableJar(DRIVER)).devices();
    long millis = (System.nanoTime() - begin) / 1_000_000;
    DeviceInfo first = devices.getFirst();
    narrator.say("%s.jar is copied into drivers/; %d ms later:", DRIVER, millis);
    for (DeviceInfo device : devices) {
      narrator.quote("%s  %s  %s".formatted(device.path(), device.number(), device.driver()));
    }
    narrator.same(DEVICE, first.path(), "bundle %s made its devices", first.driver());
  }

  private void openAndMap() throws DemoFailedException, ErrnoException {
    narrator.step("A process opens the device, writes to it and maps it");
    fd = kernel.files().open(parent(), DEVICE, AccessMode.READ_WRITE);
    narrator.call("open(\"%s\", O_RDWR)".formatted(DEVICE), fd);
    for (int page = 0; page < DEVICE_PAGES; page++) {
      int written = kernel.files().write(parent(), fd, page(text(page)));
      narrator.call("write(%d, \"%s\", %d)".formatted(fd, text(page), PAGE_SIZE), written);
      if (written != PAGE_SIZE) {
        throw new DemoFailedException("write: a short count, " + written);
      }
    }
    driver.take();
    base =
        kernel
            .memory()
            .mmap(
                parent(),
                0,
                bytes(MAPPED_PAGES),
                PROT_READ | PROT_WRITE,
                MAP_SHARED,
                fd,
                0);
    narrator.call(
        "mmap(NULL, %d, PROT_READ|PROT_WRITE, MAP_SHARED, %d, 0)"
            .formatted(bytes(MAPPED_PAGES), fd),
        hex(base));
    show(parent());
    DriverCalls.Calls calls = driver.take();
    narrator.same(
        "mmap", calls.toString(), "the driver's mmap was called, and open was not (LDD3 p. 421)");
    narrator.same(List.of("rw-s 00000000"), permsAndOffsets(parent()),
        "its area is rw-s, offset 0");
  }

  private void firstTouch() throws DemoFailedException, ErrnoException {
    narrator.step("Nothing is in memory until it is touched");
    UserMemory memory = parent().newCpu();
    String read = read(memory, base);
    narrator.call("(char *) " + hex(base), "\"" + read + "\"");
    narrator.same(text(0), read, "the mapping shows what write(2) wrote");
    narrator.same("nopage", driver.take().toString(), "the page came from the driver's nopage");
    read(memory, base);
    narrator.same("nothing", driver.take().toString(), "the second access asks nobody");
    String hello = "Hello from process " + parent().pid();
    memory.write(base + PAGE_SIZE, bytes(hello));
    narrator.call("strcpy(%s, \"%s\")".formatted(hex(base + PAGE_SIZE), hello), "ok");
    kernel.files().seek(parent(), fd, PAGE_SIZE);
    MemorySegment buffer = MemorySegment.ofArray(new byte[hello.length()]);
    kernel.files().read(parent(), fd, buffer);
    narrator.same(hello, string(buffer), "read(2) sees what the mapping wrote: one page, no copy");
    driver.take();
  }

  private void fork() throws DemoFailedException, ErrnoException {
    narrator.step("fork: the driver hears of every new reference");
    child = kernel.tasks().fork(parent());
    narrator.call("fork()", child().pid());
    narrator.same("open", driver.take().toString(), "the driver's open was called for the copy");
    for (Task task : List.of(parent(), child())) {
      narrator.say("/proc/%d/maps", task.pid());
      kernel.proc().maps(task).lines().forEach(narrator::quote);
    }
    narrator.same(
        kernel.proc().maps(parent()), kernel.proc().maps(child()), "both maps are the same text");
    String hello = "Hello from process " + child().pid();
    child().newCpu().write(base, bytes(hello));
    narrator.call("strcpy(%s, \"%s\")".formatted(hex(base), hello), "ok");
    narrator.same(
        hello, read(parent().newCpu(), base).substring(0, hello.length()), "the parent reads it");
    driver.take();
  }

  private void splitByMunmap() throws DemoFailedException, ErrnoException {
    narrator.step("munmap in the middle splits an area");
    kernel.memory().munmap(parent(), base + bytes(2), PAGE_SIZE);
    narrator.call("munmap(%s, 4096)".formatted(hex(base + bytes(2))), 0);
    show(parent());
    DriverCalls.Calls calls = driver.take();
    narrator.same(
        List.of("rw-s 00000000", "rw-s 00003000"),
        permsAndOffsets(parent()),
        "two areas are left, the second at page 3 of the device");
    narrator.same(
        2L, calls.of(Kind.OPEN), "open was called for each new part (driver heard: %s)", calls);
    narrator.same(1L, calls.of(Kind.CLOSE), "close was called once, for the part that went");
    narrator.same(
        List.of("rw-s 00000000"), permsAndOffsets(child()), "process %d still has one area",
        child().pid());
  }

  private void signals() throws DemoFailedException, ErrnoException {
    narrator.step("Three ways to be refused");
    UserMemory memory = parent().newCpu();
    long hole = base + bytes(2);
    refused(
        SignalCode.SEGV_MAPERR, load(hole), () -> memory.getByte(hole),
        "where munmap left a hole there is no area to ask");
    kernel.memory().mprotect(parent(), base, PAGE_SIZE, PROT_READ);
    narrator.call("mprotect(%s, 4096, PROT_READ)".formatted(hex(base)), 0);
    show(parent());
    refused(
        SignalCode.SEGV_ACCERR,
        load(base) + " = 1",
        () -> memory.putByte(base, (byte) 1),
        "there is an area, but it may be read only");
    driver.take();
    long behind = base + bytes(DEVICE_PAGES);
    refused(
        SignalCode.BUS_ADRERR,
        load(behind),
        () -> memory.getByte(behind),
        "the area goes on, but the device ends after page " + (DEVICE_PAGES - 1));
    narrator.same("nopage", driver.take().toString(), "that answer was the driver's");
  }

  private void refused(SignalCode expected, String access, Runnable attempt, String why)
      throws DemoFailedException {
    try {
      attempt.run();
    } catch (SignalException e) {
      narrator.access(access, e.info().shortText());
      narrator.quote(e.info().cause());
      narrator.same(expected, e.info().code(), "%s", why);
      return;
    }
    throw new DemoFailedException(access + " was not refused, though " + why);
  }

  private static String load(long address) {
    return "*(char *) " + hex(address);
  }

  private void populate() throws DemoFailedException, ErrnoException {
    narrator.step("populate: pages before they are needed");
    kernel.faults().populate(child(), base, bytes(DEVICE_PAGES), false);
    narrator.call(
        "madvise(%s, %d, MADV_POPULATE_READ)".formatted(hex(base), bytes(DEVICE_PAGES)), 0);
    DriverCalls.Calls calls = driver.take();
    narrator.same(
        (long) DEVICE_PAGES - 1,
        calls.of(Kind.NOPAGE),
        "nopage was called for the %d pages that process %d had not touched",
        DEVICE_PAGES - 1,
        child().pid());
    FaultCounts before = kernel.faults().counts(child());
    UserMemory memory = child().newCpu();
    for (int page = 0; page < DEVICE_PAGES; page++) {
      memory.getByte(base + bytes(page));
    }
    narrator.same("nothing", driver.take().toString(),
        "reading all of them asks the driver nothing");
    narrator.same(before, kernel.faults().counts(child()), "and is no page fault at all");
  }

  private void unmap() throws DemoFailedException, ErrnoException {
    narrator.step("Unmapped, each area is closed exactly once");
    int areas = device().orElseThrow().areas();
    narrator.say("%d areas of two processes map %s.", areas, DEVICE);
    kernel.memory().munmap(parent(), base, bytes(MAPPED_PAGES));
    narrator.call("munmap(%s, %d)".formatted(hex(base), bytes(MAPPED_PAGES)), 0);
    kernel.tasks().exit(child(), 0);
    narrator.call("exit(0) of process %d".formatted(child().pid()), "gone");
    DriverCalls.Calls calls = driver.take();
    narrator.same((long) areas, calls.of(Kind.CLOSE), "the driver heard: %s", calls);
    narrator.same(0, device().orElseThrow().areas(), "no area is left");
    narrator.check(
        permsAndOffsets(parent()).isEmpty(), "/proc/%d/maps does not name it", parent().pid());
  }

  private void remove()
      throws DemoFailedException, DropInException, ErrnoException, InterruptedException {
    narrator.step("The driver is removed while a process has its device mapped");
    long address =
        kernel.memory().mmap(parent(), 0, PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    narrator.call("mmap(NULL, 4096, PROT_READ, MAP_SHARED, %d, 0)".formatted(fd), hex(address));
    UserMemory memory = parent().newCpu();
    narrator.check(memory.getByte(address) != 0, "it can be read");
    Bundle bundle = dropIn.remove(DRIVER);
    narrator.say("%s.jar is deleted from drivers/.", DRIVER);
    narrator.same(Bundle.UNINSTALLED, bundle.getState(), "the bundle is uninstalled");
    refused(
        SignalCode.BUS_ADRERR,
        load(address),
        () -> memory.getByte(address),
        "the area is there, and nobody stands behind it");
    kernel.tasks().exit(parent(), 0);
    narrator.same(
        "exited 0", Objects.toString(parent().end()), "process %d ends as it should",
        parent().pid());
    narrator.check(device().isEmpty(), "%s is gone", DEVICE);
  }

  private Optional<DeviceInfo> device() {
    return kernel.devices().find(DEVICE);
  }

  private void show(Task task) {
    narrator.say("/proc/%d/maps", task.pid());
    deviceLines(task).forEach(narrator::quote);
  }

  private List<String> deviceLines(Task task) {
    return kernel.proc().maps(task).lines().filter(l -> l.endsWith(DEVICE)).toList();
  }

  /** The second and third field of each line that names the device. */
  private List<String> permsAndOffsets(Task task) {
    return deviceLines(task).stream()
        .map(line -> line.split(" ", 4))
        .map(fields -> fields[1] + " " + fields[2])
        .toList();
  }

  private Task parent() {
    return Objects.requireNonNull(parent);
  }

  private Task child() {
    return Objects.requireNonNull(child);
  }

  private static long bytes(int pages) {
    return (long) pages * PAGE_SIZE;
  }

  private static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }

  private static String text(int page) {
    return "page " + page + " of scullp";
  }

  private static MemorySegment bytes(String text) {
    return MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII));
  }

  /** A page that begins with a text. */
  private static MemorySegment page(String text) {
    MemorySegment page = MemorySegment.ofArray(new byte[PAGE_SIZE]);
    page.copyFrom(bytes(text));
    return page;
  }

  /** The text at the beginning of a page, up to its first zero byte. */
  private static String read(UserMemory memory, long address) {
    MemorySegment page = MemorySegment.ofArray(new byte[PAGE_SIZE]);
    memory.read(address, page);
    return string(page);
  }

  private static String string(MemorySegment bytes) {
    byte[] array = bytes.toArray(ValueLayout.JAVA_BYTE);
    int length = 0;
    while (length < array.length && array[length] != 0) {
      length++;
    }
    return new String(array, 0, length, StandardCharsets.US_ASCII);
  }
}
