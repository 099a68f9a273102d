// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Mman;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Program;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The command, typed into a real Gogo session. */
@FaultlineTest
@Timeout(600)
class FbTest {
  private static final int NEVER = 60_000;
  private static final int WIDTH = 40;
  private static final int HEIGHT = 24;

  private final CommandProcessorImpl processor = new CommandProcessorImpl(null);
  private final ByteArrayOutputStream console = new ByteArrayOutputStream();
  private final CommandSession session;
  private final Framebuffer device;
  private final Framebuffer second;
  private final Program program;
  private final long address;
  @TempDir private Path folder;

  FbTest(BootedKernel kernel) throws Exception {
    device = new Framebuffer(kernel.memory("fb"), new Mode(WIDTH, HEIGHT, 32), 1, NEVER);
    AutoCloseable unused = kernel.devices().register(DeviceRegistration.of("fb0"), device);
    second = new Framebuffer(kernel.memory("fb"), "fb1", new Mode(4, 2, 32), 0, NEVER);
    AutoCloseable other = kernel.devices().register(DeviceRegistration.of("fb1"), second);
    program = kernel.spawn();
    address = program.mmapShared(
        program.open("/dev/fb0", AccessMode.READ_WRITE), 2L * Mman.PAGE_SIZE, 0);
    processor.addCommand("faultline", new Fb(List.of(second, device), kernel.tasks()), "fb");
    PrintStream out = new PrintStream(console, true, StandardCharsets.UTF_8);
    session = processor.createSession(new ByteArrayInputStream(new byte[0]), out, out);
    session.put("SCOPE", "faultline:*");
  }

  @AfterEach
  void close() {
    session.close();
    processor.stop();
    device.deactivate();
    second.deactivate();
  }

  private String type(String line) {
    try {
      return String.valueOf(session.execute(line));
    } catch (Exception e) {
      return e.toString();
    }
  }

  private String draw() {
    return type("fb test %d 0x%x".formatted(program.task().pid(), address));
  }

  private static int expected(int x, int y) {
    return TestPicture.rgb(x, y, WIDTH, HEIGHT);
  }

  @Test
  void testDrawsThroughTheProcessesOwnMapping() {
    assertThat(draw()).contains("drew 40 x 24 pixels");
    assertThat(program.memory().getInt(address)).isEqualTo(0xffffff);
    assertThat(device.deferred().counters().written()).isEqualTo(1);
  }

  @Test
  void showSendsWhatWaitsAndPrintsEveryPixel() {
    draw();
    int[][] seen = Ansi.pixels(type("fb show --colour").lines().toList());
    assertThat(seen).hasDimensions(HEIGHT, WIDTH);
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        assertThat(seen[y][x]).isEqualTo(expected(x, y));
      }
    }
  }

  @Test
  void showIsAsWideAsItIsTold() {
    draw();
    assertThat(Ansi.pixels(type("fb show --width 10 --colour").lines().toList()))
        .hasDimensions(6, 10);
  }

  @Test
  void whereThereIsNoTerminalItIsPlain() {
    draw();
    assertThat(type("fb show")).doesNotContain("\u001b").startsWith("@@@@@####").hasLineCount(12);
  }

  @Test
  void followPrintsAnewWhatIsSentUntilTheTimeIsOver() throws Exception {
    Thread drawing = Thread.ofPlatform().start(() -> {
      UserMemory memory = program.task().newCpu();
      for (int i = 0; i < WIDTH * HEIGHT; i++) {
        memory.putInt(address + 4L * i, 0xffffff);
      }
      device.deferred().flush();
    });
    assertThat(type("fb show --plain --follow 1")).isEmpty();
    drawing.join();
    List<String> lines = console.toString(StandardCharsets.UTF_8).lines().toList();
    assertThat(lines.size()).isIn(12, 24);
    assertThat(lines.subList(lines.size() - 12, lines.size()).getFirst())
        .isEqualTo("@".repeat(WIDTH));
  }

  @Test
  void snapshotWritesBelowTheFolderOfTheSession() throws Exception {
    session.currentDir(folder);
    draw();
    assertThat(type("fb snapshot p.png")).contains(folder.resolve("p.png").toString(), "40 x 24");
    BufferedImage read = ImageIO.read(folder.resolve("p.png").toFile());
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        assertThat(read.getRGB(x, y) & 0xffffff).isEqualTo(expected(x, y));
      }
    }
  }

  @Test
  void whatCannotBeWrittenIsNamedWithTheReason() throws Exception {
    session.currentDir(folder);
    assertThat(type("fb snapshot no/p.png"))
        .isEqualTo("fb: " + folder.resolve("no/p.png") + ": there is no folder "
            + folder.resolve("no"));
    Files.createDirectory(folder.resolve("d.png"));
    assertThat(type("fb snapshot d.png")).endsWith("d.png: is a folder");
    assertThat(type("fb snapshot p.jpg")).contains("p.jpg.png");
    assertThat(type("fb snapshot")).contains("FILE.png is missing");
  }

  @Test
  void infoHasModeMemoryAndCounters() {
    draw();
    assertThat(type("fb info")).contains(
        "40x24", "stride          160", "8192: 2 pages", "open files      1", "dirty now 1",
        "first stores 1; flushes 0, pages sent 0");
    device.deferred().flush();
    assertThat(type("fb info")).contains("dirty now 0", "flushes 1, pages sent 1");
  }

  @Test
  void eachDeviceHasAPictureOfItsOwn() throws Exception {
    session.currentDir(folder);
    draw();
    int fd = program.open("/dev/fb1", AccessMode.READ_WRITE);
    long place = program.mmapShared(fd, Mman.PAGE_SIZE, 0);
    assertThat(type("fb test /dev/fb1 %d 0x%x".formatted(program.task().pid(), place)))
        .contains("drew 4 x 2 pixels");
    assertThat(second.picture().rgb(0, 0)).isEqualTo(0xffffff);
    assertThat(type("fb show fb1 --plain")).hasLineCount(1);
    assertThat(type("fb show fb0 --plain")).hasLineCount(12);
    assertThat(type("fb show --plain")).as("the first").hasLineCount(12);
    assertThat(type("fb snapshot fb1 p.png")).contains("4 x 2 pixels");
    assertThat(ImageIO.read(folder.resolve("p.png").toFile()).getWidth()).isEqualTo(4);
  }

  @Test
  void infoTellsOfOneDeviceOrOfAll() {
    assertThat(type("fb info")).containsSubsequence("/dev/fb0", "40x24", "\n\n", "/dev/fb1", "4x2");
    assertThat(type("fb info fb1")).contains("/dev/fb1").doesNotContain("40x24");
    assertThat(type("fb info /dev/fb0")).contains("40x24").doesNotContain("fb1");
  }

  @Test
  void aDeviceThatIsNotThereIsNamed() {
    assertThat(type("fb show fb7")).contains("DEVICE 'fb7' is none of /dev/fb0, /dev/fb1");
    assertThat(type("fb info /dev/zero")).contains("'/dev/zero' is none of");
    assertThat(type("fb info fb1 fb0")).contains("'fb0' is too much");
  }

  @Test
  void whatIsWrongIsNamedWithAnExample() {
    assertThat(type("fb")).contains("say info, show, snapshot or test", "example: fb show");
    assertThat(type("fb shoe")).contains("'shoe'");
    assertThat(type("fb show --wide")).contains("'--wide'");
    assertThat(type("fb show --width many")).contains("--width: 'many'");
    assertThat(type("fb info all")).contains("'all' is too much");
    assertThat(type("fb test 999 0x1000")).contains("PID '999'");
    assertThat(type("fb test %d there".formatted(program.task().pid())))
        .contains("ADDRESS 'there'");
    assertThat(type("fb test %d 0x1000".formatted(program.task().pid())))
        .contains("SIGSEGV", "0x1000");
  }
}
