// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.hostfile;

import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Kernel;
import io.faultline.testkit.Program;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of the host as processes use them. */
@FaultlineTest
class HostFilesTest {
  private static final int PAGE = Mman.PAGE_SIZE;

  private final Kernel kernel;
  private final io.faultline.kernel.Files files;
  private final Program program;
  @TempDir private Path folder;
  private Path data;
  private HostFiles driver;
  private AutoCloseable mount;

  HostFilesTest(Kernel kernel) {
    this.kernel = kernel;
    this.files = kernel.files();
    this.program = kernel.spawn();
  }

  @BeforeEach
  void mount() throws IOException {
    data = Files.createDirectories(folder.resolve("data"));
    Path fixed = Files.createDirectories(folder.resolve("fixed"));
    Files.writeString(data.resolve("f"), "first page" + "x".repeat(PAGE));
    Files.writeString(fixed.resolve("f"), "never changed");
    Files.writeString(folder.resolve("secret"), "not for processes");
    mountRoots("data=" + data, "fixed=" + fixed);
  }

  private void mountRoots(String... roots) {
    driver = new HostFiles(Root.of(roots, new String[] {"data"}), "/host");
    mount = kernel.devices().mount("/host", DeviceRegistration.of("hostfile"), driver);
  }

  @AfterEach
  void unmount() throws Exception {
    kernel.tasks().list().forEach(task -> kernel.tasks().exit(task, 0));
    mount.close();
    driver.deactivate();
  }

  private int open(String path) throws ErrnoException {
    return program.open("/host/" + path, AccessMode.READ_WRITE);
  }

  private void sync(long address, int length) throws ErrnoException {
    kernel.vmas().msync(program.task(), address, length, Mman.MS_SYNC);
  }

  private String stored(String name) throws IOException {
    return Files.readString(data.resolve(name));
  }

  @Test
  void aMappingShowsTheHostsFileAndMapsItsDeviceAndNumber() throws Exception {
    long address = program.mmapShared(open("data/f"), 2 * PAGE, 0);

    assertThat(program.peek(address, 10)).isEqualTo("first page");
    Path file = data.resolve("f");
    Object number = Files.getAttribute(file, "unix:ino");
    long device = (Long) Files.getAttribute(file, "unix:dev");
    assertThat(program.mapsLine(address))
        .contains("rw-s 00000000 " + HostFiles.deviceNumber(device) + " " + number + " ")
        .endsWith("/host/data/f");
  }

  @Test
  void deviceNumbersAreUnpackedAsTheCLibraryPacksThem() {
    assertThat(HostFiles.deviceNumber(0x801)).hasToString("08:01");
    assertThat(HostFiles.deviceNumber(0x10_0102L)).hasToString("01:102");
  }

  @Test
  void msyncPutsWhatWasStoredIntoTheFile() throws Exception {
    long address = program.mmapShared(open("data/f"), 2 * PAGE, 0);
    program.poke(address, "FIRST");
    assertThat(stored("f")).startsWith("first");

    sync(address, 2 * PAGE);

    assertThat(stored("f")).startsWith("FIRST page").hasSize(PAGE + 10);
  }

  @Test
  void aReadOnlyRootIsNotWritten() throws Exception {
    assertFails(Errno.EROFS, () -> open("fixed/f"));
    int fd = program.open("/host/fixed/f", AccessMode.READ_ONLY);
    assertFails(Errno.EACCES, () -> program.mmapShared(fd, PAGE, 0));
    long address = program.mmapPrivate(fd, PAGE, 0);
    program.poke(address, "NEVER");
    assertThat(program.peek(address, 8)).isEqualTo("NEVER ch");
    assertThat(program.read(fd, 0, 8)).isEqualTo("never ch");
  }

  @Test
  void symbolicLinksMayLeadAnywhereWithinTheRootAndNowhereElse() throws Exception {
    Files.createSymbolicLink(data.resolve("inside"), Path.of("f"));
    Files.createSymbolicLink(data.resolve("outside"), folder.resolve("secret"));
    Files.createSymbolicLink(data.resolve("up"), folder);

    assertThat(program.read(open("data/inside"), 0, 5)).isEqualTo("first");
    assertFails(Errno.EACCES, () -> open("data/outside"));
    assertFails(Errno.EACCES, () -> open("data/up/secret"));
    assertFails(Errno.ENOENT, () -> open("data/../secret"));
  }

  @Test
  void whatIsNoFileIsRefusedWithItsReason() throws Exception {
    Files.createDirectory(data.resolve("d"));
    assertFails(Errno.ENOENT, () -> open("data/none"));
    assertFails(Errno.ENOENT, () -> open("nowhere/f"));
    assertFails(Errno.EISDIR, () -> open("data/d"));
    assertFails(Errno.EISDIR, () -> open("data"));
    assertFails(Errno.ENOTDIR, () -> open("data/f/g"));
    assertThatThrownBy(() -> Root.of(new String[] {"x=" + data + "/none"}, new String[0]))
        .hasMessageContaining("is not there");
    assertThatThrownBy(() -> Root.of(new String[] {"a b=/"}, new String[0]))
        .hasMessageContaining("is not NAME=FOLDER");
    assertThatThrownBy(() -> Root.of(new String[] {"a=/"}, new String[] {"b"}))
        .hasMessageContaining("are no names of roots");
  }

  @Test
  void twoPathsToOneFileAreOneFile() throws Exception {
    Files.createLink(data.resolve("hard"), data.resolve("f"));
    long one = program.mmapShared(open("data/f"), PAGE, 0);
    Program other = kernel.spawn();
    long two =
        other.mmapShared(other.open("/host/data/hard", AccessMode.READ_WRITE), PAGE, 0);

    program.poke(one, "shared");

    assertThat(other.peek(two, 6)).isEqualTo("shared");
  }

  @Test
  void aFileThatLostItsNameKeepsItsBytesAndSaysSo() throws Exception {
    int fd = open("data/f");
    long address = program.mmapShared(fd, PAGE, 0);
    Files.delete(data.resolve("f"));
    program.poke(address, "still there");

    sync(address, PAGE);

    assertThat(program.mapsLine(address)).endsWith("/host/data/f (deleted)");
    assertThat(program.read(fd, 0, 11)).isEqualTo("still there");
    assertFails(Errno.ENOENT, () -> open("data/f"));
  }

  @Test
  void anotherFileUnderTheSameNameIsAnotherFile() throws Exception {
    long before = program.mmapShared(open("data/f"), PAGE, 0);
    assertThat(program.peek(before, 5)).isEqualTo("first");
    Files.writeString(data.resolve("new"), "second");
    Files.move(
        data.resolve("new"), data.resolve("f"),
        StandardCopyOption.REPLACE_EXISTING);

    assertThat(program.read(open("data/f"), 0, 6)).isEqualTo("second");
    assertThat(program.peek(before, 5)).isEqualTo("first");
  }

  @Test
  void anEmptyFileIsSigbusUntilItIsWritten() throws Exception {
    Files.createFile(data.resolve("empty"));
    int fd = open("data/empty");
    long address = program.mmapShared(fd, PAGE, 0);

    assertSigbus(address, () -> program.peek(address, 1));
    program.write(fd, 0, "now");
    assertThat(program.peek(address, 3)).isEqualTo("now");
    files.fsync(program.task(), fd);
    assertThat(stored("empty")).isEqualTo("now");
  }

  @Test
  void aThreadThatIsInterruptedReadsAndWritesAllTheSame() throws Exception {
    int fd = open("data/f");
    long address = program.mmapShared(fd, 2 * PAGE, 0);
    Thread.currentThread().interrupt();
    assertThat(program.peek(address, 5)).isEqualTo("first");
    program.poke(address, "FIRST");
    sync(address, 2 * PAGE);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(stored("f")).startsWith("FIRST");
  }

  @Test
  void aFullDiskIsToldByMsyncAndLosesNothing() throws Exception {
    Path disk = Files.createDirectories(folder.resolve("disk"));
    Assumptions.assumeTrue(
        run("mount", "-t", "tmpfs", "-o", "size=64k", "none", disk.toString()) == 0,
        "skipped: a disk that can be filled needs the right to mount a tmpfs");
    try {
      // A file with a hole: its size is there, its blocks are not.
      try (FileChannel channel = FileChannel.open(
          disk.resolve("f"), StandardOpenOption.CREATE_NEW,
          StandardOpenOption.WRITE)) {
        channel.write(ByteBuffer.allocate(1), 8 * PAGE - 1);
      }
      Files.write(disk.resolve("ballast"), new byte[48 << 10]);
      mount.close();
      driver = new HostFiles(
          Root.of(new String[] {"disk=" + disk}, new String[] {"disk"}), "/host");
      mount = kernel.devices().mount("/host", DeviceRegistration.of("hostfile"), driver);
      int fd = open("disk/f");
      long address = program.mmapShared(fd, 8 * PAGE, 0);
      for (int page = 0; page < 8; page++) {
        program.poke(address + (long) page * PAGE, "page " + page);
      }

      assertFails(Errno.ENOSPC, () -> sync(address, 8 * PAGE));
      assertThat(files.pageCache().dirty()).isPositive();
      for (int page = 0; page < 8; page++) {
        assertThat(program.peek(address + (long) page * PAGE, 6)).isEqualTo("page " + page);
      }
      Files.delete(disk.resolve("ballast"));
      sync(address, 8 * PAGE);
      assertThat(files.pageCache().dirty()).isZero();
      byte[] bytes = Files.readAllBytes(disk.resolve("f"));
      for (int page = 0; page < 8; page++) {
        assertThat(new String(bytes, page * PAGE, 6, StandardCharsets.US_ASCII))
            .isEqualTo("page " + page);
      }
      unmount();
    } finally {
      run("umount", "-l", disk.toString());
    }
  }

  private static int run(String... command) throws Exception {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getInputStream().readAllBytes();
      return process.waitFor(5, TimeUnit.MINUTES) ? process.exitValue() : -1;
    } catch (IOException notThere) {
      return -1;
    }
  }
}
