// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.zero;

import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlag;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Kernel;
import io.faultline.testkit.Program;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Mappings of {@code /dev/zero}, as Linux 6.18 was seen to treat them. */
@FaultlineTest
class ZeroMappingTest {
  private static final int PAGE = Mman.PAGE_SIZE;

  private final Program program;
  private int zero;

  ZeroMappingTest(Kernel kernel) {
    MemoryDevicesTest.installAll(kernel);
    program = kernel.spawn();
  }

  @BeforeEach
  void open() throws ErrnoException {
    zero = program.open("/dev/zero", AccessMode.READ_WRITE);
  }

  @Test
  void privateIsZeroFilledMemoryOfTheProcessAlone() throws ErrnoException {
    long address = program.mmapPrivate(zero, 2 * PAGE, 0);
    assertThat(program.peek(address, 2 * PAGE)).isEqualTo("\0".repeat(2 * PAGE));
    program.poke(address, "parent");

    Program child = program.fork();
    child.poke(address, "child!");

    assertThat(program.peek(address, 6)).isEqualTo("parent");
    assertThat(child.peek(address, 6)).isEqualTo("child!");
    assertThat(program.read(zero, 0, 6)).isEqualTo("\0".repeat(6));
  }

  @Test
  void privateKeepsItsNameAndOffset() throws ErrnoException {
    long address = program.mmapPrivate(zero, 2 * PAGE, 0x5000);

    assertThat(program.mapsLine(address)).contains(" rw-p 00005000 ").endsWith(" /dev/zero");
    assertThat(program.peek(address + PAGE, 1)).isEqualTo("\0");
  }

  @Test
  void privateCountsAgainstOvercommit() throws ErrnoException {
    long address = program.mmapPrivate(zero, PAGE, 0);

    assertThat(program.area(address).has(VmFlag.ACCOUNT)).isTrue();
    assertThat(program.area(program.mmapShared(zero, PAGE, 0)).has(VmFlag.ACCOUNT)).isFalse();
  }

  @Test
  void privateNeighboursJoinWhereTheOffsetGoesOn() throws ErrnoException {
    long base = program.mmap(-1, 16 * PAGE, Mman.PROT_NONE,
        Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);

    fixed(base + PAGE, Mman.MAP_PRIVATE, 0);
    fixed(base + 2 * PAGE, Mman.MAP_PRIVATE, PAGE);
    assertThat(program.area(base + PAGE).length()).as("offset goes on").isEqualTo(2 * PAGE);

    fixed(base + 5 * PAGE, Mman.MAP_PRIVATE, 0);
    fixed(base + 6 * PAGE, Mman.MAP_PRIVATE, 0);
    assertThat(program.area(base + 5 * PAGE).length()).as("same offset").isEqualTo(PAGE);

    fixed(base + 9 * PAGE, Mman.MAP_SHARED, 0);
    fixed(base + 10 * PAGE, Mman.MAP_SHARED, PAGE);
    assertThat(program.area(base + 9 * PAGE).length()).as("shared").isEqualTo(PAGE);
  }

  @Test
  void sharedIsSharedWithTheChildrenOfAFork() throws ErrnoException {
    long address = program.mmapShared(zero, 2 * PAGE, 0);

    Program child = program.fork();
    child.poke(address + PAGE, "from the child");

    assertThat(program.peek(address + PAGE, 14)).isEqualTo("from the child");
  }

  @Test
  void everySharedMappingIsAnObjectOfItsOwn() throws ErrnoException {
    long one = program.mmapShared(zero, PAGE, 0);
    long other = program.mmapShared(zero, PAGE, 0);

    program.poke(one, "x");

    assertThat(program.peek(other, 1)).isEqualTo("\0");
    assertThat(program.mapsLine(one)).contains(" rw-s 00000000 00:01 ")
        .endsWith(" /dev/zero (deleted)");
    assertThat(program.mapsLine(one).substring(26)).isNotEqualTo(
        program.mapsLine(other).substring(26));
  }

  @Test
  void sharedMemoryBeginsAtOffsetZeroWhateverTheAreasOffset() throws ErrnoException {
    long address = program.mmapShared(zero, 3 * PAGE, PAGE);

    assertThat(program.mapsLine(address)).contains(" rw-s 00001000 ");
    program.poke(address + PAGE, "x");
    long behind = address + 2 * PAGE;
    assertSigbus(behind, () -> program.memory().getByte(behind));
  }

  @Test
  void sharedMemoryDoesNotGrowWithItsArea() throws ErrnoException {
    long address = program.mremap(program.mmapShared(zero, PAGE, 0), PAGE, 2 * PAGE);

    program.poke(address, "x");
    assertSigbus(address + PAGE, () -> program.memory().putByte(address + PAGE, (byte) 1));
  }

  @Test
  void privateMemoryGrows() throws ErrnoException {
    long address = program.mremap(program.mmapPrivate(zero, PAGE, 0), PAGE, 2 * PAGE);

    program.poke(address + PAGE, "x");
    assertThat(program.peek(address + PAGE, 1)).isEqualTo("x");
  }

  @Test
  void sharedOfAFileOpenedForReadingIsAnonymousMemoryThatStaysReadOnly() throws ErrnoException {
    int readOnly = program.open("/dev/zero", AccessMode.READ_ONLY);
    long address = program.mmap(readOnly, 2 * PAGE, Mman.PROT_READ, Mman.MAP_SHARED, 0);

    assertThat(program.mapsLine(address)).contains(" r--s 00000000 ").endsWith(" /dev/zero");
    assertThat(program.area(address).has(VmFlag.SHARED)).isFalse();
    assertThat(program.peek(address, 1)).isEqualTo("\0");
    assertFails(Errno.EACCES,
        () -> program.mprotect(address, PAGE, Mman.PROT_READ | Mman.PROT_WRITE));
  }

  @Test
  void privateOfAFileOpenedForReadingMayBeWritten() throws ErrnoException {
    int readOnly = program.open("/dev/zero", AccessMode.READ_ONLY);
    long address = program.mmap(readOnly, PAGE, Mman.PROT_READ, Mman.MAP_PRIVATE, 0);

    program.mprotect(address, PAGE, Mman.PROT_READ | Mman.PROT_WRITE);
    program.poke(address, "x");

    assertThat(program.peek(address, 1)).isEqualTo("x");
  }

  @Test
  void dontneedEmptiesPrivateMemoryAndKeepsShared() throws ErrnoException {
    long mine = program.mmapPrivate(zero, PAGE, 0);
    long shared = program.mmapShared(zero, PAGE, 0);
    program.poke(mine, "x");
    program.poke(shared, "x");

    program.madvise(mine, PAGE, Mman.MADV_DONTNEED);
    program.madvise(shared, PAGE, Mman.MADV_DONTNEED);

    assertThat(program.peek(mine, 1)).isEqualTo("\0");
    assertThat(program.peek(shared, 1)).isEqualTo("x");
  }

  @Test
  void outlivesTheDescriptor() throws ErrnoException {
    long mine = program.mmapPrivate(zero, PAGE, 0);
    long shared = program.mmapShared(zero, PAGE, 0);

    program.close(zero);

    program.poke(mine, "x");
    program.poke(shared, "y");
    assertThat(program.peek(mine, 1) + program.peek(shared, 1)).isEqualTo("xy");
  }

  @Test
  void bigMappingsAreAlignedToTwoMegabytes() throws ErrnoException {
    assertThat(program.mmapPrivate(zero, 4 << 20, 0) % (2 << 20)).isZero();
    assertThat(program.mmapPrivate(zero, 4 << 20, 1 << 20) % (2 << 20)).isEqualTo(1 << 20);
  }

  private void fixed(long address, int flags, long offset) throws ErrnoException {
    long unused = program.mmapAt(address, zero, PAGE, Mman.PROT_READ | Mman.PROT_WRITE,
        flags | Mman.MAP_FIXED, offset);
  }
}
