// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.SwapDevice;
import io.faultline.testkit.SwapDeviceContract;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SwapFileTest extends SwapDeviceContract {
  private static final long SLOTS = 1024;
  private static final long BYTES = (SLOTS + 1) * 4096;

  @TempDir Path folder;

  private Path path() {
    return folder.resolve("swapfile");
  }

  @Override
  protected SwapDevice device() {
    return new SwapFile(path(), SLOTS);
  }

  @Override
  protected List<String> leftovers() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(Path::toString).toList();
    }
  }

  @Test
  void isListedAsAFileUnderItsPath() {
    assertThat(underTest().type()).isEqualTo("file");
    assertThat(underTest().name()).isEqualTo(path().toString());
    assertThat(new SwapFile(Path.of("/a b\\c"), 1).name()).isEqualTo("/a\\040b\\134c");
  }

  @Test
  void hasItsRoomFromTheStartAndForItsOwnerAlone() throws Exception {
    underTest().swapon();
    assertThat(Files.size(path())).isEqualTo(BYTES);
    if (Files.getFileStore(folder).supportsFileAttributeView("unix")) {
      assertThat((Integer) Files.getAttribute(path(), "unix:mode") & 0777).isEqualTo(0600);
    }
    assertThat(blocks(path()) * 512).as("allocated, not a hole").isGreaterThanOrEqualTo(BYTES);
  }

  private static long blocks(Path file) throws Exception {
    Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/stat")), "needs stat");
    Process stat = new ProcessBuilder("/usr/bin/stat", "-c", "%b", file.toString()).start();
    return Long.parseLong(new String(stat.getInputStream().readAllBytes()).strip());
  }

  @Test
  void twoKernelsDoNotShareAFile() throws IOException {
    underTest().swapon();
    write(new long[] {1}, 5);
    SwapDevice second = device();
    assertThatThrownBy(second::swapon).isInstanceOf(IOException.class)
        .hasMessageContaining("in use by another kernel");
    second.swapoff();
    assertHolds(new long[] {1}, 5);
  }

  @Test
  void twoProcessesDoNotShareAFile() throws Exception {
    underTest().swapon();
    Process other = new ProcessBuilder(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xshare:auto", "-cp",
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
        Activates.class.getName(), path().toString()).redirectErrorStream(true).start();
    String said = new String(other.getInputStream().readAllBytes());
    assertThat(other.waitFor()).as(said).isEqualTo(1);
    assertThat(said).contains("in use by another kernel");
    assertThat(path()).exists();
  }

  /** Another kernel, in another process. */
  static final class Activates {
    public static void main(String[] path) throws IOException {
      new SwapFile(Path.of(path[0]), SLOTS).swapon();
    }
  }

  @Test
  void somebodysFileIsLeftAlone() throws IOException {
    Files.writeString(path(), "a letter");
    assertThatThrownBy(underTest()::swapon).isInstanceOf(IOException.class)
        .hasMessageContaining("remove it or give another path");
    underTest().swapoff();
    assertThat(path()).hasContent("a letter");
    Files.delete(path());
    Files.createDirectory(path());
    assertThatThrownBy(underTest()::swapon).isInstanceOf(IOException.class);
    assertThat(path()).isDirectory();
  }

  @Test
  void aLinkIsNotFollowed() throws IOException {
    Path letter = Files.createFile(folder.resolve("letter"));
    Files.createSymbolicLink(path(), letter);
    assertThatThrownBy(underTest()::swapon).isInstanceOf(IOException.class);
    assertThat(letter).isEmptyFile();
  }

  @Test
  void anEmptyFileIsUsedAndLeftEmpty() throws IOException {
    Files.createFile(path(),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r--r--")));
    underTest().swapon();
    write(new long[] {1}, 5);
    assertHolds(new long[] {1}, 5);
    assertThat(Files.getPosixFilePermissions(path())).hasSize(2);
    underTest().swapoff();
    assertThat(path()).isEmptyFile();
  }

  @Test
  void aFileThatAKilledKernelLeftIsUsedAgain() throws IOException {
    underTest().swapon();
    byte[] left = Files.readAllBytes(path());
    underTest().swapoff();
    Files.write(path(), left);
    underTest().swapon();
    assertRefused(() -> read(1));
    write(new long[] {1}, 5);
    assertHolds(new long[] {1}, 5);
    underTest().swapoff();
    assertThat(leftovers()).isEmpty();
  }

  @Test
  void aFullDiskShowsAtSwaponAndNothingIsLeft() throws IOException {
    long tooMuch = Files.getFileStore(folder).getUsableSpace() / 4096 + (1 << 20);
    assertThatThrownBy(new SwapFile(path(), tooMuch)::swapon).isInstanceOf(IOException.class)
        .hasMessageContaining("no room");
    assertThat(leftovers()).isEmpty();
  }

  @Test
  void whatSomebodyElseWroteIntoTheFileIsNotServed() throws IOException {
    underTest().swapon();
    write(new long[] {1, 2, 3}, 5, 6, 7);
    try (RandomAccessFile file = new RandomAccessFile(path().toFile(), "rw")) {
      file.seek(3 * 4096 + 100);
      file.write(1);
    }
    assertThatThrownBy(() -> read(1, 2, 3)).hasMessageContaining("slot 2");
    assertHolds(new long[] {1, 3}, 5, 7);
  }

  @Test
  void aFileThatWasCutFailsTheReadsBehindTheEnd() throws IOException {
    underTest().swapon();
    write(new long[] {1, 900}, 5, 6);
    try (RandomAccessFile file = new RandomAccessFile(path().toFile(), "rw")) {
      file.setLength(10 * 4096);
    }
    assertThatThrownBy(() -> read(900)).isInstanceOf(IOException.class)
        .hasMessageContaining("shorter");
    assertHolds(new long[] {1}, 5);
  }

  @Test
  void aSizeOfNoPageIsRefused() {
    assertThatThrownBy(() -> new SwapFile(path(), 0)).hasMessageContaining("size.bytes");
  }
}
